"""Scripts by name: nodes unless the settings name one in Python."""

import re
from pathlib import Path
from typing import Any

from calls.menu import GoNode, ScriptSettings
from calls.script import Caller, Collect, Go, Keys, Play, ScriptRun, replay
from calls.scriptbook import SCRIPTS, begin

CALLER = Caller("1", "96198", "demo", options={"ask": "which"})


def test_nodes_or_python() -> None:
    nodes = ScriptSettings("main", "demo", "a", {"a": GoNode("queue:junior")})
    assert replay(begin(nodes, CALLER), []) == [Go("queue:junior")]
    python = ScriptSettings("number", "demo", python="readback")
    assert replay(begin(python, CALLER), []) == [Collect(("which",), 20, "#")]


def test_every_script_takes_a_caller_without_options() -> None:
    assert "readback" in SCRIPTS
    for write in SCRIPTS.values():
        assert replay(write(Caller("1", "96198", "demo")), [])


def test_the_script_of_the_page_works() -> None:
    """docs/ivr.md: the order number's check digit, and what is said to try it without a switch."""
    page = (Path(__file__).parents[2] / "docs" / "ivr.md").read_text(encoding="utf-8")
    written, tried = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope: dict[str, Any] = {"OPTIONS": {"ask": "which", "wrong": "no"}}
    exec(written, scope)
    exec(tried, scope)
    caller = Caller("1", "2", "demo", options=scope["OPTIONS"])
    run = ScriptRun(scope["order"](caller))
    assert run.begin() == Collect(("which",), 8, "#", 6.0)
    assert run.resume(Keys("12345679", "full")) == Play(("no",))
    assert run.resume(None) == Collect(("which",), 8, "#", 6.0)
    assert run.resume(Keys("12345678", "full")) == Go("queue:orders-1", 30.0)
    assert run.told() == {"order": "12345678"}
