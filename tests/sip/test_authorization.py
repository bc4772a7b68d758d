"""Authorization: whose challenges are answered. In sessions: test_session.py."""

from sip.authorization import authorize
from sip.message import Response
from sip.parser import parse_message
from sip.settings import Secret, TrunkPeer
from tests.sip.scene import seeded

CHALLENGE = 'Digest realm="carrier", nonce="abc", qop="auth", algorithm=SHA-256'


def answer(trunk: TrunkPeer, status: int, header: str) -> str:
    response = parse_message(f"SIP/2.0 {status} X\r\n{header}: {CHALLENGE}\r\n\r\n".encode())
    assert isinstance(response, Response)
    return authorize(trunk, response, "BYE", "sip:a@b", b"", seeded())


def test_only_with_a_secret_and_for_its_realm() -> None:
    """A-LEAK."""
    ours = TrunkPeer("carrier", user="us", secret=Secret("pw"), realm="carrier")
    assert answer(ours, 401, "www-authenticate").startswith('Authorization: Digest username="us"')
    assert answer(ours, 407, "proxy-authenticate").startswith('Proxy-Authorization: Digest username="us"')
    assert answer(ours, 401, "proxy-authenticate") == ""
    elsewhere = TrunkPeer("other", user="us", secret=Secret("pw"), realm="elsewhere")
    assert answer(elsewhere, 401, "www-authenticate") == ""
    assert answer(TrunkPeer("open"), 401, "www-authenticate") == ""
