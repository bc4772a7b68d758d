"""Callers whom a script leads to somebody who does not take them: it goes on, and nobody is dropped."""

import gc
from typing import Any

import pytest

from calls.call import Call, CallState
from calls.controls import InteractAsked
from calls.events import CallQueued, SeatFreed
from calls.leading import BUSY, NO_ANSWER, REFUSED, UNREACHABLE, Leading, why_not
from calls.leg import LegState
from calls.menu import GoNode, HangUpNode, MenuNode, Node, PlayNode, ReadNode, ScriptSettings, SetNode
from calls.retelling import write_down
from calls.script import At, Caller, Collect, Go, HangUp, Note, Play, Return, Script, ScriptRun
from calls.script_readback import readback
from calls.scriptbook import SCRIPTS
from calls.scripts import RUNS_MAX
from calls.settings import Hotline, OutsideRoute, RouteTrunk, TrunkSettings
from kernel.rows import CallRow, ScriptRow
from media.messages import Collect as CollectCommand
from tests.calls.office import OTHER_PHONE, PHONE, TRUNK, Office, Sent, call_settings, sdp
from tests.calls.test_scripts import SEAT, begin, heard, interact, is_bridged, office, played, press, runs

SORRY = HangUpNode(("sorry",), "nobody_there")
WHO = Caller("1", "2", "demo")
NOT_TAKEN = "a script says nothing of a target that takes nobody"


def leads_to(target: str, **more: Any) -> dict[str, Node]:
    return {"a": GoNode(target, otherwise="sorry", **more), "sorry": SORRY}


def log_of(here: Office) -> list[dict[str, Any]]:
    return [about for word, about in here.logged if word == NOT_TAKEN]


def python(monkeypatch: pytest.MonkeyPatch, write: Any) -> Office:
    """An office whose script is the function ``write``."""
    monkeypatch.setitem(SCRIPTS, "written", write)
    scripts = (ScriptSettings("main", "demo", python="written"),)
    here = Office(call_settings(scripts=scripts, hotlines=(Hotline("96300", "demo", "ivr:main"),)))
    here.register("8001")
    return here


# A phone.


@pytest.mark.parametrize("status", [486, 600, 480, 603, 404, 408, 500, 503])
def test_a_phone_that_does_not_take_the_caller_gives_it_back_to_its_script(status: int) -> None:
    here = office(leads_to("seat:8001"), "a")
    here.book.phones["8001"] = ("softphone", "8001")
    call, _ = begin(here)
    assert call.state is CallState.RINGING
    here.answer(here.last("INVITE", PHONE), status)
    assert call.state is CallState.SCRIPT
    assert played(here)[-1] == ("sorry",)
    assert here.events(SeatFreed) == [SeatFreed(SEAT, call.id, bridged=False)]
    heard(here, call, "sorry")
    assert here.verdicts() == [("switch", "success:nobody_there", 200)]
    assert runs(here) == [("led", "seat:8001", "a"), ("hung_up", "", "sorry")]
    rows = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert [row.run for row in rows] == [f"{call.id}/s1", f"{call.id}/s2"]
    assert log_of(here) == []
    here.advance(40.0)
    assert here.is_quiet()


def test_whether_a_target_takes_anybody_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    refusal = Leading.refusal

    def counts(leading: Leading, call: Call, target: str) -> str:
        asked.append(target)
        return refusal(leading, call, target)

    monkeypatch.setattr(Leading, "refusal", counts)
    call, _ = begin(office(leads_to("seat:8001"), "a"))
    assert (call.state, asked) == (CallState.RINGING, ["seat:8001"])


def test_a_phone_that_nobody_answers_rings_as_long_as_the_script_says() -> None:
    here = office(leads_to("seat:8001", ring_for=20.0), "a")
    call, _ = begin(here)
    here.answer(here.last("INVITE", PHONE), 180)
    here.advance(19.9)
    assert call.state is CallState.RINGING
    here.advance(0.1)
    assert call.state is CallState.SCRIPT
    assert here.words(PHONE)[-1] == "CANCEL"
    assert played(here)[-1] == ("sorry",)


