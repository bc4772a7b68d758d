"""*.statistics: who may ask for what, and what is answered."""

from acd.inputs import CallJoined, CallLeft
from kernel.ids import CallId, QueueName
from tests.seatswitch.api.stub import Office


def gave_up(office: Office, *pauses: float) -> None:
    """Let a caller give up after 10 s, then that much time pass, again and again."""
    for number, pause in enumerate(pauses):
        call = CallId(f"c{number}")
        join = CallJoined(call, QueueName("junior"), "139")
        office.turn(lambda now, join=join: office.node.handle(join, now))
        office.wait(10.0)
        office.turn(lambda now, call=call: office.node.handle(CallLeft(call), now))
        office.wait(pause)


def test_queue_in_all_and_between_two_moments() -> None:
    """Quarters of an hour that begin in from <= t < to; the moment 0 is 2027-01-15T08:00:00Z."""
    office = Office()
    admin = office.desk("admin")
    gave_up(office, 30.0, 870.0, 30.0)
    total = admin.ask("queue.statistics", queue="junior")
    assert (total["from"], total["to"], total["offered"], total["abandoned"]) == (None, None, 3, 3)
    assert (total["ata"], total["asa"], total["service_level"]) == (10.0, None, 0.0)

    def between(begin: str, end: str) -> int:
        return int(admin.ask("queue.statistics", queue="junior", **{"from": begin, "to": end})["abandoned"])

    assert between("2027-01-15T08:00:00Z", "2027-01-15T08:15:00Z") == 2
    assert between("2027-01-15T16:15:00+08:00", "2027-01-15T16:30:00+08:00") == 1
    later = admin.ask("queue.statistics", queue="junior", **{"from": "2027-01-15T08:15:00Z"})
    assert (later["from"], later["to"], later["abandoned"]) == ("2027-01-15T08:15:00.000Z", None, 1)
    for wrong in ("2027-01-15T08:00:00", "yesterday", 5):
        assert admin.refusal("queue.statistics", queue="junior", **{"from": wrong}) == "-32602"
    assert admin.refusal("queue.statistics", queue="none") == "NO_SUCH_QUEUE"


def test_by_interval() -> None:
    office = Office()
    gave_up(office, 30.0, 870.0, 30.0)
    shown = office.desk("admin").ask("queue.statistics", queue="junior", by_interval=True)
    assert [(each["begin"], each["abandoned"]) for each in shown["intervals"]] == [
        ("2027-01-15T08:00:00.000Z", 2),
        ("2027-01-15T08:15:00.000Z", 1),
    ]
    assert shown["abandoned"] == 3


def test_an_agent_asks_about_its_own_seat_and_queue() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    office.wait(60.0)
    mine = desk.ask("seat.statistics")
    assert (mine["seat"], mine["time_ready"], mine["occupancy"]) == ("8001", 60.0, 0.0)
    assert desk.refusal("seat.statistics", seat="8002") == "NO_RIGHT"
    assert desk.refusal("queue.statistics", queue="other") == "NO_SUCH_QUEUE"
    assert desk.refusal("level.statistics", level="junior") == "NO_RIGHT"
    assert desk.refusal("tenant.statistics") == "NO_RIGHT"


def test_a_supervisor_sees_levels_and_seats_of_its_tenant_only() -> None:
    office = Office()
    lead = office.desk()
    lead.sign_in("8019", password="lead")
    assert lead.ask("seat.statistics", seat="8002")["seat"] == "8002"
    assert lead.refusal("seat.statistics", seat="9001") == "NO_SUCH_SEAT"
    level = lead.ask("level.statistics", level="junior")
    assert (level["level"], level["queues"], level["seats"]) == ("junior", ["junior"], 4)
    assert lead.refusal("level.statistics", level="none") == "NO_SUCH_LEVEL"
    assert lead.ask("tenant.statistics")["tenant"] == "north"
    assert lead.refusal("tenant.statistics", tenant="south") == "NO_SUCH_TENANT"


def test_an_administrator_names_the_tenant() -> None:
    office = Office()
    admin = office.desk("admin")
    assert admin.ask("level.statistics", level="junior")["queues"] == ["junior", "other"]
    assert admin.ask("tenant.statistics", tenant="south")["queues"] == ["other"]
    assert admin.refusal("tenant.statistics") == "NO_SUCH_TENANT"
