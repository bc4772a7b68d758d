"""Scripts of a configuration: every kind of node, every slip with its place, and what is wrong as a whole."""

from pathlib import Path

import pytest

from calls.menu import (
    BranchNode,
    CallbackNode,
    GoNode,
    HangUpNode,
    MenuNode,
    PlayNode,
    ReadNode,
    ScriptSettings,
    SetNode,
    WaitNode,
)
from calls.settings import Hotline
from config.diff import describe_changes
from config.ivr import Way, names_of, ways_of
from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings

ROOT = Path(__file__).parents[2]

HEAD = """
[[tenant]]
name = "u"
[tenant.ivr.theirs.node.a]
kind = "go"
to = "hangup"
[[hours]]
name = "office"
week = ["mon-fri 08:00-18:00"]
[[list]]
name = "vip"
kind = "white"
tenant = "t"
[[list]]
name = "theirs"
tenant = "u"
[[extension]]
number = "2001"
tenant = "t"
password = "secret-of-2001"
[[queue]]
name = "foreign"
tenant = "u"
[[queue]]
name = "q"
tenant = "t"
requires = {level = "junior"}
[[seat]]
number = "8001"
tenant = "t"
password = "secret-of-8001"
level = "junior"
queues = ["q"]
[[tenant]]
name = "t"
language = "zh"
"""
EVERYTHING = """
[tenant.ivr.main]
start = "menu"
language = "en"
time_max = "2m"
on_limit = "queue:q"
[tenant.ivr.main.node.menu]
kind = "menu"
sounds = ["builtin:welcome"]
within = "4s"
retries = 1
wrong = ["voice:en/thank-you"]
keys = {1 = "read", 2 = "queue:q/8001", 3 = "level:junior", "*" = "menu", "#" = "extension:2001"}
on_timeout = "number:13800000000"
on_wrong = "ivr:main"
[tenant.ivr.main.node.read]
kind = "read"
into = "account"
sounds = ["builtin:welcome"]
least = 2
most = 6
end_key = "*"
within = "6s"
between = "2s"
retries = 0
then = "say"
on_timeout = "menu"
on_short = "message:builtin:welcome"
secret = true
[tenant.ivr.main.node.say]
kind = "play"
sounds = ["builtin:welcome"]
say = "account"
number = true
whole = true
then = "branch"
[tenant.ivr.main.node.branch]
kind = "branch"
variable = "account"
cases = {"12*" = "set", 99 = "hours"}
otherwise = "area"
[tenant.ivr.main.node.area]
kind = "branch"
caller = true
cases = {"010*" = "set"}
otherwise = "hangup"
[tenant.ivr.main.node.hours]
kind = "branch"
hours = "office"
then = "listed"
otherwise = "promise"
[tenant.ivr.main.node.listed]
kind = "branch"
list = "vip"
then = "set"
otherwise = "return"
[tenant.ivr.main.node.set]
kind = "set"
variables = {why = "bill"}
credit = "1m"
skills = {english = 3}
language = "zh"
then = "wait"
[tenant.ivr.main.node.wait]
kind = "wait"
time = "2s"
sound = "builtin:music"
then = "go"
[tenant.ivr.main.node.go]
kind = "go"
to = "queue:q"
[tenant.ivr.main.node.promise]
kind = "callback"
queue = "q"
then = "bye"
otherwise = "menu"
[tenant.ivr.main.node.bye]
kind = "hangup"
sounds = ["builtin:welcome"]
cause = "promised"
"""


def load(text: str) -> Settings:
    return load_settings(HEAD + text, file="s")


def script_of(text: str) -> ScriptSettings:
    return load(text).calls.scripts[-1]


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(text)
    return [str(error).removeprefix('s: tenant[2] "t".ivr.') for error in caught.value.errors]


def node(text: str, more: str = "") -> str:
    """A script of one node "a", and a second one, "b", that hangs up, where ``text`` leads there."""
    second = '[tenant.ivr.m.node.b]\nkind = "hangup"\n' if '"b"' in text else ""
    return f"[tenant.ivr.m]\n{more}\n[tenant.ivr.m.node.a]\n{text}\n{second}"


