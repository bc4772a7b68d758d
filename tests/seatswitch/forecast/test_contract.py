"""Section 6 of docs/contract.md, key by key: every key of a scenario, its default, and what it changes.

The tables name every key; one that is missing here, or there, fails.
"""

from typing import Any

import pytest

from config.reading import ConfigErrors
from seatswitch.forecast.report import MEASURES, build_report
from seatswitch.forecast.scenario import (
    ClassTable,
    GroupTable,
    LawTable,
    ScenarioTable,
    load_scenario,
    parse_document,
)
from seatswitch.forecast.settings import Scenario
from tests.seatswitch.forecast.conftest import replicate

HANDLE = 'handle = {law = "exponential", mean = "150s"}'
DESK = (
    '{top}\n[[class]]\nname = "simple"\n{rate}\n{handle}\n{kind}\n'
    '[[group]]\nname = "junior"\nseats = 9\nserves = ["simple"]\n{group}\n'
    '[[group]]\nname = "senior"\nseats = 4\nserves = ["simple"]\n'
)


def load(
    top: str = "", kind: str = "", group: str = "", rate: str = 'rate = "3.0/min"', **more: str
) -> Scenario:
    text = DESK.format(top=top, kind=kind, group=group, rate=rate, handle=more.get("handle", HANDLE))
    return load_scenario(parse_document(text, "desk.toml"))


# Key: (value as written, what it comes to, what it is when left out), found by ``READ``.
TOP: dict[str, tuple[str, Any, Any]] = {
    "config": ("", None, None),  # tests/seatswitch/shell/test_simulate.py and test_scenario.py
    "calls": ("400000", 400_000, 50_000),
    "replications": ("4", 4, 8),
    "warm_up": ('"1h"', 3600.0, 7200.0),
    "seed": ("7", 7, 1),
    "threshold": ('"10s"', 10.0, 20.0),
    "policy": ('"random"', "random", "least-skilled-first"),
    "lines": ("30", 30, 0),
}
CLASS: dict[str, tuple[str, Any, Any]] = {
    "name": ("", None, None),
    "rate": ("", None, None),
    "profile": ("", None, None),
    "interval": ("", None, None),
    "handle": ("", None, None),
    "patience": ('{law = "exponential", mean = "300s"}', ("exponential", 300.0), None),
    "queued": ("false", False, True),
    "priority_credit": ('"90s"', 90.0, 0.0),
    "priority": ("2", 2, 0),
}
GROUP: dict[str, tuple[str, Any, Any]] = {
    "name": ("", None, None),
    "seats": ("", None, None),
    "serves": ("", None, None),
    "speed": ("1.25", 1.25, 1.0),
    "hold_back": ("2", 2, 0),
}


def found(scenario: Scenario) -> dict[str, Any]:
    """Return what every key has come to."""
    (kind,), queue = scenario.classes, scenario.acd.queues[0]
    junior = scenario.groups[0]
    patience = kind.patience and (kind.patience.kind, kind.patience.mean)
    return {
        **{key: getattr(scenario, key) for key in ("calls", "replications", "warm_up", "seed", "lines")},
        "threshold": kind.threshold,
        "policy": queue.policy,
        "patience": patience,
        "queued": kind.queued,
        "priority_credit": queue.priority_credit,
        "priority": queue.priority,
        "speed": junior.speed,
        "hold_back": scenario.acd.levels[0].hold_back,
    }


def test_every_key_is_in_the_tables() -> None:
    assert TOP.keys() == set(ScenarioTable.__struct_fields__)
    assert CLASS.keys() == set(ClassTable.__struct_fields__)
    assert GROUP.keys() == set(GroupTable.__struct_fields__)
    assert set(LawTable.__struct_fields__) == {"law", "mean", "cv"}


@pytest.mark.parametrize(
    ("where", "key"),
    [
        (where, key)
        for where, table in (("top", TOP), ("kind", CLASS), ("group", GROUP))
        for key, (written, _, _) in table.items()
        if written
    ],
)
def test_each_key_is_taken_and_has_its_default(where: str, key: str) -> None:
    written, value, default = {"top": TOP, "kind": CLASS, "group": GROUP}[where][key]
    assert found(load())[key] == default
    given = found(load(**{where: f"{key} = {written}"}))
    assert given[key] == value
    others = found(load())
    assert {name: it for name, it in given.items() if name != key} == {
        name: it for name, it in others.items() if name != key
    }


