"""Call control from the desk, through the whole switch: no button of the phone is touched."""

from dataclasses import replace
from typing import Any

import pytest

from config.load import load_settings
from tests.simulator.checkers import talks_to
from tests.simulator.people import Desk
from tests.simulator.phones import BUSY, RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town
from tests.simulator.world import World

TALKS = Manner(answers_after=1.0)
ROUTE = '[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n'
ONE = Town(juniors=1, intermediates=0, seniors=0, more=ROUTE)
TWO = Town(juniors=2, intermediates=0, seniors=0, wrap_up=0.0, more=ROUTE)
LEVELS = Town(juniors=1, intermediates=0, seniors=1, wrap_up=0.0, relaxes=False)


def desk_of(world: World, seat: str = "8001") -> Desk:
    desk = world.agents[seat].desk
    assert desk is not None
    return desk


def seat(world: World, number: str = "8001") -> dict[str, Any]:
    view: dict[str, Any] = world.admin.ask("seat.get", {"seat": number})
    return view


def talking(town: Town = ONE) -> tuple[World, Desk, Any, Any]:
    """A caller talks to seat 8001; return the world, the desk, the caller's call and the seat's phone's."""
    world = staffed(TALKS, replace(town, wrap_up=0.0))
    if len(town.seats) > 1:
        for number in town.seats[1:]:
            world.admin.ask("seat.pause", {"seat": number, "reason": "rest"})
    caller = world.trunk.dial(Errand())
    world.run(3.0)
    phone = world.phones["8001"].calls[0]
    assert talks_to(world, caller.rtp, phone.rtp)
    return world, desk_of(world), caller, phone


def back(world: World, *numbers: str) -> None:
    """Let seats take calls again."""
    for number in numbers:
        world.admin.ask("seat.ready", {"seat": number})


def streams(world: World) -> dict[str, Any]:
    """Return the streams of the only call: the caller's and the seat's."""
    (call,) = world.node.switchboard.calls.values()
    return {"caller": call.caller_leg.stream, "seat": call.callee.stream}


# What rings.


def test_a_ringing_call_is_refused_and_waits_on() -> None:
    world = staffed(RINGS_FOR_EVER, ONE)
    caller = world.trunk.dial(Errand())
    world.run(1.0)
    desk_of(world).ask("call.refuse")
    world.run(0.5)
    (offer,) = world.offer_rows
    assert (offer.outcome, offer.sip_status) == ("refused", 603)
    assert world.phones["8001"].calls[0].why == "cancelled"
    assert caller.state == "talking"  # to the music
    assert desk_of(world).refusal("call.refuse") == "NOT_IN_CALL"
    caller.hang_up()
    settle(world)


def test_what_does_not_ring_is_not_refused() -> None:
    world, desk, caller, _ = talking()
    assert desk.refusal("call.refuse") == "NOT_RINGING"
    assert desk.refusal("call.refuse", {"call": "none"}) == "NO_SUCH_CALL"
    caller.hang_up()
    settle(world)


def test_nobody_touches_the_call_of_another_seat() -> None:
    world, _, caller, _ = talking(TWO)
    other = desk_of(world, "8002")
    call = world.admin.ask("call.list")[0]["call"]
    for method, more in (("hold", {}), ("mute", {}), ("dtmf", {"digits": "1"}), ("transfer", {"to": "2001"})):
        assert other.refusal(f"call.{method}", {"call": call, **more}) == "NOT_IN_CALL"
    assert world.admin.refusal("call.hold", {"call": call}) == "NOT_LOGGED_IN"
    caller.hang_up()
    settle(world)


