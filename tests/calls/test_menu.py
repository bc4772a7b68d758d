"""Menus: every kind of node, by the requests it makes of the same inputs."""

from typing import Any

import pytest

from calls.menu import (
    BranchNode,
    CallbackNode,
    GoNode,
    HangUpNode,
    MenuNode,
    Node,
    PlayNode,
    ReadNode,
    ScriptSettings,
    SetNode,
    WaitNode,
    walk,
)
from calls.script import (
    BookCallback,
    Caller,
    Collect,
    Go,
    HangUp,
    IsListed,
    IsOpen,
    Keys,
    Play,
    Request,
    Return,
    ScriptRun,
    Wait,
    replay,
)

CALLER = Caller("13800000000", "96198", "demo", variables={"tier": "gold"})
NOTHING = Keys("", "timeout")


def asked(nodes: dict[str, Node], *inputs: Any, caller: Caller = CALLER) -> list[Request]:
    """Walk from node "a"."""
    return replay(walk(ScriptSettings("main", "demo", "a", nodes), caller), inputs)


def key(digits: str) -> Keys:
    return Keys(digits, "full")


@pytest.mark.parametrize(
    ("to", "last"),
    [
        ("hangup", HangUp()),
        ("return", Return()),
        ("queue:junior", Go("queue:junior")),
        ("number:13900000000", Go("number:13900000000")),
    ],
)
def test_a_node_leads_to_a_target_or_to_an_end(to: str, last: Request) -> None:
    assert asked({"a": GoNode(to)}) == [last]
    assert asked({"a": PlayNode(to, ("hello",))}, None) == [Play(("hello",)), last]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (PlayNode("hangup", say="tier"), ()),  # no digits in it: nothing to say
        (PlayNode("hangup", say="n"), ("voice:en/4", "voice:en/2")),
        (PlayNode("hangup", say="n", number=True), ("voice:en/40", "voice:en/2")),
        (
            PlayNode("hangup", say="long", number=True),
            ("voice:en/1", "voice:en/0", "voice:en/0", "voice:en/0"),
        ),
        (PlayNode("hangup", say="nobody"), ()),
    ],
)
def test_a_variable_is_said(node: PlayNode, said: tuple[str, ...]) -> None:
    caller = Caller("1", "2", "demo", variables={"n": "42", "tier": "gold", "long": "1000"})
    expected: list[Request] = [Play(said)] if said else []
    assert asked({"a": node}, None, caller=caller) == [*expected, HangUp()]


def test_a_language_changes_what_is_said() -> None:
    nodes: dict[str, Node] = {
        "a": SetNode("b", (("n", "2"),), language="zh"),
        "b": PlayNode("hangup", say="n"),
    }
    assert asked(nodes)[0] == Play(("voice:zh/2",))


MENU = MenuNode(
    (("1", "queue:junior"), ("2", "b")),
    ("choose",),
    within=4.0,
    retries=1,
    wrong=("no",),
    on_timeout="queue:junior",
    on_wrong="hangup",
)
ONCE = Collect(("choose",), 1, "", 4.0)


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [
        ([key("1")], [ONCE, Go("queue:junior")]),
        ([key("2")], [ONCE, Wait(2.0)]),
        ([NOTHING, key("1")], [ONCE, ONCE, Go("queue:junior")]),
        ([NOTHING, NOTHING], [ONCE, ONCE, Go("queue:junior")]),
        ([key("9"), key("1")], [ONCE, Collect(("no", "choose"), 1, "", 4.0), Go("queue:junior")]),
        ([key("9"), key("9")], [ONCE, Collect(("no", "choose"), 1, "", 4.0), HangUp()]),
        ([key("9"), NOTHING], [ONCE, Collect(("no", "choose"), 1, "", 4.0), Go("queue:junior")]),
    ],
)
def test_a_menu(inputs: list[Keys], requests: list[Request]) -> None:
    assert asked({"a": MENU, "b": WaitNode("hangup", 2.0)}, *inputs) == requests


READ = ReadNode(
    "account", "b", ("which",), least=3, most=6, retries=1, wrong=("short",), on_timeout="queue:junior"
)
ASK = Collect(("which",), 6, "#", 5.0, 3.0)
AGAIN = Collect(("short", "which"), 6, "#", 5.0, 3.0)