@pytest.mark.parametrize(
    ("status", "kind", "has_rung", "word"),
    [
        (486, "softphone", False, BUSY),
        (600, "pstn", False, BUSY),
        (603, "pstn", False, REFUSED),
        (480, "softphone", True, REFUSED),
        (480, "pstn", False, NO_ANSWER),
        (408, "pstn", False, NO_ANSWER),
        (408, "extension", True, NO_ANSWER),
        (408, "extension", False, UNREACHABLE),
        (404, "pstn", False, UNREACHABLE),
        (503, "softphone", True, UNREACHABLE),
    ],
)
def test_the_word_for_why(status: int, kind: str, has_rung: bool, word: str) -> None:
    here = office()
    call = here.dial("96198")
    assert call is not None
    leg = here.board.streams.new_leg(call, "1", LegState.ARRIVED)
    leg.phone, leg.rang_at = (kind, "1"), here.now if has_rung else None
    assert why_not(leg, status, reachable=True) == word
    assert why_not(leg, status, reachable=False) == UNREACHABLE


@pytest.mark.parametrize(
    ("status", "word"), [(486, BUSY), (603, REFUSED), (480, REFUSED), (404, UNREACHABLE), (None, NO_ANSWER)]
)
def test_each_outcome_has_its_own_way(status: int | None, word: str) -> None:
    ways = {each: HangUpNode((each,), each) for each in (BUSY, NO_ANSWER, REFUSED, UNREACHABLE)}
    go = GoNode("seat:8001", tuple((each, each) for each in ways), ring_for=5.0)
    here = office({"a": go, **ways}, "a")
    call, _ = begin(here)
    if status is not None:
        here.answer(here.last("INVITE", PHONE), status)
    here.advance(5.0)
    assert played(here)[-1] == (word,)
    heard(here, call, word)
    assert here.verdicts() == [("switch", f"success:{word}", 200)]


@pytest.mark.parametrize(("is_there", "word"), [(True, BUSY), (False, UNREACHABLE)])
def test_a_phone_that_is_seen_not_to_take_anybody_is_not_rung(is_there: bool, word: str) -> None:
    """The script has not been left: one run, one row."""
    nodes: dict[str, Node] = {
        "a": GoNode("seat:8002", ((word, "menu"),)), "menu": MenuNode((("1", "queue:junior"),), ("choose",)),
    }  # fmt: skip
    here = office(nodes, "a")
    if is_there:
        here.register("8002", "other")
        assert here.dial("96198", "busy") is not None
        other = next(iter(here.board.calls.values()))
        here.offer(other.id, ("softphone", "8002"), "8002")
    call, _ = begin(here)
    assert here.words(OTHER_PHONE).count("INVITE") == int(is_there)
    assert played(here)[-1] == ("choose",)
    press(here, call, "1")
    assert call.state is CallState.WAITING
    assert runs(here) == [("led", "queue:junior", "a > menu")]


def test_a_script_says_once_for_all_what_follows() -> None:
    """Behind whatever leads on: a key, the end of a node, a node that says nothing of its own."""
    nodes: dict[str, Node] = {
        "a": MenuNode((("1", "seat:8001"), ("2", "b"), ("3", "extension:2001")), ("choose",)),
        "b": GoNode("seat:8001"),
        "sorry": SORRY,
    }
    for key in "123":
        here = office(nodes, "a", otherwise="sorry")
        call, _ = begin(here)
        press(here, call, key)
        if key != "3":  # no phone is registered there
            here.answer(here.last("INVITE", PHONE), 486)
        assert played(here)[-1] == ("sorry",)


def test_what_follows_may_be_a_target_that_is_not_taken_either() -> None:
    here = office({"a": GoNode("seat:8001", otherwise="extension:2001")}, "a", otherwise="queue:junior")
    call, _ = begin(here)
    here.answer(here.last("INVITE", PHONE), 486)
    assert call.state is CallState.WAITING
    here.board.release(call.id, "timed_out", "max_wait", here.now)
    here.settle()
    assert here.verdicts() == [("switch", "us:max_wait", 200)]
    assert [about["target"] for about in log_of(here)] == ["queue:junior"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(486, "agent:refused"), (404, "agent:unreachable"), (None, "agent:no_answer")],
)
def test_a_script_that_says_nothing_more_ends_the_call_by_what_has_come_of_the_target(
    status: int | None, verdict: str
) -> None:
    """And one line says which script that was."""
    here = office({"a": GoNode("seat:8001")}, "a")
    call, _ = begin(here)
    here.answer(here.last("INVITE", PHONE), status or 180)
    here.advance(60.0)
    assert [each[1] for each in here.verdicts()] == [verdict]
    assert runs(here) == [("led", "seat:8001", "a")]
    (about,) = log_of(here)
    assert (about["call"], about["ivr"], about["target"]) == (call.id, "main", "seat:8001")
    assert about["why"] in (BUSY, UNREACHABLE, NO_ANSWER)


