"""Scenarios as a user writes them, run at fixed seeds in this process."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pytest

from acd.settings import AcdSettings, LevelSettings, SeatSettings, TenantSettings
from queues.settings import QueueSettings, Requirement
from seatswitch.forecast.report import build_report, student
from seatswitch.forecast.run import Run
from seatswitch.forecast.scenario import load_scenario, parse_document
from seatswitch.forecast.settings import Scenario
from seatswitch.forecast.tally import Tally

ERRORS = 3.5  # standard errors that a figure may be off


def scenario(text: str) -> Scenario:
    return load_scenario(parse_document(text, "desk.toml"))


def replicate(what: Scenario, number: int = 0, seed: int = 1) -> Tally:
    return Run(what, lambda name: Random(f"{seed}/{number}/{name}")).run()


class Found:
    """The figures of a forecast, to be compared with exact ones."""

    def __init__(self, what: Scenario, seed: int) -> None:
        self.replications = what.replications
        self.report = build_report(
            what, [replicate(what, number, seed) for number in range(what.replications)]
        )

    def differences(self, *, own: float = 0.0, **expected: float) -> dict[str, tuple[float, float, float]]:
        """Return {figure: (found, expected, standard errors apart)} of all that is too far off.

        A figure is named ``class.measure``; ``own`` is the relative standard error of the expected ones.
        """
        far = {}
        for path, value in expected.items():
            found, width = self._figure(self.report, path), self._figure(self.report["half_width"], path)
            error = width / student(self.replications - 1)
            apart = abs(found - value) / (error**2 + (own * value) ** 2) ** 0.5
            if not apart <= ERRORS:
                far[path] = (found, value, apart)
        return far

    @staticmethod
    def _figure(report: Any, path: str) -> float:
        name, measure = path.split(".")
        if name != "overall":
            report = report["groups" if measure in ("utilisation", "peakedness") else "classes"]
        return float(report[name][measure])


@cache
def play(text: str, seed: int = 1) -> Found:
    """Return the figures of a scenario; one that several tests look at is run once."""
    return Found(scenario(text), seed)


@pytest.fixture
def forecast() -> Callable[..., Found]:
    """Return a function that runs a scenario given as text."""

    return play


@pytest.fixture
def configured() -> Callable[..., AcdSettings]:
    """Return a function that builds a configuration of one queue ``a`` and one seat."""

    def build(*, wrap_up: float = 0.0, **more: Any) -> AcdSettings:
        return AcdSettings(
            levels=(LevelSettings("only", wrap_up=wrap_up),),
            queues=(QueueSettings("a", "t", Requirement(0, 0), **more),),
            seats=(SeatSettings("1", "t", 0, queues=("a",)),),
            tenants=(TenantSettings("t", seat_quota=1),),
        )

    return build
