"""Scenario files: what they come to, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from config.reading import ConfigErrors
from kernel.errors import OperatorError
from seatswitch.forecast.scenario import load_scenario, parse_document, with_seats
from seatswitch.forecast.settings import Law, Scenario
from seatswitch.shell.configuration import read_configuration

ROOT = Path(__file__).resolve().parents[3]

DESK = """
threshold = "10s"
lines = 30
[[class]]
name = "simple"
rate = "3.0/min"
handle = {law = "exponential", mean = "150s"}
patience = {law = "exponential", mean = "300s"}
[[class]]
name = "complaint"
rate = "24/h"
handle = {law = "lognormal", mean = "7m", cv = 1.2}
queued = false
priority = 2
priority_credit = "90s"
[[group]]
name = "senior"
seats = 4
serves = ["simple", "complaint"]
hold_back = 1
[[group]]
name = "junior"
seats = 9
serves = ["simple"]
speed = 1.5
"""


def load(text: str, acd: Any = None) -> Scenario:
    return load_scenario(parse_document(text, "desk.toml"), acd)


def errors(text: str, acd: Any = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(text, acd)
    return [str(error) for error in caught.value.errors]


def test_classes() -> None:
    simple, complaint = load(DESK).classes
    assert simple.rates == (0.05,)
    assert (simple.handle, simple.patience) == (
        Law("exponential", 150.0, 0.0),
        Law("exponential", 300.0, 0.0),
    )
    assert (simple.queued, simple.threshold) == (True, 10.0)
    assert complaint.rates == (pytest.approx(24 / 3600),)
    assert (complaint.handle, complaint.patience) == (Law("lognormal", 420.0, 1.2), None)
    assert complaint.queued is False


def test_defaults() -> None:
    found = load(DESK)
    assert (found.calls, found.replications, found.warm_up, found.seed) == (50_000, 8, 7200.0, 1)
    assert {queue.policy for queue in found.acd.queues} == {"least-skilled-first"}
    assert {queue.max_wait for queue in found.acd.queues} == {0.0}
    assert load(DESK.replace('threshold = "10s"', "")).classes[0].threshold == 20.0


def test_own_group_of_a_class_is_the_one_that_serves_fewest() -> None:
    """Listed second, and still the lower level: simple calls start at the juniors."""
    found = load(DESK)
    assert [level.name for level in found.acd.levels] == ["junior", "senior"]
    assert [level.hold_back for level in found.acd.levels] == [0, 1]
    assert [queue.requires.lowest for queue in found.acd.queues] == [0, 1]
    assert [group.name for group in found.groups] == ["senior", "junior"]
    assert [group.speed for group in found.groups] == [1.0, 1.5]
    complaint = found.acd.queues[1]
    assert (complaint.priority, complaint.priority_credit) == (2, 90.0)


def test_ties_go_to_the_group_listed_first() -> None:
    text = DESK.replace('serves = ["simple"]', 'serves = ["complaint", "simple"]')
    assert [level.name for level in load(text).acd.levels] == ["senior", "junior"]


def test_held_back_from_all_where_no_class_is_at_home() -> None:
    """Both classes have smaller groups of their own; the third keeps its last seat from both."""
    text = DESK + '[[group]]\nname = "duty"\nseats = 2\nserves = ["simple", "complaint"]\nhold_back = 1\n'
    text = text.replace(
        'serves = ["simple", "complaint"]\nhold_back = 1\n[[group]]', 'serves = ["complaint"]\n[[group]]'
    )
    found = load(text)
    assert [queue.name for queue in found.acd.queues][2:] == ["held back in duty"]
    assert found.groups[2].seats[0].queues == ("simple", "complaint", "held back in duty")


def test_profile_of_counts_and_rates() -> None:
    text = DESK.replace('rate = "3.0/min"', 'profile = [90, "1/s", 0]\ninterval = "30m"')
    simple = load(text).classes[0]
    assert (simple.rates, simple.interval) == ((0.05, 1.0, 0.0), 1800.0)


def test_one_seat_more_or_less() -> None:
    found = load(DESK)
    assert [seat.number for seat in with_seats(found, "senior", 5).groups[0].seats] == [
        *("senior-1", "senior-2", "senior-3", "senior-4", "senior+4")
    ]
    assert len(with_seats(found, "junior", 0).groups[1].seats) == 0
    with pytest.raises(OperatorError, match=r'unknown group "juniors" \(did you mean junior'):
        with_seats(found, "juniors", 5)


def test_configuration() -> None:
    """The demo's queues, seats and levels; shift leaders take no calls, and everybody is there."""
    acd = read_configuration(str(ROOT / "config" / "demo.toml")).acd
    text = '[[class]]\nname = "junior"\nrate = "3/min"\nhandle = {mean = "150s"}\npriority_credit = "5s"\n'
    found = load(text, acd)
    assert [(group.name, len(group.seats)) for group in found.groups] == [
        *(("junior", 10), ("intermediate", 5), ("senior", 3))
    ]
    assert found.classes[0].threshold == 20.0
    assert [queue.name for queue in found.acd.queues] == ["junior", "intermediate", "senior", "complaint"]
    assert [queue.priority_credit for queue in found.acd.queues] == [5.0, 0.0, 0.0, 90.0]
    assert found.acd.queues[0].relax == acd.queues[0].relax
    assert [tenant.seat_quota for tenant in found.acd.tenants] == [0]
    assert load('policy = "random"\n' + text, acd).acd.queues[3].policy == "random"
    assert errors(text.replace('"junior"', '"juniors"'), acd) == [
        'desk.toml: class[1] "juniors".name: unknown queue "juniors" (did you mean junior?); '
        "there are junior, intermediate, senior, complaint"
    ]
    assert errors(text + '[[group]]\nname = "a"\nseats = 1\nserves = ["junior"]\n', acd) == [
        "desk.toml: group: is given beside config; seats are those of the configuration"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lines = 30", "line = 30", "desk.toml: line: unknown key (did you mean lines?)"),
        ("lines = 30", "calls = 0", "desk.toml: calls: 0 is not"),
        ("lines = 30", 'policy = "linear"', 'desk.toml: policy: unknown policy "linear"'),
        ('"3.0/min"', '"3.0"', 'class[1] "simple".rate: "3.0" is not a rate such as'),
        ('"3.0/min"', '"3/0s"', 'class[1] "simple".rate: "3/0s" is not a rate such as'),
        ('"3.0/min"', '"nan/s"', 'class[1] "simple".rate: "nan/s" is not a rate such as'),
        ('rate = "3.0/min"', "", 'class[1] "simple".rate: is missing'),
        ('rate = "3.0/min"', 'rate = "1/s"\nprofile = [1]', 'class[1] "simple".rate: is given beside'),
        ('rate = "3.0/min"', "profile = [-1]", 'class[1] "simple".profile[1]: -1'),
        ('rate = "3.0/min"', "profile = [1]\ninterval = 0", 'class[1] "simple".interval: 0 s is no'),
        ('mean = "150s"', "mean = 0", 'class[1] "simple".handle.mean: 0 s is not longer'),
        ('mean = "150s"', 'mean = "150s", cv = 2', 'class[1] "simple".handle.cv: is for a lognormal'),
        (", cv = 1.2", "", 'class[2] "complaint".handle.cv: is missing'),
        ('name = "complaint"', 'name = "simple"', 'class[2] "simple".name: "simple" is given twice'),
        ('name = "complaint"', 'name = " "', 'class[2] " ".name: is empty'),
        ('serves = ["simple"]', 'serves = ["smple"]', 'serves[1]: unknown class "smple"'),
        ("speed = 1.5", "speed = 0", 'group[2] "junior".speed: 0 never'),
        ("seats = 9", "seats = -9", 'group[2] "junior".seats: -9 is not'),
        ('serves = ["simple", "complaint"]', 'serves = ["simple"]', 'no group serves "complaint"'),
    ],
)
def test_mistakes_are_named(old: str, new: str, message: str) -> None:
    assert old in DESK
    found = errors(DESK.replace(old, new))
    assert any(message in error for error in found), found


def test_nobody_calls_or_answers() -> None:
    assert errors("") == [
        "desk.toml: class: is missing: nobody calls",
    ]
    assert errors(DESK.partition("[[group]]")[0]) == [
        "desk.toml: group: is missing: nobody answers; give groups or a config"
    ]


def test_no_toml_at_all() -> None:
    with pytest.raises(OperatorError, match=r"desk\.toml: is not TOML"):
        parse_document("[[", "desk.toml")


def test_configuration_named() -> None:
    assert parse_document('config = "a.toml"', "desk.toml").config == "a.toml"
    assert parse_document("config = 3", "desk.toml").config == ""
