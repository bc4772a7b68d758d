"""What the SIP stack is told. Frozen; built by ``config/`` from text."""

import msgspec


class Listener(msgspec.Struct, frozen=True):
    """One listening socket; its place in :attr:`SipSettings.listen` is ``Flow.local``."""

    transport: str  # udp, tcp, tls, ws, wss
    host: str
    port: int


class Secret(msgspec.Struct, frozen=True):
    """A password, or its hashes instead: HA1 per algorithm name ("MD5", "SHA-256"), realm included."""

    password: str = ""
    ha1: dict[str, str] = {}


class Account(msgspec.Struct, frozen=True):
    """Who may register and call as ``user@domain``: a seat's softphone or an extension."""

    user: str
    secret: Secret
    tenant: str = ""
    mwi: str = "subscribe"  # or unsolicited: its phones are told of messages unasked


class TrunkRegister(msgspec.Struct, frozen=True):
    """How we register at a trunk."""

    registrar: str  # sip:host:port
    user: str
    domain: str  # of our address of record
    expires: float = 3600.0  # what we ask for


class TrunkProbe(msgspec.Struct, frozen=True):
    """How a trunk's addresses are asked whether they are there."""

    every: float = 30.0
    down_after: int = 3  # misses in a row
    up_after: int = 2  # answers in a row


class TrunkPeer(msgspec.Struct, frozen=True):
    """A trunk as signalling sees it. Its rate and its lines are limited by call control."""

    name: str
    accept: tuple[str, ...] = ()  # networks, "203.0.113.0/24"
    user: str = ""  # digest credentials we answer the trunk's challenges with
    secret: Secret | None = None
    realm: str = ""
    contacts: tuple[str, ...] = ()  # addresses that calls go to
    register: TrunkRegister | None = None
    probe: TrunkProbe | None = None
    tls_names: tuple[str, ...] = ()  # one of these is what its client certificate is for


class Timing(msgspec.Struct, frozen=True):
    """RFC 3261 17.1.1.1 and table 4, in seconds. Per stack, never per process."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    ring_max: float = 180.0  # timer C: a branch that only rings (16.6.11)
    nonce_life: float = 300.0
    trying_after: float = 0.0  # 100 at once


class SipSettings(msgspec.Struct, frozen=True):
    """Everything the stack is told."""

    listen: tuple[Listener, ...]
    domains: tuple[str, ...]
    advertise: str = ""  # public host behind NAT, for Via and Contact
    accounts: dict[str, Account] = {}  # by user
    trunks: tuple[TrunkPeer, ...] = ()
    timing: Timing = Timing()
    user_agent: str = "seatswitch"
    register_expires_min: float = 60.0
    register_expires_max: float = 7200.0
    registrations_per_user: int = 10
    subscriptions_per_user: int = 100
    subscribe_expires_max: float = 3600.0
    datagram_max: int = 1300  # bytes of a request that leaves over UDP (RFC 3261 18.1.1); 0: any
    ban_failures: int = 10  # wrong passwords of one host that ban it; 0: never
    ban_within: float = 60.0
    ban_for: float = 300.0
    drop_agents: tuple[str, ...] = ()  # User-Agents that strangers get no answer with, in lower case
    # New out-of-dialog requests a second from one host that is no trunk; new SUBSCRIBEs from any host.
    requests_per_source: float = 200.0
    options_probe_every: float = 30.0  # 0: registered phones are not probed
    session_expires: float = 1800.0  # the longest a session goes without a refresh (RFC 4028); 0: off
    min_se: float = 90.0  # the shortest such interval that a peer may ask for
    realm: str = ""  # default: the first domain
    digest_algorithms: tuple[str, ...] = ("SHA-256", "MD5")  # one challenge each, in this order
