"""The registrar: which contacts an address of record has, and whether they answer (RFC 3261 10).

A binding is reachable over the flow it was registered on (RFC 5626): a closed connection, or two unanswered
OPTIONS in a row, make it unreachable; an answer or a REGISTER makes it reachable again. Rule: a user's last
told reachability is whether any of its bindings is reachable.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kernel.outbox import Outbox
from kernel.rows import BindingRow
from kernel.timers import Timer
from kernel.walltime import WallTime
from sip.address import Address
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.dialog import route_text
from sip.events import BindingsChanged
from sip.flows import Flow, flow_text, parse_flow
from sip.grammar import SipError
from sip.gruu import Gruus
from sip.headers import parse_delta, parse_q, tokens
from sip.message import Request, Response
from sip.transactions import MARGIN
from sip.uri import SipUri, TelUri, escape_user, parse_uri, same_uri

if TYPE_CHECKING:
    from sip.core import Core

EXPIRES_DEFAULT = 3600
MISSES_MAX = 2  # unanswered OPTIONS in a row
OUTBOUND = "Require: outbound\r\nFlow-Timer: 120\r\n"  # well below STREAM_IDLE_MAX
_PATH_MAX = 2_000  # characters


class Binding:
    """One registered contact."""

    __slots__ = (
        "_registrar",
        "cseq",
        "expires_at",
        "flow",
        "gruus",
        "instance",
        "is_asked",
        "misses",
        "number",
        "parsed",
        "path",
        "probe_at",
        "q",
        "reachable",
        "sip_call_id",
        "timer",
        "uri",
        "user",
    )

    def __init__(self, registrar: "Registrar", user: str, uri: str, parsed: SipUri | TelUri) -> None:
        self._registrar = registrar
        self.user = user
        self.uri = uri
        self.parsed = parsed
        self.flow = Flow("", 0, "", 0)
        self.path: tuple[str, ...] = ()
        self.instance = ""  # +sip.instance and reg-id (RFC 5626), "" for none
        self.gruus: list[str] = []  # users of its temporary GRUUs, newest last
        self.sip_call_id = ""
        self.cseq = 0
        self.q = 1.0
        self.number = 0  # of its last REGISTER
        self.expires_at = 0.0
        self.reachable = False
        self.misses = 0
        self.is_asked = False  # an OPTIONS is out and unanswered
        self.probe_at = 0.0
        self.timer: Timer | None = None

    @property
    def instance_id(self) -> str:
        """The URN of +sip.instance, "" for none."""
        name = self.instance.rpartition(";")[0]
        return name[2:-2] if name[:2] == '"<' and name[-2:] == '>"' else name.strip('"<>')

    @property
    def has_flows(self) -> bool:
        """Whether its phone may be registered over several flows."""
        return bool(_reg_id(self.instance))

    @property
    def user_text(self) -> str:
        """Its user as it is written into a URI."""
        return escape_user(self.user)

    def on_timer(self, name: str, now: float) -> None:
        """Expire, or ask whether the phone is there."""
        self.timer = None
        self._registrar.binding_due(self, now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the answer to our OPTIONS, whatever it says."""
        self._registrar.probe_answered(self, transaction, now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Our OPTIONS could not be delivered (503), or nobody answered it (408, counted at the next one)."""
        if status != 408:
            self._registrar.probe_missed(self, now)

    def __repr__(self) -> str:
        return f"<Binding {self.user} {self.uri}>"


class Wish(Address):
    """One Contact of a REGISTER, checked."""

    __slots__ = ("expires", "instance", "q", "target")

    def __init__(self, contact: Address, expires: int, registered: int) -> None:
        """``expires`` of this contact's own parameter, or -1 to take ``registered`` (of the header)."""
        super().__init__(contact.display, contact.uri.partition("?")[0], contact.params)
        self.target = parse_uri(self.uri)
        self.expires = registered if expires < 0 else expires
        self.q = parse_q(contact.params["q"]) if "q" in contact.params else 1.0
        instance = contact.params.get("+sip.instance", "")
        reg_id = contact.params.get("reg-id", "")
        self.instance = f"{instance};{reg_id}" if instance else ""


def _nobody_cares(user: str, now: float) -> None:
    """Nobody watches anybody."""


class Registrar:
    """The bindings of every user."""

    def __init__(self, core: "Core", rows: Outbox[BindingRow], walltime: WallTime) -> None:
        self._core = core
        self._rows = rows
        self._walltime = walltime
        self._users: dict[str, list[Binding]] = {}
        self.gone: Callable[[str, float], None] = _nobody_cares  # a user's last binding has expired
        self.gruus = Gruus(core.chance, self.instance_of)
        self._flows: dict[Flow, list[Binding]] = {}
        self._hosts: dict[str, int] = {}  # how many bindings a host has
        self._told: dict[str, bool] = {}  # users that have been told reachable
        self._count = 0  # bindings made or renewed

    # What is there.

    def contacts(self, user: str) -> list[Binding]:
        """Return a user's bindings, best q first."""
        return sorted(self._users.get(user, ()), key=lambda binding: -binding.q)

    def ways(self, user: str) -> list[Binding]:
        """Return the reachable bindings that a call to ``user`` goes to, best q first: of the flows that one
        phone keeps under different reg-ids, the latest (RFC 5626 5.1, 7).
        """
        latest: dict[str, Binding] = {}
        for binding in self._users.get(user, ()):
            if binding.reachable:
                key = binding.instance_id or binding.uri
                other = latest.get(key)
                if other is None or binding.number > other.number:
                    latest[key] = binding
        return sorted(latest.values(), key=lambda binding: -binding.q)

    def instance_of(self, user: str, instance: str) -> Binding | None:
        """Return the binding that requests to one phone go to: the latest, those first that are reachable."""
        found = [binding for binding in self._users.get(user, ()) if binding.instance_id == instance]
        return max(found, key=lambda binding: (binding.reachable, binding.number), default=None)

    def flow_of_gruu(self, uri: str) -> Flow | None:
        """Return the flow that a GRUU of ours leads over now (RFC 5627 5.4); None for any other URI."""
        binding = self.gruus.read(uri)
        return None if binding is None or binding.flow.connection < 0 else binding.flow

    def way_failed(self, uri: str, flow: Flow) -> None:
        """An edge proxy says that the flow of a binding is gone (430, RFC 5626 5.3)."""
        for binding in self._flows.get(flow, ()):
            if binding.uri == uri and binding.reachable:
                binding.reachable = False
                self._tell(binding.user)
                return

    def other_way(self, user: str, tried: tuple[str, ...]) -> Binding | None:
        """Return the latest reachable flow of the phone whose flows ``tried`` (instance and reg-id) are of;
        None if it has no other.
        """
        phone = tried[-1].rpartition(";")[0]
        found = [
            binding
            for binding in self._users.get(user, ())
            if binding.reachable
            and binding.instance not in tried
            and binding.has_flows
            and binding.instance.rpartition(";")[0] == phone
        ]
        return max(found, key=lambda binding: binding.number, default=None)

    def is_reachable(self, user: str) -> bool:
        """Return whether any contact of ``user`` is reachable."""
        return any(binding.reachable for binding in self._users.get(user, ()))

    def users_on(self, flow: Flow) -> list[str]:
        """Return whose registrations came over ``flow``."""
        return [binding.user for binding in self._flows.get(flow, ())]

    def knows_host(self, host: str) -> bool:
        """Return whether anybody is registered from ``host``."""
        return host in self._hosts

    def count(self) -> int:
        """Return how many bindings there are."""
        return sum(len(bindings) for bindings in self._users.values())

    # REGISTER, by somebody who may (RFC 3261 10.3).

    def register(self, user: str, request: Request, flow: Flow, now: float) -> tuple[int, str]:
        """Carry out a REGISTER and return the status and the header lines of the answer; SipError 400."""
        settings = self._core.settings
        wishes, is_all = self._wishes(request)
        bindings = self._users.get(user, [])
        number = request.cseq[0]
        for wish in wishes:
            if 0 < wish.expires < settings.register_expires_min:
                return 423, f"Min-Expires: {int(settings.register_expires_min)}\r\n"
        matched = [(wish, self._match(bindings, wish)) for wish in wishes]
        touched = bindings if is_all else [binding for _, binding in matched if binding is not None]
        for binding in touched:
            if binding.sip_call_id == request.call_id and number <= binding.cseq:
                return 500, ""  # out of order: nothing of it is carried out (10.3 step 7)
        added = sum(1 for wish, binding in matched if binding is None and wish.expires)
        if added and len(bindings) + added > settings.registrations_per_user:
            return 403, ""
        path = tuple(route_text(route) for route in request.addresses("path"))
        if sum(map(len, path)) > _PATH_MAX:
            raise SipError(400, "Path Too Long")
        outbound = self._outbound(request, wishes, path, flow)
        if outbound is None:
            return 439, ""
        if is_all:
            for binding in list(bindings):
                self._remove(binding, now)
        for wish, found in matched:
            if wish.expires:
                self._bind(found, user, wish, request, flow, path, now)
            elif found is not None and self._may_remove(found, wish, request, flow):
                self._remove(found, now)
        self._tell(user)
        domain = ""
        if "gruu" in (tag.lower() for tag in tokens(request.headers("supported"))):
            domain = request.to.parsed.host  # one of ours: it has been looked at
        return 200, self._answer_headers(user, path, domain, now) + outbound

    def _wishes(self, request: Request) -> tuple[list[Wish], bool]:
        """Return the contacts to bind, and whether ``Contact: *`` asks to remove all."""
        value = request.header("expires")
        registered = EXPIRES_DEFAULT if value is None else parse_delta(value)
        contacts = request.contacts
        if any(contact.uri == "*" for contact in contacts):
            if len(contacts) > 1 or value is None or registered:
                raise SipError(400, "Contact * Needs Expires 0")
            return [], True
        most = int(self._core.settings.register_expires_max)
        wishes = []
        for contact in contacts:
            own = contact.params.get("expires")
            try:
                expires = -1 if own is None else parse_delta(own)
            except SipError:
                expires = EXPIRES_DEFAULT  # RFC 3261 10.2.1.1: malformed is as 3600
            wish = Wish(contact, expires, registered)
            wish.expires = min(wish.expires, most)
            wishes.append(wish)
        return wishes, False

    @staticmethod
    def _outbound(request: Request, wishes: list[Wish], path: tuple[str, ...], flow: Flow) -> str | None:
        """Return the header lines of a 200 to a phone that keeps its flow, "" to others (RFC 5626 6).

        None if a proxy between us does not: that is 439. Over UDP the flow is kept by our OPTIONS, because
        nothing here answers STUN.
        """
        if not any(wish.expires and wish.instance.rpartition(";")[2] for wish in wishes):
            return ""
        if "outbound" not in (tag.lower() for tag in tokens(request.headers("supported"))):
            return ""
        if len(request.vias) > 1 and not (path and ";ob" in path[-1].partition(">")[0].lower()):
            return None
        return "" if flow.transport == "udp" else OUTBOUND

    def _match(self, bindings: list[Binding], wish: Wish) -> Binding | None:
        """Return the binding that ``wish`` is about: of the same instance and reg-id, or the same URI.

        A removal is about a URI only: a process that is about to die must not take away the contact of the
        one that replaced it under the same instance.
        """
        if wish.instance and wish.expires:
            for binding in bindings:
                if binding.instance == wish.instance:
                    return binding
        has_flow = bool(wish.expires and _reg_id(wish.instance))
        return next(
            (
                binding
                for binding in bindings
                # RFC 5626 6: flows of one phone differ in their reg-id alone.
                if same_uri(binding.parsed, wish.target) and not (has_flow and _reg_id(binding.instance))
            ),
            None,
        )

    @staticmethod
    def _may_remove(binding: Binding, wish: Wish, request: Request, flow: Flow) -> bool:
        """Return whether the one who asks is the one who registered: same Call-ID, flow or instance."""
        if binding.sip_call_id == request.call_id or binding.flow == flow:
            return True
        return bool(binding.instance) and binding.instance == wish.instance

    def _bind(
        self,
        found: Binding | None,
        user: str,
        wish: Wish,
        request: Request,
        flow: Flow,
        path: tuple[str, ...],
        now: float,
    ) -> None:
        if found is not None and _row_name(user, found.uri, found.instance) != _row_name(
            user, wish.uri, wish.instance
        ):
            self._forget(found)
        binding = found or Binding(self, user, wish.uri, wish.target)
        if found is None:
            self._users.setdefault(user, []).append(binding)
            self._core.places.arrived(flow)
        else:
            self._leave_flow(binding)
            self._core.places.moved(binding.flow, flow)
            if binding.sip_call_id != request.call_id or binding.instance != wish.instance:
                self.gruus.forget(binding)  # RFC 5627 5.1
        self._count += 1
        binding.number = self._count
        binding.uri, binding.parsed = wish.uri, wish.target
        binding.flow, binding.path, binding.instance = flow, path, wish.instance
        binding.sip_call_id, binding.cseq = request.call_id, request.cseq[0]
        binding.q, binding.expires_at = wish.q, now + wish.expires
        binding.reachable, binding.misses, binding.is_asked = True, 0, False
        self.gruus.renew(binding)
        self._join_flow(binding)
        self._schedule_probe(binding, now)
        self._arm(binding)
        self._rows.put(self._row(binding))

    def _answer_headers(self, user: str, path: tuple[str, ...], gruu_domain: str, now: float) -> str:
        lines = [
            f"Contact: <{binding.uri}>;expires={max(1, round(binding.expires_at - now))}"
            f"{_instance_params(binding.instance)}{'' if binding.q == 1.0 else f';q={binding.q:g}'}"
            f"{self.gruus.contact_params(binding, gruu_domain) if gruu_domain else ''}\r\n"
            for binding in self.contacts(user)
        ]
        if path:
            lines.append(f"Path: {', '.join(path)}\r\n")
        return "".join(lines)

    # Life and death of a binding.

    def binding_due(self, binding: Binding, now: float) -> None:
        """A binding's timer has fired: it expires, or it is time to ask."""
        if binding.expires_at - now <= MARGIN:
            self._remove(binding, now)
            self._tell(binding.user)
            if binding.user not in self._users:
                self.gone(binding.user, now)
            return
        if binding.is_asked:
            self.probe_missed(binding, now)
        self._probe(binding, now)
        self._schedule_probe(binding, now)
        self._arm(binding)

    def probe_answered(self, binding: Binding, transaction: ClientRequest, now: float) -> None:
        """A binding's phone answered an OPTIONS."""
        if transaction.context != binding.flow:
            return  # it has moved since
        binding.is_asked, binding.misses = False, 0
        if not binding.reachable:
            binding.reachable = True
            self._tell(binding.user)

    def probe_missed(self, binding: Binding, now: float) -> None:
        """A binding's phone left an OPTIONS unanswered."""
        binding.is_asked = False
        binding.misses += 1
        if binding.misses >= MISSES_MAX and binding.reachable:
            binding.reachable = False
            self._tell(binding.user)

    def flow_closed(self, flow: Flow) -> None:
        """A connection is gone, and with it the way to whoever registered on it."""
        for binding in self._flows.pop(flow, ()):
            self._hosts_less(flow.host)
            binding.reachable = False
            binding.flow = flow._replace(connection=-1)  # nobody's: what is sent there is lost
            self._join_flow(binding)
            self._arm(binding)
            self._tell(binding.user)
            other = self.other_way(binding.user, (binding.instance,)) if binding.has_flows else None
            if other is not None:
                self._core.places.moved(flow, other.flow)  # for the dialogs over it

    def restore(self, row: BindingRow, now: float, walltime: WallTime) -> None:
        """Take back a binding that the store kept; an expired or unknown one is left out."""
        self._walltime = walltime
        expires_at = walltime.monotonic(row.expires_at)
        if expires_at <= now or row.user not in self._core.settings.accounts:
            return
        try:
            parsed, flow = parse_uri(row.contact), self._core.places.adopt(parse_flow(row.flow))
        except (SipError, ValueError):
            return
        if flow is None:
            return
        binding = Binding(self, row.user, row.contact, parsed)
        # A connection did not survive; its phone will register again.
        binding.reachable = flow.transport == "udp"
        binding.flow = flow if binding.reachable else flow._replace(connection=-1)
        binding.path = tuple(row.path.split(", ")) if row.path else ()
        binding.instance, binding.sip_call_id, binding.cseq = row.instance, row.sip_call_id, row.cseq
        binding.q, binding.expires_at = row.q, expires_at
        self._count += 1
        binding.number = self._count
        self._users.setdefault(row.user, []).append(binding)
        self._join_flow(binding)
        self._schedule_probe(binding, now)
        self._arm(binding)
        self._tell(row.user)

    def reconfigure(self, now: float) -> None:
        """Let go of the bindings of accounts that are no more."""
        accounts = self._core.settings.accounts
        gone = [user for user in self._users if user not in accounts]
        for user in gone:
            for binding in list(self._users[user]):
                self._remove(binding, now)
            self._tell(user)

    def check(self) -> None:
        """Assert what must hold between turns."""
        for user, bindings in self._users.items():
            assert bindings, f"{user} has an empty list of bindings"
            for binding in bindings:
                assert binding.timer is not None, f"{binding} never expires"
                assert binding in self._flows[binding.flow], f"{binding} is not on its flow"
            assert self._told.get(user, False) == self.is_reachable(user), f"{user}: reachability not told"
        gruus = sum(len(binding.gruus) for bindings in self._users.values() for binding in bindings)
        assert self.gruus.count() == gruus, "a temporary GRUU outlived its binding"
        assert sum(map(len, self._flows.values())) == self.count(), "a flow outlived its binding"
        assert sum(self._hosts.values()) == self.count(), "a host outlived its binding"

    def _remove(self, binding: Binding, now: float) -> None:
        self._core.timers.disarm(binding.timer)
        binding.timer = None
        self._leave_flow(binding)
        bindings = self._users[binding.user]
        bindings.remove(binding)
        if not bindings:
            del self._users[binding.user]
        binding.reachable = False
        self.gruus.forget(binding)
        self._forget(binding)

    def _forget(self, binding: Binding) -> None:
        """Write the row that takes a binding out of the store."""
        binding.expires_at = 0.0
        self._rows.put(self._row(binding, is_gone=True))

    def _row(self, binding: Binding, *, is_gone: bool = False) -> BindingRow:
        return BindingRow(
            _row_name(binding.user, binding.uri, binding.instance),
            binding.user,
            binding.uri,
            flow_text(binding.flow),
            ", ".join(binding.path),
            binding.instance,
            binding.sip_call_id,
            binding.cseq,
            binding.q,
            0.0 if is_gone else self._walltime.epoch(binding.expires_at),
        )

    def _join_flow(self, binding: Binding) -> None:
        self._flows.setdefault(binding.flow, []).append(binding)
        host = binding.flow.host
        self._hosts[host] = self._hosts.get(host, 0) + 1

    def _leave_flow(self, binding: Binding) -> None:
        on_flow = self._flows[binding.flow]
        on_flow.remove(binding)
        if not on_flow:
            del self._flows[binding.flow]
        self._hosts_less(binding.flow.host)

    def _hosts_less(self, host: str) -> None:
        left = self._hosts[host] - 1
        if left:
            self._hosts[host] = left
        else:
            del self._hosts[host]

    def _tell(self, user: str) -> None:
        reachable = self.is_reachable(user)
        if reachable == self._told.get(user, False):
            return
        if reachable:
            self._told[user] = True
        else:
            del self._told[user]
        self._core.put_event(BindingsChanged(user, reachable))

    def _schedule_probe(self, binding: Binding, now: float) -> None:
        every = self._core.settings.options_probe_every
        if every <= 0.0 or binding.flow.connection < 0:
            binding.probe_at = 0.0
        else:
            # Spread, so that phones that came together are not asked together.
            binding.probe_at = now + every * self._core.chance.uniform(0.9, 1.1)

    def _arm(self, binding: Binding) -> None:
        self._core.timers.disarm(binding.timer)
        at = binding.expires_at
        if binding.probe_at and binding.flow.connection >= 0:
            at = min(at, binding.probe_at)
        binding.timer = self._core.timers.arm(binding, "binding", at)

    def _probe(self, binding: Binding, now: float) -> None:
        core, flow = self._core, binding.flow
        place = core.places[flow.local]
        branch = core.chance.branch()
        us = core.realm if not core.settings.domains else core.settings.domains[0]
        routes = f"Route: {', '.join(binding.path)}\r\n" if binding.path else ""
        data = (
            f"OPTIONS {binding.uri} SIP/2.0\r\n{place.via}{branch}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{us}>;tag={core.chance.token()}\r\nTo: <{binding.uri}>\r\n"
            f"Call-ID: {core.chance.token()}\r\nCSeq: 1 OPTIONS\r\n{routes}{place.contact}"
            "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
        ).encode("utf-8", "surrogateescape")
        binding.is_asked = True
        key = client_key_of(branch, "OPTIONS")
        ClientRequest(core.transactions, key, "OPTIONS", data, flow, binding, now, flow)


def _reg_id(instance: str) -> str:
    return instance.rpartition(";")[2]


def _row_name(user: str, uri: str, instance: str) -> str:
    """Return what names a binding's row: user and contact, and the instance where flows are kept apart."""
    return f"{user} {uri} {instance}" if _reg_id(instance) else f"{user} {uri}"


def _instance_params(instance: str) -> str:
    if not instance:
        return ""
    name, _, reg_id = instance.rpartition(";")
    return f";+sip.instance={name}" + (f";reg-id={reg_id}" if reg_id else "")
