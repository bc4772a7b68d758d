"""Resolution of names: RFC 3263 4.1 to 4.3, RFC 2782, and what strangers' answers cannot do."""

from typing import Any

import pytest

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.events import NameUnresolved, SipEvent
from sip.flows import Flow
from sip.places import Places
from sip.resolve import (
    ANSWER_WITHIN,
    CACHE_MAX,
    OUT_MAX,
    QUESTIONS_MAX,
    SHUN_FOR,
    SHUNNED_MAX,
    TARGETS_MAX,
    Answer,
    Lookup,
    Naptr,
    Question,
    Resolver,
    Srv,
)
from sip.settings import Listener
from sip.uri import SipUri, parse_uri
from tests.sip.names import CARRIER, NXDOMAIN, SILENCE
from tests.sip.scene import seeded, settings

UDP, TCP, TLS = (Listener(it, "10.0.0.1", 5061 if it == "tls" else 5060) for it in ("udp", "tcp", "tls"))


class World:
    """A resolver, its clock, and what the domain name system says."""

    def __init__(self, table: dict[tuple[str, str], Answer], *listen: Listener) -> None:
        self.timers = TimerQueue()
        self.questions: Outbox[Question] = Outbox()
        self.events: Outbox[SipEvent] = Outbox()
        self.resolver = Resolver(self.timers, seeded(), self.questions, self.events.put)
        self.places = Places(settings(listen=listen or (UDP, TCP)))
        self.table = table
        self.asked: list[Question] = []
        self.now = 0.0
        self.woken = 0

    def on_resolved(self, now: float) -> None:
        self.woken += 1

    def lookup(self, uri: str) -> Lookup:
        parsed = parse_uri(uri)
        assert isinstance(parsed, SipUri)
        return Lookup(self.resolver, self.places, parsed)

    def answer(self) -> None:
        for question in self.questions.take():
            self.asked.append(question)
            self.resolver.answered(question, self.table.get(question, NXDOMAIN), self.now)
        self.resolver.check()

    def next(self, lookup: Lookup) -> Flow | None:
        flow = lookup.next(self, self.now)
        while lookup.is_waiting:
            self.answer()
            flow = lookup.next(self, self.now)
        return flow

    def all(self, uri: str) -> list[str]:
        lookup, found = self.lookup(uri), []
        while (flow := self.next(lookup)) is not None:
            found.append(f"{flow.transport}:{flow.host}:{flow.port}")
        return found

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.timers.fire_due(self.now)


def test_naptr_names_the_transport_and_srv_the_hosts() -> None:
    """RFC 3263 4.1: lowest order first among what we can, foreign services passed over; then SRV, then A."""
    world = World(CARRIER)
    assert world.all("sip:carrier.example") == [
        "tcp:10.0.0.9:5070",
        "udp:10.0.0.9:5080",
        "udp:10.0.0.10:5060",
        "udp:10.0.0.11:5060",
    ]
    assert [tuple(it) for it in world.asked] == [
        ("NAPTR", "carrier.example"),
        ("SRV", "_sip._tcp.carrier.example"),
        ("SRV", "_sip._udp.carrier.example"),
        ("A", "a.carrier.example"),
        ("A", "b.carrier.example"),
    ]


@pytest.mark.parametrize(
    ("uri", "expected", "asked"),
    [
        # 4.2: a port means no SRV; a transport means no NAPTR.
        ("sip:a.carrier.example:5090", ["udp:10.0.0.9:5090"], ["A a.carrier.example"]),
        ("sip:a.carrier.example:5090;transport=tcp", ["tcp:10.0.0.9:5090"], ["A a.carrier.example"]),
        (
            "sip:carrier.example;transport=tcp",
            ["tcp:10.0.0.9:5070"],
            ["SRV _sip._tcp.carrier.example", "A a.carrier.example"],
        ),
        # Neither NAPTR nor SRV: the host itself, UDP, the default port.
        (
            "sip:a.carrier.example",
            ["udp:10.0.0.9:5060"],
            [
                "NAPTR a.carrier.example",
                "SRV _sip._udp.a.carrier.example",
                "SRV _sip._tcp.a.carrier.example",
                "A a.carrier.example",
            ],
        ),
        # maddr is where it goes, whatever the host says.
        ("sip:x@nowhere.example;maddr=a.carrier.example;transport=udp", ["udp:10.0.0.9:5060"], None),
        # We open no WebSockets.
        ("sip:carrier.example;transport=ws", [], []),
    ],
)
def test_what_the_uri_says_itself_is_not_asked(
    uri: str, expected: list[str], asked: list[str] | None
) -> None:
    world = World(CARRIER)
    assert world.all(uri) == expected
    assert asked is None or [f"{it.kind} {it.name}" for it in world.asked] == asked