def test_a_script_that_says_nothing_of_a_phone_that_is_seen_to_be_away_ends_the_call() -> None:
    here = office({"a": GoNode("extension:2001")}, "a")
    here.dial("96300")
    assert here.verdicts() == [("switch", "agent:unreachable", 200)]
    assert runs(here) == [("unreached", "extension:2001", "a")]
    assert [about["why"] for about in log_of(here)] == [UNREACHABLE]


def test_whoever_is_taken_does_not_come_back() -> None:
    here = office(leads_to("seat:8001"), "a")
    call, ok = begin(here)
    invite = here.last("INVITE", PHONE)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state is CallState.TALKING
    assert here.board.scripts.leading.away == {}
    here.phone_says("BYE", invite, 1)
    assert here.verdicts() == [("seat", "success", 200)]
    assert runs(here) == [("led", "seat:8001", "a")]
    assert here.words(TRUNK)[-1] == "BYE"
    here.answer(here.last("BYE", TRUNK), 200)
    assert ok.message.status == 200
    here.advance(40.0)
    assert here.is_quiet()


@pytest.mark.parametrize("target", ["seat:8001", "queue:junior"])
def test_a_caller_who_hangs_up_while_it_is_led_is_gone(target: str) -> None:
    here = office(leads_to(target), "a")
    _, ok = begin(here)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    assert len(runs(here)) == 1
    here.advance(100.0)
    assert here.is_quiet()


def test_keys_while_the_phone_rings_are_nobodys_and_those_afterwards_count() -> None:
    nodes: dict[str, Node] = {
        "a": GoNode("seat:8001", otherwise="again"), "again": MenuNode((("1", "queue:junior"),), ("choose",)),
    }  # fmt: skip
    here = office(nodes, "a")
    call, ok = begin(here)
    here.caller_says("INFO", ok, 2, b"Signal=1\r\n", content_type="application/dtmf-relay")
    here.answer(here.last("INVITE", PHONE), 486)
    assert call.state is CallState.SCRIPT
    assert [each.wanted for each in here.commands if isinstance(each, CollectCommand)] == [True, False, True]
    press(here, call, "1")
    assert call.state is CallState.WAITING


def test_a_way_round_ends_by_the_number_of_runs() -> None:
    here = office({"a": GoNode("seat:8001", otherwise="a")}, "a")
    begin(here)
    for _ in range(RUNS_MAX):
        here.answer(here.last("INVITE", PHONE), 486)
    assert here.verdicts() == [("switch", "us:script_limit", 200)]
    assert len(runs(here)) == RUNS_MAX
    here = office({"a": GoNode("extension:2001", otherwise="a")}, "a")
    here.dial("96300")
    assert here.verdicts() == [("switch", "us:script_limit", 200)]


def test_each_run_has_its_own_time() -> None:
    nodes: dict[str, Node] = {
        "a": GoNode("seat:8001", otherwise="b"), "b": MenuNode((("1", "b"),), within=60.0, retries=9),
    }  # fmt: skip
    here = office(nodes, "a", time_max=60.0)
    begin(here)
    here.answer(here.last("INVITE", PHONE), 180)
    here.advance(50.0)
    here.answer(here.last("INVITE", PHONE), 486)
    here.advance(59.9)
    assert here.verdicts() == []
    here.advance(0.1)
    assert here.verdicts() == [("switch", "us:script_limit", 200)]


# A number outside.


