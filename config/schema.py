"""What a configuration comes to: the settings of every floor, and the shell's own."""

import msgspec

from acd.settings import AcdSettings
from calls.settings import CallSettings
from media.settings import MediaSettings
from sip.settings import Secret, SipSettings


class Token(msgspec.Struct, frozen=True):
    """A secret that gives a JSON-RPC connection over TCP a role without a seat."""

    name: str
    role: str  # admin, supervisor
    token: str


class RpcSettings(msgspec.Struct, frozen=True):
    """Where JSON-RPC is served; ``unix://PATH`` or ``tcp://HOST:PORT``."""

    listen: tuple[str, ...] = ("unix://run/seatswitch.sock",)
    tokens: tuple[Token, ...] = ()


class StoreSettings(msgspec.Struct, frozen=True):
    """Where rows end up: an SQLAlchemy URL, with its password."""

    url: str = "sqlite:///var/seatswitch.db"


class HttpSettings(msgspec.Struct, frozen=True):
    """Where health, metrics and the web page are served; ``http://HOST:PORT``."""

    listen: tuple[str, ...] = ()


class LogSettings(msgspec.Struct, frozen=True):
    """What is logged."""

    level: str = "info"  # debug, info, warning, error


class Settings(msgspec.Struct, frozen=True):
    """One whole configuration, checked."""

    sip: SipSettings
    media: MediaSettings
    acd: AcdSettings
    calls: CallSettings
    rpc: RpcSettings = RpcSettings()
    store: StoreSettings = StoreSettings()
    http: HttpSettings = HttpSettings()
    drain_after: float = 600.0  # seconds a drain waits for calls to end
    log: LogSettings = LogSettings()
    seat_secrets: dict[str, Secret] = {}  # seat number -> what its agent signs in with, softphone or not