def test_every_kind_of_node() -> None:
    script = script_of(EVERYTHING)
    assert (script.name, script.tenant, script.start, script.language) == ("main", "t", "menu", "en")
    assert (script.time_max, script.on_limit, script.music) == (120.0, "queue:q", "builtin:music")
    sound = ("builtin:welcome",)
    keys = (
        ("1", "read"), ("2", "queue:q/8001"), ("3", "queue:q"), ("*", "menu"), ("#", "extension:2001"),
    )  # fmt: skip
    wrong = ("voice:en/thank-you",)
    assert script.nodes == {
        "menu": MenuNode(keys, sound, 4.0, 1, wrong, "number:13800000000", "ivr:main"),
        "read": ReadNode(
            "account", "say", sound, 2, 6, "*", 6.0, 2.0, 0, (), "menu", "message:builtin:welcome", True
        ),
        "say": PlayNode("branch", sound, "account", True, True),
        "branch": BranchNode("area", "account", cases=(("12*", "set"), ("99", "hours"))),
        "area": BranchNode("hangup", caller=True, cases=(("010*", "set"),)),
        "hours": BranchNode("promise", hours="office", then="listed"),
        "listed": BranchNode("return", list="vip", then="set"),
        "set": SetNode("wait", (("why", "bill"),), 60.0, (("english", 3),), "zh"),
        "wait": WaitNode("go", 2.0, "builtin:music"),
        "go": GoNode("queue:q"),
        "promise": CallbackNode("q", "bye", "menu"),
        "bye": HangUpNode(sound, "promised"),
    }


def test_what_is_left_out() -> None:
    """The first node, the tenant's language, ten minutes."""
    script = script_of(node('kind = "menu"\nkeys = {1 = "queue:q"}'))
    assert (script.start, script.language, script.time_max, script.on_limit) == ("a", "zh", 600.0, "hangup")
    assert script.nodes["a"] == MenuNode((("1", "queue:q"),))
    read = script_of(node('kind = "read"\ninto = "x"\nthen = "return"')).nodes["a"]
    assert read == ReadNode("x", "return")


def test_calendars_are_known_to_distribution_by_name() -> None:
    assert [hours.name for hours in load("").acd.hours] == ["office"]


def test_a_script_in_python() -> None:
    script = script_of('[tenant.ivr.n]\npython = "readback"\noptions = {digits = "4"}')
    assert (script.python, script.options, script.nodes) == ("readback", {"digits": "4"}, {})


