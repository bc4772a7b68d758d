"""Requirement match: who may serve what."""

from collections.abc import Mapping

from queues.settings import Requirement


def serves(level: int, skills: Mapping[str, int], wanted: Requirement) -> bool:
    """Say whether a seat of ``level`` with ``skills`` satisfies ``wanted``. A skill it lacks is not a 0."""
    if not wanted.lowest <= level <= wanted.highest:
        return False
    return all(skills.get(skill, -1) >= least for skill, least in wanted.skills)


def with_skills(wanted: Requirement, more: tuple[tuple[str, int], ...]) -> Requirement:
    """Return ``wanted`` with further skills; of two minimums for one skill the higher counts."""
    if not more:
        return wanted
    merged = dict(wanted.skills)
    for skill, least in more:
        merged[skill] = max(least, merged.get(skill, least))
    skills = tuple(sorted(merged.items()))
    return Requirement(wanted.lowest, wanted.highest, skills, preferred=wanted.preferred)
