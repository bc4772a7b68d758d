"""Callers in scripts: keys, times, targets and every way in which a run ends; interact and the way back."""

import gc
from typing import Any

import msgspec
import pytest

from calls.call import Call, CallState
from calls.controls import (
    CallHeld,
    CallMuted,
    CallUnheld,
    ConsultAsked,
    DigitsPressed,
    InteractAsked,
    SurveyAsked,
    TransferAsked,
)
from calls.events import CallbackWanted, CallChanged, CallQueued, ScriptEnded, SeatFreed
from calls.leg import LegState
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
)
from calls.script import KEYS_MAX
from calls.scripts import ABANDONED, PLAY_FOR, RUNS_MAX
from calls.settings import Hotline, QueueMedia
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.rows import CallRow, ScriptRow
from media.events import DigitReceived
from media.messages import Collect, Connect, Play, Played, Stop, encode_reports
from tests.calls.office import OTHER_PHONE, PHONE, TRUNK, Office, Sent, call_settings, sdp, with_events

SEAT = SeatId("8001")
MENU = MenuNode((("1", "queue:junior"), ("2", "seat:8001"), ("3", "bye")), ("choose",), within=5.0, retries=0)
NODES: dict[str, Node] = {
    "hello": PlayNode("menu", ("welcome",)),
    "menu": MENU,
    "bye": HangUpNode(("goodbye",)),
}


def office(nodes: dict[str, Node] = NODES, start: str = "hello", **more: Any) -> Office:
    scripts = (ScriptSettings("main", "demo", start, nodes, **more),)
    hotlines = (Hotline("96198", "demo", "queue:junior"), Hotline("96300", "demo", "ivr:main"))
    here = Office(call_settings(scripts=scripts, hotlines=hotlines))
    here.register("8001")
    return here


def begin(here: Office) -> tuple[Call, Sent]:
    """Call the script's hotline; return the call and its 200."""
    call = here.dial("96300")
    assert call is not None
    ok = here.last("200")
    here.caller_says("ACK", ok, 1)
    return call, ok


def press(here: Office, call: Call, keys: str) -> None:
    leg = here.board.scripts.running[call.id].leg
    for key in keys:
        here.board.handle_media(DigitReceived(leg.stream, key, 100), here.now)
        here.settle()


def heard(here: Office, call: Call, *sounds: str) -> None:
    leg = here.board.scripts.running[call.id].leg
    for sound in sounds:
        here.plane.receive_worker(0, encode_reports([Played(leg.stream, sound)]), here.now)
        here.settle()


def played(here: Office) -> list[tuple[str, ...]]:
    return [command.prompts for command in here.commands if isinstance(command, Play)]


def runs(here: Office) -> list[tuple[str, str, str]]:
    rows = [row for row in here.rows if isinstance(row, ScriptRow)]
    return [(row.outcome, row.target, row.path) for row in rows]


def states(here: Office) -> list[str]:
    return [event.state for event in here.events(CallChanged)]


# Entry.


def test_a_caller_chooses_a_queue_by_a_key() -> None:
    """Answered at once, keys are collected, the queue's row of the call says by which script it came."""
    here = office()
    call, ok = begin(here)
    assert call.state is CallState.SCRIPT
    assert played(here) == [("welcome",)]
    assert here.board.scripts.view(call) == {"ivr": "main", "node": "hello", "waits_for": "play"}
    heard(here, call, "welcome")
    assert played(here)[-1] == ("choose",)
    here.advance(2.0)
    press(here, call, "1")
    assert [command for command in here.commands if isinstance(command, Stop)] != []
    assert here.events(CallQueued) == [CallQueued(call.id, "junior", "13800000000", "96300")]
    assert call.state is CallState.WAITING
    assert played(here)[-1] == ("builtin:welcome", "builtin:music")
    assert states(here) == ["arrived", "script", "waiting"]
    assert here.words(TRUNK).count("200") == 1
    assert runs(here) == [("led", "queue:junior", "hello > menu")]
    here.caller_says("BYE", ok, 2)
    (row,) = [row for row in here.rows if isinstance(row, CallRow)]
    assert (row.entry, row.verdict) == ("ivr:main", "caller:abandoned")
    here.advance(40.0)
    assert here.is_quiet()


