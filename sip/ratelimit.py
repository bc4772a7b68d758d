"""Rates: how many requests a stranger may make us look at, one token bucket per source host.

A bucket holds one second's worth. The table is bounded: the host seen longest ago is forgotten, which gives
it a full bucket again and nothing more.
"""

HOSTS_MAX = 10_000


class SourceRates:
    """Token buckets by host."""

    __slots__ = ("_buckets", "_rate")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}  # host -> (tokens, counted at)

    def set_rate(self, rate: float) -> None:
        """Take a new rate in requests a second; 0 allows everything."""
        self._rate = rate

    def allow(self, host: str, now: float) -> bool:
        """Count one request of ``host``; False if it is over its rate."""
        rate = self._rate
        if rate <= 0.0:
            return True
        most = max(rate, 1.0)
        buckets = self._buckets
        bucket = buckets.pop(host, None)  # popped, so that the dict stays in the order of last use
        if bucket is None:
            if len(buckets) >= HOSTS_MAX:
                del buckets[next(iter(buckets))]
            tokens = most
        else:
            tokens = min(most, bucket[0] + (now - bucket[1]) * rate)
        is_allowed = tokens >= 1.0
        buckets[host] = (tokens - 1.0 if is_allowed else tokens, now)
        return is_allowed
