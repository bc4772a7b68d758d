"""docs/policies.md: every policy is in it, and what it shows works."""

from pathlib import Path
from typing import Any

from acd.inputs import Reconfigured
from policies.registry import NAMES
from tests.acd.conftest import Kit

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


def test_every_policy_is_explained() -> None:
    rows = [line.split("`")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    assert rows[: len(NAMES)] == sorted(NAMES, key=rows.index)


def blocks() -> tuple[str, str]:
    """Return the worked example: the policy's file and its test."""
    file, test = [block.partition("```")[0] for block in TEXT.split("```python\n")[1:]]
    return file, test


def test_worked_example_serves_a_queue() -> None:
    """Registered as the page says, the engine asks it: the seat whose calls were short gets the next one."""
    names: dict[str, Any] = {}
    exec(compile(blocks()[0], "fastest_first.py", "exec"), names)
    kit = Kit()
    seats = tuple(kit.seat(number) for number in ("8001", "8002", "8003"))
    floor = kit.floor((kit.queue(),), seats)
    policy = names["FastestFirst"]()
    floor.engine._board.policies[policy.name] = policy
    floor.do(Reconfigured(kit.settings((kit.queue(policy="fastest-first"),), seats)))
    floor.sign_in("8001", "8002", "8003")
    talks = {"8001": 30.0, "8002": 10.0, "8003": 20.0}
    for index in range(3):
        floor.join(f"c{index}")
    for number in talks:
        floor.answer(number)
    for number, talk in sorted(talks.items(), key=lambda each: each[1]):
        floor.at(talk)
        floor.end_talk(number)
    floor.join("x")
    assert floor.ringing() == {"x": "8002"}
    floor.leave("x")
    assert floor.offers()[-1].policy == "fastest-first"


def test_worked_example(rank: Any) -> None:
    """The file, then its test, as they are printed."""
    file, test = blocks()
    names: dict[str, Any] = {}
    exec(compile(file, "fastest_first.py", "exec"), names)
    assert names["FastestFirst"].name == "fastest-first"
    exec(compile(test.partition("\n")[2], "test_fastest_first.py", "exec"), names)
    names["test_order"](rank)
