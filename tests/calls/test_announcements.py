"""Announcements: early media or answered, then the end; a worker that says nothing ends it all the same."""

from typing import Any

import pytest

from calls.announcements import FAREWELL_MAX
from calls.call import Call
from calls.settings import QueueMedia
from media.messages import Play, Played, encode_reports
from tests.calls.office import TRUNK, Office, call_settings

SOUND = "builtin:welcome"


def office(message_answer: str = "183", **media: Any) -> Office:
    queue = QueueMedia("junior", "demo", message_answer=message_answer, **media)
    return Office(call_settings(queues=(queue,)))


def turned_away(here: Office, cause: str = "closed") -> Call:
    """A caller whom the queue does not take."""
    here.accepts = False
    call = here.dial("96198")
    assert call is not None
    here.board.release(call.id, "refused", cause, here.now, f"message:{SOUND}")
    here.settle()
    return call


def played(here: Office, call: Call, sound: str = SOUND) -> None:
    """The worker has played a sound to its end."""
    assert call.caller_leg is not None
    here.plane.receive_worker(0, encode_reports([Played(call.caller_leg.stream, sound)]), here.now)
    here.settle()


def plays(here: Office) -> list[Play]:
    return [command for command in here.commands if isinstance(command, Play)]


def test_as_early_media_the_caller_is_never_answered() -> None:
    here = office()
    call = turned_away(here)
    assert here.words(TRUNK)[-1] == "183"
    assert here.last("183").message.body
    assert [(it.prompts, it.loop_last) for it in plays(here)] == [((SOUND,), False)]
    here.advance(4.0)
    assert here.verdicts() == []
    played(here, call)
    assert here.words(TRUNK)[-1] == "480"
    assert here.verdicts() == [("switch", "us:closed", 480)]


def test_answered_where_the_queue_says_so_and_hung_up_at_its_end() -> None:
    here = office("200")
    call = turned_away(here, "full")
    assert here.words(TRUNK)[-1] == "200"
    here.caller_says("ACK", here.last("200"), 1)
    played(here, call)
    assert here.words(TRUNK)[-1] == "BYE"
    assert here.verdicts() == [("switch", "us:full", 200)]


@pytest.mark.parametrize(("cause", "status"), [("full", 486), ("barred", 603), ("max_wait", 480)])
def test_the_status_at_the_end_says_why(cause: str, status: int) -> None:
    here = office()
    played(here, turned_away(here, cause))
    assert here.verdicts() == [("switch", f"us:{cause}", status)]


def test_who_waits_hears_it_instead_of_the_music() -> None:
    """Answered already: no second answer; the end of the welcome ends nothing."""
    here = office()
    call = here.dial("96198")
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    here.board.release(call.id, "timed_out", "max_wait", here.now, "message:sorry")
    here.settle()
    assert plays(here)[-1].prompts == ("sorry",)
    played(here, call, "builtin:welcome")
    assert here.verdicts() == []
    played(here, call, "sorry")
    assert here.words(TRUNK)[-1] == "BYE"
    assert here.verdicts() == [("switch", "us:max_wait", 200)]


def test_a_worker_that_never_says_that_it_is_over_keeps_nobody() -> None:
    here = office("200")
    turned_away(here)
    here.caller_says("ACK", here.last("200"), 1)
    here.advance(FAREWELL_MAX - 0.1)
    assert here.verdicts() == []
    here.advance(0.1)
    assert here.verdicts() == [("switch", "us:closed", 200)]


def test_a_caller_who_hangs_up_meanwhile_has_its_own_verdict() -> None:
    here = office("200")
    call = turned_away(here)
    answer = here.last("200")
    here.caller_says("ACK", answer, 1)
    here.caller_says("BYE", answer, 2)
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]
    here.advance(FAREWELL_MAX)
    assert call.farewell is not None
    assert len(here.verdicts()) == 1