def test_sips_goes_by_tls_only_and_for_the_domain_of_the_uri() -> None:
    """RFC 3263 4.1, RFC 5922 4: SIPS+D2T, or _sips._tcp; the certificate is for the URI's host."""
    table = CARRIER | {
        ("SRV", "_sips._tcp.carrier.example"): Answer((Srv(0, 1, 5061, "a.carrier.example"),), 600.0),
    }
    world = World(table, UDP, TLS)
    lookup = world.lookup("sips:138@carrier.example")
    assert world.next(lookup) == Flow("tls", 1, "10.0.0.9", 5061, 0, "carrier.example")
    assert world.next(lookup) is None
    # Without NAPTR: the service, then the host at 5061.
    del table["NAPTR", "carrier.example"]
    assert World(table, UDP, TLS).all("sips:carrier.example") == ["tls:10.0.0.9:5061"]
    assert World(table, UDP, TLS).all("sips:a.carrier.example") == ["tls:10.0.0.9:5061"]
    assert World(table, UDP).all("sips:carrier.example") == []


def test_equal_hosts_are_drawn_by_weight_and_all_are_tried() -> None:
    """RFC 2782: one draw per lookup."""
    table = {
        ("SRV", "_sip._udp.carrier.example"): Answer(
            (Srv(1, 90, 5060, "a.example"), Srv(1, 10, 5060, "b.example")), 600.0
        ),
        ("A", "a.example"): Answer(("10.0.0.2",), 600.0),
        ("A", "b.example"): Answer(("10.0.0.3",), 600.0),
    }
    world = World(table)
    firsts = [world.all("sip:carrier.example;transport=udp")[0] for _ in range(300)]
    share = firsts.count("udp:10.0.0.2:5060") / 300
    assert 0.8 < share < 0.98
    assert len(world.asked) == 3


def test_both_families_where_our_sockets_reach_them() -> None:
    table = {
        ("A", "a.example"): Answer(("10.0.0.2",), 60.0),
        ("AAAA", "a.example"): Answer(("2001:db8::2",), 60.0),
    }
    six = Listener("udp", "2001:db8::1", 5060)
    assert World(table, UDP, six).all("sip:a.example:5060") == ["udp:10.0.0.2:5060", "udp:2001:db8::2:5060"]
    assert World(table, six).all("sip:a.example:5060") == ["udp:2001:db8::2:5060"]
    assert World(table, UDP).all("sip:a.example:5060") == ["udp:10.0.0.2:5060"]


def test_answers_are_kept_for_as_long_as_they_say() -> None:
    world = World(CARRIER)
    world.all("sip:a.carrier.example:5060")
    world.advance(59.0)
    assert world.all("sip:a.carrier.example:5060") == ["udp:10.0.0.9:5060"]
    assert len(world.asked) == 1
    world.advance(1.5)
    world.all("sip:a.carrier.example:5060")
    assert len(world.asked) == 2


def test_that_there_is_none_is_kept_as_well() -> None:
    """RFC 2308: for as long as the zone says, at most 300 s."""
    world = World({("A", "no.example"): Answer((), 90_000.0)})
    assert world.all("sip:no.example:5060") == []
    assert world.events.take() == [NameUnresolved("no.example", "no address")]
    world.advance(299.0)
    assert world.all("sip:no.example:5060") == []
    assert len(world.asked) == 1
    assert world.events.take() == [NameUnresolved("no.example", "no address")]  # once a minute
    world.advance(1.5)
    world.all("sip:no.example:5060")
    assert len(world.asked) == 2


def test_silence_is_an_answer_after_a_while() -> None:
    """Nobody answers: the lookup is woken all the same, and the name is not asked for 10 s."""
    world = World({})
    lookup = world.lookup("sip:slow.example:5060")
    assert lookup.next(world, world.now) is None
    assert lookup.is_waiting
    world.questions.clear()
    world.advance(ANSWER_WITHIN - 0.1)
    assert not world.woken
    world.advance(0.1)
    assert world.woken == 1
    assert lookup.next(world, world.now) is None
    assert not lookup.is_waiting
    assert world.events.take() == [NameUnresolved("slow.example", "no answer")]
    assert world.all("sip:slow.example:5060") == []
    assert not world.questions
    world.resolver.check()
    assert not world.timers.armed()


def test_old_addresses_count_when_nobody_answers() -> None:
    """RFC 8767: better yesterday's address than no call; not one of the day before."""
    table = {("A", "a.example"): Answer(("10.0.0.2",), 60.0)}
    world = World(table)
    assert world.all("sip:a.example:5060") == ["udp:10.0.0.2:5060"]
    world.table = {("A", "a.example"): SILENCE}
    world.advance(3_600.0)
    assert world.all("sip:a.example:5060") == ["udp:10.0.0.2:5060"]
    world.advance(31.0)
    assert world.all("sip:a.example:5060") == ["udp:10.0.0.2:5060"]
    assert len(world.asked) == 3
    world.advance(86_400.0)
    assert world.all("sip:a.example:5060") == []