def test_a_phone_that_knows_how_is_told_to_answer() -> None:
    """It rings anew with Answer-Mode: Auto; the offer is the same, and its row says when it rang first."""
    world = staffed(RINGS_FOR_EVER, replace(ONE, more_seat='auto_answer = "desk"'))
    caller = world.trunk.dial(Errand(talks_for=20.0))
    world.run(2.0)
    phone = world.phones["8001"]
    assert not phone.calls[0].invite.get("answer-mode")
    phone.manner = Manner(rings_after=None, answers_after=0.05)
    desk_of(world).ask("call.answer")
    world.run(1.0)
    assert phone.calls[0].why == "cancelled"
    assert phone.calls[1].invite.get("answer-mode") == "Auto"
    assert "answer-after=0" in (phone.calls[1].invite.get("call-info") or "")
    assert talks_to(world, caller.rtp, phone.calls[1].rtp)
    settle(world)
    (offer,) = world.offer_rows
    assert (offer.outcome, offer.rang) == ("answered", pytest.approx(2.0, abs=0.1))


def test_a_phone_that_is_not_known_to_answer_is_told_nothing() -> None:
    world = staffed(RINGS_FOR_EVER, ONE)
    caller = world.trunk.dial(Errand())
    world.run(2.0)
    assert desk_of(world).refusal("call.answer") == "BAD_STATE"
    assert len(world.phones["8001"].calls) == 1
    caller.hang_up()
    settle(world)


def test_a_seat_may_be_set_to_answer_always() -> None:
    world = staffed(TALKS, replace(ONE, more_seat='auto_answer = "always"'))
    world.trunk.dial(Errand(talks_for=5.0))
    world.run(2.0)
    invite = world.phones["8001"].calls[0].invite
    assert (invite.get("answer-mode"), invite.get("x-queue")) == ("Auto", "junior")
    settle(world)


# Hold and mute.


def test_who_is_held_at_the_desk_hears_music_and_no_phone_is_told() -> None:
    world, desk, caller, phone = talking()
    said = len(phone.requests) if hasattr(phone, "requests") else 0
    assert desk.refusal("call.unhold") == "NOT_HELD"
    desk.ask("call.hold")
    world.run(5.0)
    legs = streams(world)
    assert world.workers.is_stream_playing(legs["caller"])
    assert not world.workers.are_streams_joined(legs["caller"], legs["seat"])
    assert (seat(world)["held"], world.admin.ask("call.list")[0]["state"]) == (True, "held")
    assert desk.refusal("call.hold") == "ALREADY_HELD"
    desk.ask("call.unhold")
    world.run(1.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    assert not world.workers.is_stream_playing(legs["caller"])
    assert seat(world)["held"] is False
    assert (len(phone.requests) if hasattr(phone, "requests") else 0) == said
    caller.hang_up()
    settle(world)
    assert world.call_rows[0].held == pytest.approx(5.0, abs=0.1)


def test_a_call_held_at_the_desk_ends_from_either_side() -> None:
    for ends in ("caller", "seat"):
        world, desk, caller, phone = talking()
        desk.ask("call.hold")
        world.run(2.0)
        (caller if ends == "caller" else phone).hang_up()
        world.run(1.0)
        assert world.call_rows[0].ended_by == ends
        assert world.call_rows[0].held == pytest.approx(2.0, abs=0.1)
        settle(world)


def test_a_phone_that_holds_and_resumes_meanwhile_does_not_end_the_desks_hold() -> None:
    world, desk, caller, phone = talking()
    desk.ask("call.hold")
    phone.reinvite("sendonly")
    world.run(1.0)
    phone.reinvite("sendrecv")
    world.run(1.0)
    assert seat(world)["held"] is True
    desk.ask("call.unhold")
    world.run(1.0)
    assert seat(world)["held"] is False
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)


def test_what_a_phone_holds_the_desk_does_not_resume() -> None:
    world, desk, caller, phone = talking()
    phone.reinvite("sendonly")
    world.run(1.0)
    assert desk.refusal("call.hold") == "ALREADY_HELD"
    assert desk.refusal("call.unhold") == "NOT_HELD"
    caller.hang_up()
    settle(world)


