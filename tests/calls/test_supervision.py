"""A supervisor's ear: who hears whom in each mode, that nobody is told, and how it ends; by the text of each
message and by what the media plane is told.
"""

import gc

import pytest

from calls.call import Call
from calls.controls import CallHeld, CallMuted, CallUnheld, ModeSwitched, SupervisionAsked, TakeoverAsked
from calls.events import SeatFreed, SeatTaken, SupervisionChanged
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from kernel.rows import CallRow
from media.messages import Mix, Play, Stop
from tests.calls.office import OTHER_PHONE, THIRD_PHONE, Office, sdp
from tests.sip.scene import PHONE, TRUNK, Sent, respond

TARGET, LEADER = SeatId("8001"), SeatId("8002")


def talking() -> tuple[Office, Call, Sent, Sent]:
    """A caller talks to 8001, and 8002 is signed in; return the office, the call, its 200 and its INVITE."""
    office = Office()
    office.book.phones.update({"8001": ("softphone", "8001"), "8002": ("softphone", "8002")})
    office.register("8001", "phone")
    office.register("8002", "other")
    return office, *office.talk()


def ask(office: Office, what: SupervisionAsked | ModeSwitched | TakeoverAsked | CallHeld | CallMuted) -> None:
    try:
        office.board.desk.handle(what, office.now)
    finally:
        office.settle()


def listen(office: Office, mode: str = "monitor", **more: object) -> Sent:
    """Let 8002 be in the conversation of 8001, and return the INVITE that its phone has answered."""
    asked = SupervisionAsked(CallId("ear"), TARGET, "8002", LEADER, None, mode)
    ask(office, asked)
    invite = office.last("INVITE", OTHER_PHONE)
    office.answer(invite, 180)
    office.answer(invite, 200, sdp(6000, host="192.0.2.8"))
    return invite


def heard(office: Office) -> dict[str, str]:
    """Return who hears a mix of whom: caller, seat, ear; whoever is not named hears its peer."""
    names = {}
    for call in office.board.calls.values():
        for leg in call.legs():
            name = "ear" if call.is_supervision else "seat" if leg.seat == TARGET else "caller"
            names[leg.stream] = name
    mixes: dict[int, tuple[int, ...]] = {}
    for command in office.commands:
        if isinstance(command, Mix):
            mixes[command.stream] = command.near
    return {
        names[stream]: " ".join(sorted(names[one] for one in hears))
        for stream, hears in mixes.items()
        if hears and stream in names
    }


@pytest.mark.parametrize(
    ("mode", "mixes"),
    [
        ("monitor", {"ear": "caller seat"}),
        ("whisper", {"ear": "caller seat", "seat": "caller ear"}),
        ("barge", {"ear": "caller seat", "seat": "caller ear", "caller": "ear seat"}),
    ],
)
def test_who_hears_whom(mode: str, mixes: dict[str, str]) -> None:
    office, *_ = talking()
    before = office.words(TRUNK), office.words(PHONE)
    invite = listen(office, mode)
    assert (invite.message.header("answer-mode"), heard(office)) == ("Auto", mixes)
    assert (office.words(TRUNK), office.words(PHONE)) == before  # neither side is told anything
    played = [it for it in office.commands if isinstance(it, Play | Stop) and it.stream > 2]
    assert played == []
    office.phone_says("BYE", invite, 1)
    assert heard(office) == {}
    assert (office.words(TRUNK), office.words(PHONE)) == before


def test_modes_change_while_it_listens() -> None:
    office, *_ = talking()
    listen(office)
    for mode, hearing in (("barge", 3), ("whisper", 2), ("monitor", 1), ("monitor", 1)):
        ask(office, ModeSwitched(TARGET, mode))
        assert len(heard(office)) == hearing
    switched = [event.mode for event in office.events(SupervisionChanged) if event.what == "switched"]
    assert switched == ["barge", "whisper", "monitor"]


def test_the_supervisors_seat_is_taken_and_freed_without_a_conversation() -> None:
    office, _, ok, _ = talking()
    listen(office)
    office.caller_says("BYE", ok, 2)
    taken = [(event.seat, event.activity) for event in office.events(SeatTaken)]
    assert taken == [("8002", "ringing"), ("8002", "talking")]
    assert [(event.seat, event.bridged) for event in office.events(SeatFreed)] == [
        ("8001", True),
        ("8002", False),
    ]
    assert office.words(OTHER_PHONE)[-1] == "BYE"
    rows = [row for row in office.rows if isinstance(row, CallRow)]
    assert [(row.entry, row.verdict, row.ended_by) for row in rows] == [
        ("queue:junior", "success", "caller"),
        ("supervise:8001", "success", "switch"),
    ]
    told = [(event.what, event.reason) for event in office.events(SupervisionChanged)]
    assert told == [("attached", ""), ("detached", "target_gone")]
    for flow in (PHONE, OTHER_PHONE):
        office.answer(office.last("BYE", flow), 200)
    office.advance(40.0)
    assert office.is_quiet()


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [(486, "agent:refused", "refused"), (603, "agent:refused", "refused"), (302, "agent:unreachable", "")],
)
def test_a_phone_that_does_not_want_to_listen(status: int, verdict: str, reason: str) -> None:
    """A redirection is not followed: nobody listens but who was asked."""
    office, *_ = talking()
    ask(office, SupervisionAsked(CallId("ear"), TARGET, "8002", LEADER, None, "monitor"))
    invite = office.last("INVITE", OTHER_PHONE)
    office.receive(respond(invite, status, contact="<sip:2001@example.com>"), invite.flow)
    assert office.verdicts()[-1][1] == verdict
    assert office.events(SupervisionChanged)[-1].reason == (reason or "unreachable")
    assert [event.seat for event in office.events(SeatFreed)] == ["8002"]