def test_keys_are_collected_only_in_the_script() -> None:
    here = office()
    call, _ = begin(here)
    heard(here, call, "welcome")
    press(here, call, "1")
    assert [command.wanted for command in here.commands if isinstance(command, Collect)] == [True, False]


def test_who_knows_the_way_presses_ahead() -> None:
    """The key cuts the welcome, and the menu is not played at all."""
    here = office()
    call, _ = begin(here)
    press(here, call, "1")
    assert ("choose",) not in played(here)
    assert call.state is CallState.WAITING


def test_a_caller_who_presses_nothing_is_hung_up_in_time() -> None:
    here = office()
    call, _ = begin(here)
    heard(here, call, "welcome", "choose")
    here.advance(4.9)
    assert here.verdicts() == []
    here.advance(0.1)
    assert here.verdicts() == [("switch", "success:script", 200)]
    assert here.words(TRUNK)[-1] == "BYE"


@pytest.mark.parametrize("after", [(), ("welcome",), ("welcome", "choose")])
def test_a_caller_who_hangs_up_has_abandoned_the_script(after: tuple[str, ...]) -> None:
    here = office()
    call, ok = begin(here)
    heard(here, call, *after)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", ABANDONED, 200)]
    assert [outcome for outcome, _, _ in runs(here)] == ["abandoned"]
    (told,) = here.events(ScriptEnded)
    assert (told.kind, told.outcome, told.seat) == ("entry", "abandoned", "")
    here.advance(PLAY_FOR + 600.0)
    assert len(runs(here)) == 1
    assert here.is_quiet()


def test_a_script_rings_a_seat_directly_and_the_two_talk() -> None:
    here = office()
    call, ok = begin(here)
    press(here, call, "2")
    assert call.state is CallState.RINGING
    assert played(here)[-1] == ("builtin:music",)
    invite = here.last("INVITE", PHONE)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state is CallState.TALKING
    assert any(isinstance(command, Connect) for command in here.commands)
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "success", 200)]


def test_a_seat_that_is_busy_or_away_is_said_by_the_verdict() -> None:
    here = office()
    call, _ = begin(here)
    here.board.engage(here.board.streams.new_leg(call, "8001", LegState.ANSWERED), SEAT, "talking")
    press(here, call, "2")
    assert here.verdicts() == [("switch", "agent:busy", 200)]


def test_a_last_word_is_not_cut() -> None:
    here = office()
    call, _ = begin(here)
    press(here, call, "3")
    assert played(here)[-1] == ("goodbye",)
    press(here, call, "1")
    assert here.verdicts() == []
    heard(here, call, "goodbye")
    assert here.verdicts() == [("switch", "success:script", 200)]
    assert runs(here) == [("hung_up", "", "hello > menu > bye")]


def test_a_worker_that_says_nothing_keeps_nobody() -> None:
    """The sounds are taken for over after a while, and then the caller has its time for the key."""
    here = office(time_max=1_000.0)
    begin(here)
    here.advance(PLAY_FOR)
    assert played(here)[-1] == ("choose",)
    here.advance(PLAY_FOR)
    assert here.verdicts() == [("switch", "success:script", 200)]


def test_the_time_in_a_script_is_bounded_and_may_lead_on() -> None:
    loop: dict[str, Node] = {"a": MenuNode((("1", "a"),), retries=10, within=60.0)}
    here = office(loop, "a", time_max=90.0)
    call, _ = begin(here)
    here.advance(50.0)
    press(here, call, "1")
    here.advance(39.9)
    assert here.verdicts() == []
    here.advance(0.1)
    assert here.verdicts() == [("switch", "us:script_limit", 200)]
    here = office(loop, "a", time_max=90.0, on_limit="queue:junior")
    call, _ = begin(here)
    here.advance(90.0)
    assert call.state is CallState.WAITING
    assert runs(here) == [("limit", "", "a")]


