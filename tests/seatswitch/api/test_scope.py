"""Who may do what: the higher of two grants counts."""

from config.schema import Token
from tests.seatswitch.api.stub import Office

TOKENS = (Token("ops", "admin", "a"), Token("wall", "supervisor", "s"))


def test_a_seats_role_holds_for_its_tenant() -> None:
    office = Office(TOKENS)
    desk = office.desk()
    desk.sign_in("8019", "lead")
    who = desk.ask("session.whoami")
    assert (who["role"], who["tenant"]) == ("supervisor", "north")


def test_a_token_beside_a_seat_holds_for_all_tenants() -> None:
    office = Office(TOKENS)
    desk = office.desk()
    desk.sign_in("8001")
    assert desk.ask("session.token", token="s")["tenant"] is None
    assert desk.ask("seat.get")["seat"] == "8001"
    assert desk.ask("session.whoami")["role"] == "supervisor"
    desk.ask("session.logout")
    assert desk.ask("session.whoami") == {"role": "supervisor", "name": "wall", "seat": None, "tenant": None}


def test_the_local_socket_stays_administrator_whatever_seat_it_takes() -> None:
    office = Office()
    desk = office.desk("admin")
    desk.sign_in("8001")
    assert desk.ask("session.whoami") == {"role": "admin", "name": None, "seat": "8001", "tenant": None}
    assert desk.ask("seat.pause", reason="rest")["seat"] == "8001"
    desk.ask("session.logout")
    assert desk.ask("session.whoami")["role"] == "admin"
