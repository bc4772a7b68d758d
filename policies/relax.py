"""Relaxation: what a call may do with, the longer it has waited. Steps add up and never go back."""

import msgspec

from queues.settings import QueueSettings, Requirement


class Step(msgspec.Struct, frozen=True):
    """From ``after`` seconds on, ``requirement`` is enough."""

    after: float
    requirement: Requirement
    when_few: int = -1  # also at once, while no more signed-in seats satisfy the step before; -1: never


def build_steps(settings: QueueSettings) -> tuple[Step, ...]:
    """Return the steps of a queue, the first being its own requirement at 0 s."""
    current = settings.requires
    steps = [Step(0.0, current)]
    for change in sorted(settings.relax, key=lambda step: step.after):
        current = Requirement(
            current.lowest if change.lowest is None else change.lowest,
            current.highest if change.highest is None else change.highest,
            current.skills if change.skills is None else change.skills,
            preferred=current.preferred,
        )
        steps.append(Step(change.after, current, change.when_few))
    return tuple(steps)