def test_who_failed_is_tried_after_the_others_for_a_while() -> None:
    world = World(CARRIER)
    uri = "sip:b.carrier.example:5060"
    first = world.next(world.lookup(uri))
    assert first is not None
    assert first.host == "10.0.0.10"
    world.resolver.shun(first, world.now)
    assert world.all(uri) == ["udp:10.0.0.11:5060", "udp:10.0.0.10:5060"]
    world.advance(SHUN_FOR + 0.1)
    assert world.all(uri)[0] == "udp:10.0.0.10:5060"
    world.resolver.shun(first, world.now)
    world.resolver.trust(first)
    assert world.all(uri)[0] == "udp:10.0.0.10:5060"


def test_a_service_that_is_decidedly_not_there() -> None:
    """RFC 2782: a target of "." ends it; the host is not asked for."""
    world = World({("SRV", "_sip._udp.a.example"): Answer((Srv(0, 0, 0, ""),), 60.0)})
    assert world.all("sip:a.example;transport=udp") == []
    assert [it.kind for it in world.asked] == ["SRV"]
    assert world.events.take() == [NameUnresolved("a.example", "no such service")]


@pytest.mark.parametrize("address", ["10.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "junk"])
def test_a_poisoned_address_is_not_sent_to(address: str) -> None:
    """Ourselves, groups, everybody and nobody."""
    world = World({("A", "a.example"): Answer((address, "10.0.0.2"), 60.0)})
    assert world.all("sip:a.example:5060") == ["udp:10.0.0.2:5060"]


def test_a_lookup_is_bounded_whatever_the_answers_say() -> None:
    """A thousand services of a thousand hosts with a thousand addresses each."""
    many = tuple(f"10.1.{n // 250}.{n % 250 + 1}" for n in range(1_000))
    table: dict[Any, Answer] = {
        ("NAPTR", "a.example"): Answer(
            tuple(Naptr(n, n, "s", "SIP+D2U", f"_sip._udp.x{n}.example") for n in range(1_000)), 1e9
        )
    }
    for n in range(1_000):
        hosts = tuple(Srv(m, m, 5060, f"h{n}-{m}.example") for m in range(1_000))
        table["SRV", f"_sip._udp.x{n}.example"] = Answer(hosts, 1e9)
        for m in range(8):
            table["A", f"h{n}-{m}.example"] = Answer(many, 1e9)
    world = World(table)
    assert len(world.all("sip:a.example")) <= TARGETS_MAX
    assert len(world.asked) <= QUESTIONS_MAX
    world.advance(3_601.0)
    world.all("sip:a.example")
    assert len(world.asked) > 1  # no answer is believed for longer than an hour


def test_many_names_at_once_are_bounded() -> None:
    """One question is out once, however many wait; beyond OUT_MAX questions names lead nowhere."""
    world = World({})
    waiting = [world.lookup("sip:a.example:5060") for _ in range(10)]
    for lookup in waiting:
        lookup.next(world, 0.0)
    assert len(world.questions) == 1
    more = [world.lookup(f"sip:n{n}.example:5060") for n in range(2 * OUT_MAX)]
    assert sum(1 for lookup in more if lookup.next(world, 0.0) is None and lookup.is_waiting) == OUT_MAX - 1
    assert len(world.questions) == OUT_MAX
    world.answer()
    assert world.woken == 10 + OUT_MAX - 1


def test_the_cache_is_bounded() -> None:
    world = World({})
    for n in range(CACHE_MAX + 50):
        world.resolver.answered(Question("A", f"n{n}.example"), Answer(("10.0.0.2",), 60.0), 0.0)
    assert world.resolver.snapshot() == {"known": CACHE_MAX, "out": 0, "shunned": 0}
    assert world.all(f"sip:n{CACHE_MAX}.example:5060") == ["udp:10.0.0.2:5060"]


@pytest.mark.parametrize(
    "host", ["1.2.3", "300.1.1.1", "a..example", "x" * 64 + ".example", "a." * 127 + "b"]
)
def test_what_is_no_name_is_not_asked_for(host: str) -> None:
    world = World({})
    assert world.all(f"sip:{host}:5060") == []
    assert not world.asked


def test_of_addresses_that_failed_so_many_are_remembered() -> None:
    world = World(CARRIER)
    for number in range(2 * SHUNNED_MAX):
        world.resolver.shun(Flow("udp", 0, f"10.1.{number // 250}.{number % 250}", 5060), world.now)
    assert world.resolver.snapshot()["shunned"] == SHUNNED_MAX
