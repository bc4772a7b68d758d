"""Places: what we call ourselves, and whom we are ready to send to."""

import pytest

from sip.flows import Flow
from sip.places import _MOVED_MAX, _RESOLVED_MAX, Places, host_of, is_reachable_host
from sip.settings import Listener
from tests.sip.scene import settings


def test_a_wildcard_socket_says_its_advertised_name() -> None:
    """The public host, else the first domain; else the socket's own."""
    wildcard = (Listener("udp", "0.0.0.0", 5060),)
    assert Places(settings(listen=wildcard))[0].contact == "Contact: <sip:example.com:5060>\r\n"
    public = Places(settings(listen=wildcard, advertise="203.0.113.1"))[0]
    assert public.via == "Via: SIP/2.0/UDP 203.0.113.1:5060;rport;branch="
    assert Places(settings())[1].contact == "Contact: <sip:10.0.0.1:5060;transport=tcp>\r\n"


@pytest.mark.parametrize(
    ("uri", "flow"),
    [
        ("sip:138@10.0.0.9", Flow("udp", 0, "10.0.0.9", 5060)),
        ("sip:138@10.0.0.9:5080;transport=TCP", Flow("tcp", 1, "10.0.0.9", 5080)),
        ("sip:138@[2001:db8::1]:5080", None),
        ("sips:138@10.0.0.9", None),
        ("sip:138@10.0.0.9;transport=tls", None),
        ("sip:138@carrier.example", None),
        ("sip:138@224.0.0.1", None),
        ("sip:138@0.0.0.0", None),
        ("sip:138@255.255.255.255", None),
        ("sip:96198@10.0.0.1:5060", None),
        ("tel:138", None),
        ("no uri", None),
    ],
)
def test_resolving(uri: str, flow: Flow | None) -> None:
    """IP literals only; never ourselves, never many."""
    places = Places(settings())
    assert places.resolve(uri) == flow
    assert places.resolve(uri) == flow


def test_host_of() -> None:
    assert host_of("sip:a@Host.example:5060;lr?x=y") == "host.example"
    assert host_of("sip:[2001:DB8::1]:5060") == "2001:db8::1"
    assert host_of("sip:10.0.0.9") == "10.0.0.9"


def test_reachable_hosts() -> None:
    assert is_reachable_host("127.0.0.1")
    assert not is_reachable_host("example.com")


def test_a_flow_of_an_earlier_run_is_adopted() -> None:
    """The order of the listening sockets may have changed over a restart."""
    places = Places(settings())
    assert places.adopt(Flow("udp", 0, "h", 1)) == Flow("udp", 0, "h", 1)
    assert places.adopt(Flow("tcp", 0, "h", 1)) == Flow("tcp", 1, "h", 1)
    assert places.adopt(Flow("udp", len(settings().listen), "h", 1)) == Flow("udp", 0, "h", 1)
    assert places.adopt(Flow("udp", 9, "h", 1)) == Flow("udp", 0, "h", 1)
    assert places.adopt(Flow("wss", 0, "h", 1)) is None


def test_a_phone_that_registers_over_another_flow_is_followed() -> None:
    """RFC 5626 5.3: from flow to flow; one that another phone takes over leads to that one, no further."""
    places = Places(settings())
    first, second, third = Flow("udp", 0, "h", 1), Flow("udp", 0, "h", 2), Flow("tcp", 1, "h", 3, 7)
    assert places.follow(first) == first
    places.moved(first, second)
    places.moved(second, third)
    assert places.follow(first) == third
    places.moved(third, first)
    assert (places.follow(third), places.follow(second), places.follow(first)) == (first, first, first)
    places.arrived(second)
    assert places.follow(second) == second


def test_a_phone_that_connects_again_from_the_same_port_is_followed() -> None:
    """Only the connection differs; one that was lost has the number -1."""
    places = Places(settings())
    places.moved(Flow("tcp", 1, "h", 3, -1), Flow("tcp", 1, "h", 3, 8))
    assert places.follow(Flow("tcp", 1, "h", 3, 7)) == Flow("tcp", 1, "h", 3, 8)


def test_of_phones_that_move_and_of_uris_so_many_are_remembered() -> None:
    places = Places(settings())
    here = Flow("udp", 0, "192.0.2.9", 5060)
    for number in range(3 * _MOVED_MAX):
        old = Flow("udp", 0, f"h{number}", 5060)
        places.moved(old, here)
        places.resolve(f"sip:{number}@192.0.2.1")
        assert places.follow(old) == here
        assert len(places._moved) <= _MOVED_MAX
        assert len(places._resolved) <= _RESOLVED_MAX
    assert places.follow(Flow("udp", 0, "h0", 5060)).host == "h0"
