"""Passwords and tokens, compared in a time that tells nothing about them.

Rule: an unknown seat costs the same work as a wrong password, and the answer is the same.
"""

from collections.abc import Sequence
from hashlib import md5, sha256
from hmac import compare_digest

from config.schema import Settings, Token
from sip.settings import Secret

_DECOY = Secret(password="\0")  # compared with where there is nothing to compare with


def _equal(known: str, given: str) -> bool:
    # Of equal length always: comparing texts themselves tells how long the known one is.
    return compare_digest(sha256(known.encode()).digest(), sha256(given.encode()).digest())


def fits(secret: Secret | None, user: str, realm: str, given: str) -> bool:
    """Say whether ``given`` is the password behind ``secret``; a secret without one fits nothing.

    Where only hashes are known, HA1 of RFC 7616 3.4.2 is built with the realm.
    """
    known = secret or _DECOY
    plain = f"{user}:{realm}:{given}".encode()
    is_right = _equal(known.password or "\0", given) and bool(known.password)
    for algorithm, digest in (
        ("SHA-256", sha256(plain).hexdigest()),
        ("MD5", md5(plain, usedforsecurity=False).hexdigest()),
    ):
        ha1 = known.ha1.get(algorithm, "")
        is_right |= _equal(ha1.lower() or "\0", digest) and bool(ha1)
    return is_right and secret is not None


def seat_secret(settings: Settings, seat: str) -> Secret | None:
    """Return what the agent of ``seat`` signs in with."""
    secret = settings.seat_secrets.get(seat)
    if secret is None:
        account = settings.sip.accounts.get(seat)
        secret = account.secret if account is not None else None
    return secret


def seat_fits(settings: Settings, seat: str, given: str) -> bool:
    """Say whether ``given`` is the password of ``seat``."""
    realm = settings.sip.realm or (settings.sip.domains[0] if settings.sip.domains else "")
    return fits(seat_secret(settings, seat), seat, realm, given)


def find_token(tokens: Sequence[Token], given: str) -> Token | None:
    """Return the token that is ``given``; every one is looked at."""
    found: Token | None = None
    for token in tokens:
        if token.token and _equal(token.token, given):
            found = token
    return found
