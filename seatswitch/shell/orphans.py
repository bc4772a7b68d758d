"""Orphans: media workers of a switch that was killed.

They go on forwarding while nobody is there, and hold the ports that the next switch needs for the same calls.
So they are ended just before its own workers start.
"""

import os
import signal
import time
from pathlib import Path

import structlog

_GONE_WITHIN = 1.0  # seconds

log = structlog.get_logger()


def orphans_of(link: str) -> list[int]:
    """Return the processes that are media workers on the socket ``link`` and whose switch is gone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has just ended, or is not ours to look at
        if b"media-worker" in words and os.fsencode(link) in words:
            found.append(int(entry.name))
    return found


def end_orphans(link: str) -> int:
    """End the media workers that another switch left behind on the socket ``link``; return how many."""
    orphans = orphans_of(link)
    for orphan in orphans:
        log.warning("a media worker of a switch that died is ended", pid=orphan)
        try:
            os.kill(orphan, signal.SIGKILL)
        except ProcessLookupError:
            continue
    end_at = time.monotonic() + _GONE_WITHIN
    while orphans and orphans_of(link) and time.monotonic() < end_at:
        time.sleep(0.01)
    return len(orphans)
