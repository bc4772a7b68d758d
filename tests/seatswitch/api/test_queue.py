"""queue.*: views."""

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
