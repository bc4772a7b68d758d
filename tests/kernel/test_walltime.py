"""Wall time: an offset, milliseconds, RFC 3339."""

from kernel.walltime import WallTime, epoch_text


def test_moments_become_wall_time_and_back() -> None:
    wall = WallTime(1_772_000_000.0)
    assert wall.epoch(12.3456) == 1_772_000_012.346
    assert wall.monotonic(wall.epoch(12.0)) == 12.0
    assert epoch_text(0.0004) == "1970-01-01T00:00:00.000Z"
    assert wall.text(0.5) == "2026-02-25T06:13:20.500Z"


def test_a_clock_that_was_set_moves_later_moments_only_by_the_offset() -> None:
    wall = WallTime(100.0)
    assert [wall.epoch(at) for at in (0.0, 1.0, 1.0, 2.0, 1.0)] == [100.0, 101.0, 101.0, 102.0, 101.0]
    wall.set_offset(3700.0)
    assert wall.epoch(1.0) == 3701.0
    assert wall.epoch(0.0) == 3700.0
