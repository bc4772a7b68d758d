"""Resolution of names (RFC 3263): questions out, answers in.

A :class:`Lookup` reads the way to one URI out of what is known - NAPTR, SRV, A and AAAA records - and asks
for what is missing; when the answer is here it reads again from the beginning, so there is no state to get
wrong. Answers are kept for as long as they say, silence and refusals for a while, and what was known before
goes on to count when nobody answers any more (RFC 8767).

Rules: a lookup asks a bounded number of questions, whatever the answers say; a question is out once, however
many wait for it; every question is answered, by a deadline if by nobody else.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from kernel.chance import Chance
from kernel.choices import in_order
from kernel.outbox import Outbox
from kernel.timers import Timer, TimerQueue
from sip.events import NameUnresolved, SipEvent
from sip.flows import Flow
from sip.places import DEFAULT_PORTS, Places, is_reachable_host, wanted_transport
from sip.transactions import MARGIN
from sip.uri import SipUri

ANSWER_WITHIN = 4.0  # seconds; a question that is older has no answer, whatever its carrier still hopes for
TTL_MIN, TTL_MAX = 1.0, 3_600.0  # seconds
NEGATIVE_MAX = 300.0  # seconds that "there is none" is believed at most (RFC 2308 5 allows three hours)
UNKNOWN_FOR = 10.0  # seconds in which a question that nobody could answer is not asked again
STALE_FOR = 30.0  # seconds in which old records count when nobody can answer
STALE_MAX = 86_400.0  # seconds after their end in which they do (RFC 8767 5 says days)
CACHE_MAX = 4_096  # questions whose answers are kept
OUT_MAX = 256  # questions out at the same time, beyond which names lead nowhere
QUESTIONS_MAX = 16  # of one lookup
RECORDS_MAX = 8  # of one answer that are looked at
TARGETS_MAX = 8  # addresses that one request is sent to, one after the other
SHUN_FOR = 60.0  # seconds in which an address that failed is tried after the others
SHUNNED_MAX = 1_024
TOLD_EVERY = 60.0  # seconds between two complaints about one name
_NAME_MAX = 253  # characters (RFC 1035 2.3.4)
_SERVICES = {"sip+d2u": "udp", "sip+d2t": "tcp", "sips+d2t": "tls"}  # RFC 3263 4.1
_PREFIXES = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
_BY_CHOICE = ("udp", "tcp")  # of a SIP URI that leaves the choice, in our order of preference


class Question(NamedTuple):
    """What is asked of the domain name system."""

    kind: str  # NAPTR, SRV, A, AAAA
    name: str  # in lower case, without the dot at its end


class Naptr(NamedTuple):
    """One NAPTR record (RFC 3403 4.1), as far as it matters here."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str  # "" for the root: there is no such service


class Answer(NamedTuple):
    """What the domain name system says: records of the kind that was asked for, addresses as text."""

    records: tuple[Any, ...] = ()
    ttl: float = UNKNOWN_FOR  # seconds that it holds
    is_known: bool = True  # False: nobody could say; no records and True: there are none


class Hop(NamedTuple):
    """One host to be tried, before its addresses are known."""

    transport: str
    host: str
    port: int


class Waiter(Protocol):
    """Who waits for an answer."""

    def on_resolved(self, now: float) -> None:
        """More is known now."""


class _Known:
    """The answer to one question, and until when it holds."""

    __slots__ = ("expires_at", "is_known", "records", "said_until")

    def __init__(self, answer: Answer, now: float) -> None:
        self.records = answer.records[:RECORDS_MAX]
        self.is_known = answer.is_known
        most = TTL_MAX if answer.records else NEGATIVE_MAX
        self.expires_at = now + min(max(answer.ttl, TTL_MIN), most)
        self.said_until = self.expires_at  # what the records themselves said