@pytest.mark.parametrize(
    ("status", "word"), [(486, BUSY), (480, NO_ANSWER), (603, REFUSED), (404, UNREACHABLE)]
)
def test_a_number_outside_that_does_not_take_the_caller(status: int, word: str) -> None:
    nodes: dict[str, Node] = {
        "a": GoNode("number:13900000099", ((word, "sorry"),)), "sorry": HangUpNode(("sorry",)),
    }  # fmt: skip
    scripts = (ScriptSettings("main", "demo", "a", nodes),)
    routes = (OutsideRoute("", (RouteTrunk("carrier"),)),)
    hotlines = (Hotline("96300", "demo", "ivr:main"),)
    here = Office(call_settings(scripts=scripts, hotlines=hotlines, routes=routes))
    call, _ = begin(here)
    here.answer(here.last("INVITE"), status)
    assert call.state is CallState.SCRIPT
    assert played(here)[-1] == ("sorry",)
    assert here.board.gate.total() == 1


def test_a_number_that_no_trunk_leads_to_is_unreachable() -> None:
    scripts = (ScriptSettings("main", "demo", "a", leads_to("number:13900000099")),)
    hotlines = (Hotline("96300", "demo", "ivr:main"),)
    here = Office(
        call_settings(scripts=scripts, hotlines=hotlines, trunks=(TrunkSettings("carrier", "demo"),))
    )
    begin(here)
    assert played(here)[-1] == ("sorry",)


def test_a_seat_at_an_outside_phone_that_is_put_down_before_the_key_has_not_answered() -> None:
    scripts = (ScriptSettings("main", "demo", "a", leads_to("seat:8001")),)
    hotlines = (Hotline("96300", "demo", "ivr:main"),)
    here = Office(call_settings(scripts=scripts, hotlines=hotlines, accept_key="1"))
    here.book.phones["8001"] = ("pstn", "13900000099")
    call, _ = begin(here)
    invite = here.last("INVITE")
    here.answer(invite, 200, sdp(5000, host="10.0.0.9"))
    assert call.state is CallState.RINGING
    here.phone_says("BYE", invite, 1)
    assert call.state is CallState.SCRIPT
    assert played(here)[-1] == ("sorry",)


# A queue.


@pytest.mark.parametrize("cause", ["full", "closed", "empty", "suspended", "barred"])
def test_a_queue_that_takes_nobody_gives_the_caller_back_to_its_script(cause: str) -> None:
    here = office({"a": GoNode("queue:junior", ((cause, "sorry"),)), "sorry": SORRY}, "a")
    here.accepts = False
    call, _ = begin(here)
    here.board.release(call.id, "refused", cause, here.now, visits=1)
    here.settle()
    assert call.state is CallState.SCRIPT
    assert played(here)[-1] == ("sorry",)
    assert (call.queue, call.visits) == (None, 1)
    assert runs(here) == [("led", "queue:junior", "a")]


def test_a_caller_who_has_waited_in_vain_has_waited_so_long_in_the_next_queue() -> None:
    """The skills of a script go along, the music of the queue does not."""
    nodes: dict[str, Node] = {
        "a": SetNode("b", credit=5.0, skills=(("english", 2),)),
        "b": GoNode("queue:junior", (("max_wait", "c"),)),
        "c": PlayNode("queue:junior", ("sorry",)),
    }
    here = office(nodes, "a")
    call, _ = begin(here)
    assert call.state is CallState.WAITING
    here.advance(30.0)
    here.board.release(call.id, "timed_out", "max_wait", here.now)
    here.settle()
    assert call.state is CallState.SCRIPT
    heard(here, call, "sorry")
    queued = here.events(CallQueued)
    assert [event.credit for event in queued] == [5.0, 35.0]
    assert queued[-1].skills == (("english", 2),)


@pytest.mark.parametrize("target", ["ivr:other", "voicemail", "message:goodbye"])
def test_what_a_queue_says_itself_comes_first(target: str) -> None:
    scripts = (
        ScriptSettings("main", "demo", "a", leads_to("queue:junior")),
        ScriptSettings("other", "demo", "a", {"a": PlayNode("hangup", ("other",))}),
    )
    here = Office(call_settings(scripts=scripts, hotlines=(Hotline("96300", "demo", "ivr:main"),)))
    call, _ = begin(here)
    here.board.release(call.id, "overflowed", "max_wait", here.now, target)
    here.settle()
    assert here.board.scripts.leading.away == {}
    assert ("sorry",) not in played(here)
    assert call.id in here.board.calls


