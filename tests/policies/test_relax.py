"""Steps add up."""

from policies.relax import build_steps
from queues.settings import QueueSettings, RelaxStep, Requirement


def test_no_relaxation_is_one_step() -> None:
    steps = build_steps(QueueSettings("q", "demo", Requirement(0, 0)))
    assert [(step.after, step.requirement) for step in steps] == [(0.0, Requirement(0, 0))]


def test_steps_are_sorted_and_each_builds_on_the_one_before() -> None:
    relax = (
        RelaxStep(40.0, highest=2, when_few=0),
        RelaxStep(20.0, highest=1, skills=()),
        RelaxStep(60.0, lowest=1),
    )
    steps = build_steps(QueueSettings("q", "demo", Requirement(0, 0, (("a", 1),)), relax=relax))
    assert [(step.after, step.requirement, step.when_few) for step in steps] == [
        (0.0, Requirement(0, 0, (("a", 1),)), -1),
        (20.0, Requirement(0, 1), -1),
        (40.0, Requirement(0, 2), 0),
        (60.0, Requirement(1, 2), -1),
    ]