class Resolver:
    """What one stack knows of names."""

    def __init__(
        self,
        timers: TimerQueue,
        chance: Chance,
        questions: Outbox[Question],
        put_event: Callable[[SipEvent], None],
    ) -> None:
        self.chance = chance
        self._timers = timers
        self._questions = questions
        self._put_event = put_event
        self._known: dict[Question, _Known] = {}
        self._out: dict[Question, list[Lookup]] = {}
        self._deadlines: deque[tuple[float, Question]] = deque()
        self._timer: Timer | None = None
        self._shunned: dict[tuple[str, str, int], float] = {}  # until when
        self._told: dict[str, float] = {}  # names that lead nowhere, and until when that is old news

    def answered(self, question: Question, answer: Answer, now: float) -> None:
        """Take an answer; whoever waits for it goes on."""
        before = self._known.pop(question, None)
        known = _Known(answer, now)
        if (
            not answer.is_known
            and before is not None
            and before.records
            and now < before.said_until + STALE_MAX
        ):
            known.records, known.is_known = before.records, True
            known.expires_at, known.said_until = now + STALE_FOR, before.said_until
        if len(self._known) >= CACHE_MAX:
            del self._known[next(iter(self._known))]
        self._known[question] = known
        for lookup in self._out.pop(question, ()):
            lookup.wake(now)

    def ask(self, question: Question, lookup: "Lookup", now: float) -> _Known | None:
        """Return what is known, or None: the question is out and ``lookup`` will be woken."""
        known = self._known.get(question)
        if known is not None and now < known.expires_at:
            return known
        waiting = self._out.get(question)
        if waiting is not None:
            waiting.append(lookup)
            return None
        if not lookup.may_ask() or len(self._out) >= OUT_MAX or not _is_name(question.name):
            return _NOTHING
        self._out[question] = [lookup]
        self._questions.put(question)
        self._deadlines.append((now + ANSWER_WITHIN, question))
        if self._timer is None:
            self._timer = self._timers.arm_after(self, "answers", ANSWER_WITHIN, now)
        return None

    def on_timer(self, name: str, now: float) -> None:
        """Whoever should have answered by now has not."""
        self._timer = None
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] - now <= MARGIN:
            question = deadlines.popleft()[1]
            if question in self._out:
                self.answered(question, Answer(is_known=False), now)
        if deadlines:
            self._timer = self._timers.arm(self, "answers", deadlines[0][0])

    def shun(self, flow: Flow, now: float, for_: float = SHUN_FOR) -> None:
        """Try an address after the others for a while: it did not answer, or has no time (503)."""
        if len(self._shunned) >= SHUNNED_MAX:
            del self._shunned[next(iter(self._shunned))]
        self._shunned[flow[0], flow[2], flow[3]] = now + for_

    def trust(self, flow: Flow) -> None:
        """An address has answered."""
        if self._shunned:
            self._shunned.pop((flow[0], flow[2], flow[3]), None)

    def is_shunned(self, flow: Flow, now: float) -> bool:
        """Return whether an address has failed lately."""
        return bool(self._shunned) and self._shunned.get((flow[0], flow[2], flow[3]), now) > now

    def tell(self, name: str, why: str, now: float) -> None:
        """Tell that a name leads nowhere, now and then."""
        if self._told.get(name, now) > now:
            return
        if len(self._told) >= CACHE_MAX:
            self._told.clear()
        self._told[name] = now + TOLD_EVERY
        self._put_event(NameUnresolved(name, why))

    def snapshot(self) -> dict[str, int]:
        """Return counts: questions whose answers are kept, questions out, addresses tried last."""
        return {"known": len(self._known), "out": len(self._out), "shunned": len(self._shunned)}

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert len(self._known) <= CACHE_MAX, "the cache grows"
        assert len(self._out) <= len(self._deadlines), "a question would stay out for ever"
        assert (self._timer is not None) == bool(self._deadlines), "nobody looks for unanswered questions"


