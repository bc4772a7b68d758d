"""News: numbers without gaps, a bounded memory, and an honest "I no longer know"."""

from typing import Any

from kernel.limits import EVENT_BUFFER_MAX
from seatswitch.news import EventLog


def data() -> dict[str, Any]:
    return {"x": 1}


def test_a_client_that_was_away_gets_what_it_missed() -> None:
    news = EventLog()
    news.wanted = True
    for _ in range(5):
        news.put("seat", data, 1.0)
    missed = news.since(3)
    assert missed is not None
    assert [entry[0] for entry in missed] == [4, 5]
    assert news.since(5) == []


def test_numbers_from_the_future_and_from_before_the_buffer_are_unknown() -> None:
    news = EventLog()
    news.wanted = True
    assert news.since(0) == []
    for _ in range(EVENT_BUFFER_MAX + 2):
        news.put("seat", data, 1.0)
    assert news.since(1) is None
    assert news.since(2) is not None
    assert news.since(news.seq + 1) is None


def test_while_nobody_listens_events_are_counted_but_not_built() -> None:
    news = EventLog()
    built: list[int] = []

    def build() -> dict[str, Any]:
        built.append(1)
        return {}

    news.put("seat", build, 1.0)
    assert (news.seq, built) == (1, [])
    assert news.since(0) is None
    news.wanted = True
    news.put("seat", build, 2.0)
    assert news.since(0) is None
    kept = news.since(1)
    assert kept is not None
    assert len(kept) == 1
    assert len(news.fresh) == 1


def test_a_number_from_before_a_restart_is_known_to_be_old() -> None:
    """Each run counts on from the milliseconds of its start, without a gap."""
    before, after = EventLog(1_000_000), EventLog(1_090_000)
    before.wanted = after.wanted = True
    for _ in range(5):
        before.put("seat", data, 1.0)
        after.put("seat", data, 91.0)
    kept = after.since(1_090_000)
    assert kept is not None
    assert [entry[0] for entry in kept] == [1_090_001, 1_090_002, 1_090_003, 1_090_004, 1_090_005]
    assert before.seq == 1_000_005
    assert after.since(before.seq) is None
    assert after.since(0) is None


def test_events_that_are_only_counted_are_a_gap_that_a_client_is_told_of() -> None:
    news = EventLog()
    news.wanted = True
    news.put("seat", data, 1.0)
    before = news.seq
    news.seq += 3
    assert news.seq == before + 3
    assert news.since(before) is None
    assert news.since(news.seq) == []
    news.put("seat", data, 2.0)
    assert news.since(before) is None
    kept = news.since(news.seq - 1)
    assert kept is not None
    assert [entry[0] for entry in kept] == [news.seq]
