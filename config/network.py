"""What a configuration says about the network: SIP and its trunks, media, JSON-RPC, the store."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from calls.settings import TrunkSettings
from config.carriers import build_trunk, check_trunk, contacts_of, probe_of, register_of
from config.reading import Read, Reader, show, suggest
from config.schema import HttpSettings, RpcSettings, StoreSettings, Token
from config.tables import HttpTable, MediaTable, RpcTable, SipTable, StoreTable, TrunkTable
from config.transports import build_listener
from media.settings import MediaSettings
from sip.settings import Account, Secret, SipSettings, Timing, TrunkPeer

CODECS = ("PCMU", "PCMA")
MIN_SE = 90  # seconds (RFC 4028 5)
STORES = ("sqlite", "postgresql")
WORKERS_MAX = 64
WORKERS_AUTO_MAX = 4  # beyond it the signalling process is the limit

# Half of what RFC 3261 17.2.1 allows. A queue answers in the same turn: no 100 goes out for its calls.
TRYING_AFTER = 0.1


def build_sip(
    reader: Reader, where: str, table: SipTable, accounts: dict[str, Account], trunks: Sequence[Read]
) -> SipSettings:
    """Return what the SIP stack is told."""
    listen = tuple(
        listener
        for index, url in enumerate(table.listen, 1)
        if (listener := build_listener(reader, f"{where}.listen[{index}]", url, table.tls)) is not None
    )
    if not table.listen:
        reader.refuse(f"{where}.listen", "is empty: the switch must listen somewhere")
    for index, one in enumerate(listen):
        if one in listen[:index] and one.port:
            reader.refuse(f"{where}.listen", f"{one.transport}://{one.host}:{one.port} is given twice")
    domains = (table.domain,) if isinstance(table.domain, str) else table.domain
    domains = tuple(domain for domain in domains if domain) or tuple(one.host for one in listen[:1])
    if table.register_expires_min > table.register_expires_max:
        reader.refuse(f"{where}.register_expires_min", "is longer than register_expires_max")
    elif table.register_expires_min > table.subscribe_expires_max:
        told = f"{table.subscribe_expires_max:g} s is shorter than register_expires_min, the least"
        reader.refuse(f"{where}.subscribe_expires_max", told)
    if table.min_se < MIN_SE:
        reader.refuse(f"{where}.min_se", f"is shorter than {MIN_SE} s, which RFC 4028 does not allow")
    elif table.session_expires and table.session_expires < table.min_se:
        reader.refuse(f"{where}.session_expires", "is shorter than min_se")
    if not table.digest_algorithms:
        reader.refuse(f"{where}.digest_algorithms", "is empty: nobody could register")
    if "" in table.drop_agents:
        reader.refuse(f"{where}.drop_agents", "holds an empty name: every User-Agent contains it")
    for key in ("t1", "t2", "t4", "nonce_life", "ring_max"):
        if not getattr(table, key):
            reader.refuse(f"{where}.{key}", "must be more than 0")
    return SipSettings(
        listen=listen,
        domains=domains,
        advertise=table.advertise,
        digest_algorithms=table.digest_algorithms,
        accounts=accounts,
        trunks=tuple(_peer(trunk.table) for trunk in trunks),
        timing=Timing(
            t1=float(table.t1),
            t2=float(table.t2),
            t4=float(table.t4),
            ring_max=float(table.ring_max),
            nonce_life=float(table.nonce_life),
            trying_after=TRYING_AFTER,
        ),
        user_agent=table.user_agent,
        register_expires_min=float(table.register_expires_min),
        register_expires_max=float(table.register_expires_max),
        registrations_per_user=table.registrations_per_user,
        subscriptions_per_user=table.subscriptions_per_user,
        subscribe_expires_max=float(table.subscribe_expires_max),
        requests_per_source=float(table.requests_per_source),
        ban_failures=table.ban_failures,
        ban_within=float(table.ban_within),
        ban_for=float(table.ban_for),
        drop_agents=tuple(name.lower() for name in table.drop_agents),
        options_probe_every=float(table.options_probe_every),
        realm=table.realm,
        session_expires=float(table.session_expires),
        min_se=float(table.min_se),
        datagram_max=table.datagram_max,
    )


def split_url(url: str) -> SplitResult | None:
    """Return the parts of ``scheme://HOST:PORT``; None for what is no such URL."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is not None  # reading it checks it
    except ValueError:
        return None
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts if parts.hostname and is_bare and has_port else None


