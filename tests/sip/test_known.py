"""Texts that have been read before say the same again."""

import pytest

from sip.grammar import SipError
from sip.headers import parse_via
from sip.known import _TEXTS_MAX, Known

VIAS = [
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb;rport",
    "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKc",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKd;rport=5060;received=192.0.2.9",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKe;rport;alias",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=",
    "SIP/2.0/UDP 192.0.2.1:5060",
]


def test_a_via_of_a_known_place_says_what_reading_it_anew_says() -> None:
    """Only the branch differs from request to request (RFC 3261 8.1.1.7)."""
    known = Known()
    for text in VIAS * 2:
        via, fresh = known.via(text), parse_via(text)
        for name in ("raw", "transport", "host", "port", "branch", "received", "rport", "params"):
            assert getattr(via, name) == getattr(fresh, name), text


@pytest.mark.parametrize("params", ["branch=a b", 'branch="a', "branch=a;branch=b", "branch=a;rport;rport"])
def test_a_broken_via_of_a_known_place_is_refused(params: str) -> None:
    """The place is known, what follows it is read (RFC 3261 7.3.1)."""
    known = Known()
    known.via(VIAS[0])
    with pytest.raises(SipError):
        known.via(f"SIP/2.0/UDP 192.0.2.1:5060;{params}")


def test_uris_and_contacts_are_read_once_and_broken_ones_refused_every_time() -> None:
    """Nothing that was refused is ever known (RFC 3261 19.1.1)."""
    known = Known()
    assert known.uri("sip:8001@192.0.2.1") is known.uri("sip:8001@192.0.2.1")
    assert known.contact("<sip:a@192.0.2.1>") is known.contact("<sip:a@192.0.2.1>")
    for _ in range(2):
        for read, text in (
            (known.uri, "sip:8001@192.0.2.1?Route=x"),
            (known.uri, "sip:"),
            (known.contact, "<sip:a@192.0.2.1"),
        ):
            with pytest.raises(SipError):
                read(text)


def test_tables_do_not_grow() -> None:
    """Texts that never come again are forgotten."""
    known = Known()
    first = known.uri("sip:0@192.0.2.1")
    for number in range(1, 1_500):
        known.uri(f"sip:{number}@192.0.2.1")
        known.contact(f"<sip:{number}@192.0.2.1>")
        known.via(f"SIP/2.0/UDP 192.0.2.1:{number};branch=z9hG4bKa")
    assert known.uri("sip:0@192.0.2.1") is not first


def test_texts_that_never_come_again_cost_no_more_than_the_tables_hold() -> None:
    known = Known()
    for number in range(3 * _TEXTS_MAX):
        known.uri(f"sip:{number}@example.com")
        known.contact(f"<sip:{number}@example.com>")
        known.via(f"SIP/2.0/UDP host{number}:5060;branch=z9hG4bKa")
        assert max(len(known._uris), len(known._contacts), len(known._places)) <= _TEXTS_MAX
