"""The house rules that a machine can hold: sizes, hidden clocks, sets walked in order, modules without a
test.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("kernel", "sip", "media", "queues", "policies", "acd", "calls", "config")
PURE = (
    *(ROOT / floor for floor in FLOORS),
    *(ROOT / "seatswitch" / name for name in ("api", "forecast", "node.py", "news.py", "snapshot.py")),
)
PRODUCT = (*(ROOT / floor for floor in FLOORS), ROOT / "seatswitch")

FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 110


def sources(*places: Path) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def called(node: ast.AST) -> set[str]:
    """Return the last names of what is called in ``node``."""
    named = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return {getattr(it, "attr", "") or getattr(it, "id", "") for it in named}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


ALL = list(sources(*PRODUCT, ROOT / "tests", ROOT / "benchmarks"))
PRODUCT_FILES = list(sources(*PRODUCT))
PURE_FILES = list(sources(*PURE))


@pytest.mark.parametrize("path", ALL, ids=name)
def test_file_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= FILE_LINES_MAX, f"{len(lines)} lines"
    for number, line in enumerate(lines, 1):
        assert len(line) <= COLUMNS_MAX, f"line {number} has {len(line)} columns"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PURE_FILES, ids=name)
def test_nothing_below_the_shell_waits_or_walks_a_set(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith), (
            f"line {node.lineno} waits"
        )
        walked = node.iter if isinstance(node, ast.For | ast.comprehension) else None
        is_set = isinstance(walked, ast.Set | ast.SetComp) or (
            isinstance(walked, ast.Call)
            and isinstance(walked.func, ast.Name)
            and walked.func.id in {"set", "frozenset"}
        )
        assert not is_set, f"line {getattr(walked, 'lineno', '?')} walks a set: its order is not ours"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"now", "utcnow", "today"}, f"line {node.lineno} reads a clock"


@pytest.mark.parametrize("path", PRODUCT_FILES, ids=name)
def test_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body:
        assert ast.get_docstring(tree), "a module opens with what it is and what must hold"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno} is a bare except"


def test_words_that_postpone_are_not_in_the_product() -> None:
    for path in PRODUCT_FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert "TODO" not in line, f"{name(path)}:{number}"
            assert "FIXME" not in line, f"{name(path)}:{number}"


# What has no test of its own name is exercised by the test named beside it.
TESTED_ELSEWHERE = {
    "events": "its readers",
    "settings": "tests/config",
    "inputs": "tests/acd/test_engine.py",
    "commands": "tests/acd/test_engine.py",
    "__init__": "every import",
    "__main__": "tests/seatswitch/shell/test_cli.py",
    "views": "tests/policies",
    "limits": "whoever is bounded",
    "env": "alembic",
}


@pytest.mark.parametrize("path", PRODUCT_FILES, ids=name)
def test_module_has_its_test(path: Path) -> None:
    if path.stem in TESTED_ELSEWHERE or "migrations" in path.parts:
        return
    test = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.stem.strip('_')}.py")
    assert test.exists(), f"{name(test)} is missing"


def test_the_wire_is_a_folder_of_its_own() -> None:
    """`make test` runs that folder by itself: every file of it has the mark, and no other."""
    mark = "pytestmark = pytest.mark.wire"
    texts = {path: path.read_text(encoding="utf-8") for path in sources(ROOT / "tests")}
    marked = {path for path, text in texts.items() if mark in text.splitlines()}
    assert marked == set((ROOT / "tests" / "wire").glob("test_*.py"))


# Their asserts are in what they are handed.
ASSERTS_ELSEWHERE = ("test_any_history_keeps_every_rule", "test_rule")


def test_every_test_can_fail() -> None:
    """It asserts, expects an error, or calls a function of the tests that does."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources(ROOT / "tests")}
    found = [(path, node) for path, tree in trees.items() for node in functions(tree)]
    calls = [(node.name, called(node)) for _, node in found]
    asserting = {"raises", "fail"} | {
        node.name for _, node in found if any(isinstance(it, ast.Assert) for it in ast.walk(node))
    }
    before = 0
    while before != len(asserting):
        before = len(asserting)
        asserting |= {one for one, others in calls if not asserting.isdisjoint(others)}
    for path, node in found:
        if path.name.startswith("test_") and node.name.startswith("test_"):
            assert node.name in (*asserting, *ASSERTS_ELSEWHERE), f"{name(path)}: {node.name} asserts nothing"
