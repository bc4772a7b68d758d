"""Why a call waits, why a seat is idle: the tests that failed, with their numbers."""

from typing import Any

import msgspec
import pytest

from acd.inputs import PhoneReachable
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from queues.settings import RelaxStep


def failed(floor: Any, call: str) -> dict[str, list[str]]:
    told = floor.engine.explain_call(CallId(call), floor.now)
    return {each["seat"]: [test["test"] for test in each["failed"]] for each in told["seats"]}


def mixed(kit: Any) -> Any:
    seats = (
        kit.seat("8001"),
        kit.seat("8002"),
        kit.seat("8003"),
        kit.seat("8004", skills=(("english", 2),)),
        kit.seat("8011", 1, skills=(("english", 5),)),
    )
    queue = kit.queue(skills=(("english", 5),), relax=(RelaxStep(20.0, highest=1, skills=()),))
    floor = kit.floor((queue,), seats)
    floor.do(PhoneReachable("softphone", "8002", False))
    floor.sign_in("8002", "8004", "8011")
    floor.sign_in("8003", presence="paused", reason="rest")
    floor.at(5.0)
    floor.join("a")
    return floor


def test_every_seat_and_what_it_lacks(kit: Any) -> None:
    assert failed(mixed(kit), "a") == {
        "8001": ["signed_in", "presence_ready", "skills"],
        "8002": ["phone_reachable", "activity_idle", "skills"],
        "8003": ["presence_ready", "skills"],
        "8004": ["skills"],
        "8011": ["level"],
    }


def test_call_is_told_with_numbers(kit: Any) -> None:
    floor = mixed(kit)
    floor.at(12.5)
    told = floor.engine.explain_call(CallId("a"), floor.now)
    assert (told["waited"], told["position"], told["next_step_in"], told["step"]) == (7.5, 1, 12.5, 0)
    assert (told["since"], told["max_wait_in"]) == ("2027-01-15T08:00:05.000Z", 592.5)
    assert told["requirement"] == {
        "queue": "junior",
        "lowest": "junior",
        "highest": "junior",
        "skills": {"english": 5},
        "preferred": None,
        "signed_in": 0,
        "ready": 0,
        "waiting": 1,
    }
    skills = next(test for test in told["seats"][3]["failed"] if test["test"] == "skills")
    assert (skills["is"], skills["wanted"]) == ({"english": 2}, {"english": 5})


@pytest.mark.parametrize(("preferred", "name"), [(0, "junior"), (1, "intermediate"), (-1, None)])
def test_the_preferred_level_is_named(kit: Any, preferred: int, name: str | None) -> None:
    wanted = msgspec.structs.replace(kit.queue(highest=2).requires, preferred=preferred)
    floor = kit.floor((msgspec.structs.replace(kit.queue(), requires=wanted),), (kit.seat("8001", 0),))
    floor.join("a")
    told = floor.engine.explain_call(CallId("a"), floor.now)
    assert told["requirement"]["preferred"] == name


def test_funnel_says_where_the_seats_are_lost(kit: Any) -> None:
    told = mixed(kit).engine.explain_call(CallId("a"), 5.0)
    left = {each["test"]: (each["seats_before"], each["seats_after"]) for each in told["tests"]}
    assert left["signed_in"] == (5, 4)
    assert left["phone_reachable"] == (4, 3)
    assert left["presence_ready"] == (3, 2)
    assert left["level"] == (2, 1)
    assert left["skills"] == (1, 0)
    assert [each["passed"] for each in told["tests"] if each["test"] == "skills"] == [False]


def test_back_off_and_rest_are_told_until_when(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    floor.refuse("8001")
    floor.at(2.0)
    assert failed(floor, "a") == {"8001": ["rested", "not_backed_off"]}
    tests = {each["test"]: each for each in floor.engine.explain_seat(SeatId("8001"), 2.0)["tests"]}
    assert tests["rested"]["is"] == 3.0


def test_held_back_is_told(kit: Any) -> None:
    floor = kit.floor(
        (kit.queue(highest=2), kit.queue("complaint", 2)),
        (kit.seat("8016", 2, ("junior", "complaint")),),
        hold_back=(0, 0, 1),
    )
    floor.sign_in("8016")
    floor.join("a")
    assert failed(floor, "a") == {"8016": ["not_held_back"]}
    told = floor.engine.explain_seat(SeatId("8016"), 0.0)
    assert told["routable"]
    assert [(each["call"], [test["is"] for test in each["failed"]]) for each in told["waiting"]] == [
        ("a", ["1 idle"])
    ]


def test_seat_is_told_with_what_it_is_doing(kit: Any) -> None:
    floor = mixed(kit)
    told = floor.engine.explain_seat(SeatId("8003"), floor.now)
    assert not told["routable"]
    failing = [(test["test"], test["is"]) for test in told["tests"] if not test["passed"]]
    assert failing == [("presence_ready", "paused (rest)")]


def test_call_that_does_not_wait_and_seat_that_is_not_there(kit: Any) -> None:
    floor = mixed(kit)
    assert floor.engine.explain_call(CallId("z"), 0.0)["waiting"] is False
    with pytest.raises(OperationRefused, match="NO_SUCH_SEAT"):
        floor.engine.explain_seat(SeatId("1"), 0.0)


def test_ringing_call_names_its_seat(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),))
    floor.sign_in("8001")
    floor.join("a")
    assert floor.engine.explain_call(CallId("a"), 0.0)["ringing"] == ["8001"]
    assert floor.engine.explain_seat(SeatId("8001"), 0.0)["offer"] == "a"


def test_each_failed_test_says_since_when(kit: Any) -> None:
    """Phone, presence, rest, requirement and back-off: the moment at which each began to fail."""
    seats = (kit.seat("8001"), kit.seat("8002"), kit.seat("8003"), kit.seat("8101", 1))
    floor = kit.floor((kit.queue(relax=(RelaxStep(20.0, highest=0, skills=(("english", 5),)),)),), seats)
    floor.sign_in("8001", "8002", "8003", "8101")
    floor.at(3.0)
    floor.do(PhoneReachable("softphone", "8002", False))
    floor.at(4.0)
    floor.pause("8003")
    floor.at(5.0)
    floor.join("a")
    floor.at(9.0)
    floor.refuse("8001")
    told = floor.engine.explain_call(CallId("a"), 10.0)
    since = {
        (each["seat"], test["test"]): test["since"] and test["since"][17:19]
        for each in told["seats"]
        for test in each["failed"]
    }
    assert since[("8001", "rested")] == "09"
    assert since[("8001", "not_backed_off")] == "09"
    assert since[("8002", "phone_reachable")] == "03"
    assert since[("8003", "presence_ready")] == "04"
    assert since[("8101", "level")] == "05"
    floor.at(26.0)
    later = floor.engine.explain_call(CallId("a"), 26.0)["seats"][0]["failed"]
    assert ("skills", "25") in [(test["test"], test["since"][17:19]) for test in later]
