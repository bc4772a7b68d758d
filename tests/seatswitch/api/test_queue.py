"""queue.*: views and statistics."""

from acd.inputs import CallJoined, CallLeft
from kernel.ids import CallId, QueueName
from tests.seatswitch.api.stub import Office


def test_queues_of_the_tenant() -> None:
    office = Office()
    desk, admin = office.desk(), office.desk("admin")
    desk.sign_in()
    assert [queue["queue"] for queue in desk.ask("queue.list")] == ["junior"]
    assert [queue["queue"] for queue in admin.ask("queue.list")] == ["junior", "other"]
    assert desk.ask("queue.get", queue="junior")["waiting"] == 0
    assert desk.refusal("queue.get", queue="other") == "NO_SUCH_QUEUE"
    assert desk.refusal("queue.statistics", queue="none") == "NO_SUCH_QUEUE"


def test_statistics_in_all_and_between_two_moments() -> None:
    """Quarters of an hour that begin in from <= t < to; the moment 0 is 2027-01-15T08:00:00Z."""
    office = Office()
    admin = office.desk("admin")
    for call, pause in (("c1", 30.0), ("c2", 870.0), ("c3", 30.0)):
        join = CallJoined(CallId(call), QueueName("junior"), "139")
        office.turn(lambda now, join=join: office.node.handle(join, now))
        office.wait(10.0)
        office.turn(lambda now, call=call: office.node.handle(CallLeft(CallId(call)), now))
        office.wait(pause)
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