def test_rate_profile_and_laws() -> None:
    assert load().classes[0].rates == (pytest.approx(3 / 60),)
    profile = 'profile = [40, "4/min", 0]\ninterval = "15m"'
    assert load(rate=profile).classes[0].rates == (pytest.approx(40 / 900), pytest.approx(4 / 60), 0.0)
    law = load(handle='handle = {law = "lognormal", mean = "2m", cv = 1.2}').classes[0].handle
    assert (law.kind, law.mean, law.cv) == ("lognormal", 120.0, 1.2)
    assert load(handle="handle = {mean = 150}").classes[0].handle.kind == "exponential"


@pytest.mark.parametrize(
    ("where", "line", "message"),
    [
        ("top", "calls = 0", "desk.toml: calls"),
        ("top", "replications = 0", "desk.toml: replications"),
        ("top", 'warm_up = "soon"', "desk.toml: warm_up"),
        ("top", 'seed = "x"', "desk.toml: seed"),
        ("top", 'threshold = "-1s"', "desk.toml: threshold"),
        ("top", 'policy = "linear"', "desk.toml: policy"),
        ("top", "lines = -1", "desk.toml: lines"),
        ("top", "linez = 1", "desk.toml: linez"),
        ("kind", 'patience = {mean = "0s"}', 'class[1] "simple".patience.mean'),
        ("kind", 'queued = "no"', 'class[1] "simple".queued'),
        ("kind", "priority_credit = -1", 'class[1] "simple".priority_credit'),
        ("kind", 'priority = "high"', 'class[1] "simple".priority'),
        ("kind", "prio = 1", 'class[1] "simple".prio'),
        ("group", "speed = 0", 'group[1] "junior".speed'),
        ("group", "hold_back = -1", 'group[1] "junior".hold_back'),
        ("group", "held = 1", 'group[1] "junior".held'),
    ],
)
def test_a_wrong_value_names_file_and_key(where: str, line: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(**{where: line})
    (error,) = caught.value.errors
    assert str(error).startswith("desk.toml:")
    assert message in str(error)
    assert error.why


FIGURES = ("offered", *MEASURES)
SHORT = 'calls = 300\nreplications = {count}\nwarm_up = "10m"\n'
NOBODY = '[[class]]\nname = "nobody"\nrate = "0/h"\nhandle = {mean = 60}\n'


def report(count: int) -> dict[str, Any]:
    text = SHORT.format(count=count) + NOBODY
    text += f'[[class]]\nname = "a"\nrate = "3/min"\n{HANDLE}\n'
    text += '[[group]]\nname = "g"\nseats = 9\nserves = ["a", "nobody"]\n'
    scenario = load_scenario(parse_document(text, "desk.toml"))
    return build_report(scenario, [replicate(scenario, number) for number in range(count)])


def test_the_result_has_these_fields_and_no_other() -> None:
    wanted = (
        *("offered", "blocked", "abandoned", "answered", "mean_wait", "mean_wait_answered"),
        *("probability_wait", "service_level", "mean_queue"),
    )
    assert wanted == FIGURES
    result = report(3)
    assert list(result) == ["classes", "groups", "overall", "half_width"]
    for tree in (result, result["half_width"]):
        assert list(tree["classes"]) == ["nobody", "a"]
        assert list(tree["groups"]) == ["g"]
        assert list(tree["groups"]["g"]) == ["utilisation", "peakedness"]
        for figures in (tree["classes"]["a"], tree["classes"]["nobody"], tree["overall"]):
            assert tuple(figures) == FIGURES
    assert list(result["half_width"]) == ["classes", "groups", "overall"]


def test_offered_is_a_count_and_the_rest_are_fractions_seconds_and_calls() -> None:
    overall = report(3)["overall"]
    assert overall["offered"] == 900
    assert isinstance(overall["offered"], int)
    shares = [overall[name] for name in ("blocked", "abandoned", "answered", "probability_wait")]
    assert all(0.0 <= share <= 1.0 for share in (*shares, overall["service_level"]))
    assert sum(shares[:3]) == pytest.approx(1.0)


def test_what_cannot_be_known_is_null() -> None:
    result = report(3)
    nobody = result["classes"]["nobody"]
    assert (nobody["offered"], nobody["mean_queue"]) == (0, 0.0)
    assert {nobody[name] for name in FIGURES if name not in ("offered", "mean_queue")} == {None}
    assert result["half_width"]["overall"]["offered"] is None
    assert result["half_width"]["classes"]["nobody"]["service_level"] is None
    assert result["half_width"]["classes"]["a"]["service_level"] > 0
    alone = report(1)["half_width"]
    assert {*alone["overall"].values(), *alone["groups"]["g"].values()} == {None}
