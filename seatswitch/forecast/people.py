"""Callers and agents as random processes: when they call, how long they talk, how long they wait.

Every stream of draws has a source of its own, so that the same seed gives the same callers whatever the
policy and however many seats: what differs between two forecasts is then the seats, not the luck.
"""

from collections.abc import Callable
from math import log, sqrt
from typing import Protocol

from kernel.ids import CallId
from seatswitch.forecast.settings import CallClass, Law

Draw = Callable[[], float]


class Source(Protocol):
    """A generator of random numbers; :class:`random.Random` is one."""

    def expovariate(self, lambd: float, /) -> float:
        """Return an exponential draw of rate ``lambd``."""

    def lognormvariate(self, mu: float, sigma: float, /) -> float:
        """Return the exponential of a normal draw."""

    def randbytes(self, n: int, /) -> bytes:
        """Return ``n`` random bytes."""


BuildSource = Callable[[str], Source]  # a source of its own for each name


def build_draw(law: Law, source: Source) -> Draw:
    """Return a function that draws seconds by ``law``."""
    mean = law.mean
    if law.kind == "constant":
        return lambda: mean
    if law.kind == "lognormal":
        variance = log(1.0 + law.cv * law.cv)
        mu, sigma = log(mean) - variance / 2, sqrt(variance)
        lognormal = source.lognormvariate
        return lambda: lognormal(mu, sigma)
    assert law.kind == "exponential", f"there is no law called {law.kind}"
    exponential, rate = source.expovariate, 1.0 / mean
    return lambda: exponential(rate)


class Arrivals:
    """A Poisson process whose rate is constant in each interval of a profile that repeats."""

    __slots__ = ("_interval", "_rates", "_source", "_sum")

    def __init__(self, rates: tuple[float, ...], interval: float, source: Source) -> None:
        self._rates = rates
        self._interval = interval
        self._source = source
        self._sum = sum(rates) * interval  # calls in one round of the profile

    def next_after(self, at: float) -> float | None:
        """Return when the next call comes, None if none ever does."""
        rates = self._rates
        if not self._sum:
            return None
        if len(rates) == 1:
            return at + self._source.expovariate(rates[0])
        # On a clock that runs at the rate itself, calls come after exponential times of mean 1.
        rounds, left = divmod(self._source.expovariate(1.0), self._sum)
        at += rounds * len(rates) * self._interval
        number = int(at // self._interval)
        for ahead in range(number, number + len(rates) + 2):
            rate = rates[ahead % len(rates)]
            end = (ahead + 1) * self._interval
            room = rate * (end - at)
            if left < room:
                return at + left / rate
            left -= room
            at = end
        return at  # rounding has lost what was left of the round


class Caller:
    """One call, with everything the caller will do decided when it arrives."""

    __slots__ = ("call", "handle", "is_counted", "is_waiting", "joined_at", "kind", "patience")

    def __init__(self, call: CallId, kind: int, joined_at: float, handle: float, patience: float) -> None:
        self.call = call
        self.kind = kind  # index of its class
        self.joined_at = joined_at
        self.handle = handle  # seconds at a seat of speed 1
        self.patience = patience  # seconds; < 0: for ever
        self.is_counted = False
        self.is_waiting = True


class People:
    """The callers of one class."""

    __slots__ = ("_handle", "_patience", "arrivals", "is_queued", "threshold")

    def __init__(self, kind: CallClass, build_source: BuildSource) -> None:
        self.arrivals = Arrivals(kind.rates, kind.interval, build_source(f"{kind.name} arrivals"))
        self.is_queued = kind.queued
        self.threshold = kind.threshold
        self._handle = build_draw(kind.handle, build_source(f"{kind.name} handle"))
        self._patience: Draw = lambda: -1.0
        if kind.patience is not None:
            self._patience = build_draw(kind.patience, build_source(f"{kind.name} patience"))

    def caller(self, call: CallId, kind: int, now: float) -> Caller:
        """Return one who calls now."""
        return Caller(call, kind, now, self._handle(), self._patience())
