"""What call control is told. Frozen; built by ``config/`` from text."""

import msgspec


class TrunkSettings(msgspec.Struct, frozen=True):
    """A peer we take numbers from and send numbers to."""

    name: str
    tenant: str = ""  # absent: the number plan decides
    contact: str = ""  # sip:host:port, where outbound calls go
    max_calls: int = 0  # 0: no limit
    max_cps: float = 0.0
    hotline_in: str = "request-uri"  # or "to", "p-called-party-id"


class Hotline(msgspec.Struct, frozen=True):
    """A number outsiders call, and where it leads."""

    number: str
    tenant: str
    entry: str  # queue:NAME, seat:NUMBER, extension:NUMBER


class QueueMedia(msgspec.Struct, frozen=True):
    """What a waiting caller gets to hear, and how the INVITE is answered."""

    name: str
    tenant: str
    answer: str = "200"  # or "183"
    music: str = "builtin:music"
    welcome: str = "builtin:welcome"


class CallSettings(msgspec.Struct, frozen=True):
    """Everything the switchboard is told."""

    trunks: tuple[TrunkSettings, ...] = ()
    hotlines: tuple[Hotline, ...] = ()
    queues: tuple[QueueMedia, ...] = ()
    seats: dict[str, str] = {}  # seat number -> tenant
    extensions: dict[str, str] = {}  # extension number -> tenant
    suspended_tenants: tuple[str, ...] = ()
    domain: str = "127.0.0.1"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    ring_for: float = 60.0  # a call that is in no queue
    hold_max: float = 1800.0  # a call held for so long is over; 0: never
    queue_header: bool = True  # X-Queue on the INVITE to a seat
    calls_max: int = 20_000