def test_a_script_that_fails_ends_the_call_with_our_verdict_and_says_where() -> None:
    scripts = (ScriptSettings("main", "demo", python="readback", options={"digits": "many"}),)
    here = Office(call_settings(scripts=scripts, hotlines=(Hotline("96300", "demo", "ivr:main"),)))
    assert here.dial("96300") is None or not here.board.calls
    assert here.verdicts() == [("switch", "us:script_failed", 200)]
    (failed,) = [about for word, about in here.logged if word == "script failed"]
    assert (failed["ivr"], failed["place"]) == ("main", "")
    assert str(failed["error"]).startswith("ValueError in line ")


def test_a_script_that_never_asks_ends_by_its_steps() -> None:
    nodes: dict[str, Node] = {"a": SetNode("b", (("x", "1"),)), "b": SetNode("a", (("x", "2"),))}
    here = office(nodes, "a")
    here.dial("96300")
    assert here.verdicts() == [("switch", "us:script_limit", 200)]


def test_scripts_that_lead_to_each_other_end() -> None:
    here = office({"a": GoNode("ivr:main")}, "a")
    here.dial("96300")
    assert here.verdicts() == [("switch", "us:script_limit", 200)]
    assert len(runs(here)) == RUNS_MAX


def test_keys_that_nobody_waits_for_are_kept_up_to_a_limit() -> None:
    here = office({"a": WaitNode("b", 10.0, "jingle"), "b": ReadNode("n", "hangup", most=40)}, "a")
    call, _ = begin(here)
    assert played(here) == [("jingle",)]
    press(here, call, "1" * (KEYS_MAX + 5))
    here.advance(10.0)
    (row,) = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert msgspec.json.decode(row.variables) == {"n": "1" * KEYS_MAX}


def test_digits_end_by_their_number_by_the_end_key_and_by_time() -> None:
    nodes: dict[str, Node] = {
        "a": ReadNode("x", "b", ("x?",), most=3),
        "b": ReadNode("y", "c", most=3, least=0),
        "c": ReadNode("z", "return", most=5, between=2.0),
    }
    here = office(nodes, "a")
    call, _ = begin(here)
    press(here, call, "123#")  # three are enough: the end key is not the next one's
    press(here, call, "#")
    press(here, call, "45")
    here.advance(1.9)
    press(here, call, "6")
    here.advance(2.0)
    (row,) = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert msgspec.json.decode(row.variables) == {"x": "123", "y": "", "z": "456"}


@pytest.mark.parametrize(("after", "y"), [(0.0, "7"), (3.5, "")])
def test_an_end_key_that_comes_late_is_an_answer(after: float, y: str) -> None:
    nodes: dict[str, Node] = {
        "a": ReadNode("x", "b", most=1, between=3.0),
        "b": ReadNode("y", "c", most=3, least=0),
        "c": WaitNode("return", 1.0),
    }
    here = office(nodes, "a")
    call, _ = begin(here)
    press(here, call, "1")
    here.advance(after)
    press(here, call, "#")
    press(here, call, "7")
    here.advance(20.0)
    (row,) = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert msgspec.json.decode(row.variables) == {"x": "1", "y": y}


def test_a_secret_is_in_no_row_no_event_no_view_and_no_log() -> None:
    nodes: dict[str, Node] = {
        "a": ReadNode("pin", "b", most=4, secret=True),
        "b": WaitNode("queue:junior", 5.0),
    }
    here = office(nodes, "a")
    call, _ = begin(here)
    press(here, call, "4711")
    assert "4711" not in str(here.board.scripts.view(call))
    here.advance(5.0)
    assert call.collected == {"pin": "***"}
    assert dict(call.variables) == {}
    assert "4711" not in f"{here.rows} {here.told} {here.logged}"