@pytest.mark.parametrize(
    ("inputs", "requests"),
    [
        ([key("123456")], [ASK, Play(tuple(f"voice:en/{digit}" for digit in "123456"))]),
        ([Keys("123", "end")], [ASK, Play(("voice:en/1", "voice:en/2", "voice:en/3"))]),
        ([Keys("123", "timeout")], [ASK, Play(("voice:en/1", "voice:en/2", "voice:en/3"))]),
        ([Keys("12", "end"), Keys("12", "timeout")], [ASK, AGAIN, HangUp()]),
        ([NOTHING, NOTHING], [ASK, ASK, Go("queue:junior")]),
        ([Keys("", "end"), NOTHING], [ASK, AGAIN, Go("queue:junior")]),
    ],
)
def test_digits_are_read(inputs: list[Keys], requests: list[Request]) -> None:
    assert asked({"a": READ, "b": PlayNode("hangup", say="account")}, *inputs) == requests


def test_a_secret_is_kept_as_one_though_it_may_be_compared() -> None:
    nodes: dict[str, Node] = {
        "a": ReadNode("pin", "b", most=4, secret=True),
        "b": BranchNode("hangup", variable="pin", cases=(("1234", "return"),)),
    }
    run = ScriptRun(walk(ScriptSettings("main", "demo", "a", nodes), CALLER))
    assert isinstance(run.begin(), Collect)
    assert run.resume(key("1234")) == Return()
    assert (run.told(), run.open()) == ({"pin": "***"}, {})


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("gold", "queue:senior"),
        ("silver", "queue:junior"),
        ("silvery", "seat:8001"),
        ("tin", "hangup"),
        ("", "hangup"),
    ],
)
def test_a_branch_on_a_variable(value: str, where: str) -> None:
    cases = (
        ("gold", "queue:senior"),
        ("s*", "queue:mid"),
        ("silver", "queue:junior"),
        ("silver*", "seat:8001"),
    )
    caller = Caller("1", "2", "demo", variables={"tier": value})
    last = HangUp() if where == "hangup" else Go(where)
    assert asked({"a": BranchNode("hangup", "tier", cases=cases)}, caller=caller) == [last]


def test_a_branch_on_the_caller_s_area() -> None:
    cases = (("010*", "queue:beijing"), ("0*", "queue:other"))
    for number, where in (("01088880000", "queue:beijing"), ("02188880000", "queue:other")):
        nodes: dict[str, Node] = {"a": BranchNode("hangup", caller=True, cases=cases)}
        assert asked(nodes, caller=Caller(number, "2", "demo")) == [Go(where)]


@pytest.mark.parametrize("holds", [True, False])
def test_a_branch_on_hours_and_on_a_list(holds: bool) -> None:
    last = Go("queue:junior") if holds else HangUp()
    by_hours = BranchNode("hangup", hours="office", then="queue:junior")
    assert asked({"a": by_hours}, holds) == [IsOpen("office"), last]
    by_list = BranchNode("hangup", list="vip", then="queue:junior")
    assert asked({"a": by_list}, holds) == [IsListed("vip"), last]


def test_what_is_set_is_brought_to_the_queue_and_the_last_word_counts() -> None:
    nodes: dict[str, Node] = {
        "a": SetNode("b", credit=60.0, skills=(("english", 3),)),
        "b": SetNode("queue:junior", (("why", "bill"),), credit=90.0, skills=(("bills", 1), ("english", 5))),
    }
    run = ScriptRun(walk(ScriptSettings("main", "demo", "a", nodes), CALLER), CALLER.variables)
    assert run.begin() == Go("queue:junior", 90.0, (("bills", 1), ("english", 5)))
    assert run.told() == {"tier": "gold", "why": "bill"}
    assert run.path == ["a", "b"]


def test_wait_and_callback() -> None:
    nodes: dict[str, Node] = {
        "a": WaitNode("b", 3.0, "music"),
        "b": CallbackNode("junior", "hangup", "queue:junior"),
    }
    first = [Wait(3.0, "music"), BookCallback("junior")]
    assert asked(nodes, None, True) == [*first, HangUp()]
    assert asked(nodes, None, False) == [*first, Go("queue:junior")]


def test_a_last_word_is_heard_whole() -> None:
    nodes: dict[str, Node] = {"a": HangUpNode(("bye",), "paid")}
    assert asked(nodes, None) == [Play(("bye",), is_whole=True), HangUp("paid")]
    assert asked({"a": HangUpNode()}) == [HangUp("script")]
