"""Pieces of audio: what is asked for, what is there, and who begins to listen."""

from typing import Any

import pytest

from kernel.errors import OperationRefused
from kernel.outbox import Outbox
from seatswitch.api.audio import Found, Wanted, begins, no_piece, read_piece
from seatswitch.api.scope import Scope
from seatswitch.api.sessions import Connection, Sessions
from seatswitch.api.subscriptions import Subscriptions
from tests.seatswitch.api.stub import Office


def scope_of(office: Office) -> Scope:
    """Return what a method of an operator's connection sees."""
    sessions = Sessions(office.node, Outbox())
    subscriptions = Subscriptions(office.node, office.api.replies)
    return Scope(office.node, Connection(1, "admin"), sessions, subscriptions, office.now)


def test_a_piece_says_where_it_is_and_how_much_there_is() -> None:
    """The shell is asked for it, and what it finds becomes the answer, then and not before."""
    scope, answered = scope_of(Office()), list[Any]()

    def answer(piece: dict[str, Any]) -> dict[str, Any]:
        answered.append(scope.now)
        return {"file": "a", **piece}

    later = read_piece(scope, Wanted("a.wav", 4, 3), answer)
    assert (later.wants, answered) == (("a.wav", 4, 3), [])
    assert later.finish(Found(b"WAV", 8), 250.0) == {"file": "a", "size": 8, "offset": 4, "audio": "V0FW"}
    assert answered == [250.0]
    at_the_end = read_piece(scope, Wanted("a.wav", 8, 3), answer).finish(Found(b"", 8), 250.0)
    assert (at_the_end["size"], at_the_end["audio"]) == (8, "")
    assert no_piece(4) == {"size": None, "offset": 4, "audio": None}


@pytest.mark.parametrize("word", ["NO_AUDIO", "AUDIO_LATE"])
def test_without_a_file_or_a_disk_that_answers_there_is_no_audio(word: str) -> None:
    def answer(piece: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("nobody listens")

    later = read_piece(scope_of(Office()), Wanted("a.wav", 0, 1), answer)
    with pytest.raises(OperationRefused, match="cannot be read") as caught:
        later.finish(Found(why=word), 250.0)
    assert caught.value.word == word


def test_who_goes_on_with_a_file_does_not_begin_again() -> None:
    scope = scope_of(Office())
    asked = [("a", 0), ("a", 9), ("b", 9), ("b", 18), ("a", 18), ("a", 0)]
    assert [begins(scope, file, at) for file, at in asked] == [True, False, True, False, True, True]
