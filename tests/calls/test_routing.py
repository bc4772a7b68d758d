"""The number plan: hotlines to queues, seats and extensions; never from one trunk to another."""

import pytest
from msgspec import structs

from calls.routing import NumberPlan, Refusal, Route, called_number, caller_number, user_of, wanted_seat
from calls.settings import (
    CallSettings,
    Hotline,
    OutsideRoute,
    QueueMedia,
    RecordingSettings,
    RouteTrunk,
    TrunkSettings,
)
from kernel.announce import SurveySettings
from sip.events import Identity
from sip.message import Request
from sip.parser import parse_message

SETTINGS = CallSettings(
    trunks=(
        TrunkSettings("own", tenant="demo", contact="sip:192.0.2.1:5060"),
        TrunkSettings("shared", contact="sip:192.0.2.2:5060"),
        TrunkSettings("inbound"),
    ),
    hotlines=(
        Hotline("96198", "demo", "queue:junior"),
        Hotline("96200", "demo", "extension:2001"),
        Hotline("96201", "demo", "seat:8001"),
        Hotline("96198", "other", "queue:other"),
        Hotline("96299", "late", "queue:junior"),
    ),
    queues=(QueueMedia("junior", "demo"), QueueMedia("other", "other")),
    seats={"8001": "demo", "9001": "other"},
    extensions={"2001": "demo"},
    suspended_tenants=("late",),
)
PLAN = NumberPlan(SETTINGS)


def invite(uri: str, *, to: str = "sip:x@h", extra: str = "") -> Request:
    text = (
        f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:1390@h>;tag=1\r\n"
        f"To: <{to}>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{extra}Content-Length: 0\r\n\r\n"
    )
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


def route(uri: str, identity: Identity) -> Route | Refusal:
    return PLAN.route(identity, invite(uri))


TRUNK = Identity("trunk", "own")


def test_a_hotline_leads_to_its_queue() -> None:
    found = route("sip:96198@h", TRUNK)
    assert isinstance(found, Route)
    assert (found.direction, found.tenant, found.caller) == ("in", "demo", "1390")
    assert found.entry == "queue:junior"
    assert found.queue is not None
    assert found.queue.name == "junior"
    assert found.trunk == "own"


def test_a_plan_knows_whether_any_calls_are_recorded() -> None:
    recorded = (QueueMedia("other", "other"), QueueMedia("junior", "demo", record=True))
    assert not PLAN.records
    assert NumberPlan(structs.replace(SETTINGS, queues=recorded)).records
    for of in (RecordingSettings(tenants_in=("demo",)), RecordingSettings(tenants_out=("demo",))):
        assert NumberPlan(structs.replace(SETTINGS, recording=of)).records


def test_a_plan_knows_whether_any_callers_are_asked_to_rate_their_calls() -> None:
    asked = QueueMedia("junior", "demo", survey=SurveySettings(is_automatic=True))
    assert not PLAN.asks
    assert NumberPlan(structs.replace(SETTINGS, queues=(*SETTINGS.queues, asked))).asks


def test_a_hotline_may_lead_to_one_seat_of_a_queue() -> None:
    """Call control knows the queue; which seat the caller waits for is distribution's business."""
    settings = structs.replace(SETTINGS, hotlines=(Hotline("96300", "demo", "queue:junior/8001"),))
    found = NumberPlan(settings).route(TRUNK, invite("sip:96300@h"))
    assert isinstance(found, Route)
    assert found.queue is not None
    assert (found.queue.name, found.entry) == ("junior", "queue:junior/8001")
    assert wanted_seat(found.entry, "junior") == "8001"
    assert wanted_seat(found.entry, "senior") == ""
    assert wanted_seat("queue:junior", "junior") == ""


def test_a_hotline_may_lead_to_an_extension_or_a_seat() -> None:
    extension, seat = route("sip:96200@h", TRUNK), route("sip:96201@h", TRUNK)
    assert isinstance(extension, Route)
    assert isinstance(seat, Route)
    assert extension.phone == ("extension", "2001")
    assert seat.phone == ("softphone", "8001")


def test_a_trunks_own_tenant_decides_between_equal_hotlines() -> None:
    plan = NumberPlan(
        CallSettings(
            trunks=(TrunkSettings("t", tenant="other"),), hotlines=SETTINGS.hotlines, queues=SETTINGS.queues
        )
    )
    found = plan.route(Identity("trunk", "t"), invite("sip:96198@h"))
    assert isinstance(found, Route)
    assert found.tenant == "other"


@pytest.mark.parametrize("number", ["13800000000", "8001", "2001", ""])
def test_a_trunk_reaches_hotlines_and_nothing_else(number: str) -> None:
    """The transit guard: neither outside numbers nor seats and extensions by their own number."""
    refusal = route(f"sip:{number}@h" if number else "sip:h", TRUNK)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 404


