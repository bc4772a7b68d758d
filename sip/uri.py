"""SIP, SIPS and tel URIs, and when two are the same (RFC 3261 19.1, RFC 3966).

Rule: what is kept is kept escaped, as it was on the wire; :attr:`SipUri.user` unescapes when asked, so that
``str(parse_uri(text))`` names the same resource as ``text``.
"""

from ipaddress import IPv6Address
from urllib.parse import unquote_to_bytes

from sip.grammar import SipError, build_params

_ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_HOST = _ALNUM + ".-_"
_ALLOWED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()%;/?:@&=+$,[]#"
_SCHEME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"
_UNRESERVED = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()"
_HEX = "0123456789ABCDEFabcdef"
_MUST_BE_IN_BOTH = ("user", "ttl", "method", "maddr", "transport")  # RFC 3261 19.1.4
_VISUAL = "-.()"  # RFC 3966 3: separators that mean nothing


def unescape(text: str) -> str:
    """Return ``text`` with %-escapes resolved; bytes that are no UTF-8 survive as surrogates."""
    if "%" not in text:
        return text
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def escape_user(user: str) -> str:
    """Return ``user`` ready for the user part of a URI: everything but unreserved characters and ``+``
    escaped.
    """
    if user.isalnum() and user.isascii():
        return user
    raw = user.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _UNRESERVED or byte == 0x2B else f"%{byte:02X}" for byte in raw)


