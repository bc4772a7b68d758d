from pathlib import Path
from typing import get_args
from zlib import crc32

import msgspec

from kernel.staterows import JournalRow, StateRow
from seatswitch.shell.store.journal import Journal
from seatswitch.shell.store.records import (
    Follower,
    Position,
    build_record,
    cut_torn_tail,
    journal_path,
)
from tests.kernel.test_staterows import CALL, LEFT, OFFER, VISIT
from tests.seatswitch.shell.stubs import seat_state

START = Position(0, 0)


def states(first: int, count: int) -> list[JournalRow]:
    return [seat_state(str(number)) for number in range(first, first + count)]


def read_all(follower: Follower) -> list[JournalRow]:
    found: list[JournalRow] = []
    while rows := follower.next_rows():
        found += rows
    return found


async def test_torn_tail_is_cut_and_the_whole_records_stay(tmp_path: Path) -> None:
    """Fault list, "kill -9": every prefix of the last record is a possible end."""
    whole, torn = build_record(states(0, 2)), build_record(states(2, 1))
    path = journal_path(tmp_path, 7)
    for length in (1, 4, 8, 11, 12, 13, len(torn) - 1):
        path.write_bytes(whole + torn[:length])
        assert cut_torn_tail(path) == length
        assert path.read_bytes() == whole
    path.write_bytes(whole + torn)
    assert cut_torn_tail(path) == 0
    path.write_bytes(torn[:-1])
    journal = Journal(tmp_path)
    journal.open()
    assert path.read_bytes() == b""
    journal.append(states(5, 1))
    assert await journal.flush()
    assert read_all(Follower(tmp_path, START)) == states(5, 1)
    await journal.close()


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    records = [build_record(states(number, 1)) for number in range(3)]
    broken = bytearray(records[1])
    broken[20] ^= 0xFF
    journal_path(tmp_path, 1).write_bytes(records[0] + bytes(broken) + records[2])
    follower = Follower(tmp_path, START)
    assert read_all(follower) == [*states(0, 1), *states(2, 1)]
    assert follower.bytes_skipped == len(broken)


def test_who_wants_no_state_rows_passes_over_them(tmp_path: Path) -> None:
    rows = [CALL, *states(0, 1), VISIT, OFFER, *states(1, 1), LEFT]
    first = build_record(rows)
    last = build_record([CALL])
    journal_path(tmp_path, 1).write_bytes(first + last)
    follower = Follower(tmp_path, START, with_states=False)
    assert follower.next_rows() == states(0, 2)
    assert follower.position == (1, len(first + last))
    assert follower.bytes_skipped == 0
    assert read_all(Follower(tmp_path, START)) == [*rows, CALL]


def test_no_kind_of_state_row_is_a_row_to_who_wants_none(tmp_path: Path) -> None:
    for number, row_type in enumerate(get_args(StateRow), 1):
        row = [row_type.__struct_config__.tag, "a", 1, None, ["b"]]
        payload = msgspec.msgpack.encode([row])
        head = b"SWJ1" + len(payload).to_bytes(4, "big") + crc32(payload).to_bytes(4, "big")
        journal_path(tmp_path, number).write_bytes(head + payload)
    follower = Follower(tmp_path, START, with_states=False)
    assert read_all(follower) == []
    assert follower.position.file == len(get_args(StateRow)) > 4
    assert follower.bytes_skipped == 0


def test_follower_waits_for_the_rest_of_a_record_that_is_being_written(tmp_path: Path) -> None:
    path, record = journal_path(tmp_path, 1), build_record(states(0, 4))
    path.write_bytes(record[:30])
    follower = Follower(tmp_path, START)
    assert follower.next_rows() == []
    path.write_bytes(record)
    assert follower.next_rows() == states(0, 4)
    assert follower.position == (1, len(record))
    assert follower.bytes_skipped == 0


def test_damage_is_put_aside_and_named(tmp_path: Path) -> None:
    records = [build_record(states(number, 1)) for number in range(3)]
    broken = bytearray(records[1])
    broken[20] ^= 0xFF
    journal_path(tmp_path, 1).write_bytes(records[0] + bytes(broken) + records[2])
    follower = Follower(tmp_path, START, puts_aside=True)
    assert read_all(follower) == [*states(0, 1), *states(2, 1)]
    kept = tmp_path / f"0000000001-{len(records[0])}.damaged"
    assert kept.read_bytes() == bytes(broken)


def test_damage_at_the_end_of_an_older_file_is_put_aside(tmp_path: Path) -> None:
    torn = build_record(states(1, 1))[:-3]
    journal_path(tmp_path, 1).write_bytes(build_record(states(0, 1)) + torn)
    journal_path(tmp_path, 2).write_bytes(build_record(states(2, 1)))
    follower = Follower(tmp_path, START, puts_aside=True)
    assert read_all(follower) == [*states(0, 1), *states(2, 1)]
    assert [path.read_bytes() for path in tmp_path.glob("*.damaged")] == [torn]


def test_bytes_that_are_no_text_cost_no_row(tmp_path: Path) -> None:
    """Swarm seed 31139: a damaged display name is in a dialog that is kept, and the journal could not write
    it.
    """
    row = msgspec.structs.replace(seat_state("8001"), agent="\udcecLi", reason="休息")
    journal_path(tmp_path, 1).write_bytes(build_record([row, seat_state("8002")]))
    (read, other) = read_all(Follower(tmp_path, START))
    assert (read.agent, read.reason, other.seat) == ("?Li", "休息", "8002")