def test_hours_and_lists_are_asked_of_distribution() -> None:
    nodes: dict[str, Node] = {
        "a": BranchNode("hangup", hours="office", then="b"),
        "b": BranchNode("queue:junior", list="vip", then="seat:8001"),
    }
    here = office(nodes, "a")
    here.dial("96300")
    assert here.verdicts() == [("switch", "success:script", 200)]
    here.book.open["office"] = True
    call = here.dial("96300", "call2")
    assert call is not None
    assert call.state is CallState.WAITING
    here.book.listed[("vip", "13800000000")] = True
    call = here.dial("96300", "call3")
    assert call is not None
    assert call.state is CallState.RINGING


@pytest.mark.parametrize(("is_booked", "verdict"), [(True, "success:script"), (False, "caller:abandoned")])
def test_a_callback_is_promised_or_not(is_booked: bool, verdict: str) -> None:
    nodes: dict[str, Node] = {"a": CallbackNode("junior", "hangup", "queue:junior")}
    here = office(nodes, "a")
    call, ok = begin(here)
    assert here.events(CallbackWanted) == [CallbackWanted(call.id, "junior", "13800000000", "96300")]
    here.board.scripts.booked(call.id, is_booked, here.now)
    here.settle()
    if not is_booked:
        assert call.state is CallState.WAITING
        here.caller_says("BYE", ok, 2)
    assert here.verdicts()[-1][1] == verdict


def test_credit_and_skills_go_to_the_queue() -> None:
    here = office({"a": SetNode("queue:junior/8001", credit=60.0, skills=(("english", 2),))}, "a")
    call = here.dial("96300")
    assert call is not None
    (queued,) = here.events(CallQueued)
    assert (queued.seat, queued.credit, queued.skills) == ("8001", 60.0, (("english", 2),))


def test_a_message_is_played_and_ends_the_call() -> None:
    here = office({"a": GoNode("message:closed")}, "a")
    call, _ = begin(here)
    assert played(here) == [("closed",)]
    assert call.caller_leg is not None
    here.plane.receive_worker(0, encode_reports([Played(call.caller_leg.stream, "closed")]), here.now)
    here.settle()
    assert here.verdicts() == [("switch", "success:script", 200)]


def test_a_target_that_a_reload_took_away_ends_the_call() -> None:
    here = office()
    call, _ = begin(here)
    here.board.reconfigure(call_settings(queues=()))
    press(here, call, "1")
    assert here.verdicts() == [("switch", "us:no_such_target", 200)]
    here = office()
    here.board.reconfigure(call_settings(hotlines=(Hotline("96300", "demo", "ivr:main"),)))
    assert here.dial("96300") is None
    assert here.last("404").word == "404"


# Out of a queue.


def test_a_queue_leads_into_a_script_with_the_time_waited() -> None:
    """The script leads back to the queue, where the caller has waited so long already."""
    here = office()
    call = here.dial("96198")
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    here.advance(30.0)
    here.board.release(call.id, "overflowed", "max_wait", here.now, "ivr:main")
    here.settle()
    assert call.state is CallState.SCRIPT
    assert played(here)[-1] == ("welcome",)
    press(here, call, "1")
    assert here.events(CallQueued)[-1].credit == 30.0
    assert call.state is CallState.WAITING


def test_a_caller_whom_a_queue_turns_away_is_answered_by_the_script() -> None:
    here = office()
    here.accepts = False
    call = here.dial("96198")
    assert call is not None
    assert "200" not in here.words(TRUNK)
    here.board.release(call.id, "refused", "full", here.now, "ivr:main")
    here.settle()
    assert here.words(TRUNK)[-1] == "200"
    assert played(here) == [("welcome",)]


def test_a_script_leads_to_a_queue_with_early_media_and_nobody_is_told_183() -> None:
    queues = (QueueMedia("junior", "demo", answer="183"),)
    scripts = (ScriptSettings("main", "demo", "hello", NODES),)
    here = Office(
        call_settings(scripts=scripts, queues=queues, hotlines=(Hotline("96300", "demo", "ivr:main"),))
    )
    call, _ = begin(here)
    press(here, call, "1")
    assert call.state is CallState.WAITING
    assert "183" not in here.words(TRUNK)


