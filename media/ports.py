"""The port pool of one worker, as data: what is bound and free, what is used or rests.

Rule: a port that was in use rests for :data:`REST_FOR` before it is given out again, so that late packets of
the old call find nobody; free ports are used first in, first out, so that the rest is usually much longer.
"""

from collections import deque

REST_FOR = 1.5  # seconds; longer than the packets of a call that has just ended go on arriving


def split_ports(ports: tuple[int, int], workers: int, worker: int) -> tuple[int, int]:
    """Return the part (first, last) of the range of even RTP ports that belongs to ``worker``.

    The parts do not overlap and differ by at most one port pair; first > last where there are too few.
    """
    first = ports[0] + ports[0] % 2
    pairs = max(0, (ports[1] - first) // 2 + 1)
    low, high = pairs * worker // workers, pairs * (worker + 1) // workers
    return first + 2 * low, first + 2 * (high - 1)


class PortPool:
    """The RTP ports of one worker."""

    __slots__ = ("_free", "_known", "_resting", "are_all", "is_asked")

    def __init__(self) -> None:
        self._free: deque[int] = deque()
        self._resting: deque[tuple[float, int]] = deque()  # (free again at, port), in order
        self._known: dict[int, bool] = {}  # every port ever announced; whether it is free
        self.are_all = False  # the worker's range has no more
        self.is_asked = False  # the worker was asked for more and has not answered

    def add(self, ports: tuple[int, ...], are_all: bool) -> None:
        """Take ports that the worker has bound; those in use or resting stay what they are."""
        for port in ports:
            if port not in self._known:
                self._known[port] = True
                self._free.append(port)
        self.are_all = are_all
        self.is_asked = False

    def wanted(self, ahead: int) -> int:
        """Return how many ports the worker should be asked for; 0: enough are free, or it has been asked.

        ``ahead`` of them, or an eighth of what there is when that is more, while half as many are free: what
        a rush takes during the round trip.
        """
        if self.is_asked or self.are_all:
            return 0
        ahead = max(ahead, len(self._known) // 8)
        return ahead if 2 * len(self._free) < ahead else 0

    def take(self, now: float) -> int | None:
        """Return the port that has been free the longest, or None."""
        resting = self._resting
        while resting and resting[0][0] <= now:
            port = resting.popleft()[1]
            self._known[port] = True
            self._free.append(port)
        if not self._free:
            return None
        port = self._free.popleft()
        self._known[port] = False
        return port

    def claim(self, port: int) -> bool:
        """Take this very port, bound or not; False if it is in use or rests."""
        is_free = self._known.get(port)
        if is_free:
            self._free.remove(port)
        elif is_free is not None:
            return False
        self._known[port] = False
        return True

    def give_back(self, port: int, now: float) -> None:
        """Let ``port`` rest."""
        self._resting.append((now + REST_FOR, port))

    def forget_free(self) -> None:
        """The worker died: what was free is no longer bound; what is used or rests will be again."""
        for port in self._free:
            del self._known[port]
        self._free.clear()
        self.are_all = self.is_asked = False

    def next_free_at(self) -> float | None:
        """Return when the next resting port is free again."""
        return self._resting[0][0] if self._resting else None

    def owns(self, port: int) -> bool:
        """Return whether ``port`` (RTP or RTCP) is one of ours."""
        return port - port % 2 in self._known

    def counts(self) -> tuple[int, int, int]:
        """Return how many ports are free, rest, and are in use."""
        free, resting = len(self._free), len(self._resting)
        return free, resting, len(self._known) - free - resting

    def check(self) -> None:
        """Assert that free and resting ports are known, and none is twice in a row."""
        waiting = [*self._free, *(port for _, port in self._resting)]
        assert len(dict.fromkeys(waiting)) == len(waiting), "a port is free or resting twice"
        assert all(port in self._known for port in waiting), "a free port is not known"
        assert all(self._known[port] for port in self._free), "a free port is marked as used"
