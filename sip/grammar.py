"""Grammar: what every header shares - the error, tokens, quoting, comma lists and parameters (RFC 3261 25.1).

Rule: every function here takes time linear in its input; none of them backtracks.
"""

from typing import TYPE_CHECKING

from kernel.errors import PeerError

if TYPE_CHECKING:
    from sip.message import Request

_TOKEN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
_NUMBER_DIGITS_MAX = 20  # more digits than any SIP number has; keeps int() from chewing a whole datagram


class SipError(PeerError):
    """The peer broke the protocol; carries the answer it deserves.

    ``salvaged`` is the request as far as it could be read, when that is enough to answer it statelessly (its
    Via, From, To, Call-ID and CSeq were there), else None. ``headers`` are header lines of the answer.
    """

    def __init__(self, status: int, reason: str, salvaged: "Request | None" = None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.salvaged = salvaged
        self.headers = ""


def is_token(text: str) -> bool:
    """Return whether ``text`` is a token: a method, a header name, a parameter name."""
    return bool(text) and text.isascii() and not text.encode().translate(None, _TOKEN)


def parse_number(text: str, most: int, what: str) -> int:
    """Return ``text`` as an integer in 0..``most``; 400 on anything else. ``what`` names it in the error."""
    if text.isdigit() and text.isascii() and len(text) <= _NUMBER_DIGITS_MAX:
        number = int(text)
        if number <= most:
            return number
    raise SipError(400, f"Bad {what}")


def quote_end(text: str, start: int) -> int:
    """Return where the quoted string that opens at ``start`` has its closing quote, or -1."""
    at = text.find('"', start + 1)
    while at > 0:
        before = at - 1
        while text[before] == "\\":
            before -= 1
        if (at - before) % 2:  # an even number of backslashes: the quote itself is not escaped
            return at
        at = text.find('"', at + 1)
    return -1


def quote(text: str) -> str:
    """Return ``text`` as a quoted string; CR, LF and NUL, which it may not hold, are left out."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{without_breaks(text)}"'


def unquote(text: str) -> str:
    """Return what a quoted string says, or ``text`` itself if it is not quoted."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    # A backslash pair says one backslash, and only then do the others fall away.
    return "\\".join(part.replace("\\", "") for part in inner.split("\\\\"))


def without_breaks(text: str) -> str:
    """Return ``text`` without CR, LF and NUL: what would let a value end its header line (A-INJ)."""
    if "\r" in text or "\n" in text or "\0" in text:
        return text.replace("\r", "").replace("\n", "").replace("\0", "")
    return text


def split_list(text: str, separator: str = ",") -> list[str]:
    """Split at ``separator`` outside quoted strings and angle brackets; items are stripped, 400 on an open
    quote or bracket.
    """
    if separator not in text:
        return [text.strip(" \t")]
    if '"' not in text and "<" not in text:
        return [item.strip(" \t") for item in text.split(separator)]
    items: list[str] = []
    begin = at = 0
    end = len(text)
    cut = quoted = opens = -1  # where the next of each stands; sought again only when passed
    while at < end:
        if cut < at:
            cut = _find(text, separator, at)
        if quoted < at:
            quoted = _find(text, '"', at)
        if opens < at:
            opens = _find(text, "<", at)
        if cut < quoted and cut < opens:
            items.append(text[begin:cut].strip(" \t"))
            begin = at = cut + 1
        elif quoted == opens:  # nothing of the three is left
            break
        else:
            at = 1 + (quote_end(text, quoted) if quoted < opens else text.find(">", opens))
            if at == 0:
                raise SipError(400, "Unbalanced Quote Or Bracket")
    items.append(text[begin:].strip(" \t"))
    return items


def _find(text: str, char: str, at: int) -> int:
    """Return where ``char`` is next, the length of ``text`` for nowhere."""
    found = text.find(char, at)
    return found if found >= 0 else len(text)


def parse_params(text: str) -> dict[str, str]:
    """Read ``;name=value;flag`` into a dict; names in lower case, a flag's value "", quotes kept.

    400 on an empty or repeated name (RFC 3261 7.3.1) or blanks inside a value.
    """
    params: dict[str, str] = {}
    if not text:
        return params
    if text[0] != ";":
        raise SipError(400, "Bad Parameters")
    parts = text[1:].split(";") if '"' not in text else split_list(text[1:], ";")
    for part in parts:
        name, _, value = part.partition("=")
        if " " in part or "\t" in part:
            name = name.strip(" \t")
            value = value.strip(" \t")
            if (" " in value or "\t" in value) and value[0] != '"':
                raise SipError(400, "Bad Parameters")
        if '"' in part and (value[:1] != '"' or quote_end(value, 0) != len(value) - 1):
            raise SipError(400, "Unbalanced Quote")
        name = name.lower()
        if not is_token(name) or name in params:
            raise SipError(400, "Bad Parameters")
        params[name] = value
    return params


def build_params(params: dict[str, str]) -> str:
    """Write a dict as ``;name=value;flag``."""
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())


def is_unicast_quad(host: str) -> bool:
    """Return whether ``host`` is a plain dotted quad of one machine; a fast path, 1 us against 15."""
    quad = host.split(".")
    if len(quad) != 4 or not host.isascii():
        return False
    for part in quad:
        if not part.isdigit() or len(part) > 3 or (part[0] == "0" and len(part) > 1) or int(part) > 255:
            return False
    return 0 < int(quad[0]) < 224
