"""Message waiting: what phones are told of their mailboxes, asked and unasked (RFC 3842)."""

import gc
from typing import Any

import pytest
from msgspec.structs import replace

from sip.flows import Flow
from sip.mailboxes import NoBoxes, Waiting, message_summary
from sip.settings import SipSettings
from tests.sip.scene import PHONE, respond, settings
from tests.sip.test_registrar import register
from tests.sip.test_subscription import ACCOUNTS, Desk

OTHER = Flow("udp", 0, "192.0.2.8", 5062)
MAILBOX = "Event: message-summary"


class Shelf:
    """A box for each seat, one that 8001 shares with others until ``is_moved``."""

    def __init__(self) -> None:
        self.counts: dict[str, Waiting] = {}
        self.is_moved = False

    def box_of(self, user: str, named: str) -> str:
        if named == user:
            return f"demo/seat:{user}"
        return "demo/queue:junior" if named == "junior" and user == "8001" and not self.is_moved else ""

    def owner_of(self, box: str) -> str:
        kind, _, number = box.partition("/")[2].partition(":")
        return number if kind == "seat" else ""

    def waiting(self, box: str) -> Waiting:
        return self.counts.get(box, Waiting())


class Office(Desk):
    """8001 is registered; its account is told ``mwi``."""

    def __init__(self, mwi: str = "subscribe", **changes: Any) -> None:
        self.shelf = Shelf()
        self.accounts = ACCOUNTS | {"8001": replace(ACCOUNTS["8001"], mwi=mwi)}
        super().__init__(**changes)
        self.stack.watchers.show(self.shelf)
        self.stack.reconfigure(self.configured(**changes), self.now)
        self.clear()

    def configured(self, **changes: Any) -> SipSettings:
        return settings(accounts=self.accounts, **changes)

    def change(self, new: int, old: int = 0, box: str = "demo/seat:8001") -> None:
        """Something has happened in a box."""
        self.shelf.counts[box] = Waiting(new, old)
        self.stack.watchers.changed(box, self.now)
        self.collect()

    def heard(self) -> list[str]:
        """Return new/old and Subscription-State of every NOTIFY, repetitions left out."""
        told = [sent.message for sent in self.sent if sent.word == "NOTIFY"]
        notifies = {(it.call_id, it.cseq): it for it in told}
        return [
            f"{it.body.decode().rpartition(': ')[2].strip()} {it.header('subscription-state')}"
            for it in notifies.values()
        ]


def test_what_is_told_of_a_mailbox() -> None:
    """RFC 3842 5.2: whether somebody should listen, whose it is, new/old."""
    assert message_summary("8001", "example.com", Waiting(2, 8)).decode() == (
        "Messages-Waiting: yes\r\nMessage-Account: sip:8001@example.com\r\nVoice-Message: 2/8\r\n"
    )
    heard = message_summary("8001", "example.com", Waiting(0, 3)).decode()
    assert heard.startswith("Messages-Waiting: no\r\n")
    assert heard.endswith("Voice-Message: 0/3\r\n")


def test_a_phone_watches_its_own_box_from_the_first_message_to_the_end() -> None:
    """RFC 3842 3, RFC 6665 4.2.1: told at once, at each change, at the end; of nothing else."""
    desk = Office()
    desk.shelf.counts["demo/seat:8001"] = Waiting(1, 2)
    ok, notify = desk.subscribe("8001", event=MAILBOX)
    assert (ok.word, ok.message.header("expires")) == ("200", "600")
    message = notify.message
    assert (message.header("event"), message.header("content-type")) == (
        "message-summary", "application/simple-message-summary",
    )  # fmt: skip
    assert message.body == message_summary("8001", "example.com", Waiting(1, 2))
    desk.answer()
    desk.change(1, 2)
    desk.change(5, 5, box="demo/seat:8002")
    desk.change(2, 2)
    desk.answer()
    desk.subscribe("8001", event=MAILBOX, cseq=2, to_tag=ok.message.to_tag, expires="Expires: 0")
    assert desk.heard() == [
        "1/2 active;expires=600",
        "2/2 active;expires=600",
        "2/2 terminated;reason=timeout",
    ]
    assert desk.stack.watchers.count() == 0
    desk.stack.check()


def test_changes_while_a_notify_is_out_are_one_more() -> None:
    desk = Office()
    desk.subscribe("8001", event=MAILBOX)
    desk.change(1)
    desk.change(2)
    assert desk.heard() == ["0/0 active;expires=600"]
    desk.answer()
    assert desk.heard() == ["0/0 active;expires=600", "2/0 active;expires=600"]


def test_an_unrenewed_subscription_ends() -> None:
    desk = Office()
    desk.subscribe("8001", event=MAILBOX, expires="Expires: 60")
    desk.answer()
    desk.advance(61.0)
    assert desk.heard()[-1] == "0/0 terminated;reason=timeout"
    assert desk.stack.watchers.count() == 0


