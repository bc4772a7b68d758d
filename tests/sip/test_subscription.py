"""Subscriptions to lamps: RFC 6665 as a notifier, RFC 4235 as what is told."""

import gc
from itertools import product
from typing import Any

import pytest

from sip.flows import Flow
from sip.settings import Account, Secret
from sip.subscription import DROPPED, MOVES, Input, Lamp, State, dialog_info
from tests.sip.scene import PHONE, STRANGER, TRUNK, Scene, Sent, request, respond, settings
from tests.sip.test_registrar import register

ACCOUNTS = settings().accounts | {"9001": Account("9001", Secret(password="three"), tenant="other")}
RINGING = Lamp("early", "recipient")
TALKING = Lamp("confirmed")


def test_a_ringing_lamp_names_its_dialog_for_who_picks_it_up() -> None:
    """RFC 4235 4.1.1; our tag is the one that Replaces calls to-tag. Nobody's dialog, nothing is said."""
    lamp = Lamp("early", "recipient", dialog=('a"<&b@c', "ours"))
    said = dialog_info("8002", "example.com", 3, lamp).decode()
    tags = 'local-tag="ours" remote-tag="0" direction="recipient">'
    assert f'<dialog id="8002" call-id="a&quot;&lt;&amp;b@c" {tags}' in said
    assert "call-id" not in dialog_info("8002", "example.com", 4, RINGING).decode()


