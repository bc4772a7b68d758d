"""Connections and sessions: who has which seat, and for how long."""

from typing import NoReturn

import pytest

from acd.inputs import SeatRestored
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from kernel.limits import FAILED_SEATS_MAX
from seatswitch.api.sessions import Failures, Session
from tests.seatswitch.api.stub import Office


def restore(office: Office, seat: str, session: str) -> None:
    what = SeatRestored(
        SeatId(seat), "", session, "paused", "rest", 50.0, None, "", "softphone", seat
    )  # fmt: skip
    office.node.handle(what, office.now)


def test_a_seat_restored_after_a_restart_is_resumed_by_its_session() -> None:
    """4.1: seats come back in the state they were in; their desks come back with the session they kept."""
    office = Office()
    restore(office, "8001", "a" * 32)
    restore(office, "8002", "b" * 32)
    desk = office.desk()
    assert desk.ask("session.resume", session="a" * 32)["seat"]["presence"] == "paused"
    office.wait(60.0)
    seats = {seat["seat"]: seat["presence"] for seat in desk.ask("seat.list")}
    assert (seats["8001"], seats["8002"]) == ("paused", "offline")


def test_the_shell_may_start_the_minute_before_anybody_connects() -> None:
    office = Office()
    restore(office, "8001", "a" * 32)
    office.api.adopt(office.now)
    office.wait(60.0)
    assert office.node.engine.seats[SeatId("8001")].session == ""
    assert office.desk().refusal("session.resume", session="a" * 32) == "NO_SESSION"


def test_signing_in_at_a_lost_seat_ends_its_deadline() -> None:
    office = Office()
    lost = office.desk()
    session = lost.sign_in()
    lost.close()
    office.wait(30)
    desk = office.desk()
    desk.sign_in()
    office.wait(600)
    assert desk.ask("seat.get")["presence"] == "ready"
    assert office.desk().refusal("session.resume", session=session) == "NO_SESSION"


def test_a_connection_with_a_seat_resumes_no_other() -> None:
    office = Office()
    lost, desk = office.desk(), office.desk()
    session = lost.sign_in("8001")
    lost.close()
    desk.sign_in("8002")
    assert desk.refusal("session.resume", session=session) == "BAD_STATE"


def test_a_seat_signed_out_behind_its_desk_is_told_at_the_next_request_at_the_latest() -> None:
    office = Office()
    desk, admin = office.desk(), office.desk("admin")
    desk.sign_in()
    admin.ask("supervisor.force_logout", seat="8001")
    assert [text["method"] for text in desk.notifications] == ["session.ended"]
    assert desk.refusal("seat.get") == "NO_RIGHT"
    assert len(desk.notifications) == 1


def test_a_reload_that_removes_the_seat_ends_its_session() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    del office.node.engine.seats[SeatId("8001")]
    assert desk.refusal("seat.get") == "NO_RIGHT"
    assert desk.notifications[0]["method"] == "session.ended"


def test_failures_are_counted_by_the_minute() -> None:
    failures = Failures()
    for number in range(9):
        failures.note(100.0 + number)
    failures.check(109.0)
    failures.note(160.0)  # a new minute
    assert failures.count == 1


def test_failures_of_invented_seats_do_not_pile_up() -> None:
    """The table is bounded, and what is used last is forgotten last."""
    office = Office()
    sessions = office.api._sessions
    sessions.seat_failures("96198", "8001").note(0.0)
    for number in range(FAILED_SEATS_MAX + 10):
        sessions.seat_failures("96198", f"x{number}")
        sessions.seat_failures("96198", "8001")
    assert sessions.seat_failures("96198", "8001").count == 1
    assert len(sessions._failures) <= FAILED_SEATS_MAX


def test_nothing_is_left_of_connections_that_came_and_went() -> None:
    office = Office()
    for _ in range(20):
        desk = office.desk()
        session = desk.sign_in()
        desk.ask("events.subscribe", topics=["seat", "call"])
        desk.close()
        back = office.desk()
        back.ask("session.resume", session=session)
        back.ask("session.logout")
        back.close()
    office.wait(60.0)
    assert not office.api._sessions.connections
    assert not office.api._sessions._sessions
    assert office.node.timers.armed() == []
    assert not office.node.news.wanted


class Unlooked(dict[SeatId, Session]):
    """Sessions that nobody may go through."""

    def values(self) -> NoReturn:
        raise AssertionError("somebody goes through all sessions")

    items = __iter__ = values


def test_a_session_is_found_without_going_through_all_of_them() -> None:
    """Thousands of desks come back at one moment when a network does."""
    office = Office()
    lost, desk = office.desk(), office.desk()
    session = lost.sign_in()
    lost.close()
    sessions = office.api._sessions
    kept, sessions._sessions = sessions._sessions, Unlooked(sessions._sessions)
    for token in (session[:-1], session + "0", ""):
        with pytest.raises(OperationRefused):
            sessions.resume(sessions.connections[desk.number], token)
    assert sessions.resume(sessions.connections[desk.number], session).seat == "8001"
    sessions._sessions = kept
    sessions.check()
