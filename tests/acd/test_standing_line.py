"""A seat whose phone is kept on the line: what distribution asks for, and when the seat is offered calls."""

from typing import Any

import pytest

from acd.commands import CloseLine, OpenLine
from acd.inputs import LineChanged, PhoneBound, PhoneReachable, SeatEngaged, SeatRestored, SignedIn, TalkEnded
from acd.settings import PhoneSettings
from kernel.ids import CallId, SeatId

S = SeatId("8001")
PHONES = (PhoneSettings("softphone", ""), PhoneSettings("pstn", "13900008001"))


def floor_of(kit: Any, **more: Any) -> Any:
    return kit.floor((kit.queue(),), (kit.seat("8001", phones=PHONES, standing="auto", **more),))


def lines(floor: Any) -> list[Any]:
    return [it for it in floor.commands if isinstance(it, OpenLine | CloseLine)]


OPEN = OpenLine(S, "softphone", "8001")
CLOSE = CloseLine(S)


def test_the_phone_is_called_at_the_sign_in_and_calls_come_when_it_is_there(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    assert lines(floor) == [OPEN]
    assert floor.state("8001") == "ready unreachable"
    floor.join("a")
    assert floor.rings() == []
    floor.after(1.0)
    floor.do(LineChanged(S, True))
    assert floor.ringing() == {"a": "8001"}
    floor.answer("8001")
    floor.end_talk("8001")
    assert floor.state("8001") == "ready idle"
    floor.sign_out("8001")
    assert lines(floor) == [OPEN, CLOSE]
    assert floor.state("8001") == "offline idle"  # the phone itself is registered


def test_what_the_registration_says_does_not_count_while_a_line_is_kept(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.do(PhoneReachable("softphone", "8001", True))
    assert floor.state("8001") == "ready unreachable"
    floor.do(LineChanged(S, True))
    floor.do(PhoneReachable("softphone", "8001", False))
    assert floor.state("8001") == "ready idle"
    floor.sign_out("8001")
    assert floor.state("8001") == "offline unreachable"


def test_a_line_that_is_lost_makes_the_seat_unreachable_and_comes_back(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(LineChanged(S, True))
    floor.do(LineChanged(S, False))
    assert floor.state("8001") == "ready unreachable"
    failed = [test["test"] for test in floor.engine.explain_seat(S, floor.now)["tests"] if not test["passed"]]
    assert failed == ["phone_reachable", "activity_idle"]
    floor.do(LineChanged(S, True))
    assert floor.state("8001") == "ready idle"
    assert lines(floor) == [OPEN]  # call control calls it again by itself


def test_a_line_that_is_lost_in_a_ring_or_in_a_talk(kit: Any) -> None:
    """The seat is out of reach as soon as the call has let go of it: nothing is offered in between."""
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(LineChanged(S, True))
    floor.join("a")
    floor.do(LineChanged(S, False))
    assert floor.ringing() == {}
    assert floor.state("8001") == "ready unreachable"
    assert floor.offers()[-1].outcome == "failed"
    floor.after(60.0)
    floor.do(LineChanged(S, True))
    assert floor.ringing() == {"a": "8001"}
    floor.answer("8001")
    floor.join("b")
    floor.do(LineChanged(S, False))
    assert floor.state("8001") == "ready talking"
    floor.end_talk("8001")
    assert floor.state("8001") == "ready unreachable"
    assert floor.ringing() == {}


def test_another_phone_is_another_line(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(LineChanged(S, True))
    floor.do(PhoneBound(S, "pstn", "13900008001"))
    assert lines(floor) == [OPEN, CLOSE, OpenLine(S, "pstn", "13900008001")]
    assert floor.state("8001") == "ready unreachable"
    floor.do(LineChanged(S, True))
    assert floor.state("8001") == "ready idle"


def test_another_phone_for_after_the_call(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(LineChanged(S, True))
    floor.join("a")
    floor.answer("8001")
    floor.do(PhoneBound(S, "pstn", "13900008001", deferred=True))
    assert lines(floor) == [OPEN]
    floor.end_talk("8001")
    assert lines(floor) == [OPEN, CLOSE, OpenLine(S, "pstn", "13900008001")]
    assert floor.state("8001") == "ready unreachable"


def test_who_signs_in_while_its_phone_talks_waits_for_its_line(kit: Any) -> None:
    floor = floor_of(kit)
    floor.do(SeatEngaged(S, CallId("own"), "talking"))
    floor.sign_in("8001")
    assert lines(floor) == [OPEN]
    floor.do(TalkEnded(S, CallId("own"), bridged=False))
    assert floor.state("8001") == "ready unreachable"
    floor.do(LineChanged(S, True))
    assert floor.state("8001") == "ready idle"


def test_a_second_sign_in_keeps_the_line(kit: Any) -> None:
    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(LineChanged(S, True))
    floor.do(SignedIn(S, "another"))
    assert lines(floor) == [OPEN]
    assert floor.state("8001") == "ready idle"


def test_a_seat_from_before_a_restart_gets_its_line_back(kit: Any) -> None:
    floor = floor_of(kit)
    floor.do(SeatRestored(S, "li", "s", "ready", "", 0.0, None, "", "softphone", "8001"))
    assert lines(floor) == [OPEN]
    assert floor.state("8001") == "ready unreachable"


def test_a_seat_that_the_configuration_loses_lets_its_phone_go(kit: Any) -> None:
    from acd.inputs import Reconfigured

    floor = floor_of(kit)
    floor.sign_in("8001")
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8002"),))))
    assert lines(floor) == [OPEN, CLOSE]


@pytest.mark.parametrize("is_up", [True, False])
def test_news_of_a_line_that_nobody_keeps_mean_nothing(kit: Any, is_up: bool) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.do(LineChanged(S, is_up))
    assert (floor.state("8001"), lines(floor)) == ("ready idle", [])