class Desk(Scene):
    """8001 is registered, and watches; ``lamps`` is what is above."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(accounts=ACCOUNTS, **changes)
        self.lamps: dict[str, Lamp] = {}
        self.stack.watchers.lamp_of = lambda user: self.lamps.get(user, Lamp())
        register(self, headers=("Expires: 3600",))
        self.clear()

    def subscribe(
        self,
        watched: str = "8002",
        cseq: int = 1,
        to_tag: str = "",
        expires: str = "Expires: 600",
        event: str = "Event: dialog",
        flow: Flow = PHONE,
        call_id: str = "watch1",
        **more: Any,
    ) -> list[Sent]:
        """Send a SUBSCRIBE of 8001 and return what is sent at once."""
        fields: dict[str, Any] = {
            "from_": "<sip:8001@example.com>;tag=w1",
            "to": f"<sip:{watched}@example.com>" + (f";tag={to_tag}" if to_tag else ""),
            "contact": f"<sip:8001@{flow.host}:{flow.port}>",
            "headers": tuple(line for line in (expires, event) if line),
        }
        data = request(
            "SUBSCRIBE",
            f"sip:{watched}@example.com",
            branch=f"z9hG4bK{call_id}{cseq}",
            via=f"{flow.host}:{flow.port}",
            call_id=call_id,
            cseq=cseq,
            **(fields | more),
        )
        return self.receive(data, flow)

    def turn(self, lamp: Lamp, watched: str = "8002") -> None:
        """The lamp changes."""
        self.lamps[watched] = lamp
        self.stack.watchers.changed(watched, self.now)
        self.collect()

    def notified(self) -> list[str]:
        """Return state and Subscription-State of every NOTIFY, repetitions left out."""
        notifies = {sent.message.cseq: sent.message for sent in self.sent if sent.word == "NOTIFY"}
        return [
            f"{str(it.body).partition('<state>')[2].partition('<')[0]} {it.header('subscription-state')}"
            for it in notifies.values()
        ]

    def answer(self, status: int = 200) -> None:
        """Be the phone: answer the last NOTIFY."""
        self.receive(respond(self.last("NOTIFY"), status), PHONE)


def test_every_pair_is_either_a_move_or_dropped() -> None:
    assert set(product(State, Input)) == MOVES.keys() | DROPPED
    assert not MOVES.keys() & DROPPED


def test_a_subscription_is_answered_and_told_at_once() -> None:
    """RFC 6665 4.2.1: 200 with the granted time, then NOTIFY with the state there is."""
    desk = Desk()
    desk.lamps["8002"] = RINGING
    ok, notify = desk.subscribe()
    assert (ok.word, ok.message.header("expires")) == ("200", "600")
    assert ok.message.header("contact") == "<sip:10.0.0.1:5060>"
    message = notify.message
    assert (notify.word, notify.flow) == ("NOTIFY", PHONE)
    assert message.uri == "sip:8001@192.0.2.7:5062"
    assert message.header("event") == "dialog"
    assert message.header("subscription-state") == "active;expires=600"
    assert message.header("content-type") == "application/dialog-info+xml"
    assert (message.from_tag, message.to_tag) == (ok.message.to_tag, "w1")
    assert message.body == dialog_info("8002", "example.com", 0, RINGING)


def test_what_a_lamp_looks_like() -> None:
    """RFC 4235 4: version, full state, one dialog; rendering "no" where nobody is to be called."""
    text = dialog_info("8002", "example.com", 7, Lamp("confirmed", note="out to <lunch>", is_rendering=False))
    assert text.decode() == (
        '<?xml version="1.0"?>\r\n'
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" '
        'entity="sip:8002@example.com">\r\n'
        '<dialog id="8002"><state>confirmed</state><local>'
        '<identity display="out to &lt;lunch&gt;">sip:8002@example.com</identity>'
        '<target uri="sip:8002@example.com"><param pname="+sip.rendering" pval="no"/></target></local>'
        "</dialog>\r\n</dialog-info>\r\n"
    )


def test_one_notify_a_change_and_one_at_a_time() -> None:
    """While a NOTIFY is out, whatever changes is one more; the version rises by one."""
    desk = Desk()
    desk.subscribe()
    desk.turn(RINGING)
    desk.turn(TALKING)
    desk.turn(Lamp())
    assert desk.notified() == ["terminated active;expires=600"]
    desk.turn(TALKING)
    desk.answer()
    assert desk.notified()[1:] == ["confirmed active;expires=600"]
    desk.answer()
    desk.turn(TALKING)
    assert len(desk.notified()) == 2
    desk.advance(100.0)
    desk.turn(Lamp())
    assert desk.notified()[2:] == ["terminated active;expires=500"]
    bodies = {sent.message.cseq: str(sent.message.body) for sent in desk.sent if sent.word == "NOTIFY"}
    assert ['version="0"' in bodies[1, "NOTIFY"], 'version="2"' in bodies[3, "NOTIFY"]] == [True, True]
    assert len(bodies) == 3


def test_a_subscription_is_renewed_and_ended() -> None:
    """RFC 6665 4.1.2.2, 4.1.2.3: NOTIFY each time; the last says terminated."""
    desk = Desk()
    ok, _ = desk.subscribe()
    desk.answer()
    tag = ok.message.to_tag
    desk.advance(500.0)
    assert [sent.word for sent in desk.subscribe(cseq=2, to_tag=tag)] == ["200", "NOTIFY"]
    desk.answer()
    desk.advance(500.0)
    assert desk.stack.watchers.count() == 1
    ok, notify = desk.subscribe(cseq=3, to_tag=tag, expires="Expires: 0")
    assert ok.message.header("expires") == "0"
    assert notify.message.header("subscription-state") == "terminated;reason=timeout"
    assert desk.stack.watchers.count() == 0
    assert [sent.word for sent in desk.subscribe(cseq=4, to_tag=tag)] == ["481"]


def test_a_subscription_that_is_not_renewed_ends() -> None:
    desk = Desk()
    desk.subscribe()
    desk.answer()
    desk.advance(599.0)
    assert desk.stack.watchers.count() == 1
    desk.advance(2.0)
    assert desk.notified()[-1] == "terminated terminated;reason=timeout"
    assert desk.stack.watchers.count() == 0
    desk.answer()
    desk.turn(TALKING)
    assert len(desk.notified()) == 2


def test_a_look_costs_one_notify_and_leaves_nothing() -> None:
    """RFC 6665 4.4.3: Expires 0 without a subscription."""
    desk = Desk()
    ok, notify = desk.subscribe(expires="Expires: 0")
    assert (ok.word, notify.message.header("subscription-state")) == ("200", "terminated;reason=timeout")
    assert desk.stack.watchers.count() == 0


def test_without_expires_it_is_an_hour_and_never_more() -> None:
    """RFC 4235 3.4."""
    desk = Desk()
    assert desk.subscribe(expires="")[0].message.header("expires") == "3600"
    assert desk.subscribe(expires="Expires: 100000", call_id="b")[0].message.header("expires") == "3600"


@pytest.mark.parametrize(
    ("more", "status", "header"),
    [
        ({"event": ""}, "489", ("allow-events", "dialog, message-summary, refer")),
        ({"event": "Event: presence"}, "489", ("allow-events", "dialog, message-summary, refer")),
        ({"event": "Event: dialog;id=3", "expires": "Expires: 5"}, "423", ("min-expires", "60")),
        ({"expires": "Expires: soon"}, "400", ()),
        ({"contact": ""}, "400", ()),
        ({"headers": ("Event: dialog", "Accept: application/pidf+xml")}, "406", ()),
        ({"headers": ("Event: dialog", "Require: eventlist")}, "420", ("unsupported", "eventlist")),
        ({"watched": "4711"}, "404", ()),
        ({"watched": "9001"}, "404", ()),
        ({"from_": "<sip:8002@example.com>;tag=w1"}, "403", ()),
        ({"flow": STRANGER}, "401", ()),
        ({"flow": TRUNK, "from_": "<sip:138@carrier.example>;tag=t"}, "403", ()),
        ({"flow": STRANGER, "from_": "<sip:138@carrier.example>;tag=t"}, "403", ()),
    ],
)
def test_what_is_refused(more: dict[str, Any], status: str, header: tuple[str, ...]) -> None:
    """RFC 6665 4.1.3, 4.2.1.1: bad events, short times; nobody watches another tenant, or without proof."""
    desk = Desk()
    (answer,) = desk.subscribe(**more)
    assert answer.word == status
    if header:
        assert answer.message.header(header[0]) == header[1]
    assert desk.stack.watchers.count() == 0


def test_a_phone_watches_so_many_and_no_more() -> None:
    desk = Desk(subscriptions_per_user=2)
    assert desk.subscribe(call_id="a")[0].word == "200"
    assert desk.subscribe(call_id="b")[0].word == "200"
    assert desk.subscribe(call_id="c")[0].word == "403"
    assert desk.subscribe(call_id="d", expires="Expires: 0")[0].word == "200"
    assert desk.stack.watchers.count() == 2


@pytest.mark.parametrize("status", [481, 500, 603])
def test_an_error_to_a_notify_ends_the_subscription(status: int) -> None:
    """RFC 6665 4.2.2."""
    desk = Desk()
    desk.subscribe()
    desk.answer(status)
    assert desk.stack.watchers.count() == 0


def test_a_phone_that_is_gone_is_forgotten() -> None:
    """Silence for 64*T1 ends it."""
    desk = Desk()
    desk.subscribe()
    desk.advance(33.0)
    assert desk.stack.watchers.count() == 0
    assert desk.stack.is_quiet()


def test_a_phone_whose_connection_was_cut_is_told_when_it_is_back() -> None:
    """The change that it missed; its other connection is where it has registered from (RFC 5626 5.3)."""
    desk = Desk()
    contact = "<sip:8001@192.0.2.7:5062;transport=tcp>"
    wire = Flow("tcp", 1, "192.0.2.7", 40001, 5)
    register(desk, contacts=(contact,), cseq=5, call_id="reg2", flow=wire)
    desk.subscribe(flow=wire, transport="TCP", contact=contact)
    desk.receive(respond(desk.last("NOTIFY"), 200), wire)
    desk.stack.flow_closed(wire, desk.now)
    desk.turn(RINGING)
    assert desk.last("NOTIFY").flow == wire
    desk.stack.flow_failed(wire, desk.now)
    desk.turn(TALKING)
    assert len(desk.notified()) == 2
    again = Flow("tcp", 1, "192.0.2.7", 40002, 6)
    register(desk, contacts=(contact,), cseq=8, call_id="reg2", flow=again)
    assert desk.last("NOTIFY").flow == again
    assert desk.notified()[2:] == ["confirmed active;expires=600"]
    desk.receive(respond(desk.last("NOTIFY"), 200), again)
    desk.turn(Lamp())
    assert desk.notified()[3:] == ["terminated active;expires=600"]


def test_a_phone_that_is_cut_off_for_good_is_forgotten_in_time() -> None:
    desk = Desk()
    contact = "<sip:8001@192.0.2.7:5062;transport=tcp>"
    wire = Flow("tcp", 1, "192.0.2.7", 40001, 5)
    register(desk, contacts=(contact,), cseq=5, call_id="reg2", flow=wire)
    desk.subscribe(flow=wire, transport="TCP", contact=contact)
    desk.stack.flow_closed(wire, desk.now)
    assert desk.stack.watchers.count() == 1
    desk.advance(601.0)
    assert desk.stack.watchers.count() == 0


def test_repetitions_late_requests_and_strangers() -> None:
    """A repeated SUBSCRIBE is answered as before; an old CSeq draws 500; another host is nobody."""
    desk = Desk()
    ok, _ = desk.subscribe()
    assert [sent.word for sent in desk.subscribe()] == ["200"]
    assert desk.stack.watchers.count() == 1
    tag = ok.message.to_tag
    assert desk.subscribe(cseq=5, to_tag=tag)[0].word == "200"
    assert [sent.word for sent in desk.subscribe(cseq=4, to_tag=tag)] == ["500"]
    assert [sent.word for sent in desk.subscribe(cseq=6, to_tag=tag, flow=STRANGER)] == ["481"]
    assert [sent.word for sent in desk.subscribe(cseq=7, to_tag=tag, expires="Expires: 1")] == ["423"]
    assert [sent.word for sent in desk.subscribe(cseq=8, to_tag=tag, event="Event: refer")] == ["489"]
    assert desk.stack.watchers.count() == 1


def test_a_phone_that_moves_is_told_where_it_is() -> None:
    """The NOTIFY goes where the phone has renewed from."""
    desk = Desk()
    ok, _ = desk.subscribe()
    desk.answer()
    moved = Flow("udp", 0, "192.0.2.7", 5999)
    register(desk, contacts=("<sip:8001@192.0.2.7:5999>",), cseq=9, call_id="reg2", flow=moved)
    desk.subscribe(cseq=2, to_tag=ok.message.to_tag, flow=moved)
    assert desk.last("NOTIFY").flow == moved
    assert desk.last("NOTIFY").message.uri == "sip:8001@192.0.2.7:5999"


def test_an_account_that_is_gone_is_watched_no_more() -> None:
    desk = Desk()
    desk.subscribe()
    desk.answer()
    left = {name: account for name, account in ACCOUNTS.items() if name != "8002"}
    desk.stack.reconfigure(settings(accounts=left), desk.now)
    desk.collect()
    assert desk.notified()[-1] == "terminated terminated;reason=noresource"
    assert desk.stack.watchers.count() == 0


def test_nobody_who_is_not_watched_costs_anything() -> None:
    desk = Desk()
    desk.turn(TALKING)
    assert desk.sent == []
    desk.subscribe("8002")
    desk.clear()
    desk.turn(TALKING, "8001")
    assert desk.sent == []


def test_a_hundred_subscriptions_leave_nothing_for_the_collector() -> None:
    desk = Desk()
    gc.collect()
    gc.disable()
    try:
        for number in range(100):
            ok, _ = desk.subscribe(call_id=f"g{number}")
            desk.answer()
            desk.subscribe(call_id=f"g{number}", cseq=2, to_tag=ok.message.to_tag, expires="Expires: 0")
            desk.answer()
            desk.clear()
        desk.advance(40.0)
        desk.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_who_watches_as_the_switch_ends_subscribes_again_at_the_next() -> None:
    """RFC 6665 4.1.3: deactivated; a new SUBSCRIBE is left for the switch that comes next, an old one 481."""
    desk = Desk()
    (answer, *_) = desk.subscribe()
    desk.answer()
    desk.stack.watchers.stop(desk.now)
    desk.collect()
    assert desk.notified()[-1] == "terminated terminated;reason=deactivated"
    assert desk.stack.watchers.count() == 0
    assert desk.subscribe(call_id="watch2") == []
    again = desk.subscribe(cseq=2, to_tag=answer.message.to_tag)
    assert [sent.word for sent in again] == ["481"]
    desk.stack.check()
