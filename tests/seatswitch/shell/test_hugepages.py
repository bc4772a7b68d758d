import mmap
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seatswitch.shell.hugepages import HUGE, PAGE, is_full, use_huge_pages, whole_places

MAPS = """\
00400000-0041f000 r--p 00000000 fe:00 4321                               /usr/bin/python3.11
00946000-00c00000 rw-p 00546000 fe:00 4321                               /usr/bin/python3.11
19bba000-1a2c0000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000200000 rw-p 00000000 00:00 0
7f0000300000-7f00004fffff rw-p 00000000 00:00 0
7f0000600000-7f0000a00000 ---p 00000000 00:00 0
7f0000c00000-7f0001000000 rw-s 00000000 00:01 77                         /dev/zero (deleted)
7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0                          [stack]
"""
HOLD = f"""
import mmap
from pathlib import Path
from seatswitch.shell.hugepages import use_huge_pages
held = mmap.mmap(-1, 4 * {HUGE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
held[:] = bytes(range(256)) * ({4 * HUGE} // 256)
print(use_huge_pages())
print(Path("/proc/self/smaps_rollup").read_text())
assert held[:] == bytes(range(256)) * ({4 * HUGE} // 256)
"""


def entries(present: int) -> bytes:
    page, gone = b"\0" * 7 + b"\x81", b"\0" * 8
    return page * present + gone * (HUGE // PAGE - present)


def test_places_are_whole_and_of_the_heap_or_nameless_writable_memory() -> None:
    heap = [0x19C00000, 0x19E00000, 0x1A000000]
    assert whole_places(MAPS) == [*heap, 0x7F0000000000]


def test_a_place_is_full_from_three_quarters_of_its_pages() -> None:
    assert is_full(entries(384))
    assert not is_full(entries(383))
    assert not is_full(b""), "a place that has gone meanwhile"


def test_the_operator_of_the_system_may_want_none(tmp_path: Path) -> None:
    held = mmap.mmap(-1, 2 * HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held[:] = b"x" * (2 * HUGE)
    setting = tmp_path / "enabled"
    setting.write_text("always madvise [never]\n")
    assert use_huge_pages(setting) == 0


def test_a_system_without_huge_pages_is_no_error(tmp_path: Path) -> None:
    assert use_huge_pages(tmp_path / "absent") == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_what_is_counted_is_there_and_memory_keeps_what_it_holds() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HOLD], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    count = int(ran.stdout.split()[0])
    found = re.search(r"AnonHugePages: +(\d+) kB", ran.stdout)
    assert found is not None
    assert count * HUGE <= int(found[1]) * 1024
