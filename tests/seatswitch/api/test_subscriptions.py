"""Events: nothing lost, nothing twice, nothing of others, whatever is filtered."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.inputs import CallJoined, CallLeft, PauseAsked, ReadyAsked
from kernel.ids import CallId, QueueName, SeatId
from kernel.limits import EVENT_BUFFER_MAX
from tests.seatswitch.api.stub import Desk, Office


def pause(office: Office, seat: str = "8001") -> None:
    office.turn(lambda now: office.node.handle(PauseAsked(SeatId(seat), "rest"), now))


def ready(office: Office, seat: str = "8001") -> None:
    office.turn(lambda now: office.node.handle(ReadyAsked(SeatId(seat)), now))


def must_chain(first: int, events: list[Any]) -> None:
    """Assert that a client which started at ``first`` has lost nothing."""
    prev = first
    for event in events:
        assert event["prev"] == prev
        assert event["seq"] > prev
        prev = event["seq"]


def test_a_change_is_told_with_its_number_moment_and_object() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    result = desk.ask("events.subscribe", topics=["seat"])
    assert [seat["seat"] for seat in result["snapshot"]["seat"]] == ["8001", "8002", "8003", "8019"]
    office.wait(2.5)
    pause(office)
    (event,) = desk.events
    assert event["prev"] == result["seq"]
    assert event["seq"] == office.node.news.seq
    assert event["at"] == "2027-01-15T08:01:42.500Z"
    assert (event["topic"], event["data"]["presence"]) == ("seat", "paused")


def test_what_happens_in_the_turn_of_the_subscription_is_in_the_snapshot_or_told_never_both() -> None:
    office = Office()
    desk = office.desk("admin")
    desk.ask("events.subscribe", topics=["seat"])
    other = office.desk()
    batch = (
        '[{"jsonrpc":"2.0","id":1,"method":"session.login",'
        '"params":{"hotline":"96198","seat":"8001","password":"demo"}},'
        '{"jsonrpc":"2.0","id":2,"method":"events.subscribe","params":{"topics":["seat"]}},'
        '{"jsonrpc":"2.0","id":3,"method":"seat.pause","params":{"reason":"rest"}}]'
    )
    answers, *rest = other.say(batch)
    subscribed = answers[1]["result"]
    assert subscribed["snapshot"]["seat"][0]["presence"] == "ready"
    events = [text["params"] for text in rest]
    must_chain(subscribed["seq"], events)
    assert [event["data"]["presence"] for event in events] == ["paused"]


def test_other_topics_leave_no_gap() -> None:
    office = Office()
    desk = office.desk("admin")
    seq = desk.ask("events.subscribe", topics=["call"])["seq"]
    office.desk().sign_in("8001")
    office.turn(lambda now: office.node.put_call("c1", now=now))
    pause(office)
    office.turn(lambda now: office.node.end_call("c1", now=now))
    must_chain(seq, desk.events)
    assert [event["data"]["state"] for event in desk.events] == ["talking", "ended"]


def test_another_tenant_hears_nothing_and_misses_nothing() -> None:
    """Also the end of a call, which says no more than the call's id, and events of queues."""
    office = Office()
    north, south = office.desk(), office.desk()
    north.sign_in("8001")
    south.sign_in("9001", hotline="96300")
    topics = ["seat", "call", "queue", "trunk", "switch"]
    seqs = [desk.ask("events.subscribe", topics=topics) for desk in (north, south)]
    assert [seat["seat"] for seat in seqs[1]["snapshot"]["seat"]] == ["9001"]
    assert [queue["queue"] for queue in seqs[1]["snapshot"]["queue"]] == ["other"]
    assert seqs[1]["snapshot"]["trunk"] == []
    pause(office)
    office.turn(lambda now: office.node.put_call("c1", "north", now))
    join = CallJoined(CallId("c1"), QueueName("junior"), "139")
    office.turn(lambda now: office.node.handle(join, now))
    office.turn(lambda now: office.node.handle(CallLeft(CallId("c1")), now))
    office.turn(lambda now: office.node.end_call("c1", now))
    assert south.events == []
    assert [(event["topic"], event["data"].get("state")) for event in north.events] == [
        ("seat", None),
        ("call", "talking"),
        ("queue", None),
        ("queue", None),
        ("call", "ended"),
    ]
    office.turn(lambda now: office.node.news.put("switch", lambda: {"draining": True}, now))
    must_chain(seqs[1]["seq"], south.events)
    assert south.events[0]["data"] == {"draining": True}


