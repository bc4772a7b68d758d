import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.addresses import is_private, may_be_sent_to, parse_ipv4


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "127.0.0.1", "223.255.255.254"])
def test_unicast_may_be_sent_to(host: str) -> None:
    assert may_be_sent_to(host, 4000)


@pytest.mark.parametrize(
    "host",
    [
        *("0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *(
            "phone.example.com",
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.-4",
            "1.2.3.٤",
            "::1",
            "1.2.3.4 ",
        ),
    ],
)
def test_groups_nowhere_and_names_may_not(host: str) -> None:
    """A-SDP: no packet to multicast, broadcast or 0; names are not resolved."""
    assert not may_be_sent_to(host, 4000)


def test_ports_where_no_rtp_lives_may_not() -> None:
    assert not any(may_be_sent_to("192.0.2.1", port) for port in (-1, 0, 53, 1023, 65_536))
    assert may_be_sent_to("192.0.2.1", 1024)
    assert may_be_sent_to("192.0.2.1", 65_535)


def test_private_networks() -> None:
    """RFC 1918, 3927, 6598; a name may be anywhere."""
    private = (
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.1",
        "192.168.1.1",
        "169.254.0.9",
        "100.64.0.1",
        "pbx.local",
    )
    assert all(is_private(host) for host in private)
    public = ("9.9.9.9", "172.32.0.1", "192.169.1.1", "100.128.0.1", "127.0.0.1")
    assert not any(is_private(host) for host in public)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_none(text: str) -> None:
    quad = parse_ipv4(text)
    assert quad is None or all(0 <= number <= 255 for number in quad)