@pytest.mark.parametrize(
    ("watched", "more", "status"),
    [
        ("8002", {}, "403"),  # a colleague's
        ("senior", {}, "403"),  # there is none, or it is not ours: which is not told
        ("8001", {"expires": "Expires: 30"}, "423"),
        ("8001", {"headers": (MAILBOX, "Accept: application/dialog-info+xml")}, "406"),
        ("8001", {"event": "Event: presence"}, "489"),
    ],
)
def test_what_is_refused(watched: str, more: dict[str, Any], status: str) -> None:
    desk = Office()
    (answer,) = desk.subscribe(watched, **({"event": MAILBOX} | more))
    assert answer.word == status
    if status == "489":
        assert answer.message.header("allow-events") == "dialog, message-summary, refer"
    assert desk.stack.watchers.count() == 0


def test_nobody_has_a_box_where_there_are_none() -> None:
    boxes = NoBoxes()
    assert (boxes.box_of("8001", "8001"), boxes.owner_of("demo/public"), boxes.waiting("")) == (
        "", "", Waiting(),
    )  # fmt: skip
    assert [sent.word for sent in Desk().subscribe("8001", event=MAILBOX)] == ["403"]


def test_lamps_and_boxes_are_counted_together_and_do_not_change_places() -> None:
    desk = Office(subscriptions_per_user=2)
    ok, _ = desk.subscribe("8001", event=MAILBOX, call_id="a")
    assert desk.subscribe("8002", call_id="b")[0].word == "200"
    assert desk.subscribe("8002", call_id="c")[0].word == "403"
    again = desk.subscribe("8001", call_id="a", cseq=2, to_tag=ok.message.to_tag)
    assert [sent.word for sent in again] == ["489"]
    desk.stack.check()


def test_a_switch_may_grant_less_than_is_asked_for() -> None:
    desk = Office(subscribe_expires_max=300.0)
    ok, _ = desk.subscribe("8001", event=MAILBOX, expires="Expires: 3600")
    assert ok.message.header("expires") == "300"
    assert desk.subscribe("8002", call_id="b", expires="")[0].message.header("expires") == "300"


def test_who_serves_a_queue_no_more_hears_of_its_box_no_more() -> None:
    desk = Office()
    desk.subscribe("junior", event=MAILBOX)
    desk.answer()
    desk.change(1, box="demo/queue:junior")
    desk.answer()
    desk.shelf.is_moved = True
    desk.change(2, box="demo/queue:junior")
    assert desk.heard()[1:] == ["1/0 active;expires=600", "0/0 terminated;reason=rejected"]
    assert desk.stack.watchers.count() == 0


def test_the_last_registration_takes_the_subscriptions_along() -> None:
    """By the phone itself, or because it has not registered again in time."""
    desk = Office()
    desk.subscribe("8001", event=MAILBOX)
    desk.answer()
    register(desk, contacts=("*",), headers=("Expires: 0",), cseq=20)
    assert desk.heard()[-1] == "0/0 terminated;reason=timeout"
    assert desk.stack.watchers.count() == 0
    register(desk, headers=("Expires: 60",), cseq=30, call_id="reg3")
    desk.subscribe("8001", event=MAILBOX, call_id="anew")
    desk.answer()
    desk.advance(61.0)
    assert desk.stack.watchers.count() == 0
    desk.stack.check()


def test_a_phone_may_be_told_unasked_whenever_it_registers_and_something_changes() -> None:
    desk = Office("unsolicited")
    desk.shelf.counts["demo/seat:8001"] = Waiting(1)
    register(desk, headers=("Expires: 3600",), cseq=20)
    notify = desk.last("NOTIFY")
    assert (notify.flow, notify.message.uri) == (PHONE, "sip:8001@192.0.2.7:5062")
    assert notify.message.header("event") == "message-summary"
    assert notify.message.body == message_summary("8001", "example.com", Waiting(1))
    desk.answer()
    desk.change(2)
    desk.change(3)
    desk.change(4)
    desk.answer()
    desk.answer(481)
    desk.change(0, 4)
    assert desk.heard() == [f"{it} terminated" for it in ("1/0", "2/0", "4/0", "0/4")]
    desk.advance(40.0)
    assert desk.stack.is_quiet()
    desk.stack.check()


def test_every_phone_of_the_account_is_told_and_none_that_asked_for_nothing() -> None:
    desk = Office("unsolicited")
    register(desk, contacts=("<sip:8001@192.0.2.8:5062>",), cseq=1, call_id="other", flow=OTHER)
    desk.answer()
    for sent in [it for it in desk.sent if it.word == "NOTIFY"]:
        desk.receive(respond(sent, 200), sent.flow)
    desk.clear()
    desk.change(1)
    assert sorted({sent.flow.host for sent in desk.sent}) == ["192.0.2.7", "192.0.2.8"]
    desk.clear()
    desk.change(1, box="demo/seat:8002")
    desk.change(1, box="demo/queue:junior")
    assert desk.sent == []
    quiet = Office()
    register(quiet, headers=("Expires: 3600",), cseq=20)
    quiet.change(1)
    assert [sent.word for sent in quiet.sent if sent.word == "NOTIFY"] == []


def test_a_hundred_messages_leave_nothing_for_the_collector() -> None:
    desk = Office("unsolicited")
    gc.collect()
    gc.disable()
    try:
        for number in range(100):
            desk.change(number + 1)
            desk.answer()
            desk.clear()
        desk.advance(40.0)
        desk.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
