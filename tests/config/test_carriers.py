"""Carriers: addresses, registration, numbers and routes, and what is refused with file, key and reason."""

import pytest

from calls.settings import OutsideRoute, RouteTrunk, TrunkContact
from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from sip.settings import TrunkProbe, TrunkRegister

BASE = """
[[tenant]]
name = "demo"
hotlines = [{number = "96205", entry = "number:+8613900000001"}]
[[tenant]]
name = "other"
[[trunk]]
name = "spare"
contact = "sip:192.0.2.9:5060"
tenant = "other"
"""
TRUNK = """
[[trunk]]
name = "carrier"
tenant = "demo"
auth = {user = "acme", password = "s3cret"}
"""


def load(text: str) -> Settings:
    return load_settings(BASE + text, file="t.toml")


def errors(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(text)
    return str(caught.value).splitlines()


def test_a_carrier_with_everything() -> None:
    settings = load(
        '[switch]\ncountry = "CN"\n'
        + TRUNK
        + """
contact = [{uri = "sip:192.0.2.2:5060", priority = 2}, {uri = "sip:192.0.2.1:5060", weight = 3}]
register = {expires = "10m", domain = "carrier.example"}
probe = {every = "10s", down_after = 2}
country = "CN"
number_out = "national"
caller_in = "p-asserted-identity"
caller_number = "+861096198000"
try_for = "3s"
[[route]]
prefix = "+86"
tenant = "demo"
trunks = ["carrier"]
[[route]]
trunks = [{trunk = "spare", weight = 2}]
"""
    )
    trunk = settings.calls.trunks[1]
    contacts = (TrunkContact("sip:192.0.2.1:5060", 1, 3), TrunkContact("sip:192.0.2.2:5060", 2))
    assert (trunk.contact, trunk.contacts) == ("sip:192.0.2.1:5060", contacts)
    assert (trunk.country, trunk.number_out, trunk.try_for) == ("CN", "national", 3.0)
    peer = settings.sip.trunks[1]
    assert peer.register == TrunkRegister("sip:192.0.2.1:5060", "acme", "carrier.example", 600.0)
    assert peer.probe == TrunkProbe(10.0, 2, 2)
    assert settings.calls.country == "CN"
    assert settings.calls.routes == (
        OutsideRoute("+86", (RouteTrunk("carrier"),), "demo"),
        OutsideRoute("", (RouteTrunk("spare", 1, 2),)),
    )


def test_true_is_enough() -> None:
    settings = load(TRUNK + 'contact = "sip:192.0.2.1:5060"\nregister = true\nprobe = true\n')
    peer = settings.sip.trunks[1]
    assert peer.register == TrunkRegister("sip:192.0.2.1:5060", "acme", "192.0.2.1", 3600.0)
    assert peer.probe == TrunkProbe()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("register = true", ".register: needs registrar, or a contact to register at"),
        ("probe = true\naccept = ['10.0.0.0/8']", ".probe: has no contact to ask"),
        ('contact = "sip:h"\nregister = {expires = 5}', ".register.expires: 5 s is shorter than a minute"),
        ('contact = [{uri = "http:h"}]', '.contact[1].uri: "http:h" is not like "sip:203.0.113.5:5060"'),
        ('contact = "sip:h"\ncountry = "China"', '.country: "China" is not a country such as "CN" or "DE"'),
        (
            'contact = "sip:h"\nnumber_out = "national"',
            ".number_out: is national of no country: give country",
        ),
        (
            'contact = "sip:h"\nprepend = "a"',
            '.prepend: "a" is not made of digits, * and #, with + before',
        ),
    ],
)
def test_a_slip_in_a_trunk_is_named(text: str, error: str) -> None:
    assert errors(f"{TRUNK}{text}\n") == [f't.toml: trunk[2] "carrier"{error}']


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("trunks = []", "[1].trunks: is empty: numbers have no way out"),
        ('trunks = ["spear"]', '[1].trunks[1]: unknown trunk "spear" (did you mean spare?); there are spare'),
        ('trunks = ["spare"]\nprefix = "x"', '[1].prefix: "x" is not made of digits, * and #, with + before'),
        ('trunks = ["spare"]\ntenant = "demo"', '[1].trunks[1]: trunk "spare" belongs to tenant other'),
        (
            'trunks = ["spare"]\n[[route]]\ntrunks = ["spare"]',
            '[2].prefix: "" has a route already: t.toml: route[1]',
        ),
    ],
)
def test_a_slip_in_a_route_is_named(text: str, error: str) -> None:
    assert errors(f"[[route]]\n{text}\n") == [f"t.toml: route{error}"]
