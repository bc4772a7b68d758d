"""Requirement match."""

import pytest

from policies.skills import serves, with_skills
from queues.settings import Requirement


@pytest.mark.parametrize(("level", "fits"), [(0, False), (1, True), (2, True), (3, False)])
def test_level_is_inside_the_range(level: int, fits: bool) -> None:
    assert serves(level, {}, Requirement(1, 2)) is fits


@pytest.mark.parametrize(
    ("skills", "fits"),
    [({"english": 5}, True), ({"english": 4}, False), ({}, False), ({"french": 9}, False)],
)
def test_every_skill_reaches_its_minimum(skills: dict[str, int], fits: bool) -> None:
    assert serves(0, skills, Requirement(0, 0, (("english", 5),))) is fits


def test_a_skill_that_is_not_there_is_not_a_zero() -> None:
    assert not serves(0, {}, Requirement(0, 0, (("english", 0),)))


def test_own_skills_come_on_top() -> None:
    wanted = Requirement(0, 1, (("english", 5),))
    assert with_skills(wanted, ()) is wanted
    assert with_skills(wanted, (("english", 3), ("billing", 2))).skills == (("billing", 2), ("english", 5))
    assert with_skills(wanted, (("english", 8),)).skills == (("english", 8),)
