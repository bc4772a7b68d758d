"""queue_log out of the database and the journal behind it: every row once, in order, from and to a moment."""

from pathlib import Path

import pytest

from kernel.errors import OperatorError
from kernel.rows import AnyRow, CallRow, OfferRow, OperationRow, PresenceRow, VisitRow
from kernel.staterows import JournalRow, VisitStateRow
from seatswitch.shell.queuelog import parse_moment, write_queue_log
from seatswitch.shell.store.records import build_record, journal_path
from tests.seatswitch.shell.store.test_reader import carry_over

T = 1_800_000_000.0


def visit(call: str, begin: float, end: float, outcome: str = "answered") -> list[JournalRow]:
    seat = "8001" if outcome == "answered" else ""
    begin, end = T + begin, T + end
    return [
        VisitStateRow(
            f"{call}.1", call, 1, "junior", f"1{call}", "", begin, begin, 0.0, (), position=1
        ),
        *([OfferRow(f"{call}.1.1", f"{call}.1", seat, "", begin, end, end - begin, "answered", 200, "", "", 1,
                    "", "junior")] if seat else []),
        VisitRow(f"{call}.1", call, "junior", begin, end, end - begin, 0.0, outcome, "", seat, False,
                 position=1, position_left=1),
    ]  # fmt: skip


def talk(call: str, begin: float, end: float, **more: str) -> CallRow:
    return CallRow(
        call, "demo", "in", f"1{call}", "96198", "carrier", "queue:junior", T + begin, None, T + end, 0.0,
        0.0, 0.0, "8001", "seat", more.pop("verdict", "success"), 200, **more,
    )  # fmt: skip


def presence(what: str, at: float) -> PresenceRow:
    return PresenceRow(f"8001.{at}", "8001", "", T + at, what, "", "idle", "", "")


def put(tmp_path: Path, rows: list[JournalRow]) -> None:
    folder = tmp_path / "journal"
    folder.mkdir(exist_ok=True)
    with journal_path(folder, 1).open("ab") as journal:
        journal.write(build_record(rows))


def story(tmp_path: Path, begin: float = 0.0, end: float = 1e12) -> list[str]:
    said: list[str] = []
    write_queue_log(f"sqlite:///{tmp_path}/switch.db", begin, end, said.append)
    return [line.removeprefix("18000000") for line in said]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three calls: a and b are in the database, c is in the journal alone, d goes on."""
    put(tmp_path, [presence("ready", 1), *visit("a", 10, 14), *visit("b", 12, 20, "abandoned")])
    put(tmp_path, [talk("b", 12, 20), talk("a", 10, 30), *visit("d", 35, 36)])
    carry_over(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db")
    put(tmp_path, [*visit("c", 40, 45, "abandoned"), talk("c", 40, 45)])
    return tmp_path


EXPECTED = [
    "01|NONE|NONE|8001|AGENTLOGIN|8001",
    "10|a|junior|NONE|ENTERQUEUE||1a|1",
    "12|b|junior|NONE|ENTERQUEUE||1b|1",
    "14|a|junior|8001|CONNECT|4|a.1|4",
    "20|b|junior|NONE|ABANDON|1|1|8",
    "30|a|junior|8001|COMPLETEAGENT|4|16|1",
    "35|d|junior|NONE|ENTERQUEUE||1d|1",
    "36|d|junior|8001|CONNECT|1|d.1|1",
    "40|c|junior|NONE|ENTERQUEUE||1c|1",
    "45|c|junior|NONE|ABANDON|1|1|5",
]


def test_everything_is_there_once_and_in_order(store: Path) -> None:
    assert story(store) == EXPECTED


def test_the_same_when_all_has_been_carried_over(store: Path) -> None:
    """But the caller of a call that goes on, where the journal with its visit has been deleted."""
    carry_over(store / "journal", f"sqlite:///{store}/switch.db")
    assert story(store) == EXPECTED


def test_from_and_to_a_moment_what_went_on_then_is_known(store: Path) -> None:
    assert story(store, T + 14.5, T + 35.5) == EXPECTED[4:7]


def test_a_transfer_finds_the_call_it_went_on_in(tmp_path: Path) -> None:
    handed_on: list[AnyRow] = [
        talk("a", 10, 30, verdict="success:transferred", continued_as="e"),
        talk("e", 30, 50),
    ]
    put(tmp_path, [*visit("a", 10, 14), *handed_on])
    carry_over(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db")
    assert story(tmp_path)[-1] == "30|a|junior|8001|BLINDTRANSFER|96198|default|4|16|1"


def test_what_happens_is_followed(store: Path) -> None:
    said: list[str] = []
    to_come: list[list[JournalRow]] = [[presence("offline", 61)], [talk("d", 35, 70)]]

    def wait(seconds: float) -> bool:
        assert seconds > 0
        if not to_come:
            return False
        put(store, to_come.pop(0))
        return True

    write_queue_log(f"sqlite:///{store}/switch.db", T + 50, 1e12, said.append, wait)
    assert [line.removeprefix("18000000") for line in said] == [
        "61|NONE|NONE|8001|AGENTLOGOFF|8001|60",
        "70|d|junior|8001|COMPLETEAGENT|1|34|1",
    ]


def test_no_database_and_one_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="has written no rows here"):
        story(tmp_path)
    (tmp_path / "switch.db").write_bytes(b"")
    with pytest.raises(OperatorError, match="cannot be read"):
        story(tmp_path)


@pytest.mark.parametrize(
    ("given", "epoch"),
    [("2027-01-15", T - 28_800), ("2027-01-15T08:00", T), ("2027-01-15T16:00+08:00", T)],
)
def test_moments(given: str, epoch: float) -> None:
    assert parse_moment(given) == epoch


def test_a_start_is_in_the_database_and_a_reload_in_the_journal(tmp_path: Path) -> None:
    started, reloaded = (
        OperationRow(f"{what}.1", T + at, "", "switch", what, "", "", "", "")
        for at, what in ((1, "started"), (9, "reloaded"))
    )
    put(tmp_path, [started, presence("ready", 2)])
    carry_over(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db")
    put(tmp_path, [reloaded])
    assert story(tmp_path) == [
        "01|NONE|NONE|NONE|QUEUESTART|",
        "02|NONE|NONE|8001|AGENTLOGIN|8001",
        "09|NONE|NONE|NONE|CONFIGRELOAD|",
    ]
