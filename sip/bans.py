"""Bans: who guesses passwords is not listened to for a while (A-CRACK, A-SCAN2).

A failure counts only if it answers a challenge that was sent to that very host: whoever forges the source of
a datagram never sees the nonce, and so cannot have somebody else banned. The same answer sent again is one
guess, because UDP repeats. Both tables are bounded; the host that failed longest ago is forgotten first.
"""

from collections import deque

HOSTS_MAX = 10_000  # hosts whose failures, and hosts whose bans, are remembered


class Bans:
    """Failed guesses by host, and the hosts that have failed too often."""

    __slots__ = ("_banned", "_failures", "_for", "_most", "_within")

    def __init__(self, most: int, within: float, banned_for: float) -> None:
        self._failures: dict[str, tuple[str, deque[float]]] = {}  # host -> last answer, moments
        self._banned: dict[str, float] = {}  # host -> until
        self.configure(most, within, banned_for)

    def configure(self, most: int, within: float, banned_for: float) -> None:
        """``most`` failures ``within`` seconds ban for ``banned_for`` seconds; 0 failures ban nobody."""
        self._most = most
        self._within = within
        self._for = banned_for

    def failed(self, host: str, answer: str, now: float) -> float:
        """Count a wrong answer of ``host``; return for how long that bans it, 0.0 for not."""
        if not self._most:
            return 0.0
        failures = self._failures
        last, moments = failures.pop(host) if host in failures else ("", deque[float]())
        if answer != last:
            moments.append(now)
        while moments and (moments[0] <= now - self._within or len(moments) > self._most):
            moments.popleft()
        if len(moments) < self._most:
            if len(failures) >= HOSTS_MAX:
                del failures[next(iter(failures))]
            failures[host] = (answer, moments)  # to the end: the dict stays in the order of the last failure
            return 0.0
        if len(self._banned) >= HOSTS_MAX:
            del self._banned[next(iter(self._banned))]
        self._banned[host] = now + self._for
        return self._for

    def is_banned(self, host: str, now: float) -> bool:
        """Return whether ``host`` is banned; a ban that is over is forgotten."""
        until = self._banned.get(host)
        if until is None:
            return False
        if until > now:
            return True
        del self._banned[host]
        return False

    def banned(self, now: float) -> list[tuple[str, float]]:
        """Return every banned host and the seconds that are left of its ban."""
        return [(host, until - now) for host, until in self._banned.items() if until > now]

    def count(self) -> int:
        """Return how many bans are remembered, some of which may be over."""
        return len(self._banned)

    def lift(self, host: str, now: float) -> bool:
        """End a ban and forget the failures; False if there was none."""
        self._failures.pop(host, None)
        until = self._banned.pop(host, None)
        return until is not None and until > now