def _peer(trunk: TrunkTable) -> TrunkPeer:
    auth = trunk.auth
    return TrunkPeer(
        name=trunk.name,
        accept=trunk.accept,
        user="" if auth is None else auth.user,
        secret=None if auth is None else Secret(password=str(auth.password)),
        realm="" if auth is None else auth.realm,
        contacts=tuple(contact.uri for contact in contacts_of(trunk)),
        register=register_of(trunk),
        probe=probe_of(trunk),
        tls_names=tuple(name.lower() for name in trunk.tls_names),
    )


def build_trunks(reader: Reader, trunks: Sequence[Read], tenants: Sequence[str]) -> tuple[TrunkSettings, ...]:
    """Return what call control is told about trunks."""
    names: dict[str, str] = {}
    networks: dict[str, str] = {}
    for where, trunk in trunks:
        check_name(reader, f"{where}.name", trunk.name, names)
        if trunk.tenant and trunk.tenant not in tenants:
            reader.refuse(
                f"{where}.tenant", f"unknown tenant {show(trunk.tenant)}{suggest(trunk.tenant, tenants)}"
            )
        if not trunk.accept and not (trunk.contact or trunk.register or trunk.tls_names):
            reader.refuse(where, "has neither accept nor tls_names nor contact: no call can come or go")
        for index, text in enumerate(trunk.accept, 1):
            place = f"{where}.accept[{index}]"
            try:
                network = str(ip_network(text, strict=False))
            except ValueError:
                reader.refuse(place, f'{show(text)} is not a network such as "203.0.113.0/24"')
                continue
            other = networks.setdefault(network, trunk.name)
            if other != trunk.name:
                reader.refuse(place, f"{network} is accepted by trunk {show(other)} already")
        check_trunk(reader, where, trunk, is_contact)
    return tuple(build_trunk(trunk) for _, trunk in trunks)


def is_contact(text: str) -> bool:
    """Return whether ``text`` is ``sip:HOST`` or ``sips:HOST:PORT``, with URI parameters or without."""
    scheme, _, rest = text.partition(":")
    if scheme not in ("sip", "sips") or "@" in rest:
        return False
    return (
        split_url(
            "sip://" + (rest.partition(";")[0] if _has_port(rest) else f"{rest.partition(';')[0]}:5060")
        )
        is not None
    )


def _has_port(rest: str) -> bool:
    return ":" in rest.partition(";")[0].rpartition("]")[2]


def check_name(reader: Reader, where: str, name: str, names: dict[str, str]) -> None:
    """Refuse a name that is taken or cannot be used in entries, logs and URLs; note it in ``names``."""
    if not name or any(it.isspace() or it in ':"/' or not it.isprintable() for it in name):
        reader.refuse(
            where, f'{show(name)} is not a name: letters, digits and "-", without blanks, ":" and "/"'
        )
    elif name in names:
        reader.refuse(where, f"the name {show(name)} is taken by {names[name]}")
    else:
        names[name] = where.rpartition(".")[0]


def own_listeners(sip: SipSettings, rpc: RpcSettings) -> tuple[tuple[str, int], ...]:
    """Return host and port of everything we listen at: no stranger's SDP may point our audio there."""
    listeners = [(one.host, one.port) for one in sip.listen]
    for url in rpc.listen:
        host, _, port = url.partition("://")[2].rpartition(":")
        if url.startswith("tcp://") and port.isdigit():
            listeners.append((host.strip("[]"), int(port)))
    return tuple(listeners)