def test_a_call_from_before_the_subscription_is_known_when_it_ends() -> None:
    office = Office()
    office.node.put_call("c1", "north")
    desk = office.desk()
    desk.sign_in()
    desk.ask("events.subscribe", topics=["call"])
    office.turn(lambda now: office.node.end_call("c1", now))
    assert [event["data"] for event in desk.events] == [{"call": "c1", "state": "ended"}]


def test_a_lost_connection_resumes_where_it_was() -> None:
    office = Office()
    lost = office.desk()
    session = lost.sign_in()
    lost.ask("events.subscribe", topics=["seat"])
    pause(office)
    last = lost.events[-1]["seq"]
    lost.close()
    ready(office)
    pause(office)
    office.wait(30)
    desk = office.desk()
    desk.ask("session.resume", session=session)
    result = desk.ask("events.subscribe", topics=["seat"], since=last)
    assert result == {"seq": last, "snapshot": None}
    assert [text.get("id", text.get("method")) for text in desk.heard[1:]] == [2, "event", "event"]
    ready(office)
    must_chain(last, desk.events)
    assert [event["data"]["presence"] for event in desk.events] == ["ready", "paused", "ready"]


def test_what_is_no_longer_kept_is_a_resync() -> None:
    office = Office()
    desk = office.desk("admin")
    desk.ask("events.subscribe", topics=["switch"])
    for number in range(EVENT_BUFFER_MAX + 1):
        office.node.news.put("queue", lambda number=number: {"queue": "junior", "n": number}, 100.0)
    assert desk.refusal("events.subscribe", topics=["queue"], since=office.node.news.seq + 1) == "RESYNC"
    assert desk.refusal("events.subscribe", topics=["seat"], since=1) == "RESYNC"
    office.turn(office.api.flush)
    assert desk.events == []  # a refused subscription is none


def test_too_much_to_catch_up_with_is_a_resync() -> None:
    office = Office()
    desk = office.desk("admin")
    seq = desk.ask("events.subscribe", topics=["queue"])["seq"]
    for _ in range(30):
        office.node.news.put("queue", lambda: {"queue": "junior", "text": "x" * 100_000}, 100.0)
    assert desk.refusal("events.subscribe", topics=["queue"], since=seq) == "RESYNC"


def test_events_are_built_while_somebody_listens_and_a_minute_longer() -> None:
    office = Office()
    desk = office.desk("admin")
    assert not office.node.news.wanted
    desk.ask("events.subscribe", topics=["seat"])
    desk.close()
    office.wait(59.9)
    assert office.node.news.wanted
    office.wait(0.2)
    assert not office.node.news.wanted
    again = office.desk("admin")
    again.ask("events.subscribe", topics=["seat"])
    office.wait(600)
    assert office.node.news.wanted


def test_one_connection_has_one_subscription() -> None:
    office = Office()
    desk = office.desk("admin")
    desk.ask("events.subscribe", topics=["seat"])
    desk.ask("events.subscribe", topics=["call"])
    office.desk().sign_in()
    assert desk.events == []
    assert desk.ask("events.unsubscribe") == {"done": True}
    office.turn(lambda now: office.node.put_call("c1", now=now))
    assert desk.events == []
    assert desk.ask("events.unsubscribe") == {"done": True}


