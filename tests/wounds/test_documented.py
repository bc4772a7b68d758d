"""docs/peers.md tells the truth as far as a machine can see: what it names exists, no story is left out."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "peers.md").read_text("utf-8")
STORIES = ("scale", "seat_state", "selection", "pause_and_wrap_up", "waiting", "rows_and_events", "ideas")


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", TEXT)
    assert len(named) > 150
    for path, test in named:
        assert (ROOT / path).exists(), path
        if test:
            source = (ROOT / path).read_text("utf-8")
            assert re.search(rf"^(async )?def {test}\(", source, re.M), f"{path}::{test}"


def test_every_wound_is_on_the_page() -> None:
    for name in (*STORIES, "asterisk_suite"):
        path = f"tests/wounds/test_{name}.py"
        tests = re.findall(r"^def (test_\w+)\(", (ROOT / path).read_text("utf-8"), re.M)
        assert tests, f"{path} has none"
        for test in tests:
            assert f"`{path}::{test}`" in TEXT, f"{path}::{test} is not in docs/peers.md"


def test_no_row_is_half_filled() -> None:
    """A row names a test, or says that it is not yet there, not wanted, or why it cannot occur."""
    part = TEXT.partition("## What the peers have, row by row")[2]
    heads = ("| feature", "| theirs", "| point", "| wish")
    rows = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith(heads)]
    assert len(rows) > 100
    for line in rows:
        assert "`tests/" in line or "**not yet**" in line, line
