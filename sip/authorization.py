"""Authorization: answers to a trunk's digest challenges (RFC 3261 22.2, RFC 8760).

Rule: a secret is used only towards the trunk it is of, and only for the realm it is of; whoever else
challenges us gets no answer.
"""

from kernel.chance import Chance
from sip.digest import answer_challenge, parse_challenge
from sip.grammar import SipError
from sip.message import Response
from sip.settings import TrunkPeer


def realm_of(response: Response) -> str:
    """Return the realm of a 401 or 407, that of its first challenge; "" if there is none."""
    name = "www-authenticate" if response.status == 401 else "proxy-authenticate"
    for value in response.headers(name):
        try:
            challenge = parse_challenge(value)
        except SipError:
            continue
        if challenge is not None:
            return challenge.realm
    return ""


def authorize(
    trunk: TrunkPeer, response: Response, method: str, uri: str, body: bytes, chance: Chance
) -> str:
    """Return the header line that answers a 401 or 407, or "" if it is not to be answered."""
    if trunk.secret is None or not trunk.user:
        return ""
    if response.status == 401:
        asked, name = "www-authenticate", "Authorization"
    else:
        asked, name = "proxy-authenticate", "Proxy-Authorization"
    values = response.headers(asked)
    try:
        value = answer_challenge(
            values, trunk.user, trunk.secret, method, uri, body, chance.token(), 1, realm=trunk.realm
        )
    except SipError:
        return ""
    return f"{name}: {value}\r\n" if value else ""
