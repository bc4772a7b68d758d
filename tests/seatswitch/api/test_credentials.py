"""Passwords and tokens: what fits and what never does."""

from hashlib import md5, sha256

import pytest

from config.schema import Token
from seatswitch.api.credentials import find_token, fits
from sip.settings import Secret


def test_a_password_fits_itself() -> None:
    secret = Secret(password="demo")
    assert fits(secret, "8001", "switch.example", "demo")
    for wrong in ("", "dem", "demo ", "Demo", "demodemo", "\0"):
        assert not fits(secret, "8001", "switch.example", wrong)


@pytest.mark.parametrize(("name", "algorithm"), [("MD5", md5), ("SHA-256", sha256)])
def test_where_only_a_hash_is_known(name: str, algorithm: object) -> None:
    """HA1 of RFC 7616 3.4.2: the user and the realm are part of it."""
    ha1 = algorithm(b"8001:switch.example:demo").hexdigest()  # type: ignore[operator]
    secret = Secret(ha1={name: ha1.upper()})
    assert fits(secret, "8001", "switch.example", "demo")
    assert not fits(secret, "8002", "switch.example", "demo")
    assert not fits(secret, "8001", "other.example", "demo")
    assert not fits(secret, "8001", "switch.example", ha1)


def test_a_secret_without_a_password_fits_nothing() -> None:
    for secret in (None, Secret(), Secret(password=""), Secret(ha1={"MD5": ""})):
        for given in ("", "\0", "x"):
            assert not fits(secret, "8001", "switch.example", given)


def test_tokens() -> None:
    tokens = (Token("a", "admin", "one"), Token("b", "supervisor", "two"), Token("c", "admin", ""))
    assert find_token(tokens, "two") is tokens[1]
    assert find_token(tokens, "three") is None
    assert find_token(tokens, "") is None
