"""Phones: which fits, which is bound, which can be reached."""

from typing import Any

import pytest

from acd.inputs import OfferRang, PhoneBound, PhoneReachable, SignedIn
from acd.phone import Phones, choose_phone
from acd.settings import PhoneSettings, SeatSettings
from kernel.ids import SeatId

S = SeatId("8001")
THREE = (PhoneSettings("softphone", ""), PhoneSettings("extension", "2001"), PhoneSettings("pstn", "138"))


@pytest.mark.parametrize(
    ("kind", "number", "chosen"),
    [
        ("", "", ("softphone", "8001")),
        ("extension", "", ("extension", "2001")),
        ("pstn", "138", ("pstn", "138")),
        ("", "2001", ("extension", "2001")),
        ("pstn", "139", None),
        ("fax", "", None),
    ],
)
def test_choice(kind: str, number: str, chosen: tuple[str, str] | None) -> None:
    found = choose_phone(SeatSettings("8001", "demo", 0, phones=THREE), kind, number)
    assert (None if found is None else (found.kind, found.number)) == chosen


def test_without_phones_there_is_a_softphone() -> None:
    assert choose_phone(SeatSettings("8001", "demo", 0), "", "") == PhoneSettings("softphone", "8001")


def test_outside_numbers_are_always_reachable_others_when_they_register() -> None:
    phones = Phones()
    assert phones.build(PhoneSettings("pstn", "138")).reachable
    assert not phones.build(PhoneSettings("softphone", "8001")).reachable
    phones.note("softphone", "8001", reachable=True)
    assert phones.build(PhoneSettings("softphone", "8001")).reachable


def test_an_unregistered_phone_costs_no_ring_seconds(kit: Any) -> None:
    """The call goes to the other seat at once; when the phone registers, it serves."""
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.do(PhoneReachable("softphone", "8001", False))
    floor.sign_in("8001", "8002")
    assert floor.state("8001") == "ready unreachable"
    floor.join("a")
    floor.join("b")
    assert floor.rings() == [("a", "8002")]
    floor.at(4.0)
    floor.do(PhoneReachable("softphone", "8001", True))
    assert floor.state("8001") == "ready reserved"
    assert floor.rings() == [("a", "8002"), ("b", "8001")]


def test_phone_lost_while_it_rings_gives_the_call_back(kit: Any) -> None:
    floor = kit.floor((kit.queue(),), (kit.seat("8001"), kit.seat("8002")))
    floor.sign_in("8001", "8002")
    floor.join("a")
    floor.do(OfferRang(floor.offer_of("8001")))
    floor.at(3.0)
    floor.do(PhoneReachable("softphone", "8001", False))
    assert floor.state("8001") == "ready unreachable"
    assert floor.ringing() == {"a": "8002"}
    assert floor.withdrawn() == [("a.1.1", "unreachable")]
    assert [(row.outcome, row.rang) for row in floor.offers()] == [("failed", 3.0)]


def test_phone_lost_in_a_talk_shows_when_the_talk_is_over(one_seat: Any) -> None:
    floor = one_seat
    floor.sign_in("8001")
    floor.join("a")
    floor.answer("8001")
    floor.do(PhoneReachable("softphone", "8001", False))
    assert floor.state("8001") == "ready talking"
    floor.end_talk("8001")
    assert floor.state("8001") == "wrapup unreachable"
    floor.after(30.0)
    assert floor.state("8001") == "ready unreachable"
    floor.do(PhoneReachable("softphone", "8001", True))
    assert floor.state("8001") == "ready idle"


def test_a_phone_of_nobody_changes_nothing(one_seat: Any) -> None:
    before = len(one_seat.events)
    one_seat.do(PhoneReachable("softphone", "9999", True))
    assert len(one_seat.events) == before


def test_one_phone_serves_one_signed_in_seat(kit: Any) -> None:
    shared = (PhoneSettings("extension", "2001"), PhoneSettings("softphone", ""))
    floor = kit.floor((kit.queue(),), (kit.seat("8001", phones=shared), kit.seat("8002", phones=shared)))
    floor.sign_in("8001")
    assert floor.refused(SignedIn(SeatId("8002"), "x", "extension")) == "PHONE_IN_USE"
    floor.do(SignedIn(SeatId("8002"), "x", "softphone"))
    assert floor.refused(PhoneBound(SeatId("8002"), "extension", "2001")) == "PHONE_IN_USE"
    floor.do(PhoneBound(S, "softphone", ""))
    floor.do(PhoneBound(SeatId("8002"), "extension", "2001"))
    assert str(floor.seat("8002").phone) == "extension:2001"
