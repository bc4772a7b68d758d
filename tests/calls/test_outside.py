"""The way out: prefixes, tenants, order, and how a number is written."""

from typing import Any

from calls.outside import OutsidePlan
from calls.settings import CallSettings, OutsideRoute, RouteTrunk, TrunkContact, TrunkSettings
from tests.sip.scene import seeded

TRUNKS = (
    TrunkSettings("beijing", contact="sip:192.0.2.1:5060", country="CN", number_out="national"),
    TrunkSettings("world", contact="sip:192.0.2.2:5060", country="CN", number_out="e164"),
    TrunkSettings("own", tenant="demo", contact="sip:192.0.2.3:5060"),
    TrunkSettings("inbound"),
)


def plan(*routes: OutsideRoute, country: str = "CN", **changes: Any) -> OutsidePlan:
    return OutsidePlan(CallSettings(**({"trunks": TRUNKS, "routes": routes, "country": country} | changes)))


def route(prefix: str, *trunks: str, **more: Any) -> OutsideRoute:
    return OutsideRoute(prefix, tuple(RouteTrunk(name, place) for place, name in enumerate(trunks)), **more)


def uris(found: OutsidePlan, tenant: str, dialled: str) -> list[str]:
    return [target.uri for target in found.targets(tenant, dialled, seeded())]


def test_the_longest_prefix_wins_in_e164_and_as_dialled() -> None:
    found = plan(route("", "own"), route("+86", "world"), route("+8610", "beijing"), route("110", "own"))
    assert uris(found, "demo", "13800000000") == ["sip:8613800000000@192.0.2.2:5060"]
    assert uris(found, "demo", "01012345678") == ["sip:01012345678@192.0.2.1:5060"]
    assert uris(found, "demo", "+49301234567") == ["sip:+49301234567@192.0.2.3:5060"]
    assert uris(found, "demo", "110") == ["sip:110@192.0.2.3:5060"]


def test_a_tenants_own_route_comes_before_a_shared_one() -> None:
    found = plan(route("+86", "world"), route("+86", "own", tenant="demo"))
    assert uris(found, "demo", "13800000000") == ["sip:+8613800000000@192.0.2.3:5060"]
    assert uris(found, "other", "13800000000") == ["sip:8613800000000@192.0.2.2:5060"]


def test_a_trunk_of_one_tenant_never_carries_anothers_call() -> None:
    """The transit guard: even where a shared route names it."""
    found = plan(route("", "own", "world"))
    assert uris(found, "other", "13800000000") == ["sip:8613800000000@192.0.2.2:5060"]


def test_no_route_no_way_out() -> None:
    found = plan(route("+8610", "beijing"))
    assert uris(found, "demo", "13800000000") == []
    assert found.route("demo", "13800000000") is None
    assert uris(found, "demo", "sip:evil@192.0.2.66") == []
    assert uris(found, "demo", "") == []


def test_a_number_at_an_address() -> None:
    """Only at one of a trunk that the tenant may use, written as that trunk wants it."""
    found = plan()
    target = found.at("demo", "+8613800000000", "192.0.2.1", 5060)
    assert target is not None
    assert (target.trunk.name, target.uri) == ("beijing", "sip:13800000000@192.0.2.1:5060")
    assert found.at("other", "138", "192.0.2.3", 5060) is None
    assert found.at("demo", "138", "192.0.2.1", 5061) is None
    assert found.is_same("013800000000", "+8613800000000")
    assert not found.is_same("138", "139")


def test_without_routes_a_tenants_own_trunk_comes_first() -> None:
    """A seat's outside phone needs no route; nobody dials out without one."""
    found = plan(country="")
    assert uris(found, "demo", "13800000000") == ["sip:13800000000@192.0.2.3:5060"]
    assert uris(found, "other", "13800000000") == ["sip:13800000000@192.0.2.1:5060"]
    assert found.route("demo", "13800000000") is None
    assert uris(plan(trunks=(TrunkSettings("inbound"),)), "demo", "13800000000") == []


def test_digits_are_stripped_and_prepended() -> None:
    """9 for an outside line; a carrier's technical prefix."""
    trunk = TrunkSettings(
        "t", contact="sip:192.0.2.1:5060", country="CN", number_out="+e164", strip=1, prepend="99#"
    )
    found = plan(route("9", "t", strip=1), route("0", "t", strip=1, prepend="+49"), trunks=(trunk,))
    assert uris(found, "demo", "913800000000") == ["sip:99%238613800000000@192.0.2.1:5060"]
    assert uris(found, "demo", "0301234567") == ["sip:99%2349301234567@192.0.2.1:5060"]


def test_a_number_is_national_or_not_without_what_its_route_takes_off() -> None:
    """A-TOLL: behind the 9 for a line, 00882 leads abroad."""
    found = plan(route("9", "own", strip=1), route("", "own"))
    assert found.is_national("one", "913800000000")
    assert not found.is_national("one", "9008821300000001")
    assert not found.is_national("one", "900882130")  # as short as a short number
    assert found.is_national("one", "13800000000")


def test_addresses_of_one_trunk_and_trunks_of_one_route_are_tried_in_order() -> None:
    trunk = TrunkSettings(
        "a",
        contact="sip:192.0.2.1:5060",
        contacts=(TrunkContact("sip:192.0.2.2:5060", 2), TrunkContact("sip:192.0.2.1:5060", 1)),
    )
    found = plan(route("", "a", "b"), trunks=(trunk, TrunkSettings("b", contact="sip:192.0.2.9:5060")))
    assert [uri[-14:] for uri in uris(found, "demo", "1")] == [
        "192.0.2.1:5060",
        "192.0.2.2:5060",
        "192.0.2.9:5060",
    ]


def test_the_caller_is_shown_as_the_carrier_wants_it() -> None:
    found, trunk = plan(), TRUNKS[0]
    assert found.write_caller(trunk, "+8613900000001", is_ours=False) == "13900000001"
    shown = TrunkSettings("t", contact="sip:192.0.2.1:5060", caller_number="+861096198")
    found = plan(trunks=(shown,))
    assert found.write_caller(shown, "8001", is_ours=True) == "+861096198"
    assert found.write_caller(shown, "13900000001", is_ours=False) == "13900000001"