@pytest.mark.parametrize(
    ("outcome", "cause", "verdict"),
    [("withdrawn", "key:9", "caller:key"), ("callback", "callback", "us:callback")],
)
def test_who_has_chosen_to_go_is_not_kept(outcome: str, cause: str, verdict: str) -> None:
    here = office(leads_to("queue:junior"), "a")
    call, _ = begin(here)
    here.board.release(call.id, outcome, cause, here.now)
    here.settle()
    assert here.verdicts() == [("switch", verdict, 200)]


def test_a_number_that_a_queue_leads_to_in_vain_is_the_script_s_affair_again() -> None:
    here = office(leads_to("queue:junior"), "a")
    call, _ = begin(here)
    here.board.release(call.id, "overflowed", "max_wait", here.now, "number:13900000099")
    here.settle()
    if call.state is CallState.RINGING:
        here.answer(here.last("INVITE"), 486)
    assert played(here)[-1] == ("sorry",)


def test_a_queue_that_a_reload_takes_away_gives_its_callers_back() -> None:
    """One that is gone already takes nobody; the script has not been left."""
    here = office(leads_to("queue:junior"), "a")
    call, _ = begin(here)
    here.board.release(call.id, "withdrawn", "queue_removed", here.now)
    here.settle()
    assert call.state is CallState.SCRIPT
    nodes: dict[str, Node] = {
        "a": MenuNode((("1", "queue:junior"),), ("choose",)), "b": GoNode("queue:junior"), "sorry": SORRY,
    }  # fmt: skip
    here = office(nodes, "a", otherwise="sorry")
    call, _ = begin(here)
    here.board.reconfigure(call_settings(queues=()))
    press(here, call, "1")
    assert played(here)[-1] == ("sorry",)
    heard(here, call, "sorry")
    assert runs(here) == [("hung_up", "", "a > sorry")]


@pytest.mark.parametrize(
    ("name", "written", "why"),
    [
        ("main", b"", "what it was told was not written down"),
        ("gone", write_down(ScriptRun(readback(WHO)), WHO, "queue:junior"), "the configuration"),
    ],
)
def test_a_script_that_does_not_go_on_after_a_restart_is_a_row_and_a_line(
    name: str, written: bytes, why: str
) -> None:
    """Stories of it: tests/seatswitch/test_leading.py."""
    here = office(leads_to("queue:junior"), "a")
    call = here.dial("96198")
    assert call is not None
    here.board.scripts.restore(call, name, written, here.now)
    here.settle()
    assert runs(here) == [("interrupted", "", "")]
    assert here.board.scripts.counts == {"demo": {"interrupted": 1}}
    (line,) = [about for word, about in here.logged if word.startswith("a script does not go on")]
    assert (line["ivr"], line["call"]) == (name, call.id)
    assert line["why"].startswith(why)
    assert call.id not in here.board.scripts.leading.away


# In Python.


def test_a_script_in_python_is_told_why_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def hunt(caller: Caller) -> Script:
        secret = yield Collect(("pin",), 2)
        yield Note("pin", secret.digits, is_secret=True)
        for number in ("8001", "8002"):
            yield At(f"try {number}")
            why = yield Go(f"seat:{number}", ring_for=10.0)
            yield Note(f"why_{number}", why)
        yield Play(("sorry",), is_whole=True)
        yield HangUp("hunted")

    here = python(monkeypatch, hunt)
    call, _ = begin(here)
    press(here, call, "47")
    here.advance(10.0)
    assert played(here)[-1] == ("sorry",)
    heard(here, call, "sorry")
    assert here.verdicts() == [("switch", "success:hunted", 200)]
    assert dict(call.collected) == {"pin": "***", "why_8001": "no_answer", "why_8002": "unreachable"}
    assert runs(here) == [("led", "seat:8001", "try 8001"), ("hung_up", "", "try 8002")]


def test_a_script_in_python_that_has_no_more_to_say_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def once(caller: Caller) -> Script:
        yield Go("seat:8001")
        yield At("the end")

    here = python(monkeypatch, once)
    begin(here)
    here.answer(here.last("INVITE", PHONE), 603)
    assert here.verdicts() == [("seat", "agent:refused", 200)]
    assert [about["why"] for about in log_of(here)] == [REFUSED]