def test_who_loses_the_seat_loses_the_subscription_that_hung_on_it() -> None:
    office = Office()
    desk, lead = office.desk(), office.desk()
    desk.sign_in("8002")
    lead.sign_in("8019", "lead")
    desk.ask("events.subscribe", topics=["seat"])
    lead.ask("supervisor.force_logout", seat="8002")
    assert [text["method"] for text in desk.notifications] == ["event", "session.ended"]
    assert desk.events[0]["data"]["presence"] == "offline"
    count = len(desk.heard)
    lead.ask("seat.pause", reason="rest")
    assert len(desk.heard) == count


def test_who_signs_out_hears_of_that_and_no_more() -> None:
    office = Office()
    desk, other = office.desk(), office.desk()
    desk.sign_in("8001")
    other.sign_in("8002")
    desk.ask("events.subscribe", topics=["seat"])
    desk.ask("session.logout")
    pause(office, "8002")
    assert [event["data"]["presence"] for event in desk.events] == ["offline"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["pause", "ready", "join", "leave", "put", "end", "lose", "resume", "subscribe", "wait"]
        ),
        st.integers(0, 2),
    ),
    max_size=40,
)
TOPICS = st.lists(st.sampled_from(["seat", "call", "queue", "switch"]), min_size=1, max_size=4)


class Follower:
    """A client that comes and goes and wants to have lost nothing."""

    def __init__(self, office: Office, topics: list[str]) -> None:
        self.office, self.topics = office, topics
        self.desk: Desk | None = None
        self.last: int | None = None
        self.got: list[int] = []

    def come(self) -> None:
        self.take()
        if self.desk is None:
            self.desk = self.office.desk("admin")
        since = {} if self.last is None else {"since": self.last}
        response = self.desk.response("events.subscribe", topics=self.topics, **since)
        if "error" in response:
            assert response["error"]["data"]["word"] == "RESYNC"
            self.last, self.got = None, []
            self.come()
            return
        self.last = response["result"]["seq"]
        self.take()

    def take(self) -> None:
        """Read what has come and assert that it continues."""
        if self.desk is None or self.last is None:
            return
        for event in self.desk.events:
            assert event["prev"] == self.last
            self.last = event["seq"]
            self.got.append(event["seq"])
        self.desk.heard.clear()

    def go(self) -> None:
        self.take()
        if self.desk is not None:
            self.desk.close()
            self.desk = None


@settings(max_examples=150, deadline=None)
@given(STEPS, TOPICS)
def test_nothing_is_lost_over_filters_and_lost_connections(
    steps: list[tuple[str, int]], topics: list[str]
) -> None:
    """A client that comes and goes gets, in order, just what one that stays gets from that moment on."""
    office = Office()
    witness = office.desk("admin")
    witness.ask("events.subscribe", topics=["seat", "call", "queue", "switch"])
    office.desk().sign_in("8001")
    office.desk().sign_in("8002")
    follower = Follower(office, topics)
    follower.come()
    begin = follower.last
    for step, number in steps:
        seat = ("8001", "8002", "8002")[number]
        call = f"c{number}"
        if step == "pause":
            pause(office, seat)
        elif step == "ready" and office.node.engine.seats[SeatId(seat)].presence.value != "ready":
            ready(office, seat)
        elif step == "put":
            office.turn(lambda now, call=call: office.node.put_call(call, now=now))
        elif step == "end" and call in office.node.calls:
            office.turn(lambda now, call=call: office.node.end_call(call, now))
        elif step == "lose":
            follower.go()
        elif step in ("resume", "subscribe"):
            follower.come()
        elif step == "wait":
            office.wait(20.0 * number)
        elif step == "join" and office.node.engine.waiting(CallId(call)) is None:
            join = CallJoined(CallId(call), QueueName("junior"), "139")
            office.turn(lambda now, join=join: office.node.handle(join, now))
        elif step == "leave":
            office.turn(lambda now, call=call: office.node.handle(CallLeft(CallId(call)), now))
    follower.come()
    told = [
        event["seq"] for event in witness.events if event["topic"] in topics and event["seq"] > (begin or 0)
    ]
    assert follower.got == told