def test_a_phone_that_does_not_answer_is_left_after_half_a_minute() -> None:
    office, *_ = talking()
    ask(office, SupervisionAsked(CallId("ear"), TARGET, "8002", LEADER, None, "monitor"))
    office.answer(office.last("INVITE", OTHER_PHONE), 180)
    office.advance(30.1)
    assert office.words(OTHER_PHONE)[-1] == "CANCEL"
    assert office.events(SupervisionChanged)[-1].reason == "no_answer"


def test_the_target_leaves_while_the_supervisors_phone_rings() -> None:
    office, _, ok, _ = talking()
    ask(office, SupervisionAsked(CallId("ear"), TARGET, "8002", LEADER, None, "monitor"))
    invite = office.last("INVITE", OTHER_PHONE)
    office.answer(invite, 180)
    office.caller_says("BYE", ok, 2)
    assert office.words(OTHER_PHONE)[-1] == "CANCEL"
    office.answer(invite, 200, sdp(6000, host="192.0.2.8"))  # it has crossed our CANCEL
    assert office.words(OTHER_PHONE)[-2:] == ["ACK", "BYE"]
    assert office.events(SupervisionChanged)[-1].reason == "target_gone"
    assert not office.board.calls


def test_on_hold_at_the_desk_the_seat_alone_is_heard() -> None:
    office, call, *_ = talking()
    listen(office, "barge")
    ask(office, CallHeld(call.id, TARGET))
    assert heard(office) == {"ear": "seat", "seat": "ear"}
    office.board.desk.handle(CallUnheld(call.id, TARGET), office.now)
    office.settle()
    assert heard(office) == {"ear": "caller seat", "seat": "caller ear", "caller": "ear seat"}


def test_a_re_invite_of_either_side_changes_nothing() -> None:
    office, _, ok, invite = talking()
    listen(office)
    office.phone_says("INVITE", invite, 1, sdp(5000, "sendonly", host="192.0.2.7", version=2))
    office.caller_says("INVITE", ok, 2, sdp(4002, version=2))
    assert heard(office) == {"ear": "caller seat"}
    assert len(office.board.supervision.by_seat) == 1


def test_who_barges_in_is_heard_though_the_seat_is_muted() -> None:
    office, call, *_ = talking()
    ask(office, CallMuted(call.id, TARGET, True))
    assert call.caller_leg is not None
    caller = call.caller_leg.stream
    listen(office, "barge")
    assert heard(office)["caller"] == "ear"
    assert [it for it in office.commands if isinstance(it, Stop)][-1].stream == caller
    ask(office, ModeSwitched(TARGET, "whisper"))
    silence = [it for it in office.commands if isinstance(it, Play)][-1]
    assert (silence.stream, silence.prompts) == (caller, ("builtin:silence",))
    assert "caller" not in heard(office)


def test_the_supervisor_takes_the_seats_place() -> None:
    office, call, ok, _ = talking()
    listen(office, "whisper")
    ask(office, TakeoverAsked(TARGET))
    assert office.words(PHONE)[-1] == "BYE"
    assert (call.state, heard(office)) == ("talking", {})
    assert call.callee is not None
    assert call.callee.seat == LEADER
    freed = [(event.seat, event.bridged, event.cause) for event in office.events(SeatFreed)]
    assert freed == [("8002", False, "talk_ended"), ("8001", True, "taken_over")]
    office.caller_says("BYE", ok, 2)
    assert office.words(OTHER_PHONE)[-1] == "BYE"
    rows = [row for row in office.rows if isinstance(row, CallRow)]
    assert [(row.entry, row.verdict, row.continued_as) for row in rows] == [
        ("supervise:8001", "success:taken_over", call.id),
        ("queue:junior", "success", ""),
    ]


def test_a_caller_who_hangs_up_in_the_moment_of_the_takeover_ends_the_call_once() -> None:
    office, _, ok, _ = talking()
    listen(office)
    office.board.desk.handle(TakeoverAsked(TARGET), office.now)
    office.caller_says("BYE", ok, 2)
    assert not office.board.calls
    rows = [row for row in office.rows if isinstance(row, CallRow)]
    assert [row.verdict for row in rows] == ["success:taken_over", "success"]
    with pytest.raises(OperationRefused, match="nobody supervises"):
        ask(office, TakeoverAsked(TARGET))