# Transferred into a script.


def test_a_desk_transfers_its_caller_into_a_script() -> None:
    """The seat is free at once; the call that the caller goes on in came by the script."""
    here = office()
    call, _, _ = here.talk()
    here.board.desk.handle(TransferAsked(call.id, SEAT, "ivr:main"), here.now)
    here.settle()
    assert here.events(SeatFreed)[0].seat == SEAT
    assert here.words(PHONE)[-1] == "BYE"
    (target,) = here.board.calls.values()
    assert target.state is CallState.SCRIPT
    press(here, target, "1")
    assert here.events(CallQueued)[-1].caller == "13800000000"


def test_a_transfer_to_a_script_that_there_is_not_is_refused() -> None:
    here = office()
    call, _, _ = here.talk()
    with pytest.raises(OperationRefused) as refused:
        here.board.desk.handle(TransferAsked(call.id, SEAT, "ivr:other"), here.now)
    assert refused.value.word == "NO_SUCH_TARGET"


def test_a_phone_refers_its_caller_to_a_number_that_leads_into_a_script() -> None:
    here = office()
    _, _, invite = here.talk()
    here.phone_says("REFER", invite, 1, headers=("Refer-To: <sip:96300@example.com>",))
    assert here.last("202").flow == PHONE
    (target,) = here.board.calls.values()
    assert (target.state, target.entry) == (CallState.SCRIPT, "ivr:main")


# Interact.


READ: dict[str, Node] = {"a": ReadNode("account", "return", ("which",), most=4)}


def interact(here: Office) -> tuple[Call, Sent, Sent]:
    call, ok, invite = here.talk()
    here.advance(10.0)
    here.board.desk.handle(InteractAsked(call.id, SEAT, "main"), here.now)
    here.settle()
    return call, ok, invite


def is_bridged(here: Office) -> bool:
    """Return whether the last word to the media plane connects the two sides."""
    words = [type(one).__name__ for one in here.commands if type(one).__name__ in ("Connect", "Disconnect")]
    return words[-1] == "Connect"


def test_a_seat_sends_its_caller_into_a_script_and_has_it_back_with_what_was_read() -> None:
    here = office(READ, "a")
    call, ok, _ = interact(here)
    assert not is_bridged(here)
    assert played(here)[-2:] == [("builtin:music",), ("which",)]
    assert states(here)[-1] == "interact"
    assert call.state is CallState.TALKING
    assert here.board.scripts.view(call) == {"ivr": "main", "node": "a", "waits_for": "collect"}
    press(here, call, "4711")
    assert is_bridged(here)
    assert states(here)[-1] == "talking"
    (told,) = here.events(ScriptEnded)
    assert (told.kind, told.seat, told.outcome, dict(told.variables)) == (
        "interact", "8001", "returned", {"account": "4711"},
    )  # fmt: skip
    assert here.events(SeatFreed) == []
    (row,) = [row for row in here.rows if isinstance(row, ScriptRow)]
    assert (row.kind, row.seat, row.outcome) == ("interact", "8001", "returned")
    here.caller_says("BYE", ok, 2)
    assert here.verdicts() == [("caller", "success", 200)]
    here.advance(40.0)
    assert here.is_quiet()


def test_the_seat_may_take_its_caller_back_early() -> None:
    here = office(READ, "a")
    call, _, _ = interact(here)
    press(here, call, "47")
    here.board.desk.handle(CallUnheld(call.id, SEAT), here.now)
    here.settle()
    assert is_bridged(here)
    assert [outcome for outcome, _, _ in runs(here)] == ["taken_back"]
    here.advance(600.0)
    assert call.state is CallState.TALKING


