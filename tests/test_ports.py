"""Runs that use ports at the same time: nobody is given what another has."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.ports import LENGTH, STRETCHES, Claim, Stretch, is_free, own, switch_ports

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def stretch() -> Iterator[Stretch]:
    """Return a stretch beside that of this process."""
    with Claim() as claim:
        yield Stretch(claim)


def first_of_another_process() -> int:
    """Return where the stretch of a process begins that has ended since."""
    asks = [sys.executable, "-c", "from tests.ports import own; print(own().first)"]
    return int(subprocess.run(asks, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def test_a_stretch_belongs_to_one_process_and_is_free_when_it_has_ended() -> None:
    mine = own().first
    others = {first_of_another_process() for _ in range(2)}
    assert mine not in others
    assert own().first == mine


def test_stretches_in_a_row_are_given_back_when_they_are_closed() -> None:
    with Claim(2) as claim, Claim() as other:
        begin = claim.first
        assert other.first not in (begin, begin + LENGTH)
    with Claim(2) as claim:
        assert claim.first >= begin


def test_more_than_there_is_is_refused_and_nothing_of_it_kept() -> None:
    own()  # so that not all can be had
    with pytest.raises(AssertionError, match="other runs have all but"):
        Claim(STRETCHES)
    with Claim():
        pass


def test_each_port_comes_again_only_after_all_others(stretch: Stretch) -> None:
    given = [stretch.one() for _ in range(50)]
    assert len(set(given)) == 50
    assert not any(port + 1 in given for port in given)
    rows = [stretch.row(99) for _ in range(5)]
    assert all(first % 2 == 0 for first in rows)
    assert all(second - first >= 99 for first, second in pairwise(rows))
    assert stretch.row(99) == rows[0]


def test_a_switchs_media_ports_are_known_by_their_digits() -> None:
    """called.xml and caller_moves.xml tell them by these from the ports of phones."""
    first, last = switch_ports()
    assert 10_000 <= first < 40_000
    assert (first % 1_000, last % 1_000, last - first) == (0, 298, 298)
    assert own().row(2) % 1_000 >= 300


def test_what_is_taken_is_passed_over(stretch: Stretch) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as single,
    ):
        single.bind(("127.0.0.1", stretch.one() + 2))
        single.listen()
        media.bind(("127.0.0.1", stretch.row(2) + 4))
        assert stretch.one() == single.getsockname()[1] + 2
        assert stretch.row(4) == media.getsockname()[1] + 2
        assert not is_free(single.getsockname()[1], socket.SOCK_STREAM)