def test_mute_lasts_over_a_hold_and_ends_when_it_is_said() -> None:
    world, desk, caller, phone = talking()
    desk.ask("call.mute")
    world.run(1.0)
    legs = streams(world)
    assert world.workers.playing(legs["caller"]) == ("builtin:silence",)
    assert not world.workers.is_stream_playing(legs["seat"])  # which hears the caller
    desk.ask("call.hold")
    world.run(1.0)
    assert world.workers.playing(legs["caller"]) == ("builtin:music",)
    desk.ask("call.unhold")
    world.run(1.0)
    assert world.workers.playing(legs["caller"]) == ("builtin:silence",)
    desk.ask("call.unmute")
    desk.ask("call.unmute")
    world.run(1.0)
    assert world.workers.playing(legs["caller"]) == ()
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)


def test_keys_reach_the_other_side_as_events() -> None:
    """The simulated caller agrees to RFC 4733, so there is no INFO."""
    world, desk, caller, _ = talking()
    desk.ask("call.dtmf", {"digits": "1#"})
    world.run(1.0)
    stream = world.workers.find(streams(world)["caller"])
    assert stream is not None
    assert stream.keys == "1#"
    assert caller.infos == []
    desk.ask("call.hold")
    assert desk.refusal("call.dtmf", {"digits": "1"}) == "NO_BRIDGE"
    caller.hang_up()
    settle(world)


def test_a_tag_is_in_the_row() -> None:
    world, desk, caller, _ = talking()
    desk.ask("call.tag", {"tag": "billing"})
    assert world.admin.ask("call.list")[0]["tag"] == "billing"
    caller.hang_up()
    settle(world)
    assert world.call_rows[0].tag == "billing"


# Blind transfer.


def test_a_transfer_to_a_seat_moves_the_caller_when_it_answers() -> None:
    world, desk, caller, phone = talking(TWO)
    back(world, "8002")
    desk.ask("call.transfer", {"to": "seat:8002"})
    world.run(0.5)
    assert talks_to(world, caller.rtp, phone.rtp)  # until somebody answers
    assert desk.refusal("call.transfer", {"to": "2001"}) == "BAD_STATE"
    world.run(2.0)
    assert talks_to(world, caller.rtp, world.phones["8002"].calls[0].rtp)
    assert (phone.why, seat(world)["activity"], seat(world, "8002")["activity"]) == ("bye", "idle", "talking")
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["success:transferred", "success"]
    assert world.call_rows[0].continued_as == world.call_rows[1].call


