"""Retelling: what of a script is written down while its caller waits, and what that leads to later."""

from typing import Any

import pytest

from calls.menu import GoNode, MenuNode, Node, ReadNode, ScriptSettings
from calls.retelling import Led, read, tell_again, write_down
from calls.script import Caller, Collect, Go, HangUp, IsOpen, Keys, Note, Play, Script, ScriptRun
from calls.scriptbook import begin

CALLER = Caller("139", "96198", "demo", variables={"who": "gold"})
NODES: dict[str, Node] = {
    "menu": MenuNode((("1", "ask"),), ("choose",)),
    "ask": ReadNode("order", "go", ("which",), most=4),
    "go": GoNode("queue:junior", (("max_wait", "queue:senior"),)),
}


def of_nodes(nodes: dict[str, Node] = NODES) -> ScriptRun:
    return ScriptRun(begin(ScriptSettings("main", "demo", "menu", nodes), CALLER), CALLER.variables)


def told(run: ScriptRun, *inputs: Any) -> ScriptRun:
    run.begin()
    for result in inputs:
        run.resume(result)
    return run


def test_a_script_that_is_told_again_goes_on_where_it_was() -> None:
    """Its variables are there, those of scripts before too, and it learns what comes of the queue."""
    inputs = (Keys("1", "full"), Keys("4711", "full"))
    written = write_down(told(of_nodes(), *inputs), CALLER, "queue:junior")
    led = read(written)
    assert led == Led("queue:junior", "139", "96198", {"who": "gold"}, (("1", "full"), ("4711", "full")))
    again = of_nodes()
    assert tell_again(again, led)
    assert again.open() == {"who": "gold", "order": "4711"}
    assert again.resume("max_wait") == Go("queue:senior")
    assert write_down(again, CALLER, "queue:senior") != b""


def test_whatever_a_script_may_be_told_is_written_down() -> None:
    def all_kinds(caller: Caller) -> Script:
        yield Play(("hello",))
        yield IsOpen("day")
        yield Collect(())
        yield Go("queue:junior")
        yield Go("queue:senior")

    inputs = (None, True, Keys("", "timeout"), "full")
    run = told(ScriptRun(all_kinds(CALLER)), *inputs)
    led = read(write_down(run, CALLER, "queue:senior"))
    assert led is not None
    assert led.told == (None, True, ("", "timeout"), "full")
    assert tell_again(ScriptRun(all_kinds(CALLER)), led)


@pytest.mark.parametrize(
    ("is_noted", "is_secret", "is_kept"),
    [(True, False, True), (True, True, False), (False, False, False)],
    ids=["open", "secret", "said to nobody"],
)
def test_keys_that_the_script_keeps_to_itself_are_written_nowhere(
    *, is_noted: bool, is_secret: bool, is_kept: bool
) -> None:
    def asks(caller: Caller) -> Script:
        keys = yield Collect((), 4)
        if is_noted:
            yield Note("pin", keys.digits, is_secret)
        yield Go("queue:junior")

    run = told(ScriptRun(asks(CALLER)), Keys("4711", "full"))
    assert (b"4711" in write_down(run, CALLER, "queue:junior")) == is_kept
    assert bool(write_down(run, CALLER, "queue:junior")) == is_kept


def test_what_was_broken_off_is_written_nowhere_either() -> None:
    """Too few digits of what may be a secret: the script has not said what they are."""
    nodes = {**NODES, "ask": ReadNode("order", "go", ("which",), least=4, most=4)}
    run = told(of_nodes(nodes), Keys("1", "full"), Keys("4711", "full"))
    assert write_down(run, CALLER, "queue:junior") != b""
    run = told(of_nodes(nodes), Keys("1", "full"), Keys("47", "timeout"), Keys("4711", "full"))
    assert write_down(run, CALLER, "queue:junior") == b""
    assert read(b"") is None


@pytest.mark.parametrize(
    "now",
    [
        {**NODES, "go": GoNode("queue:senior")},  # elsewhere
        {**NODES, "menu": GoNode("queue:junior")},  # there, and then says something else
        {**NODES, "ask": ReadNode("order", "go", least=5)},  # the digits are too few for it
        {"menu": GoNode("hangup")},  # its last word comes too early
    ],
)
def test_a_script_that_is_another_now_is_not_gone_on_with(now: dict[str, Node]) -> None:
    inputs = (Keys("1", "full"), Keys("4711", "full"))
    led = read(write_down(told(of_nodes(), *inputs), CALLER, "queue:junior"))
    assert led is not None
    assert not tell_again(of_nodes(now), led)


def test_what_a_script_says_behind_its_last_word_leads_nobody() -> None:
    def ends(caller: Caller) -> Script:
        yield HangUp()
        yield Go("queue:junior")

    assert not tell_again(ScriptRun(ends(CALLER)), Led("queue:junior", "139", "96198", {}, (None,)))
