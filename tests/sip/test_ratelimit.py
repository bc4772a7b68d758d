"""Token buckets per source host."""

from sip.ratelimit import HOSTS_MAX, SourceRates


def test_a_second_of_burst_then_the_rate() -> None:
    rates = SourceRates(10.0)
    assert [rates.allow("a", 0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert rates.allow("b", 0.0)
    assert [rates.allow("a", 0.25) for _ in range(3)] == [True, True, False]


def test_no_rate_no_limit() -> None:
    rates = SourceRates(0.0)
    assert all(rates.allow("a", 0.0) for _ in range(100))
    rates.set_rate(1.0)
    assert [rates.allow("a", 0.0) for _ in range(2)] == [True, False]


def test_the_table_is_bounded() -> None:
    rates = SourceRates(1.0)
    for number in range(HOSTS_MAX + 10):
        rates.allow(str(number), 0.0)
    assert not rates.allow(str(HOSTS_MAX), 0.0)
    assert rates.allow("0", 0.0)
