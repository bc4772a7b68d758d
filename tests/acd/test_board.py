"""What the parts share: numbers of visits, names of levels, tenants without settings."""

from random import Random

from acd.board import VISITS_REMEMBERED, Board
from acd.settings import AcdSettings, LevelSettings
from kernel.chance import Chance
from kernel.ids import CallId, QueueName
from kernel.timers import TimerQueue
from kernel.walltime import WallTime


def board() -> Board:
    settings = AcdSettings((LevelSettings("junior"),), (), (), ())
    it = Board(settings, TimerQueue(), Chance(Random(1).randbytes), WallTime())
    it.settings = settings
    return it


def test_visits_are_counted_on_for_many_calls_and_forgotten_in_the_end() -> None:
    it = board()
    assert it.next_visit(CallId("old")) == ("old.1", 1)
    for number in range(VISITS_REMEMBERED - 1):
        it.next_visit(CallId(f"c{number}"))
    assert it.next_visit(CallId("old")) == ("old.2", 2)
    for number in range(3 * VISITS_REMEMBERED):
        it.next_visit(CallId(f"d{number}"))
    assert len(it._visits) + len(it._visits_before) <= 2 * VISITS_REMEMBERED


def test_names() -> None:
    it = board()
    assert (it.level_name(0), it.level_name(7)) == ("junior", "7")
    assert it.tenant("nobody").seat_quota == 0
    assert it.seats_of(QueueName("nowhere")) == []


def test_sequence_rises() -> None:
    it = board()
    assert [it.next_sequence(), it.next_sequence()] == [1, 2]