class Lookup:
    """The way to one SIP URI whose host is a name: its addresses, one after the other."""

    __slots__ = (
        "_asked",
        "_domain",
        "_hops",
        "_is_over",
        "_last",
        "_places",
        "_resolver",
        "_tried",
        "_uri",
        "_waiter",
        "found",
        "why",
    )

    def __init__(self, resolver: Resolver, places: Places, uri: SipUri) -> None:
        self.found = 0  # addresses that were named
        self.why = "no address"
        self._resolver = resolver
        self._places = places
        self._uri = uri
        self._domain = uri.params.get("maddr", "").lower() or uri.host
        self._hops: list[Hop] | None = None  # those that are left, once they are known
        self._last: list[Flow] = []  # shunned addresses: better than none
        self._tried: list[Flow] = []  # addresses of the hop under way that are left
        self._asked = 0
        self._is_over = False
        self._waiter: Waiter | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a question is out; the waiter will be woken."""
        return self._waiter is not None

    @property
    def has_more(self) -> bool:
        """Whether there are hosts or addresses left that have not failed lately, as far as is known."""
        return bool(self._hops) or bool(self._tried)

    def may_ask(self) -> bool:
        """Count a question; False when there were enough."""
        self._asked += 1
        return self._asked <= QUESTIONS_MAX

    def wake(self, now: float) -> None:
        """An answer is here."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.on_resolved(now)

    def stop(self) -> None:
        """Nobody waits any more, nor wants another address."""
        self._waiter = None
        self._hops = self._hops and []
        self._tried, self._last = [], []

    def next(self, waiter: Waiter, now: float) -> Flow | None:
        """Return the next address to try; None when there is none, or while ``is_waiting``."""
        self._waiter = None
        if self._hops is None:
            self._hops = self._find_hops(now)
            if self._hops is None:
                self._waiter = waiter
                return None
        while True:
            while self._tried:
                flow = self._tried.pop(0)
                self.found += 1
                if self.found > TARGETS_MAX:
                    return None
                if not self._resolver.is_shunned(flow, now):
                    return flow
                self._last.append(flow)
            if not self._hops:
                break
            flows = self._flows_of(self._hops[0], now)
            if flows is None:
                self._waiter = waiter
                return None
            self._hops.pop(0)
            self._tried = flows
        if self._last:
            return self._last.pop(0)
        if not self.found:
            self._resolver.tell(self._domain, self.why, now)
        return None

    # RFC 3263 4.1 and 4.2: which transport, host and port; None while a question is out.

    def _find_hops(self, now: float) -> list[Hop] | None:
        uri, domain = self._uri, self._domain
        wanted = wanted_transport(uri)
        default = wanted or ("tls" if uri.scheme == "sips" else "udp")
        if default not in DEFAULT_PORTS:
            return []
        if uri.port is not None:
            return [Hop(default, domain, uri.port)]
        if wanted:
            hops = self._services([Question("SRV", _PREFIXES[wanted] + domain)], [wanted], now)
        else:
            hops = self._chosen(now)
        if hops is None:
            return None
        return hops if hops or self._is_over else [Hop(default, domain, DEFAULT_PORTS[default])]

    def _chosen(self, now: float) -> list[Hop] | None:
        """Return the hops of a URI that leaves the choice of transport: NAPTR says, or SRV shows."""
        is_secure = self._uri.scheme == "sips"
        known = self._ask(Question("NAPTR", self._domain), now)
        if known is None:
            return None
        services: list[Question] = []
        transports: list[str] = []
        for naptr in sorted(it for it in known.records if isinstance(it, Naptr)):
            transport = _SERVICES.get(naptr.service.lower(), "")
            usable = transport == "tls" or (transport and not is_secure)
            if usable and naptr.flags.lower() == "s" and self._places.offers(transport):
                services.append(Question("SRV", naptr.replacement.lower().rstrip(".")))
                transports.append(transport)
        if not services:
            choice = ("tls",) if is_secure else _BY_CHOICE
            transports = [it for it in choice if self._places.offers(it)]
            services = [Question("SRV", _PREFIXES[it] + self._domain) for it in transports]
        return self._services(services, transports, now)

    def _services(
        self, questions: Sequence[Question], transports: Sequence[str], now: float
    ) -> list[Hop] | None:
        """Return the hosts of services, all asked for at once."""
        answers = [self._ask(question, now) for question in questions]
        hops: list[Hop] = []
        for known, transport in zip(answers, transports, strict=True):
            if known is None:
                return None
            records = [it for it in known.records if isinstance(it, Srv)]
            if len(records) == 1 and not records[0].target:
                self._is_over = True  # RFC 2782: decidedly not available there
                self.why = "no such service"
                continue
            hops += [
                Hop(transport, srv.target.lower(), srv.port)
                for srv in in_order(records, self._resolver.chance)
                if srv.target
            ]
        return hops

    def _flows_of(self, hop: Hop, now: float) -> list[Flow] | None:
        """Return the ways to a host, IPv4 first; None while a question is out."""
        host = hop.host
        if is_reachable_host(host):
            addresses: list[str] = [host]
        else:
            families = self._places.families(hop.transport)
            kinds = [kind for kind, family in (("A", 4), ("AAAA", 6)) if family in families]
            answers = [self._ask(Question(kind, host), now) for kind in kinds]
            addresses = []
            for known in answers:
                if known is None:
                    return None
                addresses += [it for it in known.records if isinstance(it, str)]
        flows = []
        for address in addresses:
            # Whatever the answer says: nothing is sent to ourselves, to groups or to everybody.
            if is_reachable_host(address):
                flow = self._places.flow_to(hop.transport, address, hop.port, self._uri.host)
                if flow is not None:
                    flows.append(flow)
        return flows

    def _ask(self, question: Question, now: float) -> _Known | None:
        known = self._resolver.ask(question, self, now)
        if known is not None and not known.is_known:
            self.why = "no answer"
        return known


def _is_name(name: str) -> bool:
    """Return whether ``name`` may be asked about; what ends in a number is a broken address."""
    labels = name.split(".")
    return (
        len(name) <= _NAME_MAX and all(0 < len(label) < 64 for label in labels) and not labels[-1].isdigit()
    )


_NOTHING = _Known(Answer(is_known=False), 0.0)
