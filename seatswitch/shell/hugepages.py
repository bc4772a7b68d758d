"""Huge pages for what a started switch holds (Linux 6.1 and later; elsewhere nothing happens).

A queue call touches a megabyte of interpreter, code and tables, spread over the whole heap. A switch
sleeps between its rounds, and on a shared machine the processor's caches are the neighbours' when it wakes:
each page then costs a walk through page tables that have gone cold as well. Moving what lives for ever into
pages of 2 MiB, once, at the end of the start, takes that walk away (madvise(2), ``MADV_COLLAPSE``).
"""

import ctypes
import os
from pathlib import Path

HUGE = 2 * 1024 * 1024  # bytes of a huge page where pages have 4 KiB
PAGE = 4096
_COLLAPSE = 25  # MADV_COLLAPSE
_ENTRY = 8  # bytes of a page's entry in /proc/self/pagemap
_PRESENT = 0x80  # of its last byte: the page is in memory
_FULL_FROM = HUGE // PAGE * 3 // 4  # pages that are there: fewer would cost more memory than they save time
_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def use_huge_pages(setting: Path = _SETTING) -> int:
    """Move this process's memory into huge pages where it fills them; return how many that made.

    A page takes 5 ms. Where the system's ``setting`` says ``[never]`` or the kernel cannot, there are none,
    and the switch works as well in small pages.
    """
    try:
        if os.sysconf("SC_PAGE_SIZE") != PAGE or "[never]" in setting.read_text():
            return 0
        places = whole_places(Path("/proc/self/maps").read_text())
        with Path("/proc/self/pagemap").open("rb", 0) as pagemap:
            full = [at for at in places if is_full(_entries(pagemap.fileno(), at))]
    except OSError:
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return sum(advise(at, HUGE, _COLLAPSE) == 0 for at in full)


def _entries(pagemap: int, at: int) -> bytes:
    return os.pread(pagemap, HUGE // PAGE * _ENTRY, at // PAGE * _ENTRY)


def whole_places(maps: str) -> list[int]:
    """Return where huge pages fit into the heap and other nameless writable memory of ``/proc/self/maps``."""
    places: list[int] = []
    for line in maps.splitlines():
        area, rights, *more = line.split()
        if rights == "rw-p" and (len(more) < 4 or more[3] == "[heap]"):
            begin, end = (int(bound, 16) for bound in area.split("-"))
            places += range(-(-begin // HUGE) * HUGE, end - HUGE + 1, HUGE)
    return places


def is_full(entries: bytes) -> bool:
    """Say whether most pages of a place are in memory, by their entries of ``/proc/self/pagemap``."""
    return sum(last & _PRESENT != 0 for last in entries[_ENTRY - 1 :: _ENTRY]) >= _FULL_FROM
