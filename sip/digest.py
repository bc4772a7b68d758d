"""Digest authentication: challenges, credentials, nonces, and answers to challenges (RFC 8760 over RFC 7616).

Rules: comparisons take the same time whether the user exists or not; a nonce is good for one source host and
a limited time, and its counter only rises, so that a header once sent cannot be sent again (A-AUTH1).
"""

import hashlib
from collections.abc import Callable, Sequence
from hmac import compare_digest
from hmac import digest as keyed_digest

from sip.grammar import SipError, is_token, quote, quote_end, split_list, unquote
from sip.settings import Secret

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_KEPT_MAX = 20_000  # nonces in use whose counter is remembered; beyond, the oldest must ask anew
_HEX = "0123456789abcdefABCDEF"


class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value, parameters unquoted and named in lower case."""

    __slots__ = ("algorithm", "params")

    def __init__(self, params: dict[str, str]) -> None:
        self.params = params
        self.algorithm = params.get("algorithm", "MD5").upper()

    @property
    def realm(self) -> str:
        """The protection realm."""
        return self.params.get("realm", "")

    @property
    def is_stale(self) -> bool:
        """Whether only the nonce was refused, not the password."""
        return self.params.get("stale", "").lower() == "true"


class Credentials(Challenge):
    """One Authorization or Proxy-Authorization value."""

    __slots__ = ()

    @property
    def user(self) -> str:
        """The user name they claim."""
        return self.params.get("username", "")

    @property
    def nonce(self) -> str:
        """The nonce they answer."""
        return self.params.get("nonce", "")

    @property
    def uri(self) -> str:
        """The Request-URI they signed."""
        return self.params.get("uri", "")

    @property
    def nc(self) -> int:
        """The nonce counter; 0 without qop, when there is none."""
        text = self.params.get("nc", "")
        return int(text, 16) if 0 < len(text) <= 8 and not text.strip(_HEX) else 0


def challenges(
    realm: str, nonce: str, algorithms: Sequence[str] = ("SHA-256", "MD5"), *, stale: bool = False
) -> list[str]:
    """Return one header value per algorithm, ours first (RFC 8760 2.4)."""
    tail = ", stale=true" if stale else ""
    return [
        f'Digest realm={quote(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
        for algorithm in algorithms
    ]


def _parse(value: str) -> dict[str, str] | None:
    scheme, _, rest = value.strip(" \t").partition(" ")
    if scheme.lower() != "digest":
        return None
    params: dict[str, str] = {}
    for item in split_list(rest):
        name, _, text = item.partition("=")
        name = name.strip(" \t").lower()
        if not is_token(name) or name in params:
            raise SipError(400, "Bad Digest")
        text = text.strip(" \t")
        if '"' in text and (text[0] != '"' or quote_end(text, 0) != len(text) - 1):
            raise SipError(400, "Bad Digest")
        params[name] = unquote(text)
    return params


def parse_credentials(value: str) -> Credentials | None:
    """Read an Authorization value; None if it is of another scheme (RFC 4475 3.3.7: as if it were not there),
    400 if it is broken.
    """
    params = _parse(value)
    return None if params is None else Credentials(params)


def parse_challenge(value: str) -> Challenge | None:
    """Read a WWW-Authenticate value; None if it is of another scheme, 400 if it is broken."""
    params = _parse(value)
    return None if params is None else Challenge(params)


def _hash(algorithm: str) -> Callable[[str], str] | None:
    """Return text -> hexadecimal digest for an algorithm name in capitals, None where we have it not."""
    name = _HASHES.get(algorithm)
    if name is None or name not in hashlib.algorithms_available:
        return None
    return lambda text: hashlib.new(name, text.encode("utf-8", "surrogateescape")).hexdigest()


def _hash_hex(algorithm: str, data: bytes) -> str:
    return hashlib.new(_HASHES[algorithm], data).hexdigest()


def _ha1(secret: Secret, algorithm: str, user: str, realm: str, hashed: Callable[[str], str]) -> str:
    """Return H(user:realm:password), "" where the secret holds none for this algorithm."""
    if secret.password:
        return hashed(f"{user}:{realm}:{secret.password}")
    return secret.ha1.get(algorithm, "").lower()


def _response(
    params: dict[str, str], algorithm: str, ha1: str, hashed: Callable[[str], str], method: str, body: bytes
) -> str:
    """Return the request digest (RFC 7616 3.4.1) over ``params``: uri, nonce, nc, cnonce, qop."""
    qop = params.get("qop", "").lower()
    nonce = params.get("nonce", "")
    a2 = f"{method}:{params.get('uri', '')}"
    if qop == "auth-int":
        a2 += ":" + _hash_hex(algorithm, body)
    if qop:
        return hashed(f"{ha1}:{nonce}:{params.get('nc', '')}:{params.get('cnonce', '')}:{qop}:{hashed(a2)}")
    return hashed(f"{ha1}:{nonce}:{hashed(a2)}")


def check_answer(
    credentials: Credentials, secret: Secret | None, method: str, body: bytes, *, realm: str = ""
) -> bool:
    """Return whether ``credentials`` prove ``secret``; None is a user who does not exist, and costs the same.

    ``realm``, if given, must be theirs. The nonce is not looked at: see :class:`Nonces`.
    """
    algorithm = credentials.algorithm
    hashed = _hash(algorithm)
    params = credentials.params
    if hashed is None or params.get("qop", "").lower() not in ("", "auth", "auth-int"):
        return False
    known = secret if secret is not None else Secret(password="-")
    ha1 = _ha1(known, algorithm, credentials.user, credentials.realm, hashed)
    expected = _response(params, algorithm, ha1 or "-", hashed, method, body)
    theirs = params.get("response", "").lower()
    same = compare_digest(expected.encode(), theirs.encode("utf-8", "surrogateescape"))
    return same and bool(ha1) and secret is not None and realm in ("", credentials.realm)


def answer_challenge(
    values: Sequence[str],
    user: str,
    secret: Secret,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    nc: int = 1,
    *,
    realm: str = "",
) -> str:
    """Return the Authorization value that answers the first challenge we can (RFC 8760 2.4), "" if none.

    ``values`` are the header's lines in order. With ``realm``, challenges of other realms are not answered:
    a password is shown only to whom it belongs (A-LEAK).
    """
    for value in values:
        try:
            challenge = parse_challenge(value)
        except SipError:
            continue
        if challenge is None or (realm and challenge.realm != realm):
            continue
        answer = _answer(challenge, user, secret, method, uri, body, cnonce, nc)
        if answer:
            return answer
    return ""


def _answer(
    challenge: Challenge,
    user: str,
    secret: Secret,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    nc: int,
) -> str:
    algorithm = challenge.algorithm
    hashed = _hash(algorithm)
    offered = [word.strip().lower() for word in challenge.params.get("qop", "").split(",")]
    qop = next((word for word in ("auth", "auth-int") if word in offered), "")
    nonce = challenge.params.get("nonce", "")
    if hashed is None or not nonce or (not qop and offered != [""]):
        return ""
    ha1 = _ha1(secret, algorithm, user, challenge.realm, hashed)
    if not ha1:
        return ""
    params = {"uri": uri, "nonce": nonce, "qop": qop, "nc": f"{nc:08x}", "cnonce": cnonce}
    response = _response(params, algorithm, ha1, hashed, method, body)
    text = (
        f"Digest username={quote(user)}, realm={quote(challenge.realm)}, nonce={quote(nonce)}, "
        f'uri={quote(uri)}, response="{response}"'
    )
    if "algorithm" in challenge.params:
        text += f", algorithm={challenge.algorithm}"
    if qop:
        text += f', qop={qop}, nc={nc:08x}, cnonce="{cnonce}"'
    if "opaque" in challenge.params:
        text += f", opaque={quote(challenge.params['opaque'])}"
    return text


class Nonces:
    """Makes and checks nonces. A nonce carries its moment and is signed for a host, so that asking for many
    costs no memory; only those that proved a password are remembered, for their counters.
    """

    __slots__ = ("_floor", "_key", "_serial", "_used", "life")

    def __init__(self, key: str, life: float) -> None:
        self.life = life  # seconds
        self._key = key.encode()
        self._serial = 0
        self._used: dict[str, int] = {}  # nonce -> last counter, oldest first
        self._floor = -1.0  # nonces made up to here and not remembered are stale

    def make(self, host: str, now: float) -> str:
        """Return a new nonce for requests from ``host``."""
        self._serial += 1
        made = f"{int(now * 1000):012x}{self._serial & 0xFFFFFFFF:08x}"
        return made + self._sign(made, host)

    def is_ours(self, nonce: str, host: str) -> bool:
        """Return whether ``nonce`` was made for ``host``: who answers it has heard us there."""
        signed = self._sign(nonce[:20], host).encode()
        return compare_digest(signed, nonce[20:].encode("utf-8", "surrogateescape"))

    def is_fresh(self, nonce: str, host: str, now: float) -> bool:
        """Return whether ``nonce`` is ours, for ``host`` and young enough; if not, its user is asked anew."""
        if not self.is_ours(nonce, host):
            return False
        made = nonce[:20]
        made_at = int(made[:12], 16) / 1000
        return made_at >= now - self.life and (made_at > self._floor or nonce in self._used)

    def spend(self, nonce: str, nc: int, now: float) -> bool:
        """Count one use of a fresh nonce by someone who proved the password; False if the counter did not
        rise: a replay. Without qop (``nc`` 0) a nonce is good once.
        """
        used = self._used
        last = used.get(nonce)
        if last is not None and nc <= last:
            return False
        used[nonce] = nc
        oldest_good = now - self.life
        while used:
            oldest = next(iter(used))
            made_at = int(oldest[:12], 16) / 1000
            if made_at >= oldest_good and len(used) <= _KEPT_MAX:
                break
            self._floor = max(self._floor, made_at)
            del used[oldest]
        return True

    def _sign(self, made: str, host: str) -> str:
        return keyed_digest(self._key, f"{made} {host}".encode("utf-8", "surrogateescape"), "sha256").hex()[
            :32
        ]
