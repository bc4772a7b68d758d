"""What a configuration says about the ways SIP travels: listeners, certificates, connections."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from config.carriers import contacts_of
from config.reading import Read, Reader, show
from config.schema import ConnectionSettings, TlsSettings
from config.tables import SipTable, TlsTable
from sip.settings import Listener, SipSettings
from sip.uri import transport_of

TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
DNS_PORT = 53
SECURE = ("tls", "wss")  # need a certificate


def build_listener(reader: Reader, where: str, url: str, tls: TlsTable | None) -> Listener | None:
    """Return one of ``sip.listen``; None, and an error, for what is no listener."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in TRANSPORTS or not parts.hostname or port is None or not is_bare:
        names = ", ".join(TRANSPORTS)
        reader.refuse(where, f"{show(url)} is not TRANSPORT://HOST:PORT; transports are {names}")
        return None
    if parts.scheme in SECURE and (tls is None or not tls.certificate):
        reader.refuse(where, f"{parts.scheme} needs a certificate: give sip.tls.certificate and sip.tls.key")
        return None
    return Listener(parts.scheme, parts.hostname, port)


def build_tls(reader: Reader, where: str, table: SipTable) -> TlsSettings:
    """Return where the certificates are; whether they are any good is seen where files are read."""
    tls = table.tls
    if tls is None:
        return TlsSettings()
    if tls.key and not tls.certificate:
        reader.refuse(f"{where}.tls.key", "is given without sip.tls.certificate")
    if tls.verify_clients != "never" and not tls.certificate:
        reader.refuse(f"{where}.tls.verify_clients", "needs sip.tls.certificate: nobody is served without")
    return TlsSettings(tls.certificate, tls.key, tls.ca, tls.verify_clients, tls.verify_servers)


def build_connections(reader: Reader, where: str, table: SipTable) -> ConnectionSettings:
    """Return the bounds of connections and whose web pages may open one."""
    for index, origin in enumerate(table.ws_origins, 1):
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            place = f"{where}.ws_origins[{index}]"
            reader.refuse(place, f'{show(origin)} is not an origin such as "https://desk.example.com"')
    if table.connections_per_source > table.connections:
        reader.refuse(f"{where}.connections_per_source", "is more than connections allows in all")
    if not table.connection_idle:
        reader.refuse(f"{where}.connection_idle", "must be more than 0")
    return ConnectionSettings(
        table.connections,
        table.connections_per_source,
        float(table.connection_idle),
        table.ws_origins,
        float(table.ws_ping_every),
    )


def build_dns(reader: Reader, where: str, table: SipTable) -> tuple[tuple[str, int], ...]:
    """Return address and port of each server that names are asked of."""
    servers = []
    for index, text in enumerate(table.dns, 1):
        host, _, port = text.rpartition(":")
        if not host or (":" in host and not host.startswith("[")):  # no port, or an IPv6 address alone
            host, port = text, str(DNS_PORT)
        try:
            server = (str(ip_address(host.strip("[]"))), int(port))
        except ValueError:
            server = ("", 0)
        if not 0 < server[1] < 65536:
            why = f'{show(text)} is not an address such as "10.0.0.2" or "10.0.0.2:53"'
            reader.refuse(f"{where}.dns[{index}]", why)
        servers.append(server)
    return tuple(servers)


def check_trunk_transports(reader: Reader, trunks: Sequence[Read], sip: SipSettings) -> None:
    """Refuse a trunk that is to be reached by, or known by, a transport that nothing here listens on."""
    ours = {listener.transport for listener in sip.listen}
    for where, trunk in trunks:
        for contact in contacts_of(trunk):
            wanted = transport_of(contact.uri)
            if wanted and wanted not in ("udp", "tcp", "tls"):
                reader.refuse(f"{where}.contact", f"calls cannot leave by {wanted}; there are udp, tcp, tls")
            elif wanted and sip.listen and wanted not in ours:
                reader.refuse(f"{where}.contact", f"needs a {wanted}:// listener in sip.listen")
        if trunk.tls_names and "tls" not in ours:
            reader.refuse(f"{where}.tls_names", "needs a tls:// listener in sip.listen")