@pytest.mark.parametrize("who", ["caller", "seat"])
def test_either_side_that_hangs_up_ends_the_call(who: str) -> None:
    here = office(READ, "a")
    _, ok, invite = interact(here)
    if who == "caller":
        here.caller_says("BYE", ok, 2)
    else:
        here.phone_says("BYE", invite, 1)
    assert here.verdicts() == [(who, "success", 200)]
    assert [outcome for outcome, _, _ in runs(here)] == ["ended"]
    here.advance(600.0)
    assert here.is_quiet()


def test_a_script_that_leads_elsewhere_transfers_the_caller() -> None:
    """To a queue at once; to a phone when it answers, and until then the two talk."""
    here = office({"a": GoNode("queue:junior")}, "a")
    call, _, _ = interact(here)
    assert call.state is CallState.ENDED
    assert here.events(SeatFreed)[0].seat == SEAT
    (target,) = here.board.calls.values()
    assert target.state is CallState.WAITING
    here = office({"a": GoNode("seat:8002")}, "a")
    here.register("8002", "other")
    call, _, _ = interact(here)
    assert call.state is CallState.TALKING
    assert is_bridged(here)
    here.answer(here.last("INVITE", OTHER_PHONE), 486)
    assert call.state is CallState.TALKING
    assert here.events(SeatFreed) == []


def test_a_script_that_hangs_up_ends_the_call_of_both() -> None:
    here = office({"a": GoNode("hangup")}, "a")
    interact(here)
    assert here.verdicts() == [("switch", "success:script", 200)]


def test_a_script_that_fails_or_takes_too_long_gives_the_caller_back() -> None:
    here = office({"a": SetNode("a", (("x", "1"),))}, "a")
    call, _, _ = interact(here)
    assert call.state is CallState.TALKING
    assert is_bridged(here)
    assert [outcome for outcome, _, _ in runs(here)] == ["limit"]
    here = office({"a": MenuNode((("1", "a"),), within=60.0)}, "a", time_max=30.0)
    call, _, _ = interact(here)
    here.advance(30.0)
    assert is_bridged(here)
    assert call.state is CallState.TALKING


def test_there_is_one_thing_at_a_time() -> None:
    here = office(READ, "a")
    here.register("8002", "other")
    call, _, _ = interact(here)
    desk = here.board.desk
    for what, word in (
        (InteractAsked(call.id, SEAT, "main"), "NO_BRIDGE"),
        (CallHeld(call.id, SEAT), "BAD_STATE"),
        (ConsultAsked(call.id, SEAT, "8002"), "BAD_STATE"),
        (TransferAsked(call.id, SEAT, "8002"), "BAD_STATE"),
        (SurveyAsked(call.id, SEAT), "NO_BRIDGE"),
        (DigitsPressed(call.id, SEAT, "1"), "NO_BRIDGE"),
    ):
        with pytest.raises(OperationRefused) as refused:
            desk.handle(what, here.now)
        assert refused.value.word == word


def test_what_is_under_way_keeps_the_caller_out_of_a_script() -> None:
    here = office(READ, "a")
    here.register("8002", "other")
    call, _, _ = here.talk()
    desk = here.board.desk
    desk.handle(ConsultAsked(call.id, SEAT, "8002"), here.now)
    here.settle()
    for asked, word in ((call.id, "NO_BRIDGE"), (list(here.board.calls)[-1], "NOT_IN_CALL")):
        with pytest.raises(OperationRefused) as refused:
            desk.handle(InteractAsked(asked, SEAT, "main"), here.now)
        assert refused.value.word == word
    here = office(READ, "a")
    call, _, _ = here.talk()
    with pytest.raises(OperationRefused) as refused:
        here.board.desk.handle(InteractAsked(call.id, SEAT, "other"), here.now)
    assert refused.value.word == "NO_SUCH_TARGET"
    here.board.desk.handle(CallHeld(call.id, SEAT), here.now)
    with pytest.raises(OperationRefused) as refused:
        here.board.desk.handle(InteractAsked(call.id, SEAT, "main"), here.now)
    assert refused.value.word == "NO_BRIDGE"