def test_a_transfer_that_nobody_answers_leaves_the_conversation_as_it_is() -> None:
    world, desk, caller, phone = talking(TWO)
    world.phones["8002"].manner = BUSY
    desk.ask("call.transfer", {"to": "8002"})
    world.run(3.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    assert seat(world)["activity"] == "talking"
    caller.hang_up()
    settle(world)


def test_a_transfer_to_an_extension_and_to_a_number_outside() -> None:
    for to, number in (("extension:2001", ""), ("number:13900000077", "13900000077"), ("2001", "")):
        world, desk, caller, _ = talking()
        phone = world.add_phone("2001", TALKS)
        phone.register()
        world.run(0.5)
        desk.ask("call.transfer", {"to": to})
        world.run(3.0)
        answered = world.trunk.calls[-1] if number else phone.calls[0]
        assert talks_to(world, caller.rtp, answered.rtp)
        caller.hang_up()
        settle(world)


def test_a_transfer_to_a_queue_lets_the_seat_go_at_once_and_credits_the_wait() -> None:
    world = staffed(TALKS, LEVELS)
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest"})
    caller = world.trunk.dial(Errand())
    world.run(20.0)
    back(world, "8001")
    world.run(3.0)
    world.admin.ask("seat.pause", {"seat": "8201", "reason": "rest"})
    desk_of(world).ask("call.transfer", {"to": "queue:senior"})
    world.run(1.0)
    assert seat(world)["activity"] == "idle"
    (view,) = world.admin.ask("call.list")
    assert (view["queue"], view["state"]) == ("senior", "waiting")
    visit = world.node.engine.waiting(view["call"])
    assert visit is not None
    assert visit.credit == pytest.approx(21.0, abs=0.2)
    back(world, "8201")
    world.run(3.0)
    assert talks_to(world, caller.rtp, world.phones["8201"].calls[0].rtp)
    caller.hang_up()
    settle(world)


def test_escalate_goes_to_the_queue_of_the_next_level() -> None:
    world, desk, caller, _ = talking(LEVELS)
    back(world, "8201")
    desk.ask("call.escalate")
    world.run(3.0)
    assert talks_to(world, caller.rtp, world.phones["8201"].calls[0].rtp)
    assert desk_of(world, "8201").refusal("call.escalate") == "NO_SUCH_TARGET"
    caller.hang_up()
    settle(world)


@pytest.mark.parametrize(
    ("to", "word"),
    [
        ("queue:nowhere", "NO_SUCH_TARGET"),
        ("seat:9999", "NO_SUCH_TARGET"),
        ("seat:2001", "NO_SUCH_TARGET"),
        ("moon:1", "NO_SUCH_TARGET"),
        ("8002", "TARGET_BUSY"),
        ("extension:2002", "TARGET_BUSY"),
    ],
)
@pytest.mark.parametrize("method", ["call.transfer", "call.consult"])
def test_targets_that_cannot_be_had(method: str, to: str, word: str) -> None:
    """Seat 8002 talks; extension 2002 is not registered. The call goes on as it was."""
    world, desk, caller, phone = talking(TWO)
    world.admin.ask("seat.pause", {"seat": "8002", "reason": "rest"})
    world.phones["8002"].invite("13900000099")
    world.run(4.0)
    assert seat(world, "8002")["activity"] == "talking"
    assert desk.refusal(method, {"to": to}) == word
    world.run(1.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    world.phones["8002"].calls[-1].hang_up()
    caller.hang_up()
    settle(world)


# Consultation.


def consulting(manner: Manner = TALKS) -> tuple[World, Desk, Any, Any]:
    """The caller is on hold, seat 8001 has asked for 8002."""
    world, desk, caller, phone = talking(TWO)
    back(world, "8002")
    world.phones["8002"].manner = manner
    desk.ask("call.consult", {"to": "8002"})
    world.run(3.0)
    return world, desk, caller, phone


def test_a_consultation_and_back() -> None:
    world, desk, caller, phone = consulting()
    other = world.phones["8002"].calls[0]
    assert talks_to(world, phone.rtp, other.rtp)
    assert world.workers.is_playing(caller.rtp)
    assert (seat(world)["held"], seat(world, "8002")["activity"]) == (True, "talking")
    assert desk.refusal("call.consult", {"to": "2001"}) == "BAD_STATE"
    assert desk.refusal("call.transfer", {"to": "2001"}) == "BAD_STATE"
    assert desk.refusal("call.unhold") == "BAD_STATE"
    assert desk.refusal("call.consult_cancel") == "NO_CONSULT"
    desk.ask("call.consult_back")
    world.run(1.0)
    assert (other.why, talks_to(world, caller.rtp, phone.rtp)) == ("bye", True)
    assert (seat(world)["held"], seat(world, "8002")["activity"]) == (False, "idle")
    assert desk.refusal("call.consult_back") == "NO_CONSULT"
    caller.hang_up()
    settle(world)
    consult, call = world.call_rows
    assert (consult.entry, consult.caller, consult.called) == (f"consult:{call.call}", "8001", "8002")
    assert (consult.verdict, call.verdict) == ("success", "success")


def test_a_consultation_that_rings_is_cancelled() -> None:
    world, desk, caller, phone = consulting(RINGS_FOR_EVER)
    assert desk.refusal("call.consult_back") == "NO_CONSULT"
    assert desk.refusal("call.consult_transfer") == "NO_CONSULT"
    desk.ask("call.consult_cancel")
    world.run(1.0)
    assert world.phones["8002"].calls[0].why == "cancelled"
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)
    assert world.call_rows[0].verdict == "caller:cancelled"


def test_who_does_not_want_to_be_consulted_leaves_the_seat_with_its_caller() -> None:
    world, _, caller, phone = consulting(BUSY)
    assert talks_to(world, caller.rtp, phone.rtp)
    assert seat(world)["held"] is False
    caller.hang_up()
    settle(world)


def test_who_is_consulted_hangs_up_and_the_seat_is_back_with_its_caller() -> None:
    world, _, caller, phone = consulting()
    world.phones["8002"].calls[0].hang_up()
    world.run(1.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    caller.hang_up()
    settle(world)


def test_a_consultation_becomes_a_transfer_and_the_callers_call_goes_on() -> None:
    world, desk, caller, phone = consulting()
    call = next(view["call"] for view in world.admin.ask("call.list") if view["direction"] == "in")
    desk.ask("call.consult_transfer")
    world.run(1.0)
    other = world.phones["8002"].calls[0]
    assert talks_to(world, caller.rtp, other.rtp)
    assert (phone.why, seat(world)["activity"]) == ("bye", "idle")
    assert (seat(world, "8002")["activity"], seat(world, "8002")["call"]) == ("talking", call)
    assert [view["call"] for view in world.admin.ask("call.list")] == [call]
    world.run(10.0)
    other.hang_up()
    world.run(1.0)
    assert caller.why == "bye"
    settle(world)
    rows = {row.call: row for row in world.call_rows}
    assert rows[call].verdict == "success"
    (consult,) = (row for row in world.call_rows if row.call != call)
    assert (consult.verdict, consult.continued_as) == ("success:transferred", call)


def test_the_held_caller_of_a_consultation_hangs_up() -> None:
    """Talking or ringing: both end."""
    for manner in (TALKS, RINGS_FOR_EVER):
        world, _, caller, phone = consulting(manner)
        caller.hang_up()
        world.run(1.0)
        assert (phone.why, world.phones["8002"].calls[0].has_ended) == ("bye", True)
        settle(world)


def test_the_seat_of_a_consultation_hangs_up() -> None:
    for manner in (TALKS, RINGS_FOR_EVER):
        world, _, caller, phone = consulting(manner)
        phone.hang_up()
        world.run(1.0)
        assert (caller.why, world.phones["8002"].calls[0].has_ended) == ("bye", True)
        settle(world)


def test_a_consultation_with_a_number_outside() -> None:
    world, desk, caller, phone = talking()
    desk.ask("call.consult", {"to": "13900000077"})
    world.run(4.0)
    outside = world.trunk.calls[-1]
    assert talks_to(world, phone.rtp, outside.rtp)
    desk.ask("call.consult_transfer")
    world.run(1.0)
    assert talks_to(world, caller.rtp, outside.rtp)
    caller.hang_up()
    settle(world)


def test_only_a_seat_that_is_ready_and_idle_is_consulted() -> None:
    world, desk, caller, _ = talking(TWO)
    assert seat(world, "8002")["presence"] == "paused"
    assert desk.refusal("call.consult", {"to": "8002"}) == "TARGET_BUSY"
    assert desk.refusal("call.consult", {"to": "queue:senior"}) == "NO_SUCH_TARGET"
    caller.hang_up()
    settle(world)


# Dialling.


def test_dialling_rings_the_own_phone_first_and_then_the_customer() -> None:
    world = staffed(TALKS, ONE)
    world.trunk.manner = Manner(answers_after=2.0)
    view = desk_of(world).ask("call.dial", {"number": "13900000077"})
    assert (view["direction"], view["called"], view["dialled"]) == ("out", "13900000077", True)
    assert seat(world)["activity"] == "ringing"
    world.run(0.5)
    invite = world.phones["8001"].calls[0].invite
    assert (invite.get("answer-mode"), "answer-after=0" in (invite.get("call-info") or "")) == ("Auto", True)
    assert "sip:13900000077@" in invite.get("from")
    assert not world.trunk.calls
    world.run(1.0)
    assert seat(world)["activity"] == "talking"
    (customer,) = world.trunk.calls
    assert "sip:96198@" in customer.invite.get("from")
    world.run(3.0)
    assert talks_to(world, world.phones["8001"].calls[0].rtp, customer.rtp)
    world.run(5.0)
    customer.hang_up()
    settle(world)
    (row,) = world.call_rows
    assert (row.direction, row.seat, row.verdict, row.caller, row.called) == (
        "out",
        "8001",
        "success",
        "96198",
        "13900000077",
    )
    assert seat(world)["presence"] == "ready"  # there is no wrap-up after it


@pytest.mark.parametrize("presence", ["ready", "paused", "wrapup"])
def test_the_former_presence_is_there_again_after_dialling(presence: str) -> None:
    world = staffed(TALKS, ONE)
    if presence == "paused":
        desk_of(world).ask("seat.pause", {"reason": "rest"})
    elif presence == "wrapup":
        world.trunk.dial(Errand(hangs_up_after=5.0))
        world.run(6.0)
    assert seat(world)["presence"] == presence
    desk_of(world).ask("call.dial", {"number": "13900000077", "display": "96199"})
    world.run(5.0)
    customer = world.trunk.calls[-1]
    assert (customer.state, "sip:96199@" in customer.invite.get("from")) == ("talking", True)
    customer.hang_up()
    world.run(1.0)
    assert (seat(world)["presence"], seat(world)["activity"]) == (presence, "idle")
    settle(world)


def test_what_is_dialled_ends_before_anybody_answered() -> None:
    """Cancelled while the own phone rings; not answered there; customer busy; customer rings for ever."""
    world = staffed(RINGS_FOR_EVER, ONE)
    desk = desk_of(world)
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(1.0)
    desk.ask("call.hangup")
    world.run(1.0)
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(29.0)
    assert seat(world)["activity"] == "ringing"
    world.run(2.0)
    assert seat(world)["activity"] == "idle"
    world.phones["8001"].manner = BUSY
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(3.0)
    world.phones["8001"].manner = TALKS
    world.trunk.manner = BUSY
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(5.0)
    world.trunk.manner = RINGS_FOR_EVER
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(50.0)
    desk.ask("call.dial", {"number": "13900000077"})
    world.run(5.0)
    desk.ask("call.hangup")
    settle(world)
    assert [row.verdict for row in world.call_rows] == [
        "agent:cancelled",
        "agent:no_answer",
        "agent:refused",
        "peer:busy",
        "peer:no_answer",
        "agent:cancelled",
    ]
    assert (seat(world)["presence"], seat(world)["activity"]) == ("ready", "idle")


def test_a_seat_dials_another_seat_and_an_extension() -> None:
    world = staffed(TALKS, TWO)
    desk_of(world).ask("call.dial", {"number": "8002"})
    world.run(4.0)
    assert (seat(world)["activity"], seat(world, "8002")["activity"]) == ("talking", "talking")
    assert talks_to(world, world.phones["8001"].calls[0].rtp, world.phones["8002"].calls[0].rtp)
    desk_of(world).ask("call.hangup")
    settle(world)
    assert (world.call_rows[0].direction, world.call_rows[0].caller) == ("internal", "8001")


def test_when_a_seat_may_not_dial() -> None:
    world = staffed(
        TALKS,
        replace(
            TWO,
            more=ROUTE
            + '[[list]]\nname = "never"\ntenant = "demo"\nkind = "black"\nnumbers = ["13911111111"]\n',
        ),
    )
    desk = desk_of(world)
    assert desk.refusal("call.dial", {"number": "13900000077", "display": "110"}) == "BAD_DISPLAY_NUMBER"
    assert desk.refusal("call.dial", {"number": "13911111111"}) == "BLACKLIST"
    assert desk.refusal("call.dial", {"number": "sales"}) == "BAD_NUMBER"
    assert desk.refusal("call.dial", {"number": "96199"}) == "NO_SUCH_TARGET"  # which is a queue's
    assert desk.refusal("call.dial", {"number": "2002"}) == "TARGET_BUSY"
    assert world.admin.refusal("call.dial", {"number": "13900000077"}) == "NOT_LOGGED_IN"
    desk.ask("call.dial", {"number": "13900000077"})
    assert desk.refusal("call.dial", {"number": "13900000078"}) == "BUSY"
    world.run(5.0)
    desk.ask("call.hangup")
    world.run(1.0)
    world.phones["8001"].unregister()
    world.run(1.0)
    assert desk.refusal("call.dial", {"number": "13900000077"}) == "PHONE_NOT_REGISTERED"
    settle(world)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (('number = "8001"', 'number = "8001"\ncall_right = "internal"'), "CALL_RIGHT"),
        (("seat_quota = 0", "seat_quota = 0\nsuspended = true"), "TENANT_SUSPENDED"),
        (("seat_quota = 0", 'seat_quota = 0\ncall_hours = "office"'), "OUT_OF_HOURS"),
    ],
)
def test_rights_tenants_and_hours(change: tuple[str, str], word: str) -> None:
    """Worlds begin on a Thursday at midnight."""
    world = staffed(TALKS, ONE)
    text = world.town.toml().replace(*change)
    text += '\n[[hours]]\nname = "office"\ntenant = "demo"\nweek = ["mon-fri 08:00-18:00"]\n'
    settings = load_settings(text, file="town.toml")
    world.turn(lambda now: world.node.reconfigure(settings, now))
    world.has_reloaded = True
    assert desk_of(world).refusal("call.dial", {"number": "13900000077"}) == word
    if word == "OUT_OF_HOURS":
        world.run(8 * 3600.0)
        desk_of(world).ask("call.dial", {"number": "13900000077"})
        world.run(5.0)
        desk_of(world).ask("call.hangup")
    settle(world)


