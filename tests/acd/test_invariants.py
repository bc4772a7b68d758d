"""Random histories: whatever happens in whatever order, what must hold holds after every turn."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from acd.commands import ReleaseCall, RingSeat
from acd.inputs import (
    AfterCallSet,
    CallJoined,
    CallLeft,
    CallMoved,
    CallPicked,
    LineChanged,
    OfferAnswered,
    OfferFailed,
    OfferRang,
    OfferRefused,
    PauseAsked,
    PhoneBound,
    PhoneReachable,
    QueuesPaused,
    QueuesReady,
    ReadyAsked,
    Reconfigured,
    SeatEngaged,
    SeatHeld,
    SignedIn,
    SignedOut,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.settings import AcdSettings, LevelSettings, PhoneSettings, SeatSettings, TenantSettings
from kernel.errors import OperationRefused
from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.rows import OfferRow, VisitRow
from policies.registry import NAMES
from queues.settings import EntrySettings, MissedRule, MissedRules, QueueSettings, RelaxStep, Requirement

SEATS = tuple(SeatId(f"80{number:02}") for number in range(8))
QUEUES = tuple(QueueName(name) for name in ("junior", "intermediate", "complaint", "everyone"))
POLICIES = NAMES


STRICT = EntrySettings(
    on_full="queue:everyone",
    absent=("paused", "ringing"),
    max_wait_empty=15.0,
    on_empty="queue:everyone",
    max_estimate=20.0,
    on_estimate="number:138",
    sticky_for=10.0,
    resume_abandoned=20.0,
    max_ratio=6.0,
    on_ratio="queue:everyone",
)


def office_seat(place: int, number: SeatId) -> SeatSettings:
    return SeatSettings(
        number,
        "demo",
        place % 3,
        skills=(("typing", place % 4 + 1),),
        queues=tuple(QUEUES[: place % 4 + 1]) if place != 7 else ("complaint", "everyone"),
        phones=(PhoneSettings("softphone", ""), PhoneSettings("pstn", f"1{place // 2}")),
        ranks=(("junior", 2),) if place % 2 else (),
        shares=(("everyone", 3),) if place % 3 else (),
        daily_limit=6 if place == 4 else 0,
        standing="auto" if place in (1, 5) else "",
    )


def configuration(policy: str, hold_back: int, left_out: int, credit: float) -> AcdSettings:
    missed = MissedRules(
        no_answer=MissedRule(pause_after=2), unreachable=MissedRule(delay=3.0, pause_after=3)
    )
    queues = [
        QueueSettings(
            "junior",
            "demo",
            Requirement(0, 0, (("typing", 3),)),
            relax=(
                RelaxStep(20.0, highest=1, skills=()),
                RelaxStep(40.0, highest=2, when_few=2),
            ),
            policy=policy,
            max_waiting=6,
            max_wait=90.0,
            on_timeout="queue:everyone",
            missed=missed,
            entry=STRICT,
        ),
        QueueSettings(
            "intermediate",
            "demo",
            Requirement(1, 1),
            relax=(RelaxStep(10.0, highest=2),),
            policy=policy,
            weight=2,
            priority=1,
            when_empty="refuse",
            wrap_up=15.0,
            entry=EntrySettings(seat_wait=12.0, on_seat_wait="queue:complaint", on_empty="seat:8003"),
        ),
        QueueSettings("complaint", "demo", Requirement(2, 2), priority_credit=credit, max_wait=60.0),
        QueueSettings(
            "everyone",
            "demo",
            Requirement(0, 2, preferred=1),
            policy=policy,
            ring_for=12.0,
            starve_after=25.0,
            on_timeout="queue:junior",
            entry=EntrySettings(sticky_for=20.0, seat_wait=9.0, max_wait_empty=40.0),
        ),
    ]
    seats = [office_seat(place, number) for place, number in enumerate(SEATS)]
    if left_out:
        seats = [each for each in seats if each.number != SEATS[left_out % 8]]
        queues = [each for each in queues if each.name != ("junior", "complaint")[left_out % 2]]
    return AcdSettings(
        levels=(
            LevelSettings("junior", wrap_up=5.0),
            LevelSettings("intermediate", wrap_up=0.0),
            LevelSettings("senior", wrap_up=20.0, hold_back=hold_back),
        ),
        queues=tuple(queues),
        seats=tuple(seats),
        tenants=(TenantSettings("demo", seat_quota=7, pause_reasons=("rest",)),),
        wrap_up_max=600.0,
    )


seats = st.sampled_from(SEATS)


class Histories(RuleBasedStateMachine):
    """Everything that can be said to an engine, by people who do not take turns."""

    kit: Any

    @initialize(policy=st.sampled_from(POLICIES), hold_back=st.integers(0, 2))
    def open(self, policy: str, hold_back: int) -> None:
        self.policy = policy
        self.floor = self.kit.Floor(configuration(policy, hold_back, 0, 30.0))
        self.calls = 0
        for number in SEATS[:5]:
            self.floor.sign_in(number)
            self.say(LineChanged(number, True))

    def say(self, what: Any) -> None:
        try:
            self.floor.do(what)
        except OperationRefused:
            self.floor._drain()

    @rule(queue=st.sampled_from(QUEUES), credit=st.sampled_from((0.0, 0.0, 60.0)), skilled=st.booleans())
    def join(self, queue: QueueName, credit: float, skilled: bool) -> None:
        self.calls += 1
        skills = (("typing", 4),) if skilled else ()
        caller = f"10{self.calls % 7}"
        self.say(CallJoined(CallId(f"c{self.calls}"), queue, caller, "", credit, skills))

    @rule(queue=st.sampled_from(QUEUES), seat=seats)
    def join_for_a_seat(self, queue: QueueName, seat: SeatId) -> None:
        self.calls += 1
        self.say(CallJoined(CallId(f"c{self.calls}"), queue, "100", "", seat=seat))

    @rule(
        pick=st.integers(0, 20), credit=st.sampled_from((0.0, 20.0)), queue=st.sampled_from((None, *QUEUES))
    )
    def a_supervisor_moves_a_call(self, pick: int, credit: float, queue: QueueName | None) -> None:
        waiting = [call for each in self.floor.engine.queues.values() for call in each.waiting]
        if waiting:
            moved = CallMoved(waiting[pick % len(waiting)], queue, pick > 15, credit, pick < 5)
            self.say(moved)

    @rule(pick=st.integers(0, 20), seat=seats, leads=st.booleans())
    def somebody_picks_a_call(self, pick: int, seat: SeatId, leads: bool) -> None:
        waiting = [call for each in self.floor.engine.queues.values() for call in each.waiting]
        if waiting:
            self.say(CallPicked(waiting[pick % len(waiting)], seat, leads))

    @rule(pick=st.integers(0, 20), cause=st.sampled_from(("abandoned", "withdrawn", "callback")))
    def leave(self, pick: int, cause: str) -> None:
        waiting = [call for queue in self.floor.engine.queues.values() for call in queue.waiting]
        if waiting:
            self.say(CallLeft(waiting[pick % len(waiting)], cause))

    def offer_moves(self, pick: int, how: Any) -> None:
        offers = [each.offer.id for each in self.floor.engine.seats.values() if each.offer is not None]
        if offers:
            offer = offers[pick % len(offers)]
            self.say(how(offer) if how in (OfferRang, OfferAnswered) else how(offer, 486))

    @rule(pick=st.integers(0, 20), how=st.sampled_from((OfferRang, OfferAnswered, OfferRefused, OfferFailed)))
    def something_happens_to_an_offer(self, pick: int, how: Any) -> None:
        self.offer_moves(pick, how)

    @rule(pick=st.integers(0, 20), seconds=st.sampled_from((0.0, 3.0)))
    def somebody_answers(self, pick: int, seconds: float) -> None:
        self.floor.after(seconds)
        self.offer_moves(pick, OfferAnswered)

    @rule(queue=st.sampled_from(QUEUES), count=st.integers(1, 4))
    def several_join(self, queue: QueueName, count: int) -> None:
        for _ in range(count):
            self.join(queue, 0.0, False)

    @rule(bridged=st.booleans())
    def all_hang_up(self, bridged: bool) -> None:
        for seat in list(self.floor.engine.seats.values()):
            for call in list(seat.engaged):
                self.say(TalkEnded(seat.id, call, bridged))

    @rule()
    def everybody_works(self) -> None:
        for seat in list(self.floor.engine.seats):
            self.say(SignedIn(seat, "a"))
            self.say(ReadyAsked(seat, True))
            self.say(LineChanged(seat, True))

    @rule(how=st.sampled_from((OfferRang, OfferAnswered)))
    def late_answer(self, how: Any) -> None:
        rings = [each for each in self.floor.commands if isinstance(each, RingSeat)]
        live = {each.offer.id for each in self.floor.engine.seats.values() if each.offer is not None}
        dead = [each.offer for each in rings if each.offer not in live]
        if dead:
            self.say(how(OfferId(dead[-1])))

    @rule(seat=seats, bridged=st.booleans())
    def talk_ends(self, seat: SeatId, bridged: bool) -> None:
        known = self.floor.engine.seats.get(seat)
        if known is not None and known.engaged:
            self.say(TalkEnded(seat, next(iter(known.engaged)), bridged))

    @rule(seat=seats, activity=st.sampled_from(("dialling", "ringing", "talking")))
    def engage(self, seat: SeatId, activity: str) -> None:
        known = self.floor.engine.seats.get(seat)
        if known is not None and known.offer is None:
            self.say(SeatEngaged(seat, CallId(f"own-{seat}"), activity))

    @rule(
        seat=seats,
        presence=st.sampled_from(("ready", "ready", "paused")),
        session=st.sampled_from(("a", "b")),
        kind=st.sampled_from(("", "softphone", "pstn")),
    )
    def sign_in(self, seat: SeatId, presence: str, session: str, kind: str) -> None:
        self.say(SignedIn(seat, session, kind, "", presence, "rest"))

    @rule(seat=seats, deferred=st.booleans(), forced=st.booleans())
    def sign_out(self, seat: SeatId, deferred: bool, forced: bool) -> None:
        self.say(SignedOut(seat, deferred, forced=forced))

    @rule(seat=seats, forced=st.booleans(), pause=st.booleans())
    def presence(self, seat: SeatId, forced: bool, pause: bool) -> None:
        self.say(PauseAsked(seat, "rest", forced) if pause else ReadyAsked(seat, forced))

    @rule(seat=seats, pause=st.booleans(), picked=st.sets(st.sampled_from(QUEUES), min_size=1, max_size=2))
    def leave_some_queues(self, seat: SeatId, pause: bool, picked: set[QueueName]) -> None:
        names = tuple(sorted(picked))
        self.say(QueuesPaused(seat, names, "rest") if pause else QueuesReady(seat, names))

    @rule(seat=seats, mode=st.sampled_from(("ready", "pause")))
    def after_call(self, seat: SeatId, mode: str) -> None:
        self.say(AfterCallSet(seat, mode))

    @rule(seat=seats, what=st.sampled_from(("end", "extend", "hold", "bind")), flag=st.booleans())
    def other(self, seat: SeatId, what: str, flag: bool) -> None:
        known = self.floor.engine.seats.get(seat)
        if what == "end":
            self.say(WrapUpEnded(seat))
        elif what == "extend":
            self.say(WrapUpExtended(seat, 60.0))
        elif what == "hold":
            self.say(SeatHeld(seat, flag))
        elif known is not None:
            self.say(PhoneBound(seat, "pstn" if flag else "softphone", ""))

    @rule(seat=seats, reachable=st.booleans())
    def reach(self, seat: SeatId, reachable: bool) -> None:
        self.say(PhoneReachable("softphone", seat, reachable))

    @rule(seat=seats, is_up=st.booleans())
    def a_line_moves(self, seat: SeatId, is_up: bool) -> None:
        self.say(LineChanged(seat, is_up))

    @rule(seconds=st.sampled_from((0.0, 1.0, 4.0, 10.0, 25.0, 100.0)))
    def wait(self, seconds: float) -> None:
        self.floor.after(seconds)

    @rule(hold_back=st.integers(0, 2), left_out=st.sampled_from((0, 0, 1, 4, 6)), credit=st.floats(0, 90))
    def reconfigure(self, hold_back: int, left_out: int, credit: float) -> None:
        self.say(Reconfigured(configuration(self.policy, hold_back, left_out, credit)))

    @invariant()
    def every_visit_has_one_outcome(self) -> None:
        if not hasattr(self, "floor"):
            return
        rows = [row.visit for row in self.floor.rows if isinstance(row, VisitRow)]
        assert len(rows) == len(set(rows)), "a visit ended twice"
        engine = self.floor.engine
        living = {call.visit for queue in engine.queues.values() for call in queue.waiting.values()}
        assert not living & set(rows), "a visit that has ended goes on"

    @invariant()
    def every_offer_ends_once(self) -> None:
        if not hasattr(self, "floor"):
            return
        asked = [each.offer for each in self.floor.commands if isinstance(each, RingSeat)]
        ended = [row.offer for row in self.floor.rows if isinstance(row, OfferRow)]
        live = [each.offer.id for each in self.floor.engine.seats.values() if each.offer is not None]
        assert sorted(asked) == sorted([*ended, *live])

    @invariant()
    def calls_are_waiting_talking_or_told_of(self) -> None:
        if not hasattr(self, "floor"):
            return
        rows = {row.call: row for row in self.floor.rows if isinstance(row, VisitRow)}
        released = {each.call for each in self.floor.commands if isinstance(each, ReleaseCall)}
        for number in range(1, self.calls + 1):
            call = CallId(f"c{number}")
            if self.floor.engine.waiting(call) is None:
                outcome = rows[call].outcome
                told = outcome in ("answered", "abandoned", "withdrawn", "callback") or call in released
                assert told, f"{call} was forgotten: {outcome}"

    @invariant()
    def every_call_that_waits_is_explained(self) -> None:
        """No seat passes every test for a call that stands in line, and no call for a seat that is free."""
        if not hasattr(self, "floor"):
            return
        engine, now = self.floor.engine, self.floor.now
        for queue in engine.queues.values():
            for call in queue.waiting.values():
                if call.entry is not None:
                    seats = engine.explain_call(call.call, now)["seats"]
                    passed = [each["seat"] for each in seats if not each["failed"]]
                    assert not passed, f"{call.call} waits and nothing speaks against {passed}"
        for seat in engine.seats.values():
            if seat.is_routable:
                waiting = engine.explain_seat(seat.id, now)["waiting"]
                assert all(each["failed"] for each in waiting), f"{seat.id} is free, and {waiting}"

    def teardown(self) -> None:
        """Everybody hangs up and goes home: nothing may be left but what is configured."""
        if not hasattr(self, "floor"):
            return
        floor = self.floor
        for call in list(dict.fromkeys(c for q in floor.engine.queues.values() for c in q.waiting)):
            floor.do(CallLeft(call))
        assert floor.engine.is_quiet()
        for seat in list(floor.engine.seats.values()):
            for call in list(seat.engaged):
                floor.do(TalkEnded(seat.id, call, False))
            if seat.is_signed_in:
                floor.do(SignedOut(seat.id))
        floor.after(1000.0)
        assert floor.timers.armed() == []
        self.counters_equal_rows()

    def counters_equal_rows(self) -> None:
        rows = [row for row in self.floor.rows if isinstance(row, VisitRow)]
        for name, queue in self.floor.engine.queues.items():
            total = queue.statistics.total
            if name in ("junior", "complaint"):
                continue  # may have been removed and have come back with new counters
            mine = [row for row in rows if row.queue == name]
            for outcome in ("answered", "abandoned", "refused", "timed_out", "overflowed", "withdrawn"):
                assert getattr(total, outcome) == sum(row.outcome == outcome for row in mine), outcome
            assert total.answered_within + total.abandoned_within == sum(row.within for row in mine)


@pytest.mark.parametrize("examples", [150])
def test_any_history_keeps_every_rule(kit: Any, examples: int) -> None:
    machine = type("Histories", (Histories,), {"kit": kit})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def busy_hour(kit: Any, seed: int) -> Any:
    """Return the rows of a busy hour after which everybody has gone home."""
    machine = busy_hour_machine(kit, seed)
    machine.every_offer_ends_once()
    machine.every_visit_has_one_outcome()
    machine.teardown()
    return machine.floor.rows


def busy_hour_floor(kit: Any, seed: int) -> Any:
    """Return the floor after it, when everybody has gone home."""
    machine = busy_hour_machine(kit, seed)
    machine.teardown()
    return machine.floor


def busy_hour_machine(kit: Any, seed: int) -> Any:
    """Two hundred things that people do, drawn densely, where the machine above roams."""
    draw = Random(seed)
    machine = Histories.__new__(Histories)
    machine.kit = kit
    machine.policy = draw.choice(POLICIES)
    machine.floor = floor = kit.Floor(configuration(machine.policy, draw.randrange(3), 0, 30.0))
    machine.calls = 0
    for seat in SEATS:
        machine.say(SignedIn(seat, "a"))
        machine.say(LineChanged(seat, True))
    happenings = (OfferRang, OfferAnswered, OfferAnswered, OfferRefused, OfferFailed)
    for _ in range(200):
        kind, seat, flag = draw.randrange(16), draw.choice(SEATS), draw.random() < 0.5
        known = floor.engine.seats.get(seat)
        if kind < 3:
            machine.calls += 1
            call, skills = CallId(f"c{machine.calls}"), (("typing", 4),) if draw.random() < 0.2 else ()
            credit = draw.choice((0.0, 60.0))
            wanted = seat if draw.random() < 0.2 else ""
            caller = f"10{draw.randrange(7)}"
            machine.say(CallJoined(call, draw.choice(QUEUES), caller, "", credit, skills, wanted))
        elif kind < 6:
            machine.offer_moves(draw.randrange(20), draw.choice(happenings))
        elif kind < 8 and known is not None and known.engaged:
            machine.say(TalkEnded(seat, next(iter(known.engaged)), draw.random() < 0.8))
        elif kind == 9:
            asked = (
                PauseAsked(seat, "rest", flag),
                ReadyAsked(seat, True),
                SignedIn(seat, "b"),
                SignedOut(seat, flag, forced=draw.random() < 0.3),
                SeatEngaged(seat, CallId(f"own-{seat}"), "talking"),
                WrapUpEnded(seat),
            )
            machine.say(draw.choice(asked))
        elif kind == 10:
            machine.say(PhoneReachable("softphone", seat, flag))
            machine.say(LineChanged(seat, flag))
        elif kind == 11 and draw.random() < 0.2:
            left_out = draw.choice((0, 0, 1, 4, 6))
            machine.say(Reconfigured(configuration(machine.policy, draw.randrange(3), left_out, 30.0)))
        elif kind == 12:
            machine.say(SignedIn(seat, "a"))
        else:
            floor.after(draw.choice((0.5, 2.0, 7.0, 25.0)))
        machine.every_call_that_waits_is_explained()
    return machine


@pytest.mark.parametrize("seed", range(30))
def test_busy_hour(kit: Any, seed: int) -> None:
    assert len(busy_hour(kit, seed)) > 50


def test_a_busy_hour_replays(kit: Any) -> None:
    assert busy_hour(kit, 3) == busy_hour(kit, 3)
