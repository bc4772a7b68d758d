"""Admission: who is it? (contract, SIP side)

A request from a live registered flow is that account's, and its From must say so. Otherwise a source that a
trunk accepts is that trunk, unless the From is one of our own addresses of record. Otherwise a From in our
domains is challenged, whether the user exists or not. Otherwise 403.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from sip.bans import Bans
from sip.core import Core
from sip.digest import Credentials, Nonces, challenges, check_answer, parse_credentials
from sip.events import DigestRefused, Identity, SourceBanned
from sip.flows import Flow
from sip.grammar import SipError
from sip.message import Request
from sip.registrar import Registrar
from sip.registration import line_of
from sip.settings import TrunkPeer
from sip.uri import SipUri

_HOSTS_MAX = 4_096  # hosts whose trunk is remembered


class Refused(msgspec.Struct, frozen=True):
    """Not admitted: the status of the answer and its header lines."""

    status: int
    headers: str = ""
    is_banned: bool = False


class Admission:
    """Tells accounts, trunks and strangers apart."""

    def __init__(self, core: Core, registrar: Registrar) -> None:
        self._core = core
        self._registrar = registrar
        self._nonces = Nonces(core.chance.token() + core.chance.token(), core.settings.timing.nonce_life)
        self.bans = Bans(0, 0.0, 0.0)
        self._networks: list[tuple[tuple[IPv4Network | IPv6Network, ...], TrunkPeer]] = []
        self._trunk_by_host: dict[str, tuple[TrunkPeer, ...]] = {}
        self._verified: dict[int, tuple[str, ...]] = {}  # names of the certificate, by connection
        self.reconfigure()

    def reconfigure(self) -> None:
        """Take the core's settings."""
        settings = self._core.settings
        self._nonces.life = settings.timing.nonce_life
        self.bans.configure(settings.ban_failures, settings.ban_within, settings.ban_for)
        self._domains = frozenset(domain.lower() for domain in settings.domains)
        self._networks = [
            (tuple(ip_network(network, strict=False) for network in trunk.accept), trunk)
            for trunk in settings.trunks
        ]
        for trunk in settings.trunks:
            # A registrar calls from where we have registered, whatever else is accepted of it.
            place = None if trunk.register is None else self._core.places.resolve(trunk.register.registrar)
            if place is not None:
                self._networks.append(((ip_network(place.host),), trunk))
        self._lines = {line_of(trunk): trunk for trunk in settings.trunks if trunk.register is not None}
        self._trunk_by_host.clear()

    def identify(self, request: Request, flow: Flow, now: float) -> Identity | Refused:
        """Say who sent an out-of-dialog INVITE, or how to refuse it; SipError 400 on a broken From."""
        domain, user = self._from(request)
        accounts = self._core.settings.accounts
        on_flow = self._registrar.users_on(flow)
        if on_flow:
            if domain and user in on_flow:
                return Identity("account", user, accounts[user].tenant)
            return Refused(403)
        trunk = self.trunk_on(flow)
        if trunk is None and self._lines:
            trunk = self._trunk_of_line(request)
        if trunk is not None and not (domain and user in accounts):
            return Identity("trunk", trunk.name)
        if not domain:
            return Refused(403)
        refused = self.prove(user, request, flow, now)
        return refused or Identity("account", user, accounts[user].tenant)

    def prove(self, user: str, request: Request, flow: Flow, now: float) -> Refused | None:
        """Return None if ``request`` proves to be of the account ``user``, else how to refuse it.

        401 asks (again); 403 is for somebody else's right password, and for a banned host, whatever it knows:
        only who is registered over this very flow may go on. SipError 400 on broken credentials.
        """
        core = self._core
        if self.bans.is_banned(flow.host, now) and user not in self._registrar.users_on(flow):
            return Refused(403, is_banned=True)
        for value in request.headers("authorization"):
            credentials = parse_credentials(value)
            if credentials is None or credentials.realm != core.realm:
                continue
            nonce = credentials.nonce
            if not self._nonces.is_ours(nonce, flow.host):
                # The password is not looked at: with a nonce of one's own guessing would cost nothing.
                return self._challenge(flow, now, stale=True)
            account = core.settings.accounts.get(credentials.user)
            secret = account.secret if account is not None else None
            if not check_answer(credentials, secret, request.method, request.body, realm=core.realm):
                self._count_failure(credentials, request.method, flow, now)
                return self._challenge(flow, now)
            is_good = self._nonces.is_fresh(nonce, flow.host, now)
            if not is_good or not self._nonces.spend(nonce, credentials.nc, now):
                return self._challenge(flow, now, stale=True)
            return None if credentials.user == user else Refused(403)
        return self._challenge(flow, now)

    def is_unwanted(self, request: Request, flow: Flow) -> bool:
        """Return whether a stranger's User-Agent is one that gets no answer."""
        names = self._core.settings.drop_agents
        agent = request.header("user-agent") if names else None
        if agent is None:
            return False
        agent = agent.lower()
        return (
            any(name in agent for name in names)
            and self.trunk_on(flow) is None
            and not self._registrar.knows_host(flow.host)
        )

    def _count_failure(self, credentials: Credentials, method: str, flow: Flow, now: float) -> None:
        core = self._core
        core.put_event(DigestRefused(credentials.user, method, flow))
        answer = f"{credentials.user} {credentials.params.get('response', '')}"
        banned_for = self.bans.failed(flow.host, answer, now)
        if banned_for:
            core.put_event(SourceBanned(flow.host, banned_for))

    def flow_verified(self, flow: Flow, names: tuple[str, ...]) -> None:
        """Know whom the certificate of a connection is for."""
        self._verified[flow.connection] = names

    def flow_closed(self, flow: Flow) -> None:
        """Forget it."""
        self._verified.pop(flow.connection, None)

    def trunk_on(self, flow: Flow) -> TrunkPeer | None:
        """Return the trunk that a request over ``flow`` is from; the first in the settings wins.

        A trunk with ``tls_names`` is known by a verified certificate of one of them, from the networks it
        accepts or, where it accepts none, from anywhere; any other by its networks.
        """
        names = self._verified.get(flow.connection, ()) if flow.connection else ()
        for trunk in self._trunks_of(flow.host):
            if not trunk.tls_names or any(name in names for name in trunk.tls_names):
                return trunk
        # A registrar calls from where we have registered, if only its name told us where that is.
        return self._core.trunks.get(self._core.registrar_hosts.get(flow.host, ""))

    def _trunks_of(self, host: str) -> tuple[TrunkPeer, ...]:
        """Return the trunks that accept requests from ``host``."""
        found = self._trunk_by_host.get(host)
        if found is not None:
            return found
        try:
            address = ip_address(host)
        except ValueError:
            return ()
        found = tuple(
            trunk
            for networks, trunk in self._networks
            if any(address in network for network in networks) or (not networks and trunk.tls_names)
        )
        if len(self._trunk_by_host) >= _HOSTS_MAX:
            self._trunk_by_host.clear()
        self._trunk_by_host[host] = found
        return found

    def is_domain(self, host: str) -> bool:
        """Return whether ``host`` is one of our domains; the port never matters."""
        return host in self._domains

    def _trunk_of_line(self, request: Request) -> TrunkPeer | None:
        """Return the trunk that calls the contact we have registered at it."""
        uri = request.parsed_uri
        return self._lines.get(uri.params.get("line") or "") if isinstance(uri, SipUri) else None

    def _from(self, request: Request) -> tuple[str, str]:
        """Return our domain and the user of From; "" for a domain that is not ours."""
        try:
            uri = request.from_.parsed
        except SipError:
            return "", ""  # a scheme of its own is a stranger's right (RFC 3261 8.1.1.3)
        if not isinstance(uri, SipUri) or uri.host not in self._domains:
            return "", ""
        return uri.host, uri.user

    def _challenge(self, flow: Flow, now: float, *, stale: bool = False) -> Refused:
        nonce = self._nonces.make(flow.host, now)
        lines = [
            f"WWW-Authenticate: {value}\r\n"
            for value in challenges(
                self._core.realm, nonce, self._core.settings.digest_algorithms, stale=stale
            )
        ]
        return Refused(401, "".join(lines))
