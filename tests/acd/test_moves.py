import sys
from typing import Any

import msgspec
import pytest

from acd.events import SeatMoveEnded
from acd.inputs import Reconfigured, SeatMoved, SeatMoveRestored
from acd.moves import FILE_CHANGED, SEAT_GONE, TARGET_GONE, Moves
from acd.settings import AcdSettings
from kernel.ids import SeatId
from kernel.rows import SeatMoveRow

S = SeatId("8001")


def moved(kit: Any) -> Any:
    """Return a floor whose seat 8001 a leader has moved to another queue, level and skill."""
    queues = (kit.queue(), kit.queue("second"), kit.queue("senior", 2))
    floor = kit.floor(queues, (kit.seat("8001"), kit.seat("8002")))
    floor.do(SeatMoved(S, ("senior",), "senior", (("billing", 5),), "8901"))
    return floor


def rows(floor: Any) -> list[SeatMoveRow]:
    return [row for row in floor.rows if isinstance(row, SeatMoveRow)]


def place(floor: Any) -> tuple[Any, ...]:
    shown = floor.engine.seat_object(S, floor.now)
    return shown["queues"], shown["level"], shown["skills"], shown["moved"]


MOVED = (["senior"], "senior", {"billing": 5}, True)
AS_WRITTEN = (["junior"], "junior", {}, False)


def reload(floor: Any, settings: AcdSettings) -> list[str]:
    """Take new settings; return why moves have ended with them."""
    floor.events.clear()
    floor.do(Reconfigured(settings))
    return [event.why for event in floor.events if isinstance(event, SeatMoveEnded)]


def without(settings: AcdSettings, queue: str) -> AcdSettings:
    kept = tuple(it for it in settings.queues if it.name != queue)
    return msgspec.structs.replace(settings, queues=kept)


def with_seat(settings: AcdSettings, **more: Any) -> AcdSettings:
    first, *others = settings.seats
    return msgspec.structs.replace(settings, seats=(msgspec.structs.replace(first, **more), *others))


def test_a_move_leaves_a_row_that_says_where_from_and_by_whom(kit: Any) -> None:
    floor = moved(kit)
    floor.do(SeatMoved(S, level="senior", by="8902"))  # nothing else
    last = rows(floor)[-1]
    assert (last.seat, last.queues, last.level, last.skills) == (
        "8001",
        '["senior"]',
        "senior",
        '{"billing":5}',
    )
    assert (last.moved_from, last.moved_by) == ('[["junior"],"junior",{}]', "8902")
    assert not last.is_removed
    assert place(floor) == MOVED


def test_a_move_outlives_a_reload(kit: Any) -> None:
    floor = moved(kit)
    assert reload(floor, floor.engine.settings) == []
    assert place(floor) == MOVED
    assert reload(floor, with_seat(floor.engine.settings, wrap_up=7.0)) == []  # no matter of a move
    assert place(floor) == MOVED
    assert floor.seat("8001").wrap_up == 7.0
    floor.sign_in("8001")
    floor.join("a", "senior")
    assert floor.ringing() == {"a": "8001"}


def test_levels_in_another_order_are_found_by_name(kit: Any) -> None:
    floor = moved(kit)
    settings = floor.engine.settings
    turned = msgspec.structs.replace(settings, levels=settings.levels[::-1])
    turned = with_seat(turned, level=2)
    assert reload(floor, turned) == []
    assert (floor.seat("8001").level, place(floor)) == (0, MOVED)


@pytest.mark.parametrize(
    "change",
    [{"queues": ("second",)}, {"level": 1}, {"skills": (("billing", 5),)}],
    ids=lambda it: next(iter(it)),
)
def test_what_the_file_says_anew_of_the_seat_ends_the_move(kit: Any, change: dict[str, Any]) -> None:
    floor = moved(kit)
    assert reload(floor, with_seat(floor.engine.settings, **change)) == [FILE_CHANGED]
    queues, level, skills, is_moved = place(floor)
    assert is_moved is False
    assert rows(floor)[-1].is_removed
    wanted = {"queues": ("junior",), "level": 0, "skills": ()} | change
    assert (tuple(queues), tuple(skills.items())) == (wanted["queues"], wanted["skills"])
    assert level == floor.engine.level_name(wanted["level"])


def test_a_move_to_a_queue_that_is_gone_ends(kit: Any) -> None:
    floor = moved(kit)
    assert reload(floor, without(floor.engine.settings, "second")) == []
    assert reload(floor, without(floor.engine.settings, "senior")) == [TARGET_GONE]
    assert place(floor) == AS_WRITTEN
    assert rows(floor)[-1].is_removed


def test_a_move_of_a_seat_that_is_gone_ends(kit: Any) -> None:
    floor = moved(kit)
    settings = floor.engine.settings
    gone = msgspec.structs.replace(settings, seats=settings.seats[1:])
    assert reload(floor, gone) == [SEAT_GONE]
    assert rows(floor)[-1].is_removed
    assert reload(floor, settings) == []
    assert place(floor) == AS_WRITTEN


