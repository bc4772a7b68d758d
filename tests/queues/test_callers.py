"""Caller lists: exact numbers, beginnings, the longest first, and each until its moment."""

from random import Random

import pytest

from queues.callers import CallerList, ListEntry


def listed(*entries: tuple[str, float | None]) -> CallerList:
    found = CallerList()
    for number, until in entries:
        found.put(number, ListEntry(number, until))
    return found


def name_of(entry: ListEntry | None) -> str:
    return "" if entry is None else entry.number


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("13800000001", "13800000001"),
        ("13800000002", "1380*"),
        ("13900000001", "13*"),
        ("1380", "1380*"),
        ("138", "13*"),
        ("1", ""),
        ("", ""),
        ("21380", ""),
    ],
)
def test_a_number_before_its_beginnings_and_the_longest_of_them(number: str, found: str) -> None:
    entries = listed(("13*", None), ("1380*", None), ("13800000001", None))
    assert name_of(entries.find(number, 0.0)) == found


def test_an_entry_ends_at_its_moment_and_what_is_behind_it_shows() -> None:
    entries = listed(("138", 100.0), ("138*", 200.0), ("1*", None))
    assert [name_of(entries.find("138", at)) for at in (99.9, 100.0, 199.9, 200.0)] == [
        "138",
        "138*",
        "138*",
        "1*",
    ]


def test_what_is_dropped_is_gone_and_dropping_twice_is_nothing() -> None:
    entries = listed(("138*", None), ("139*", None), ("1", None))
    for number in ("138*", "138*", "1", "1", "77*"):
        entries.drop(number)
    assert [name_of(entries.find(number, 0.0)) for number in ("1380", "1390", "1")] == ["", "139*", ""]
    entries.drop("139*")
    assert entries.find("1390", 0.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_against_a_list_walked_from_end_to_end(seed: int) -> None:
    random = Random(seed)
    entries, plain = CallerList(), dict[str, ListEntry]()
    for _ in range(300):
        number = "".join(random.choices("12", k=random.randint(1, 5))) + random.choice(("", "*"))
        if random.random() < 0.3:
            entries.drop(number)
            plain.pop(number, None)
        else:
            entry = ListEntry(number, random.choice((None, 5.0, 15.0)))
            entries.put(number, entry)
            plain[number] = entry
        asked = "".join(random.choices("12", k=random.randint(1, 6)))
        living = [it for it in plain.values() if not it.is_over(10.0)]
        exact = [it for it in living if it.number == asked]
        begins = [it for it in living if it.number[-1] == "*" and asked.startswith(it.number[:-1])]
        expected = exact or sorted(begins, key=lambda it: -len(it.number))
        assert entries.find(asked, 10.0) == (expected[0] if expected else None)
