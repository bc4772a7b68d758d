"""Presentation: who is named to whom (RFC 3323, RFC 3325, A-AUTH2)."""

import pytest

from calls.call import Call
from calls.presentation import Presented, note_caller, presented
from calls.settings import Hotline, OutsideRoute, RouteTrunk, TrunkSettings
from kernel.ids import CallId
from kernel.rows import CallRow
from sip.message import Request
from sip.parser import parse_message
from sip.settings import TrunkPeer
from tests.calls.office import Office, call_settings
from tests.sip.scene import PHONE, TRUNK, request

PAI = "P-Asserted-Identity: <sip:13900000000@carrier.example>"
ASSERTED = ("P-Asserted-Identity", "<sip:8001@example.com>")


@pytest.mark.parametrize(
    ("is_private", "is_trusted", "wanted"),
    [
        (False, False, Presented("8001")),
        (True, False, Presented("", "Anonymous")),
        (False, True, Presented("8001", "", (ASSERTED,))),
        (True, True, Presented("", "Anonymous", (ASSERTED, ("Privacy", "id")))),
    ],
)
def test_how_a_caller_is_shown(is_private: bool, is_trusted: bool, wanted: Presented) -> None:
    """RFC 3325 8: toward who is not trusted the identity is left out when its privacy is wanted."""
    assert presented("8001", "example.com", is_private=is_private, is_trusted=is_trusted) == wanted


def test_a_number_with_a_plus_is_asserted_and_nothing_is_not() -> None:
    shown = presented("+8613900000000", "example.com", is_private=False, is_trusted=True)
    assert shown.headers == (("P-Asserted-Identity", "<sip:+8613900000000@example.com>"),)
    assert presented("", "example.com", is_private=False, is_trusted=True).headers == ()
    assert presented('1"><x', "example.com", is_private=False, is_trusted=True).headers == ()


def test_what_an_invite_says_is_noted() -> None:
    headers = ("Privacy: id", "Diversion: <sip:8005@a>")
    message = parse_message(request("INVITE", headers=headers))
    assert isinstance(message, Request)
    call = Call(CallId("x"), 0.0)
    note_caller(call, message)
    assert (call.is_private, call.diverted_by) == (True, "8005")


@pytest.mark.parametrize(("is_trusted", "caller"), [(True, "13900000000"), (False, "13800000000")])
def test_an_asserted_identity_is_believed_from_who_is_trusted(is_trusted: bool, caller: str) -> None:
    """RFC 3325 5: from others it is as if it were not there; it never reaches the other side."""
    trunk = TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080", is_trusted=is_trusted)
    office = Office(call_settings(trunks=(trunk,)))
    office.register("8001")
    call = office.dial("96198", headers=(PAI,))
    assert call is not None
    assert call.caller == caller
    invite = office.ring(call)
    assert f"sip:{caller}@example.com" in (invite.message.header("from") or "")
    assert invite.message.header("p-asserted-identity") is None


def test_who_hides_is_anonymous_at_the_seat_and_known_in_the_row() -> None:
    """RFC 3323 4.1.1.3: the phone is not told; the operator's row is."""
    office = Office()
    office.register("8001")
    call = office.dial("96198", headers=("Privacy: id",))
    assert call is not None
    invite = office.ring(call)
    shown = invite.message.header("from") or ""
    assert shown.startswith('"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert b"13800000000" not in invite.data
    office.board.end_all(office.now)
    (row,) = [row for row in office.board.rows.take() if isinstance(row, CallRow)]
    assert row.caller == "13800000000"


def outside(*, is_trusted: bool) -> Office:
    """8001 may call out through a trunk of the trust domain, or one outside it."""
    trunk = TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080", is_trusted=is_trusted)
    office = Office(
        call_settings(
            trunks=(trunk,),
            routes=(OutsideRoute("", (RouteTrunk("carrier"),)),),
            hotlines=(Hotline("96198", "demo", "queue:junior"),),
        ),
        trunks=(TrunkPeer("carrier", accept=("10.0.0.0/24",)),),
    )
    office.register("8001")
    return office


@pytest.mark.parametrize("is_trusted", [True, False])
@pytest.mark.parametrize("is_private", [True, False])
def test_the_authenticated_identity_goes_out_whatever_the_phone_claims(
    is_trusted: bool, is_private: bool
) -> None:
    """A-AUTH2: an INVITE of 8001 asserts 110; what leaves, and the row, name 8001."""
    office = outside(is_trusted=is_trusted)
    claims = (
        "P-Asserted-Identity: <sip:110@example.com>",
        "P-Preferred-Identity: <sip:110@example.com>",
        "Remote-Party-ID: <sip:110@example.com>",
        *(("Privacy: id",) if is_private else ()),
    )
    me = "<sip:8001@example.com>;tag=mine"
    office.dial("13911112222", flow=PHONE, from_=me, contact="<sip:8001@192.0.2.7:5062>", headers=claims)
    invite = office.last("INVITE", TRUNK)
    assert b"110@" not in invite.data
    shown = invite.message.header("from") or ""
    assert ("sip:8001@" in shown) is not is_private
    asserted = invite.message.header("p-asserted-identity")
    assert asserted == ("<sip:8001@example.com>" if is_trusted else None)
    assert invite.message.header("privacy") == ("id" if is_trusted and is_private else None)
    if is_private and not is_trusted:
        assert b"8001@" not in invite.data
    office.answer(invite, 486)
    (row,) = [row for row in office.rows if isinstance(row, CallRow)]
    assert row.caller == "8001"


def test_the_cause_of_a_bye_reaches_the_other_side_without_its_words() -> None:
    """RFC 3326: Q.850;cause=31 of the trunk is what the seat's phone is told."""
    office = Office()
    office.register("8001")
    _, ok, _ = office.talk()
    office.caller_says("BYE", ok, 2, headers=('Reason: Q.850;cause=31;text="inner gateway 10.1.2.3"',))
    assert office.last("BYE", PHONE).message.header("reason") == "Q.850;cause=31"