def test_moved_back_by_hand_or_by_reset_no_move_is_left(kit: Any) -> None:
    for back in (SeatMoved(S, ("junior",), "junior", (), "8901"), SeatMoved(S, resets=True, by="8901")):
        floor = moved(kit)
        floor.do(back)
        assert place(floor) == AS_WRITTEN
        assert (rows(floor)[-1].is_removed, rows(floor)[-1].moved_by) == (True, "8901")
        count = len(rows(floor))
        floor.do(SeatMoved(S, resets=True))  # nothing to do
        assert len(rows(floor)) == count


def test_a_second_move_remembers_what_the_file_says(kit: Any) -> None:
    floor = moved(kit)
    floor.do(SeatMoved(S, ("junior", "second"), "junior"))
    assert rows(floor)[-1].moved_from == '[["junior"],"junior",{}]'
    floor.do(SeatMoved(S, resets=True))
    assert place(floor) == AS_WRITTEN


def test_a_move_is_taken_back_at_the_next_start(kit: Any) -> None:
    floor = moved(kit)
    (row,) = rows(floor)
    other = kit.floor(floor.engine.settings.queues, floor.engine.settings.seats)
    other.do(SeatMoveRestored(row))
    assert place(other) == MOVED
    assert rows(other) == []
    other.do(SeatMoved(S, resets=True))
    assert place(other) == AS_WRITTEN


def test_a_file_that_was_changed_while_the_switch_was_down_ends_the_move(kit: Any) -> None:
    floor = moved(kit)
    (row,) = rows(floor)
    settings = floor.engine.settings
    elsewhere = (kit.seat("8001", queues=("second",)), kit.seat("8002"))
    for queues, seats, why in (
        (settings.queues, elsewhere, FILE_CHANGED),
        (settings.queues[:2], settings.seats, TARGET_GONE),
        (settings.queues, settings.seats[1:], SEAT_GONE),
    ):
        other = kit.floor(queues, seats)
        other.do(SeatMoveRestored(row))
        assert [it.why for it in other.events if isinstance(it, SeatMoveEnded)] == [why]
        (last,) = rows(other)
        assert last.is_removed
        other.do(SeatMoveRestored(last))
        assert other.engine.check() is None


def test_a_move_costs_the_same_however_many_seats_and_calls_there_are(kit: Any) -> None:
    """Counted, not timed: what one move executes among 40 seats and callers and among 400."""
    assert lines_of_a_move(kit, 400) == lines_of_a_move(kit, 40)


def lines_of_a_move(kit: Any, count: int) -> int:
    """Return the lines of Python that a move among ``count`` seats and as many waiting callers executes."""
    seats = tuple(kit.seat(str(9000 + number)) for number in range(count))
    floor = kit.floor((kit.queue(), kit.queue("second")), seats)
    floor.sign_in(*(each.number for each in seats[:10]))
    for each in seats[:10]:
        floor.pause(each.number)
    for number in range(count):
        floor.join(f"c{number}")
    lines = 0

    def count_line(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count_line

    what = SeatMoved(SeatId("9005"), ("second",))
    before = sys.gettrace()
    sys.settrace(count_line)
    try:
        floor.engine.handle(what, floor.now)
    finally:
        sys.settrace(before)
    floor.do(SeatMoved(SeatId("9005"), resets=True))
    return lines


def test_no_move_is_known_of_a_seat_that_was_not_moved(kit: Any) -> None:
    floor = moved(kit)
    moves = Moves(floor.engine._board)
    assert (len(moves), moves.is_moved(S), moves.as_written(S)) == (0, False, None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"queues": '["junior"]'}, "not where its row says"),
        ({"level": "junior"}, "not where its row says"),
        ({"skills": "{}"}, "not where its row says"),
        ({"moved_from": "[]"}, "moved from somewhere else"),
        ({"is_removed": True}, "has ended and lives"),
        ({"seat": "8002"}, "by the row of 8002"),
    ],
)
def test_a_move_that_is_not_as_its_row_says_is_found(kit: Any, change: dict[str, Any], why: str) -> None:
    floor = moved(kit)
    moves = floor.engine._changes.moves
    floor.engine.check()
    moves._rows[S] = msgspec.structs.replace(moves._rows[S], **change)
    with pytest.raises(AssertionError, match=why):
        moves.check()


def test_a_move_from_where_nobody_knows_or_of_nobody_is_found(kit: Any) -> None:
    floor = moved(kit)
    moves = floor.engine._changes.moves
    written = moves._written.pop(S)
    with pytest.raises(AssertionError, match="is not known"):
        moves.check()
    moves._written[S] = floor.engine.seats[S].settings
    with pytest.raises(AssertionError, match="moved from somewhere else"):
        moves.check()
    moves._written[S] = written
    moves._tenants.clear()
    with pytest.raises(AssertionError, match="serves what is gone"):
        moves.check()
    moves._rows, moves._written = {SeatId("8099"): moves._rows[S]}, {SeatId("8099"): written}
    with pytest.raises(AssertionError, match="is gone and still moved"):
        moves.check()
