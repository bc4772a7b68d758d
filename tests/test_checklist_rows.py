"""Every row of the conformance checklist has a test that says so: its id stands in the test's docstring.

Rows: T transactions and dialogs, R registration, S session descriptions, A attacks, P behaviours of real
phones, F faults of the machine. What each row asks for is said by its tests. Attacks on who somebody is, on
what a call costs and on what is written down, and all faults, are tried at a real switch besides.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROWS = (
    *(f"T{number:02}" for number in range(1, 38)),
    *(f"R{number:02}" for number in range(1, 7)),
    "S01",
    *("A-SCAN1", "A-SCAN2", "A-CRACK", "A-AUTH1", "A-AUTH2", "A-AUTH3", "A-AUTH4", "A-LEAK", "A-TOLL"),
    *("A-FLOOD1", "A-FLOOD2", "A-FLOOD3", "A-SMUG", "A-ROUTE", "A-DLG", "A-SDP", "A-TLS", "A-WS", "A-JSON"),
    "A-INJ",
    *(f"A-RTP{number}" for number in range(1, 6)),
    *(f"P{number}" for number in range(1, 8)),
)
AT_A_REAL_SWITCH = (
    *("A-AUTH1", "A-AUTH2", "A-AUTH3", "A-AUTH4", "A-LEAK", "A-TOLL", "A-INJ", "A-JSON", "A-SDP"),
    *("F-DISK", "F-LOCK", "F-FILES", "F-WRITER", "F-WORKER", "F-CORRUPT", "F-CLOCK", "F-NET", "F-RELOAD"),
)


def docstrings() -> Iterator[tuple[str, str]]:
    """The name and docstring of every test."""
    for path in sorted(HERE.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{path.relative_to(HERE)}::{node.name}", ast.get_docstring(node) or ""


TESTS = tuple(docstrings())


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_a_test(row: str) -> None:
    named = re.compile(rf"(?<![\w-]){row}(?![\w-])")
    assert [name for name, text in TESTS if named.search(text)], f"no docstring of a test names {row}"


@pytest.mark.parametrize("row", AT_A_REAL_SWITCH)
def test_the_row_is_tried_at_a_real_switch(row: str) -> None:
    named = re.compile(rf"(?<![\w-]){row}(?![\w-])")
    assert [name for name, text in TESTS if name.startswith("wire/") and named.search(text)], row