def test_hotlines_and_queues_lead_into_scripts() -> None:
    text = 'hotlines = [{number = "96198", entry = "ivr:m"}]\n' + node('kind = "go"\nto = "queue:q"')
    assert load(text).calls.hotlines == (Hotline("96198", "t", "ivr:m"),)
    with pytest.raises(ConfigErrors) as caught:
        load('hotlines = [{number = "96198", entry = "ivr:theirs"}]')
    assert str(caught.value) == (
        's: tenant[2] "t".hotlines[1].entry: tenant t has no script "theirs"; there are none'
    )
    settings = load_settings(
        (HEAD + node('kind = "go"\nto = "queue:q"')).replace(
            'requires = {level = "junior"}', 'on_timeout = "ivr:m"\nkeys = {1 = "ivr:m"}'
        ),
        file="s",
    )
    queue = settings.acd.queues[-1]
    assert (queue.on_timeout, queue.keys) == ("ivr:m", (("1", "ivr:m"),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "go"\nto = "b"\nmore = 1', 'm.node.a.more: unknown key'),
        ('kind = "go"\nto = "c"', 'm.node.a.to: unknown node "c"; there are a, hangup, return; targets are '),
        ('kind = "go"', "m.node.a.to: is missing"),
        ('to = "hangup"', "m.node.a.kind: is missing; there are play, menu, "),
        ('kind = "mnu"', 'm.node.a.kind: unknown kind "mnu" (did you mean menu?)'),
        ('kind = "go"\nto = "queue:x"', 'm.node.a.to: unknown queue "x"; there are foreign, q'),
        ('kind = "go"\nto = "queue:foreign"', 'm.node.a.to: queue "foreign" belongs to tenant u'),
        ('kind = "go"\nto = "queue:q/8002"', 'm.node.a.to: unknown seat "8002"'),
        ('kind = "go"\nto = "level:x"', 'm.node.a.to: unknown level "x"'),
        ('kind = "go"\nto = "seat:8002"', 'm.node.a.to: tenant t has no seat "8002"'),
        ('kind = "go"\nto = "extension:2002"', 'm.node.a.to: tenant t has no extension "2002"'),
        ('kind = "go"\nto = "ivr:theirs"', 'm.node.a.to: tenant t has no script "theirs"; there are m'),
        ('kind = "go"\nto = "number:12a"', 'm.node.a.to: "number:12a" is none of hangup, return, queue:NAME'),
        ('kind = "go"\nto = "queue:"', 'm.node.a.to: "queue:" is none of hangup, return, queue:NAME'),
        ('kind = "go"\nto = "message:x"', 'm.node.a.to: unknown sound "x"'),
        ('kind = "go"\nto = "voicemail:8099"', 'm.node.a.to: unknown seat "8099", whose mailbox it would be'),
        ('kind = "go"\nto = "queue:q"\ncases = {busy = "b"}', "m.node.a.cases.busy: unknown case; there are"),
        ('kind = "go"\nto = "seat:8001"\ncases = {ful = "b"}', "m.node.a.cases.ful: unknown case; there are"),
        ('kind = "go"\nto = "b"\notherwise = "b"', 'm.node.a.otherwise: "b" takes everybody'),
        ('kind = "go"\nto = "return"\ncases = {busy = "a"}', 'm.node.a.cases: "return" takes everybody'),
        ('kind = "go"\nto = "queue:q"\notherwise = "c"', 'm.node.a.otherwise: unknown node "c"'),
        ('kind = "go"\nto = "queue:q"\nring_for = "5s"', 'm.node.a.ring_for: "queue:q" is no phone'),
        ('kind = "go"\nto = "seat:8001"\nring_for = "9m"', "m.node.a.ring_for: 540 s is not between 1 and"),
        (
            'kind = "go"\nto = "seat:8001"\notherwise = "a"',
            "m.node.a.otherwise: goes round and the caller is asked nothing: a -> a",
        ),
        (
            'kind = "go"\nto = "queue:q"\ncases = {full = "a"}',
            "m.node.a.cases.full: goes round and the caller is asked nothing: a -> a",
        ),
        ('kind = "play"\nthen = "b"', "m.node.a.sounds: is missing, and so is say: nothing is played"),
        ('kind = "play"\nsounds = ["x"]\nthen = "b"', 'm.node.a.sounds[1]: unknown sound "x"'),
        ('kind = "play"\nsounds = ["voice:en/x"]\nthen = "b"', 'm.node.a.sounds[1]: unknown sound "voice:'),
        ('kind = "play"\nsay = "x"\nthen = "b"', 'm.node.a.say: no script sets "x"; there are none'),
        ('kind = "menu"\nkeys = {}', "m.node.a.keys: is empty: nobody could choose anything"),
        ('kind = "menu"\nkeys = {12 = "b"}', 'm.node.a.keys.12: "12" is no key of a telephone'),
        ('kind = "menu"\nkeys = {1 = "b"}\nwithin = "2m"', "m.node.a.within: 120 s is not between"),
        ('kind = "menu"\nkeys = {1 = "b"}\nwrong = ["x"]', 'm.node.a.wrong[1]: unknown sound "x"'),
        (
            'kind = "menu"\nkeys = {1 = "b"}\non_timeout = "a"',
            "m.node.a.on_timeout: goes round and the caller is asked nothing: a -> a",
        ),
        ('kind = "read"\ninto = "a b"\nthen = "b"', 'm.node.a.into: "a b" is no name of a variable'),
        ('kind = "read"\ninto = "x"\nmost = 40\nthen = "b"', "m.node.a.most: 40 is more than 32"),
        ('kind = "read"\ninto = "x"\nmost = 2\nleast = 3\nthen = "b"', "m.node.a.least: 3 is more than most"),
        ('kind = "read"\ninto = "x"\nend_key = "x"\nthen = "b"', 'm.node.a.end_key: "x" is no key'),
        ('kind = "branch"\notherwise = "b"', "m.node.a.variable: or caller, hours or list: give one"),
        ('kind = "branch"\ncaller = true\notherwise = "b"', "m.node.a.cases: is missing"),
        ('kind = "branch"\nhours = "office"\notherwise = "b"', "m.node.a.then: is missing"),
        (
            'kind = "branch"\nhours = "office"\nthen = "b"\ncases = {1 = "b"}\notherwise = "b"',
            "m.node.a.cases: are for variable and caller",
        ),
        ('kind = "branch"\nhours = "x"\nthen = "b"\notherwise = "b"', 'm.node.a.hours: unknown hours "x"'),
        ('kind = "branch"\nlist = "theirs"\nthen = "b"\notherwise = "b"', 'm.node.a.list: unknown list'),
        ('kind = "set"\nvariables = {"1x" = "2"}\nthen = "b"', 'm.node.a.variables.1x: "1x" is no name of a'),
        ('kind = "wait"\ntime = "10m"\nthen = "b"', "m.node.a.time: 600 s is not between 0.1 and 300 s"),
        ('kind = "wait"\ntime = "1s"\nsound = "x"\nthen = "b"', 'm.node.a.sound: unknown sound "x"'),
        ('kind = "callback"\nqueue = "x"\nthen = "b"\notherwise = "b"', 'm.node.a.queue: unknown queue "x"'),
        ('kind = "hangup"\ncause = "all paid"', 'm.node.a.cause: "all paid" is not one word such as paid'),
    ],
)  # fmt: skip
def test_a_slip_in_a_node(text: str, message: str) -> None:
    """One message, which begins as said."""
    assert [error[: len(message)] for error in errors_of(node(text))] == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tenant.ivr.m]\n", "m.node: is missing: "),
        (node('kind = "go"\nto = "hangup"', "strat = 1"), "m.strat: unknown key (did you mean start?)"),
        (node('kind = "go"\nto = "hangup"', 'start = "x"'), 'm.start: unknown node "x"; there are a'),
        (node('kind = "go"\nto = "hangup"', "time_max = 1"), "m.time_max: 1 s is not between 10 s and 2 h"),
        (node('kind = "go"\nto = "hangup"', 'on_limit = "a"'), 'm.on_limit: unknown node "a"'),
        (node('kind = "go"\nto = "hangup"', 'otherwise = "x"'), 'm.otherwise: unknown node "x"; there are a'),
        ('[tenant.ivr.m]\npython = "readback"\notherwise = "queue:q"\n', "m.otherwise: is for nodes"),
        (node('kind = "go"\nto = "hangup"', 'music = "x"'), 'm.music: unknown sound "x"'),
        (node('kind = "go"\nto = "hangup"', 'options = {a = "1"}'), "m.options: are for a script in Python"),
        ('[tenant.ivr.m]\npython = "x"\n', 'm.python: unknown script "x"; there are readback'),
        (node('kind = "go"\nto = "hangup"', 'python = "readback"'), "m.node: is given beside python"),
        ('[tenant.ivr.m]\nnode = {a = 1}\n', "m.node.a.kind: is missing"),
        ('[tenant.ivr."a:b".node.a]\nkind = "go"\nto = "hangup"\n', 'a:b: "a:b" is not a name'),
        ('[tenant.ivr.m.node.hangup]\nkind = "go"\nto = "hangup"\n', 'm.node.hangup: "hangup" is no name'),
        ("ivr = 1\n", 's: tenant[2] "t".ivr: 1 is not a table'),
        ("ivr = {m = 1}\n", "m: 1 is not a table"),
    ],
)  # fmt: skip
def test_a_slip_in_a_script(text: str, message: str) -> None:
    assert [error[: len(message)] for error in errors_of(text)] == [message]