def build_media(reader: Reader, where: str, table: MediaTable, advertise: str, cpus: int) -> MediaSettings:
    """Return what the media plane is told."""
    for key, text in (("address", table.address), ("advertise", table.advertise)):
        if text and not _is_address(text):
            reader.refuse(f"{where}.{key}", f"{show(text)} is not an IP address")
    if not table.address:
        reader.refuse(f"{where}.address", "is empty: media needs an IP address to bind")
    first, last = table.ports
    if first % 2:
        reader.refuse(f"{where}.ports", f"{first} is odd; RTP starts on even ports, RTCP takes the next")
    elif first < 1024:
        reader.refuse(f"{where}.ports", f"{first} is below 1024")
    elif last + (last % 2 == 0) > 65535:
        reader.refuse(f"{where}.ports", f"{last} leaves no port for RTCP")
    elif last < first + 2:
        reader.refuse(
            f"{where}.ports", f"{first} to {last} is not room for one call, which takes two RTP ports"
        )
    for index, codec in enumerate(table.codecs, 1):
        if codec not in CODECS:
            reader.refuse(f"{where}.codecs[{index}]", f"unknown codec {show(codec)}{suggest(codec, CODECS)}")
    if not table.codecs:
        reader.refuse(f"{where}.codecs", f"is empty{suggest('', CODECS)}")
    workers = max(1, min(WORKERS_AUTO_MAX, cpus - 1)) if isinstance(table.workers, str) else table.workers
    if workers > WORKERS_MAX:
        reader.refuse(f"{where}.workers", f"{workers} is more than {WORKERS_MAX}")
    return MediaSettings(
        address=table.address,
        advertise=table.advertise or (advertise if _is_address(advertise) else ""),
        ports=(first, last - last % 2),
        workers=workers,
        codecs=table.codecs,
        ports_ahead=table.ports_ahead,
        rtp_timeout=float(table.rtp_timeout),
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def build_rpc(reader: Reader, where: str, table: RpcTable) -> RpcSettings:
    """Return where JSON-RPC is served and to whom."""
    for index, url in enumerate(table.listen, 1):
        place = f"{where}.listen[{index}]"
        if url in table.listen[: index - 1]:
            reader.refuse(place, f"{url} is given twice")
        if url.startswith("unix://") and len(url) > len("unix://"):
            continue
        parts = split_url(url)
        if parts is not None and parts.scheme in ("ws", "wss"):
            reader.refuse(place, f"{parts.scheme} is not served yet; there are unix, tcp")
        elif parts is None or parts.scheme != "tcp":
            reader.refuse(place, f"{show(url)} is neither unix://PATH nor tcp://HOST:PORT")
    names: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for index, token in enumerate(table.tokens, 1):
        place = f"{where}.tokens[{index}]"
        check_name(reader, f"{place}.name", token.name, names)
        if len(token.token) < 16:
            reader.refuse(f"{place}.token", "is shorter than 16 characters: it could be guessed")
        elif tokens.setdefault(token.token, token.name) != token.name:
            reader.refuse(f"{place}.token", f"is the same as that of {show(tokens[token.token])}")
    return RpcSettings(table.listen, tuple(Token(it.name, it.role, str(it.token)) for it in table.tokens))


def build_store(reader: Reader, where: str, table: StoreTable) -> StoreSettings:
    """Return where rows end up. The URL may hold a password, so messages show its kind only."""
    kind = table.url.partition("://")[0].partition("+")[0]
    if kind not in STORES or "://" not in table.url:
        reader.refuse(
            f"{where}.url", "is not sqlite:///PATH or postgresql+DRIVER://USER:PASSWORD@HOST/DATABASE"
        )
    elif kind == "sqlite" and (not table.url.startswith("sqlite:///") or table.url[10:] in ("", ":memory:")):
        reader.refuse(f"{where}.url", f"{table.url} names no file; one is sqlite:///var/seatswitch.db")
    return StoreSettings(str(table.url))


def build_http(reader: Reader, where: str, table: HttpTable) -> HttpSettings:
    """Return where HTTP is served."""
    if table.listen:
        reader.refuse(f"{where}.listen", "HTTP is not served yet; leave the list empty")
    return HttpSettings(table.listen)