def test_nobody_takes_over_before_the_own_phone_has_answered() -> None:
    office, *_ = talking()
    ask(office, SupervisionAsked(CallId("ear"), TARGET, "8002", LEADER, None, "monitor"))
    with pytest.raises(OperationRefused) as refused:
        ask(office, TakeoverAsked(TARGET))
    assert refused.value.word == "NOT_ATTACHED"


def test_nobody_takes_over_a_call_that_is_about_to_go_on() -> None:
    office, call, _, invite = talking()
    office.register("2001", "third")
    listen(office)
    refer = ("Refer-To: <sip:2001@example.com>", "Referred-By: <sip:8001@example.com>")
    office.phone_says("REFER", invite, 1, headers=refer)
    with pytest.raises(OperationRefused) as refused:
        ask(office, TakeoverAsked(TARGET))
    assert refused.value.word == "BAD_STATE"
    assert call.callee is not None
    assert call.callee.seat == TARGET
    assert "BYE" not in office.words(PHONE)
    office.answer(office.last("INVITE", THIRD_PHONE), 486)
    ask(office, TakeoverAsked(TARGET))
    assert call.callee.seat == LEADER


@pytest.mark.parametrize(
    ("phone", "word"),
    [
        (("extension", "2002"), "NO_SUCH_TARGET"),
        (("softphone", "9999"), "NO_SUCH_TARGET"),
        (("softphone", "8001"), "PHONE_IN_USE"),
        (("extension", "2001"), "PHONE_NOT_REGISTERED"),
        (("pstn", "12"), "NO_SUCH_TARGET"),
    ],
)
def test_phones_that_cannot_listen(phone: tuple[str, str], word: str) -> None:
    office, *_ = talking()
    with pytest.raises(OperationRefused) as refused:
        ask(office, SupervisionAsked(CallId("ear"), TARGET, "ops", None, phone, "monitor"))
    assert refused.value.word == word
    assert list(office.board.calls) == [call.id for call in office.board.calls.values()]
    assert not office.board.supervision.by_call


def test_an_extension_listens_and_one_at_a_time() -> None:
    office, *_ = talking()
    office.register("2001", "third")
    ask(office, SupervisionAsked(CallId("ear"), TARGET, "ops", None, ("extension", "2001"), "monitor"))
    office.answer(office.last("INVITE", THIRD_PHONE), 200, sdp(6000, host="192.0.2.9"))
    assert heard(office) == {"ear": "caller seat"}
    assert not office.events(SeatTaken)
    with pytest.raises(OperationRefused) as refused:
        listen(office)
    assert refused.value.word == "TARGET_BUSY"


def test_a_seat_that_does_not_talk_is_not_listened_to() -> None:
    office = Office()
    with pytest.raises(OperationRefused) as refused:
        listen(office)
    assert refused.value.word == "TARGET_NOT_TALKING"


def test_an_ear_is_given_to_nobody() -> None:
    """RFC 3891: no INVITE with Replaces moves anybody into that place."""
    office, *_ = talking()
    invite = listen(office)
    tag = (invite.message.header("from") or "").partition("tag=")[2]
    replaces = f"{invite.message.call_id};to-tag={tag};from-tag=callee1"
    office.register("2001", "third")
    called = office.dial(
        "8002",
        "thief",
        flow=THIRD_PHONE,
        from_="<sip:2001@example.com>;tag=x",
        contact="<sip:2001@192.0.2.9:5066>",
        headers=(f"Replaces: {replaces}",),
    )
    assert called is None
    assert office.words(THIRD_PHONE)[-1] == "403"
    assert heard(office) == {"ear": "caller seat"}


def test_fifty_ears_and_takeovers_leave_nothing_for_the_collector() -> None:
    office = Office()
    office.book.phones.update({"8001": ("softphone", "8001"), "8002": ("softphone", "8002")})
    office.register("8001", "phone")
    office.register("8002", "other")
    _listen_and_end(office, 0)
    gc.collect()
    gc.disable()
    try:
        for number in range(1, 51):
            _listen_and_end(office, number)
        assert gc.collect() == 0
    finally:
        gc.enable()


def _listen_and_end(office: Office, number: int) -> None:
    """One ear in all modes, whose supervisor takes over every other call."""
    _, ok, invite = office.talk(f"call{number}", f"o{number}")
    ask(office, SupervisionAsked(CallId(f"ear{number}"), TARGET, "8002", LEADER, None, "whisper"))
    ear = office.last("INVITE", OTHER_PHONE)
    office.answer(ear, 200, sdp(6000, host="192.0.2.8"))
    ask(office, ModeSwitched(TARGET, "barge"))
    if number % 2:
        ask(office, TakeoverAsked(TARGET))
    office.caller_says("BYE", ok, 2)
    for flow in (PHONE, OTHER_PHONE):
        office.answer(office.last("BYE", flow), 200)
    office.advance(40.0)
    assert office.is_quiet()
    office.sent.clear()
    office.told.clear()
    office.rows.clear()
    office.commands.clear()
    assert invite
