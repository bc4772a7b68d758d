"""docs/policies.md: every policy is in it, and what it shows works."""

from pathlib import Path
from typing import Any

from policies.registry import NAMES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


def test_every_policy_is_explained() -> None:
    rows = [line.split("`")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    assert rows[: len(NAMES)] == sorted(NAMES, key=rows.index)


def test_worked_example(rank: Any) -> None:
    """The file, then its test, as they are printed."""
    file, test = [block.partition("```")[0] for block in TEXT.split("```python\n")[1:]]
    names: dict[str, Any] = {}
    exec(compile(file, "fastest_first.py", "exec"), names)
    assert names["FastestFirst"].name == "fastest-first"
    exec(compile(test.partition("\n")[2], "test_fastest_first.py", "exec"), names)
    names["test_order"](rank)
