"""Notices: lines of the log, and events that operators alone hear."""

from calls.events import ScriptEnded, SupervisionChanged, SurveyEnded
from kernel.ids import CallId, SeatId
from kernel.outbox import Outbox
from seatswitch.news import EventLog
from seatswitch.notices import Notices
from sip.events import DigestRefused, NameUnresolved, SourceBanned, StraysSeen, TrunkChanged
from sip.flows import Flow


def test_each_is_a_line_and_an_event() -> None:
    """A-SCAN2: auth_failed with ip, user and method."""
    log, news = Outbox[tuple[str, dict[str, object]]](), EventLog()
    news.wanted = True
    notices = Notices(log, news)
    notices.digest_refused(DigestRefused("8001", "REGISTER", Flow("udp", 0, "203.0.113.5", 5060)), 1.0)
    notices.source_banned(SourceBanned("203.0.113.5", 300.0), 2.0)
    notices.strays_seen(StraysSeen("BYE", "203.0.113.6", 100), 3.0)
    told = [
        ("auth_failed", {"ip": "203.0.113.5", "user": "8001", "method": "REGISTER"}),
        ("banned", {"ip": "203.0.113.5", "for": 300.0}),
        ("storm", {"ip": "203.0.113.6", "of": "BYE", "total": 100}),
    ]
    assert log.take() == told
    assert news.fresh.take() == [
        (number, float(number), "switch", {**fields, "what": what})
        for number, (what, fields) in enumerate(told, 1)
    ]


def test_a_trunk_that_changes_is_shown_as_it_is() -> None:
    log, news = Outbox[tuple[str, dict[str, object]]](), EventLog()
    news.wanted = True
    event = TrunkChanged("carrier", "contact", "down", "sip:198.51.100.1:5060", 408)
    Notices(log, news).trunk_changed(event, lambda: {"trunk": "carrier", "state": "down"}, 1.0)
    uri = "sip:198.51.100.1:5060"
    assert log.take() == [("trunk contact", {"trunk": "carrier", "state": "down", "status": 408, "uri": uri})]
    assert news.fresh.take() == [(1, 1.0, "trunk", {"trunk": "carrier", "state": "down"})]


def test_a_name_that_leads_nowhere_is_a_line() -> None:
    log, news = Outbox[tuple[str, dict[str, object]]](), EventLog()
    Notices(log, news).name_unresolved(NameUnresolved("sip.carrier.example", "no answer"), 1.0)
    assert log.take() == [("a name leads nowhere", {"name": "sip.carrier.example", "why": "no answer"})]
    assert news.fresh.take() == []


def test_what_has_ended_or_changed_is_an_event_and_no_line() -> None:
    log, news = Outbox[tuple[str, dict[str, object]]](), EventLog()
    news.wanted = True
    notices = Notices(log, news)
    call, seat = CallId("c1"), SeatId("8001")
    notices.survey_ended(SurveyEnded(call, "demo", "junior", "8001", "", None), 1.0)
    left = ScriptEnded(call, "demo", "pin", "interact", "8001", "returned", "", {"pin": "***"})
    notices.script_ended(left, 2.0)
    listens = SupervisionChanged("waiting", seat, "8019", None, "demo", "monitor", None)
    notices.supervision_changed(listens, 3.0)
    assert log.take() == []
    assert [(topic, data) for _, _, topic, data in news.fresh.take()] == [
        ("call", {"what": "survey", "call": "c1", "tenant": "demo", "queue": "junior", "seat": "8001",
                  "key": None, "result": None}),
        ("call", {"what": "interact_returned", "call": "c1", "tenant": "demo", "ivr": "pin", "seat": "8001",
                  "outcome": "returned", "target": None, "variables": {"pin": "***"}}),
        ("supervisor", {"what": "waiting", "by": "8019", "tenant": "demo", "seat": "8001", "call": None,
                        "mode": "monitor", "reason": None, "supervises": "8001"}),
    ]  # fmt: skip
