"""Pieces of audio: what is asked for, what is there, and who begins to listen."""

import pytest

from kernel.errors import OperationRefused
from kernel.outbox import Outbox
from seatswitch.api.audio import begins, no_piece, read_piece
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
    scope = scope_of(Office())
    scope.read_file = lambda file, offset, length: (b"RIFFWAVE"[offset : offset + length], 8)
    assert read_piece(scope, "a.wav", 4, 3) == {"size": 8, "offset": 4, "audio": "V0FW"}
    assert read_piece(scope, "a.wav", 8, 3) == {"size": 8, "offset": 8, "audio": ""}
    assert no_piece(4) == {"size": None, "offset": 4, "audio": None}


def test_without_a_folder_or_a_file_there_is_no_audio() -> None:
    scope = scope_of(Office())
    for read_file in (None, lambda file, offset, length: None):
        scope.read_file = read_file
        with pytest.raises(OperationRefused, match="cannot be read") as caught:
            read_piece(scope, "a.wav", 0, 1)
        assert caught.value.word == "NO_AUDIO"


def test_who_goes_on_with_a_file_does_not_begin_again() -> None:
    scope = scope_of(Office())
    asked = [("a", 0), ("a", 9), ("b", 9), ("b", 18), ("a", 18), ("a", 0)]
    assert [begins(scope, file, at) for file, at in asked] == [True, False, True, False, True, True]