def test_a_node_that_nobody_reaches_is_a_slip() -> None:
    text = node('kind = "go"\nto = "hangup"') + '[tenant.ivr.m.node.c]\nkind = "go"\nto = "a"\n'
    assert errors_of(text) == ['m.node.c: is never reached from "a"']


def test_a_slip_by_which_others_are_not_reached_is_told_alone() -> None:
    text = node('kind = "go"\nto = "bb"') + '[tenant.ivr.m.node.b]\nkind = "hangup"\n'
    assert [error.partition(";")[0] for error in errors_of(text)] == [
        'm.node.a.to: unknown node "bb" (did you mean b?)'
    ]


def test_a_way_round_that_asks_nothing_is_a_slip_and_one_that_asks_is_not() -> None:
    ask = '[tenant.ivr.m.node.c]\nkind = "menu"\nkeys = {{1 = "a"}}\non_timeout = {}\n'
    play = node('kind = "play"\nsounds = ["builtin:welcome"]\nthen = "c"')
    assert script_of(play + ask.format('"hangup"')).nodes
    assert errors_of(play + ask.format('"a"')) == [
        "m.node.a.then: goes round and the caller is asked nothing: a -> c -> a"
    ]


def test_where_a_caller_is_led_whom_a_target_does_not_take() -> None:
    """By the node, or once for all targets of the script; a node that is reached so is reached."""
    asks = '[tenant.ivr.m.node.c]\nkind = "menu"\nkeys = {1 = "seat:8001"}\n'
    more = 'to = "level:junior"\ncases = {full = "c"}\notherwise = "number:13900000099"'
    script = script_of(node(f'kind = "go"\n{more}', 'otherwise = "c"') + asks)
    assert script.otherwise == "c"
    assert script.nodes["a"] == GoNode("queue:q", (("full", "c"),), "number:13900000099")
    script = script_of(node('kind = "go"\nto = "extension:2001"\nring_for = "20s"', 'otherwise = "c"') + asks)
    assert script.nodes["a"] == GoNode("extension:2001", ring_for=20.0)
    silent = node('kind = "menu"\nkeys = {1 = "hangup"}\non_timeout = "queue:q"', 'otherwise = "a"')
    assert errors_of(silent) == ["m.node.a.on_timeout: goes round and the caller is asked nothing: a -> a"]


