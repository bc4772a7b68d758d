"""callback.*: who is to be called back. The moment 0 is 2027-01-15T08:00:00Z."""

from acd.inputs import CallJoined
from kernel.ids import CallId, QueueName
from tests.seatswitch.api.stub import Office

NUMBER = "13900000001"


def test_a_promise_is_booked_listed_and_taken_back() -> None:
    office = Office()
    desk, admin, stranger = office.desk(), office.desk("admin"), office.desk()
    desk.sign_in(presence="paused", reason="rest")
    booked = desk.ask("callback.book", number=NUMBER, queue="junior", display="96198")
    assert (booked["state"], booked["number"], booked["booked_by"]) == ("waiting", NUMBER, "8001")
    assert (booked["joined_at"], booked["position"]) == ("2027-01-15T08:01:40.000Z", 1)
    assert desk.ask("callback.list") == [booked]
    assert admin.ask("callback.list", queue="other") == []
    assert stranger.refusal("callback.list") == "NO_RIGHT"
    assert desk.refusal("callback.book", number=NUMBER, queue="junior") == "ALREADY_BOOKED"
    assert desk.refusal("callback.book", number="unknown", queue="junior") == "BAD_NUMBER"
    assert desk.refusal("callback.book", number="123", queue="other") == "NO_SUCH_QUEUE"
    assert desk.refusal("callback.book", number="123", queue="junior", display="1") == "BAD_DISPLAY_NUMBER"
    assert desk.ask("callback.cancel", callback=booked["callback"]) == {"done": True}
    assert desk.refusal("callback.cancel", callback=booked["callback"]) == "NO_SUCH_CALLBACK"


def test_a_promise_of_one_seat_names_it() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in(presence="paused", reason="rest")
    booked = desk.ask("callback.book", number=NUMBER, queue="junior", seat="8002", seat_wait=60)
    assert (booked["for_seat"], booked["seat_until"]) == ("8002", "2027-01-15T08:02:40.000Z")
    assert (booked["seat"], booked["state"]) == (None, "waiting")
    assert desk.refusal("callback.book", number="123", queue="junior", seat="9001") == "NO_SUCH_SEAT"
    assert desk.refusal("callback.book", number="123", queue="junior", seat="8019") == "NOT_IN_QUEUE"


def test_a_later_moment_is_the_place_it_will_have() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    booked = desk.ask("callback.book", number=NUMBER, queue="junior", at="2027-01-15T17:00:00+08:00")
    assert (booked["state"], booked["due_at"]) == ("scheduled", "2027-01-15T09:00:00.000Z")
    assert booked["joined_at"] == booked["due_at"]


def test_a_waiting_caller_is_let_go_with_its_place() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in(presence="paused", reason="rest")
    office.node.put_call("c1", queue="junior", state="waiting")
    join = CallJoined(CallId("c1"), QueueName("junior"), NUMBER, "96198")
    office.turn(lambda now: office.node.handle(join, now))
    office.wait(20.0)
    chosen = desk.ask("callback.choose", call="c1", number="02100000000")
    assert (chosen["callback"], chosen["number"]) == ("c1", "02100000000")
    assert (chosen["booked_by"], chosen["joined_at"]) == ("caller", "2027-01-15T08:01:40.000Z")
    assert desk.refusal("callback.choose", call="c1") == "NO_SUCH_CALL"


def test_another_tenant_s_promises_do_not_exist() -> None:
    office = Office()
    desk, other = office.desk(), office.desk()
    desk.sign_in()
    other.sign_in("9001", hotline="96300")
    booked = other.ask("callback.book", number=NUMBER, queue="other")
    assert desk.ask("callback.list") == []
    assert desk.refusal("callback.cancel", callback=booked["callback"]) == "NO_SUCH_CALLBACK"


def test_changes_are_told_to_who_listens() -> None:
    office = Office()
    desk, other = office.desk(), office.desk()
    desk.sign_in(presence="paused", reason="rest")
    other.sign_in("9001", hotline="96300")
    for each in (desk, other):
        assert each.ask("events.subscribe", topics=["callback"])["snapshot"] == {"callback": []}
    booked = desk.ask("callback.book", number=NUMBER, queue="junior")
    desk.ask("callback.cancel", callback=booked["callback"])
    assert [event["data"]["what"] for event in desk.events] == ["booked", "waiting", "ended"]
    assert desk.events[-1]["data"]["outcome"] == "cancelled"
    assert other.events == []


def test_a_follow_up_has_a_class_a_deadline_and_an_end() -> None:
    office = Office()
    desk, lead, other = office.desk(), office.desk(), office.desk()
    desk.sign_in(presence="paused", reason="rest")
    lead.sign_in("8019", "lead")
    other.sign_in("9001", hotline="96300")
    booked = desk.ask("callback.book", number=NUMBER, queue="junior", **{"class": "urgent"})
    assert (booked["class"], booked["deadline"]) == ("urgent", "2027-01-15T12:01:40.000Z")
    assert (booked["attempts"], booked["attempts_max"], booked["overdue"]) == (0, 5, False)
    refused = desk.refusal("callback.book", number="13900000002", queue="junior", **{"class": "weekly"})
    assert refused == "NO_SUCH_CLASS"
    callback = booked["callback"]
    assert desk.refusal("callback.close", callback=callback, note="mended") == "BAD_STATE"
    assert desk.refusal("callback.cancel", callback=callback) == "NO_RIGHT"
    assert other.refusal("callback.close", callback=callback, note="mended") == "NO_SUCH_CALLBACK"
    lead.ask("events.subscribe", topics=["callback"])
    office.wait(4 * 3600.0)
    assert [event["data"]["what"] for event in lead.events] == ["escalated"]
    assert lead.events[0]["data"]["overdue"] is True
    assert desk.ask("callback.list")[0]["escalated_at"] == "2027-01-15T12:01:40.000Z"
    assert lead.ask("callback.close", callback=callback, note="mended") == {"done": True}
    assert lead.ask("callback.followups") == [
        {
            "tenant": "north",
            "class": "urgent",
            "accepted": 1,
            "escalated": 1,
            "returned": 0,
            "on_time": 0,
            "closed": 1,
            "exhausted": 0,
            "cancelled": 0,
            "open": 0,
            "overdue": 0,
        }
    ]
    assert other.ask("callback.followups") == []
    spring = {"from": "2027-03-01T00:00:00Z", "to": "2027-06-01T00:00:00Z"}
    assert lead.ask("callback.followups", **spring) == []