# A switch that is killed meanwhile.


def test_a_call_held_at_the_desk_talks_again_after_the_switch_was_killed() -> None:
    world, desk, caller, phone = talking()
    desk.ask("call.hold")
    world.run(2.0)
    world.restart_switch()
    world.run(2.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    (call,) = world.admin.ask("call.list")
    assert (call["state"], seat(world)["held"], seat(world)["activity"]) == ("talking", False, "talking")
    caller.hang_up()
    settle(world)
    assert world.call_rows[0].verdict == "success"


@pytest.mark.parametrize("manner", [TALKS, RINGS_FOR_EVER])
def test_a_consultation_ends_when_the_switch_is_killed_and_the_caller_talks_on(manner: Manner) -> None:
    world, _, caller, phone = consulting(manner)
    world.restart_switch()
    world.run(2.0)
    assert talks_to(world, caller.rtp, phone.rtp)
    assert world.phones["8002"].calls[0].has_ended
    assert (seat(world)["activity"], seat(world, "8002")["activity"]) == ("talking", "idle")
    caller.hang_up()
    settle(world)
    assert [row.verdict for row in world.call_rows] == ["us:interrupted", "success"]


def test_what_a_seat_dials_ends_when_the_switch_is_killed_before_anybody_answered() -> None:
    world = staffed(RINGS_FOR_EVER, ONE)
    desk_of(world).ask("call.dial", {"number": "13900000077"})
    world.run(1.0)
    world.restart_switch()
    world.run(2.0)
    assert world.phones["8001"].calls[0].has_ended
    assert (seat(world)["activity"], world.admin.ask("call.list")) == ("idle", [])
    settle(world)


def test_what_a_seat_has_dialled_goes_on_after_the_switch_was_killed() -> None:
    world = staffed(TALKS, ONE)
    desk_of(world).ask("call.dial", {"number": "13900000077"})
    world.run(5.0)
    customer = world.trunk.calls[-1]
    world.restart_switch()
    world.run(2.0)
    assert talks_to(world, world.phones["8001"].calls[0].rtp, customer.rtp)
    assert seat(world)["activity"] == "talking"
    customer.hang_up()
    settle(world)
    assert (world.call_rows[0].seat, world.call_rows[0].verdict) == ("8001", "success")