def test_what_is_told_of_a_reload() -> None:
    old, new = load(node('kind = "go"\nto = "hangup"')), load(node('kind = "go"\nto = "return"'))
    (sentence,) = describe_changes(old, new)
    assert sentence.startswith("ivr t m: nodes has changed") or "ivr t m" in sentence


def test_ways_out_of_a_node() -> None:
    menu = MenuNode((("1", "a"),), on_timeout="b", on_wrong="c")
    assert list(ways_of(menu)) == [
        Way("keys.1", "a", True), Way("on_timeout", "b", False), Way("on_wrong", "c", True)
    ]  # fmt: skip
    assert list(ways_of(HangUpNode())) == []
    assert list(ways_of(MenuNode((("1", "seat:1"),), on_timeout="b"), "c"))[:3] == [
        Way("keys.1", "seat:1", True), Way("keys.1", "c", True), Way("on_timeout", "b", False)
    ]  # fmt: skip
    assert list(ways_of(GoNode("queue:q", (("full", "b"),), "seat:1"), "c")) == [
        Way("to", "queue:q", False),
        Way("otherwise", "seat:1", False),
        Way("otherwise", "c", False),
        Way("cases.full", "b", False),
    ]
    assert names_of([]) == {}


def test_the_example_loads_and_every_node_of_it_is_reached() -> None:
    text = (ROOT / "config" / "examples" / "menu.toml").read_text(encoding="utf-8")
    settings = load_settings(text, file="menu.toml")
    assert [(script.name, len(script.nodes)) for script in settings.calls.scripts] == [
        ("main", 10),
        ("pin", 1),
    ]
    assert settings.calls.hotlines[0].entry == "ivr:main"
    pin = settings.calls.scripts[1].nodes["ask"]
    assert isinstance(pin, ReadNode)
    assert pin.secret