def test_a_script_in_python_that_fails_afterwards_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def slips(caller: Caller) -> Script:
        why = yield Go("seat:8001")
        yield Play((why + 1,))

    here = python(monkeypatch, slips)
    begin(here)
    here.answer(here.last("INVITE", PHONE), 486)
    assert here.verdicts() == [("switch", "us:script_failed", 200)]
    assert [about["error"] for word, about in here.logged if word == "script failed"] == [
        f"TypeError in line {slips.__code__.co_firstlineno + 2}"
    ]


def test_a_script_that_is_left_for_good_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the caller is taken, and when it hangs up."""
    closed: list[str] = []

    def tidy(caller: Caller) -> Script:
        try:
            yield Go("seat:8001")
        finally:
            closed.append(caller.caller)
        yield Return()

    here = python(monkeypatch, tidy)
    begin(here)
    assert closed == []
    here.answer(here.last("INVITE", PHONE), 200, sdp(5000, host="192.0.2.7"))
    assert len(closed) == 1
    here = python(monkeypatch, tidy)
    _, ok = begin(here)
    here.caller_says("BYE", ok, 2)
    assert len(closed) == 2


# Out of a conversation.


def test_an_interact_goes_on_while_its_seat_waits() -> None:
    """Nobody has left anybody: the phone is seen to be busy or away."""
    nodes: dict[str, Node] = {
        "a": GoNode("extension:2001", otherwise="b"), "b": ReadNode("n", "return", ("which",), most=1),
    }  # fmt: skip
    here = office(nodes, "a")
    call, _, _ = interact(here)
    assert here.board.scripts.interacts(call)
    assert played(here)[-1] == ("which",)
    press(here, call, "7")
    assert is_bridged(here)
    assert runs(here) == [("returned", "", "a > b")]


def test_an_interact_that_has_no_more_to_say_gives_the_caller_back() -> None:
    here = office({"a": GoNode("extension:2001")}, "a")
    call, _, _ = interact(here)
    assert call.state is CallState.TALKING
    assert is_bridged(here)
    assert runs(here) == [("unreached", "extension:2001", "a")]
    assert [about["why"] for about in log_of(here)] == [UNREACHABLE]
    assert here.verdicts() == []


def test_the_two_talk_on_when_the_phone_that_rings_meanwhile_refuses() -> None:
    here = office(leads_to("seat:8002"), "a")
    here.register("8002", "other")
    call, ok, _ = interact(here)
    here.answer(here.last("INVITE", OTHER_PHONE), 486)
    assert call.state is CallState.TALKING
    assert is_bridged(here)
    assert ("sorry",) not in played(here)
    here.caller_says("BYE", ok, 2)
    here.advance(40.0)
    assert [each[1] for each in here.verdicts()] == ["agent:refused", "success"]
    assert here.is_quiet()


def test_a_caller_whose_seat_has_left_goes_on_in_the_script_when_the_phone_refuses() -> None:
    here = office(leads_to("seat:8002"), "a")
    here.register("8002", "other")
    call, _, invite = interact(here)
    here.phone_says("BYE", invite, 1)
    assert call.state is CallState.ENDED
    (target,) = here.board.calls.values()
    here.answer(here.last("INVITE", OTHER_PHONE), 486)
    assert target.state is CallState.SCRIPT
    assert played(here)[-1] == ("sorry",)
    heard(here, target, "sorry")
    assert [each[1] for each in here.verdicts()] == ["success:transferred", "success:nobody_there"]
    rows = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert [(row.call, row.kind) for row in rows] == [(call.id, "interact"), (target.id, "entry")]


def test_a_caller_out_of_a_conversation_whom_a_queue_does_not_take_goes_on_in_the_script() -> None:
    here = office(leads_to("queue:junior"), "a")
    call, _, _ = here.talk()
    here.accepts = False
    here.board.desk.handle(InteractAsked(call.id, SEAT, "main"), here.now)
    here.settle()
    assert call.state is CallState.ENDED
    (target,) = here.board.calls.values()
    here.board.release(target.id, "refused", "full", here.now)
    here.settle()
    assert played(here)[-1] == ("sorry",)
    heard(here, target, "sorry")
    (_, row) = [row for row in here.rows if isinstance(row, CallRow)]
    assert (row.verdict, row.caller) == ("success:nobody_there", call.caller)


# Somebody else, and nobody.


def give_place(here: Office, invite: Sent, ok: Sent) -> None:
    """The seat of ``invite`` gives its caller the place that it has in the call of ``ok`` (RFC 5589 7)."""
    tag = (ok.message.header("to") or "").partition("tag=")[2]
    replaces = f"{ok.message.call_id}%3Bto-tag%3D{tag}%3Bfrom-tag%3Down"
    refer_to = f"Refer-To: <sip:96300@example.com?Replaces={replaces}>"
    here.phone_says("REFER", invite, 1, headers=(refer_to,))


def test_who_is_given_a_place_in_a_script_is_asked_once_more_and_its_keys_count() -> None:
    """The seat has pressed a key for itself; the other hears the sounds, and its stream is listened to."""
    here = office({"a": ReadNode("n", "queue:junior", ("which",), most=2, within=60.0)}, "a")
    _, _, invite = here.talk()
    own = here.dial("96300", "own", flow=PHONE, from_="<sip:8001@example.com>;tag=own")
    assert own is not None
    ok = here.last("200", PHONE)
    here.caller_says("ACK", ok, 1)
    press(here, own, "7")
    give_place(here, invite, ok)
    running = here.board.scripts.running[own.id]
    assert (own.state, running.leg) == (CallState.SCRIPT, own.caller_leg)
    assert played(here)[-1] == ("which",)
    last = [each for each in here.commands if isinstance(each, CollectCommand)][-1]
    assert (last.stream, last.wanted) == (running.leg.stream, True)
    press(here, own, "12")
    assert own.state is CallState.WAITING
    assert dict(own.collected) == {"n": "12"}


def test_who_is_given_the_place_of_a_caller_that_is_led_comes_back_in_its_stead() -> None:
    here = office(leads_to("queue:junior"), "a")
    _, _, invite = here.talk()
    own = here.dial("96300", "own", flow=PHONE, from_="<sip:8001@example.com>;tag=own")
    assert own is not None
    ok = here.last("200", PHONE)
    here.caller_says("ACK", ok, 1)
    assert own.state is CallState.WAITING
    give_place(here, invite, ok)
    here.board.release(own.id, "timed_out", "max_wait", here.now)
    here.settle()
    assert own.caller_leg is here.board.scripts.running[own.id].leg
    assert played(here)[-1] == ("sorry",)
    heard(here, own, "sorry")
    assert here.words(TRUNK)[-1] == "BYE"


def test_a_mailbox_takes_the_caller_of_a_seat_as_well() -> None:
    here = office({"a": GoNode("voicemail:public")}, "a")
    call, _, _ = interact(here)
    (target,) = here.board.calls.values()
    assert (call.state, target.state) == (CallState.ENDED, CallState.VOICEMAIL)


def test_the_seat_that_waits_is_busy_and_has_its_caller_back() -> None:
    here = office({"a": GoNode("seat:8001")}, "a")
    call, _, _ = interact(here)
    assert call.state is CallState.TALKING
    assert is_bridged(here)
    assert [about["why"] for about in log_of(here)] == [BUSY]


# What is left.


def test_a_script_that_waits_for_a_target_leaves_nothing_for_the_collector() -> None:
    def once(number: int) -> None:
        here.sent.clear()
        call = here.dial("96300", f"c{number}")
        assert call is not None
        ok = here.last("200")
        here.caller_says("ACK", ok, 1)
        invite = here.last("INVITE", PHONE)
        if number % 3 == 0:
            here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
            here.caller_says("BYE", ok, 2)
        elif number % 3 == 1:
            here.answer(invite, 486)
            heard(here, call, "sorry")
        else:
            here.answer(invite, 180)
            here.caller_says("BYE", ok, 2)
            here.answer(here.last("CANCEL", PHONE), 200)
            here.answer(invite, 487)
        for sent in [each for each in here.sent if each.word == "BYE"]:
            here.answer(sent, 200)
        here.advance(70.0)
        for kept in (here.told, here.rows, here.commands, here.logged):
            kept.clear()

    here = office(leads_to("seat:8001"), "a")
    for number in range(3):
        once(number)
    gc.collect()
    gc.disable()
    try:
        for number in range(3, 9):
            once(number)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert here.is_quiet()