def test_a_suspended_tenant_is_480() -> None:
    refusal = PLAN.route(Identity("trunk", "shared"), invite("sip:96299@h"))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.verdict) == (480, "us:tenant_suspended")


def test_an_account_reaches_its_own_tenant_only() -> None:
    account = Identity("account", "2001")
    assert [route(f"sip:{number}@h", account).entry for number in ("8001", "96198")] == [
        "seat:8001",
        "queue:junior",
    ]
    for number in ("9001", "13800000000", "96299"):
        refusal = route(f"sip:{number}@h", account)
        assert isinstance(refusal, Refusal)
        assert (number, refusal.status) == (number, 404)


def test_the_callers_name_of_an_account_is_proved_not_claimed() -> None:
    found = route("sip:8001@h", Identity("account", "2001"))
    assert found.caller == "2001"


def test_carriers_put_the_called_number_in_different_places() -> None:
    request = invite("sip:gw@h", to="sip:96198@h", extra="P-Called-Party-ID: <sip:96200@h>;x=y\r\n")
    assert called_number(request, "request-uri") == "gw"
    assert called_number(request, "to") == "96198"
    assert called_number(request, "p-called-party-id") == "96200"


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:96198@h", "96198"),
        ("sips:a;b=c@h:5061", "a;b=c"),
        ("sip:a%41@h", "aA"),
        ("sip:h", ""),
        ("tel:+8613800000000", "+8613800000000"),
        ("http://h", ""),
        ("nonsense", ""),
    ],
)
def test_the_user_of_a_uri(uri: str, user: str) -> None:
    assert user_of(uri) == user


def test_a_carrier_may_write_numbers_its_own_way() -> None:
    """Per trunk, with the country given: caller and hotline in E.164, national, with 00 or without +."""
    plan = NumberPlan(
        CallSettings(
            trunks=(TrunkSettings("t", tenant="demo", country="CN"),),
            hotlines=tuple(Hotline(it, "demo", "queue:junior") for it in ("01096198000", "96198")),
            queues=SETTINGS.queues,
        )
    )
    trunk = Identity("trunk", "t")
    for called in ("01096198000", "+861096198000", "861096198000", "00861096198000"):
        found = plan.route(trunk, invite(f"sip:{called}@h"))
        assert isinstance(found, Route)
        assert found.called == "01096198000"
        assert found.caller == "1390"
    assert isinstance(plan.route(trunk, invite("sip:96198@h")), Route)
    assert isinstance(plan.route(trunk, invite("sip:1096198001@h")), Refusal)
    mobile = invite("sip:96198@h")
    mobile.first["from"] = "<sip:13800000000@h>;tag=1"
    assert plan.route(trunk, mobile).caller == "+8613800000000"


@pytest.mark.parametrize(
    ("asserted", "caller"),
    [
        ("<sip:+8613900000001@h>", "+8613900000001"),
        ('"A" <sip:139@h>, <tel:+86139>', "139"),
        ("tel:+8613900000001", "+8613900000001"),
        ("", "1390"),
    ],
)
def test_the_caller_may_stand_in_p_asserted_identity(asserted: str, caller: str) -> None:
    """RFC 3325; From where the carrier did not write it."""
    request = invite("sip:96198@h", extra=f"P-Asserted-Identity: {asserted}\r\n" if asserted else "")
    assert caller_number(request, "p-asserted-identity") == caller
    assert caller_number(request) == "1390"


@pytest.mark.parametrize(
    ("target", "entry"),
    [
        ("queue:junior", "queue:junior"),
        ("seat:8001", "seat:8001"),
        ("extension:2001", "extension:2001"),
        ("8001", "seat:8001"),
        ("96198", "queue:junior"),
    ],
)
def test_what_a_desk_may_send_a_call_to(target: str, entry: str) -> None:
    route = PLAN.to_target("8001", target)
    assert isinstance(route, Route)
    assert (route.entry, route.tenant) == (entry, "demo")


@pytest.mark.parametrize(
    "target",
    ["queue:other", "queue:", "seat:9001", "seat:2001", "extension:8001", "number:8001", "ivr:x", ""],
)
def test_what_a_desk_may_not_send_a_call_to(target: str) -> None:
    route = PLAN.to_target("8001", target)
    assert isinstance(route, Refusal)
    assert route.status == 404


def test_a_right_to_call_counts_for_phones_and_desks_alike() -> None:
    routes = (OutsideRoute("", (RouteTrunk("own"),)),)
    plan = NumberPlan(structs.replace(SETTINGS, routes=routes, call_rights={"8001": "internal"}))
    for route in (plan.to_target("8001", "139"), plan.from_account(Identity("account", "8001"), "139")):
        assert isinstance(route, Refusal)
        assert (route.status, route.verdict) == (403, "caller:call_right")
    assert isinstance(plan.to_target("8001", "2001"), Route)
    assert isinstance(plan.to_target("2001", "139"), Route)