def test_a_muted_seat_stays_muted_and_a_phone_that_holds_meanwhile_holds_afterwards() -> None:
    here = office(READ, "a")
    call, _, invite = interact(here)
    here.board.desk.handle(CallMuted(call.id, SEAT, True), here.now)
    here.settle()
    assert played(here)[-1] == ("which",)
    here.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", "192.0.2.7", 2))
    assert not call.held
    press(here, call, "4711")
    assert played(here)[-1] == ("builtin:silence",)
    assert call.held
    assert states(here)[-1] == "held"


def test_keys_by_info_are_the_script_s_and_those_of_the_seat_are_nobody_s() -> None:
    here = office(READ, "a")
    call, ok, invite = interact(here)
    headers = {"content_type": "application/dtmf-relay"}
    for number, key in enumerate("47"):
        here.caller_says("INFO", ok, 2 + number, f"Signal={key}\r\n".encode(), **headers)
    here.phone_says("INFO", invite, 1, b"Signal=9\r\n", **headers)
    assert here.board.scripts.running[call.id].typed == "47"
    assert "INFO" not in here.words(TRUNK)


def test_variables_are_handed_on_to_the_next_script() -> None:
    say = PlayNode("return", say="account")
    scripts = (
        ScriptSettings("main", "demo", "a", READ),
        ScriptSettings("second", "demo", "a", {"a": say}),
    )
    here = Office(call_settings(scripts=scripts))
    here.register("8001")
    call, _, _ = interact(here)
    press(here, call, "4711")
    here.board.desk.handle(InteractAsked(call.id, SEAT, "second"), here.now)
    here.settle()
    assert played(here)[-1] == tuple(f"voice:en/{digit}" for digit in "4711")


def test_with_events_the_phone_is_bridged_with_keys_relayed_again() -> None:
    """After the script nobody collects keys any more: they are the seat's to hear."""
    here = office(READ, "a")
    call = here.dial("96198", body=with_events(sdp(4000)))
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    here.answer(here.ring(call), 200, sdp(5000, host="192.0.2.7"))
    here.board.desk.handle(InteractAsked(call.id, SEAT, "main"), here.now)
    here.settle()
    press(here, call, "4711")
    assert [command.wanted for command in here.commands if isinstance(command, Collect)][-1] is False


def test_a_run_leaves_nothing_for_the_collector() -> None:
    """However it ends: led on, failed, taken back, hung up in the middle."""

    def once(number: int) -> None:
        here.sent.clear()
        call = here.dial("96300", f"c{number}")
        assert call is not None
        ok = here.last("200")
        here.caller_says("ACK", ok, 1)
        if number % 2:
            press(here, call, "1")
        here.caller_says("BYE", ok, 2)
        here.dial("96301", f"f{number}")
        talk, ok, _ = here.talk(f"t{number}", f"o{number}")
        here.board.desk.handle(InteractAsked(talk.id, SEAT, "main"), here.now)
        here.settle()
        here.board.desk.handle(CallUnheld(talk.id, SEAT), here.now)
        here.caller_says("BYE", ok, 2)
        for sent in [each for each in here.sent if each.word == "BYE"]:
            here.answer(sent, 200)
        here.advance(70.0)
        here.told.clear()
        here.rows.clear()
        here.commands.clear()
        here.logged.clear()

    scripts = (
        ScriptSettings("main", "demo", "hello", NODES),
        ScriptSettings("fails", "demo", python="readback", options={"digits": "many"}),
    )
    hotlines = tuple(
        Hotline(number, "demo", entry)
        for number, entry in (("96198", "queue:junior"), ("96300", "ivr:main"), ("96301", "ivr:fails"))
    )
    here = Office(call_settings(scripts=scripts, hotlines=hotlines))
    here.register("8001")
    once(0)
    once(1)
    gc.collect()
    gc.disable()
    try:
        for number in range(2, 8):
            once(number)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert here.is_quiet()
