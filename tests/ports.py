"""Ports for tests, of which no other run on this machine is given any.

A process that asks has a stretch of ports of its own for as long as it lives. What holds it is a name in the
abstract namespace of Unix sockets: that belongs to the network namespace, as ports do, only one socket can
have it, and the kernel takes it back however the process ends. Stretches lie below the ports that systems
give to sockets that do not choose (32,768 and up), and are given out from the top, because the loads of
benchmarks/ have media ports from 10,000 on.
"""

import socket
from contextlib import ExitStack
from functools import cache
from types import TracebackType

FIRST, LENGTH, STRETCHES = 10_000, 1_000, 22
SWITCH = 300  # ports at the beginning, x000 to x299: media of a switch; scenarios of SIPp know it by that
SINGLE = 200  # ports after those, every other one given by itself; all others are media ports of phones


class Claim:
    """So many stretches in a row, until it is closed or the process ends."""

    def __init__(self, stretches: int = 1) -> None:
        self.first, self._sockets = self._take(stretches)

    @staticmethod
    def _take(stretches: int) -> tuple[int, ExitStack]:
        for lowest in reversed(range(STRETCHES - stretches + 1)):
            with ExitStack() as names:
                try:
                    for number in range(lowest, lowest + stretches):
                        name = names.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
                        name.bind(f"\0seatswitch-tests/ports/{number}")
                except OSError:
                    continue
                return FIRST + lowest * LENGTH, names.pop_all()
        raise AssertionError(f"other runs have all but {stretches * LENGTH} ports in a row")

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the ports back."""
        self._sockets.close()


def is_free(port: int, kind: socket.SocketKind) -> bool:
    """Return whether nobody holds a port of this host at this moment, at any address."""
    with socket.socket(socket.AF_INET, kind) as one:
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


class Stretch:
    """Ports given out in turn: one comes again only when all others have been given."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim  # which ends with its last reader
        self.first = claim.first
        self._single = range(self.first + SWITCH, self.first + SWITCH + SINGLE, 2)
        self._media = range(self._single.stop, self.first + LENGTH)
        self._next_single, self._next_media = self._single.start, self._media.start

    def one(self) -> int:
        """Return a port that is free for UDP and TCP; the next is nobody's: baresip takes it for TLS."""
        for _ in self._single:
            port, self._next_single = self._next_single, self._next_single + 2
            if self._next_single == self._single.stop:
                self._next_single = self._single.start
            if is_free(port, socket.SOCK_DGRAM) and is_free(port, socket.SOCK_STREAM):
                return port
        raise AssertionError("this process holds all its ports")

    def row(self, count: int) -> int:
        """Return the first of ``count`` ports in a row that are free for UDP, an even one."""
        for _ in self._media:
            first = self._next_media
            if first + count > self._media.stop:
                self._next_media = self._media.start
                continue
            taken = [port for port in range(first, first + count) if not is_free(port, socket.SOCK_DGRAM)]
            end = taken[-1] + 1 if taken else first + count
            self._next_media = end + end % 2
            if not taken:
                return first
        raise AssertionError(f"this process has no {count} free ports in a row")


@cache
def own() -> Stretch:
    """Return the stretch of this process; it is claimed with the first question."""
    return Stretch(Claim())


def free_port() -> int:
    """Return a port that no other run is given, free for UDP and TCP; the one after it is nobody's."""
    return own().one()


def free_media_ports(count: int) -> int:
    """Return the first of ``count`` UDP ports in a row, an even one, that no other run is given."""
    return own().row(count)


def switch_ports() -> tuple[int, int]:
    """Return the range for the media of this process's switches, which pass over what is taken."""
    return own().first, own().first + SWITCH - 2
