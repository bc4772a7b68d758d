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


class TlsSettings(msgspec.Struct, frozen=True):
    """Certificates of SIP over TLS and WSS, as paths of PEM files that the shell reads."""

    certificate: str = ""  # ours, with its chain
    key: str = ""  # "": in the file of the certificate
    ca: str = ""  # whom we trust; "": what the system trusts
    verify_clients: str = "never"  # never, offered (if they show one), always
    verify_servers: bool = True


class ConnectionSettings(msgspec.Struct, frozen=True):
    """What SIP connections (TCP, TLS, WebSocket) may cost."""

    connections_max: int = 4_096
    per_source_max: int = 1_024
    idle_after: float = 600.0  # seconds without a byte
    origins: tuple[str, ...] = ()  # of web pages that may open a WebSocket; (): any
    ping_every: float = 30.0  # seconds between pings to a silent WebSocket; 0: none


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
    tls: TlsSettings = TlsSettings()
    connections: ConnectionSettings = ConnectionSettings()
    dns_servers: tuple[tuple[str, int], ...] = ()  # address and port of each; (): those of the system
    seat_secrets: dict[str, Secret] = {}  # seat number -> what its agent signs in with, softphone or not
