"""Plays: the reports of what is played count for that alone."""

from media.events import PromptEnded
from media.messages import Play, Played
from tests.media.test_plane import ALICE, BOB, A, B, Desk


def test_the_end_of_a_sound_that_was_replaced_is_nobody_s_news() -> None:
    """The welcome ended while the farewell was on its way to the worker."""
    desk = Desk()
    desk.plane.open(A, desk.now)
    desk.plane.set_remote(A, ALICE, desk.now)
    desk.plane.play(A, ("welcome", "music"), desk.now)
    desk.plane.play(A, ("sorry",), desk.now, loop_last=False)
    desk.report(Played(A, "welcome"))
    assert [it for it in desk.plane.events.take() if isinstance(it, PromptEnded)] == []
    desk.report(Played(A, "sorry"))
    (ended,) = [it for it in desk.plane.events.take() if isinstance(it, PromptEnded)]
    assert ended == PromptEnded(A, "sorry", 2)


def test_the_end_of_a_sound_that_is_played_again_is_no_end_of_the_second_time() -> None:
    """A menu is repeated: the report of the first time comes when the second has been asked for."""
    desk = Desk()
    desk.plane.open(A, desk.now)
    desk.plane.set_remote(A, ALICE, desk.now)
    desk.plane.play(A, ("choose",), desk.now, loop_last=False)
    desk.plane.stop(A, desk.now)
    desk.plane.play(A, ("choose",), desk.now, loop_last=False)
    *_, second = [command for command in desk.told() if isinstance(command, Play)]
    desk.report(Played(A, "choose", 1))
    assert desk.events() == []
    desk.report(Played(A, "choose", second.number))
    assert desk.events() == [PromptEnded(A, "choose", second.number)]


def test_what_is_told_already_is_no_news_when_something_else_is_played() -> None:
    """Key and end of the sound come in one message, and the key has led to the next sound."""
    desk = Desk()
    for stream, remote in ((A, ALICE), (B, BOB)):
        desk.plane.open(stream, desk.now)
        desk.plane.set_remote(stream, remote, desk.now)
    desk.plane.play(A, ("choose",), desk.now, loop_last=False)
    desk.report(Played(A, "choose", 1))
    (ended,) = [it for it in desk.events() if isinstance(it, PromptEnded)]
    assert desk.plane.is_news(ended)
    desk.plane.connect(A, B, desk.now)
    assert not desk.plane.is_news(ended)
    desk.plane.close(A, desk.now)
    assert not desk.plane.is_news(ended)
