"""admin.* and trunk.list."""

from tests.seatswitch.api.stub import Office


def test_status_counts_clients_and_shows_the_shell() -> None:
    office = Office()
    admin, desk = office.desk("admin"), office.desk()
    desk.sign_in()
    desk.ask("events.subscribe", topics=["seat"])
    status = admin.ask("admin.status")
    assert status["rpc"] == {"connections": 2, "signed_in": 1, "subscribed": 1}
    assert "shell" not in status
    office.api.shell_snapshot = lambda: {"bugs": {}}
    assert admin.ask("admin.status")["shell"] == {"bugs": {}}


def test_reload_and_drain_are_asked_of_the_shell() -> None:
    office = Office()
    admin = office.desk("admin")
    assert admin.ask("admin.reload") == {"accepted": True}
    assert admin.ask("admin.drain") == {"accepted": True}
    assert office.api.requests.take() == ["reload", "drain"]


def test_only_administrators() -> None:
    office = Office()
    lead = office.desk()
    lead.sign_in("8019", "lead")
    for method in ("admin.status", "admin.reload", "admin.drain", "admin.bans", "trunk.list"):
        assert lead.refusal(method) == "NO_RIGHT"
    assert office.api.requests.take() == []
    assert office.desk("admin").ask("trunk.list")[0]["trunk"] == "carrier"


def test_bans_are_listed_and_lifted() -> None:
    admin = Office().desk("admin")
    assert admin.ask("admin.bans") == [{"ip": "203.0.113.5", "left": 60.0}]
    assert admin.ask("admin.unban", ip="203.0.113.5") == {"lifted": True}
    assert admin.ask("admin.unban", ip="203.0.113.5") == {"lifted": False}
    assert admin.ask("admin.bans") == []
