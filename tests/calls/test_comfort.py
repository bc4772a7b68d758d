"""What waiting callers hear between the music: when it begins, what cuts it, what it never holds up."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from calls.call import Call, CallState
from calls.settings import QueueMedia
from kernel.announce import Announce
from kernel.chance import Chance
from kernel.ids import OfferId, QueueName
from media.messages import Play, Played, encode_reports
from tests.calls.office import Office, call_settings, sdp

MUSIC, WELCOME = "builtin:music", "builtin:welcome"
SOUNDS = ("one", "two", "three")


def office(every: float = 30.0, after: float = 15.0, sounds: Sequence[str] = SOUNDS, **media: Any) -> Office:
    announce = Announce(every, after, tuple(sounds), media.pop("order", "in-turn"))
    queue = QueueMedia("junior", "demo", announce=announce, **media)
    other = QueueMedia("senior", "demo", music="other", announce=Announce(60.0, 20.0, ("four",)))
    return Office(call_settings(queues=(queue, other)))


def caller(here: Office) -> Call:
    """Somebody who waits and has heard the welcome."""
    call = here.dial("96198")
    assert call is not None
    here.caller_says("ACK", here.last("200"), 1)
    heard(here, call, WELCOME)
    return call


def heard(here: Office, call: Call, *sounds: str) -> None:
    """The worker has played these sounds to their ends."""
    assert call.caller_leg is not None
    for sound in sounds:
        here.plane.receive_worker(0, encode_reports([Played(call.caller_leg.stream, sound)]), here.now)
        here.settle()


def plays(here: Office) -> list[tuple[str, ...]]:
    return [command.prompts for command in here.commands if isinstance(command, Play)]


def test_announcements_are_said_in_turn_and_the_time_counts_from_the_end_of_one() -> None:
    here = office()
    call = caller(here)
    here.advance(14.9)
    assert plays(here) == [(WELCOME, MUSIC)]
    here.advance(0.1)
    assert plays(here)[1:] == [("one", MUSIC)]
    here.advance(60.0)  # a long one: none follows before it is over
    assert len(plays(here)) == 2
    heard(here, call, "one")
    here.advance(29.9)
    assert len(plays(here)) == 2
    here.advance(0.1)
    for sound in ("two", "three", "one"):
        assert plays(here)[-1] == (sound, MUSIC)
        heard(here, call, sound)
        here.advance(30.0)
    assert call.state is CallState.WAITING


def test_without_music_it_is_silent_again_after_each() -> None:
    here = office(music="", welcome="")
    call = caller(here)
    here.advance(15.0)
    assert plays(here) == [("one",)]
    assert [it.loop_last for it in here.commands if isinstance(it, Play)] == [False]
    heard(here, call, "one")
    here.advance(30.0)
    assert plays(here)[-1] == ("two",)


def test_at_random_each_is_drawn_for_itself() -> None:
    here = office(order="random")
    here.board.comfort._chance = Chance(Random(1).randbytes)
    call = caller(here)
    said = []
    for _ in range(20):
        here.advance(30.0)
        said.append(plays(here)[-1][0])
        heard(here, call, said[-1])
    assert {*said} == {*SOUNDS}
    assert any(one == other for one, other in pairwise(said)), "they are in turn"


def test_a_welcome_that_is_longer_is_not_cut_by_the_first() -> None:
    here = office()
    call = here.dial("96198")
    assert call is not None
    here.advance(20.0)
    assert plays(here) == [(WELCOME, MUSIC)]
    heard(here, call, WELCOME)
    assert plays(here)[-1] == ("one", MUSIC)


def test_none_begins_while_a_seat_rings_and_what_was_due_is_said_when_nobody_does() -> None:
    """ASTERISK-27216."""
    here = office()
    here.register("8001")
    call = caller(here)
    here.advance(14.0)
    here.ring(call)
    here.advance(20.0)
    assert plays(here) == [(WELCOME, MUSIC)]
    here.board.rings.withdraw(OfferId("o1"), "no_answer", here.now)
    here.settle()
    assert plays(here) == [(WELCOME, MUSIC)]  # the next seat may ring at once
    here.advance(1.0)
    assert plays(here)[-1] == ("one", MUSIC)


def test_a_refusal_lets_it_begin_too_and_the_next_ring_holds_it_back_again() -> None:
    here = office()
    here.register("8001")
    call = caller(here)
    invite = here.ring(call)
    here.advance(16.0)
    here.answer(invite, 486)
    here.ring(call, offer="o2")
    here.advance(5.0)
    assert plays(here) == [(WELCOME, MUSIC)]


def test_who_answers_cuts_it_and_nothing_is_said_after_that() -> None:
    here = office()
    here.register("8001")
    call = caller(here)
    here.advance(15.0)
    invite = here.ring(call)
    here.answer(invite, 200, sdp(5000, host="192.0.2.7"))
    assert call.state is CallState.TALKING
    assert type(here.commands[-1]).__name__ == "Connect"  # in the same turn; what is played stops with it
    before = len(plays(here))
    heard(here, call, "one")
    here.advance(120.0)
    assert len(plays(here)) == before
    assert not here.board.comfort.told


def test_a_caller_who_hangs_up_in_the_middle_leaves_nothing() -> None:
    here = office()
    call = here.dial("96198")
    assert call is not None
    answer = here.last("200")
    here.caller_says("ACK", answer, 1)
    heard(here, call, WELCOME)
    here.advance(15.0)
    here.caller_says("BYE", answer, 2)
    here.advance(400.0)
    assert here.is_quiet()
    assert here.verdicts() == [("caller", "caller:abandoned", 200)]


def test_in_another_queue_music_and_announcements_are_that_one_s() -> None:
    here = office()
    call = caller(here)
    here.advance(15.0)
    here.board.comfort.change_queue(call.id, QueueName("senior"), here.now)
    here.settle()
    assert plays(here)[-1] == ("other",)
    here.advance(19.9)
    assert plays(here)[-1] == ("other",)
    here.advance(0.1)
    assert plays(here)[-1] == ("four", "other")


def test_the_same_music_of_another_queue_goes_on_and_begins_anew_only_where_something_was_said() -> None:
    announce = Announce(30.0, 15.0, ("one",), "in-turn")
    same = tuple(QueueMedia(name, "demo", announce=announce) for name in ("junior", "senior"))
    here = Office(call_settings(queues=same))
    call = caller(here)
    assert plays(here) == [(WELCOME, MUSIC)]
    here.board.comfort.change_queue(call.id, QueueName("senior"), here.now)
    here.settle()
    assert plays(here) == [(WELCOME, MUSIC)]
    here.advance(15.0)
    assert plays(here)[-1] == ("one", MUSIC)
    here.board.comfort.change_queue(call.id, QueueName("junior"), here.now)
    here.settle()
    assert plays(here)[-1] == (MUSIC,)


def test_a_caller_who_is_sent_on_at_the_door_hears_the_other_queue_only() -> None:
    here = office()
    here.accepts = False
    call = here.dial("96198")
    assert call is not None
    here.board.accept_queued(call.id, here.now, QueueName("senior"))
    here.settle()
    assert plays(here) == [(WELCOME, "other")]
    assert call.queue == "senior"


@pytest.mark.parametrize("said", [(), ("one",)])
def test_a_reload_that_takes_them_away_ends_them(said: tuple[str, ...]) -> None:
    here = office()
    call = caller(here)
    if said:
        here.advance(15.0)
    here.board.reconfigure(call_settings(queues=(QueueMedia("junior", "demo"),)))
    heard(here, call, *said)
    here.advance(100.0)
    assert len(plays(here)) == 1 + len(said)
    assert not here.board.comfort.told


def saying(here: Office) -> str:
    """Return what is said now, without the language and the music."""
    return " ".join(sound.rpartition("/")[2] for sound in plays(here)[-1] if sound != MUSIC)


def telling(language: str = "en", **announce: Any) -> Office:
    said = Announce(every=30.0, after=5.0, **announce)
    return Office(call_settings(queues=(QueueMedia("junior", "demo", announce=said, language=language),)))


def next_said(here: Office, call: Call) -> str:
    """Let what is said end and the next begin."""
    heard(here, call, *plays(here)[-1][:-1])
    here.advance(30.0)
    return saying(here)


def test_the_place_is_said_also_to_the_first_and_comes_before_the_sounds() -> None:
    here = telling(position="always", sounds=SOUNDS)
    here.book.place = 12
    call = caller(here)
    here.advance(5.0)
    assert plays(here)[-1][0] == "voice:en/you-are-number"
    assert saying(here) == "you-are-number 12 in-line one"
    here.book.place = 1
    assert next_said(here, call) == "you-are-number 1 in-line two"
    assert next_said(here, call) == "you-are-number 1 in-line three"


@pytest.mark.parametrize(
    ("position", "said"), [("up-to", ""), ("more-than", "at-least 3 callers-before-you")]
)
def test_beyond_the_limit_nothing_or_how_many_at_least(position: str, said: str) -> None:
    here = telling(position=position, position_limit=3)
    here.book.place = 9
    call = caller(here)
    here.advance(5.0)
    assert saying(here) == (said or WELCOME)
    here.book.place = 3
    heard(here, call, *(plays(here)[-1][:-1] if said else ()))
    here.advance(30.0)
    assert saying(here) == "you-are-number 3 in-line"


def test_only_a_place_that_has_improved_is_said_again() -> None:
    here = telling(position="more-than", position_limit=3, only_improved=True, sounds=("one",))
    said = []
    here.book.place = 8
    call = caller(here)
    here.advance(5.0)
    for place in (7, 3, 4, 3, 2):
        said.append(saying(here))
        here.book.place = place
        next_said(here, call)
    assert said == ["at-least 3 callers-before-you one", "one", "you-are-number 3 in-line one", "one", "one"]
    assert saying(here) == "you-are-number 2 in-line one"


def test_a_wait_is_said_when_it_is_known_and_once_where_that_is_wanted() -> None:
    """An unknown one is not said, and the next announcement comes all the same."""
    here = telling("zh", wait="once")
    call = caller(here)
    here.advance(5.0)
    assert plays(here) == [(WELCOME, MUSIC)]
    here.book.likely = (70.0, 130.0)
    here.advance(30.0)
    assert plays(here)[-1] == (
        *(f"voice:zh/{name}" for name in ("wait-is", "1", "and", "3", "minutes")),
        MUSIC,
    )
    said = len(plays(here))
    next_said(here, call)
    here.advance(100.0)
    assert len(plays(here)) == said


def test_place_and_wait_are_said_in_one_breath() -> None:
    here = telling(position="always", wait="always")
    here.book.place, here.book.likely = 2, (0.0, 50.0)
    caller(here)
    here.advance(5.0)
    assert saying(here) == "you-are-number 2 in-line wait-is less-than 1 minute"


def test_who_stands_nowhere_is_told_nothing() -> None:
    here = telling(position="always")
    here.book.place = None
    caller(here)
    here.advance(5.0)
    assert plays(here) == [(WELCOME, MUSIC)]