def _settled(text: str) -> str:
    """Return ``text`` with escaped unreserved characters unescaped and other escapes in capitals: two
    spellings of one user compare equal, ``%3B`` and ``;`` do not (19.1.4).
    """
    first, *rest = text.split("%")
    out = [first]
    for part in rest:
        if len(part) >= 2 and part[0] in _HEX and part[1] in _HEX:
            byte = int(part[:2], 16)
            out.append((chr(byte) if byte in _UNRESERVED else "%" + part[:2].upper()) + part[2:])
        else:
            out.append("%25" + part)  # no escape: it stands for itself
    return "".join(out)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Split ``host[:port]``, ``[v6]:port``; the host in lower case, IPv6 with its brackets; 400 if bad."""
    host, colon, digits = text.partition(":")
    if not host or host.strip(_HOST):  # what is left when every allowed character is gone from both ends
        host, colon, digits = _cut_ipv6(text)
    if not colon:
        return host.lower(), None
    if len(digits) <= 5 and digits.isdigit() and digits.isascii():
        port = int(digits)
        if 0 < port < 65536:
            return host.lower(), port
    raise SipError(400, "Bad Port")


def _cut_ipv6(text: str) -> tuple[str, str, str]:
    """Cut ``[address]:port`` into three; 400 if it is no such thing."""
    inner, bracket, after = text[1:].partition("]")
    if text[:1] != "[" or not bracket or after[:1] not in ("", ":") or "%" in inner:
        raise SipError(400, "Bad Host")
    # RFC 5118 4.10: the grammar of RFC 3261 let three colons through and they must be tolerated.
    inner = inner.replace(":::", "::")
    try:
        IPv6Address(inner)
    except ValueError:
        raise SipError(400, "Bad Host") from None
    return f"[{inner}]", after[:1], after[1:]


class SipUri:
    """A ``sip:`` or ``sips:`` URI."""

    __slots__ = ("header_text", "host", "params", "password", "port", "scheme", "user_raw")

    def __init__(
        self,
        scheme: str,
        user_raw: str,
        host: str,
        port: int | None = None,
        params: dict[str, str] | None = None,
        password: str = "",
        header_text: str = "",
    ) -> None:
        self.scheme = scheme  # in lower case
        self.user_raw = user_raw  # "" for none; escaped
        self.password = password
        self.host = host  # in lower case; IPv6 in brackets
        self.port = port
        self.params: dict[str, str] = {} if params is None else params  # names in lower case, values escaped
        self.header_text = header_text  # behind the "?", escaped

    @property
    def user(self) -> str:
        """The user part, unescaped."""
        return unescape(self.user_raw) if "%" in self.user_raw else self.user_raw

    @property
    def headers(self) -> dict[str, str]:
        """The headers behind ``?``: names in lower case, both unescaped. Never copy one unseen (RFC 3261
        19.1.5).
        """
        found: dict[str, str] = {}
        for part in self.header_text.split("&") if self.header_text else ():
            name, _, value = part.partition("=")
            found[unescape(name).lower()] = unescape(value)
        return found

    @property
    def transport(self) -> str:
        """The transport parameter in lower case, "" for none."""
        return self.params.get("transport", "").lower()

    def __str__(self) -> str:
        user = self.user_raw
        if user or self.password:
            user = f"{user}:{self.password}@" if self.password else user + "@"
        port = "" if self.port is None else f":{self.port}"
        headers = "?" + self.header_text if self.header_text else ""
        return f"{self.scheme}:{user}{self.host}{port}{build_params(self.params)}{headers}"

    def __repr__(self) -> str:
        return f"<SipUri {self}>"


class TelUri:
    """A ``tel:`` URI. ``user`` is the number without visual separators; ``host`` is "" and ``port`` None, so
    that a reader who wants the number need not ask which kind it holds.
    """

    __slots__ = ("number", "params")

    scheme = "tel"
    host = ""
    port: int | None = None
    transport = ""
    header_text = ""

    def __init__(self, number: str, params: dict[str, str] | None = None) -> None:
        self.number = number  # as on the wire
        self.params: dict[str, str] = {} if params is None else params

    @property
    def user(self) -> str:
        """The number without visual separators: ``+8621555``."""
        number = self.number
        for separator in _VISUAL:
            number = number.replace(separator, "")
        return number

    @property
    def headers(self) -> dict[str, str]:
        """A tel URI has none."""
        return {}

    def __str__(self) -> str:
        return f"tel:{self.number}{build_params(self.params)}"

    def __repr__(self) -> str:
        return f"<TelUri {self}>"


def scheme_of(text: str) -> str:
    """Return the scheme of any URI in lower case; 400 if there is none."""
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not scheme[:1].isalpha() or not scheme.isascii():
        raise SipError(400, "Bad URI")
    if scheme.encode().translate(None, _SCHEME):
        raise SipError(400, "Bad URI")
    return scheme.lower()


def _parse_uri_params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if not name or "@" in part or "," in part:
            raise SipError(400, "Bad URI Parameter")
        name = _settled(name).lower() if "%" in name else name.lower()
        if name in params:
            raise SipError(400, "Bad URI Parameter")
        params[name] = value
    return params


def parse_uri(text: str) -> SipUri | TelUri:
    """Read a SIP, SIPS or tel URI; 400 if it is broken, 416 if it is of another scheme."""
    scheme, _, rest = text.partition(":")
    if scheme not in ("sip", "sips"):
        scheme = scheme_of(text)
        if scheme == "tel":
            return _parse_tel(rest)
        if scheme not in ("sip", "sips"):
            raise SipError(416, "Unsupported URI Scheme")
    if rest.strip(_ALLOWED):
        raise SipError(400, "Bad URI")
    # Neither hosts, parameters nor headers may hold a bare "@", and a user may hold ";" and "?": cut there
    # first.
    user, at, place = rest.partition("@")
    password = ""
    if not at:
        user, place = "", rest
    elif not user:
        raise SipError(400, "Bad URI")
    elif ":" in user:
        user, _, password = user.partition(":")
    header_text = ""
    if "?" in place:
        place, _, header_text = place.partition("?")
    params: dict[str, str] | None = None
    if ";" in place:
        place, _, params_text = place.partition(";")
        params = _parse_uri_params(params_text)
    host, port = parse_host_port(place)
    return SipUri(scheme, user, host, port, params, password, header_text)


def _parse_tel(rest: str) -> TelUri:
    number, semicolon, params = rest.partition(";")
    digits = number.removeprefix("+")
    if not digits or digits.strip("0123456789ABCDEFabcdef*#-.()"):
        raise SipError(400, "Bad tel URI")
    if params.strip(_ALLOWED):
        raise SipError(400, "Bad tel URI")
    return TelUri(number, _parse_uri_params(params) if semicolon else None)


def transport_of(text: str) -> str:
    """Return the transport that a SIP or SIPS URI as text asks for, in lower case; "" for none."""
    if text[:5].lower() == "sips:":
        return "tls"
    for param in text.partition("?")[0].split(";")[1:]:
        name, _, value = param.partition("=")
        if name.lower() == "transport":
            return value.lower()
    return ""


def same_uri(a: SipUri | TelUri, b: SipUri | TelUri) -> bool:
    """Return whether both name the same resource (RFC 3261 19.1.4, RFC 3966 4)."""
    if isinstance(a, TelUri) or isinstance(b, TelUri):
        if not isinstance(a, TelUri) or not isinstance(b, TelUri):
            return False
        return a.user.lower() == b.user.lower() and _lower(a.params) == _lower(b.params)
    if (a.scheme, a.host, a.port) != (b.scheme, b.host, b.port):
        return False
    if _settled(a.user_raw) != _settled(b.user_raw) or _settled(a.password) != _settled(b.password):
        return False
    if a.params or b.params:
        ours, theirs = _lower(a.params), _lower(b.params)
        for name in _MUST_BE_IN_BOTH:
            if (name in ours) != (name in theirs):
                return False
        if any(theirs.get(name, value) != value for name, value in ours.items()):
            return False
    return a.headers == b.headers


def _lower(params: dict[str, str]) -> dict[str, str]:
    return {name: _settled(value).lower() for name, value in params.items()}
