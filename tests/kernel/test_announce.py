"""Announcements as settings: without a word nothing is said."""

from kernel.announce import Announce


def test_without_a_word_nothing_is_announced() -> None:
    assert (Announce().every, Announce().sounds) == (0.0, ())
