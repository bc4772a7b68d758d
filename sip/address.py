"""Addresses: name-addr and addr-spec with header parameters (RFC 3261 20.10, 25.1).

Rule: a URI without angle brackets owns none of the parameters behind it, and may hold no comma, question
mark or semicolon.
"""

from sip.grammar import SipError, parse_params, quote, quote_end, split_list, unquote, without_breaks
from sip.uri import SipUri, TelUri, parse_uri


class Address:
    """What From, To, Contact, Route and their like say."""

    __slots__ = ("_parsed", "display", "params", "uri")

    def __init__(self, display: str, uri: str, params: dict[str, str]) -> None:
        self.display = display  # unquoted
        self.uri = uri  # as on the wire, without brackets; "*" for Contact: *
        self.params = params  # names in lower case, values as on the wire
        self._parsed: SipUri | TelUri | None = None

    @property
    def parsed(self) -> SipUri | TelUri:
        """The URI in parts; SipError 400 or 416."""
        if self._parsed is None:
            self._parsed = parse_uri(self.uri)
        return self._parsed

    @property
    def tag(self) -> str:
        """The tag parameter, "" for none."""
        return self.params.get("tag", "")

    def __str__(self) -> str:
        return build_address(self.uri, self.display, self.params)

    def __repr__(self) -> str:
        return f"<Address {self}>"


def split_address(value: str) -> tuple[str, str, str]:
    """Cut a stripped value into display name (as written), URI and ``;parameters``; 400 if it is broken."""
    display = ""
    if value[:1] == '"':
        end = quote_end(value, 0)
        opens = value.find("<", end)
        if end < 0 or opens < 0 or value[end + 1 : opens].strip(" \t"):
            raise SipError(400, "Unbalanced Quote")
        display = value[: end + 1]
    else:
        opens = value.find("<")
        if opens > 0:
            display = value[:opens].rstrip(" \t")
            if ";" in display or "," in display or '"' in display:
                if ";" not in display or "," in display:
                    raise SipError(400, "Bad Display Name")
                opens, display = -1, ""  # the bracket stands in a parameter of a bare URI
    if opens >= 0:
        closes = value.find(">", opens)
        uri = value[opens + 1 : closes]
        if closes < 0 or not uri or " " in uri or "\t" in uri or "<" in uri:
            raise SipError(400, "Bad Address")
        return display, uri, value[closes + 1 :].lstrip(" \t")
    uri, semicolon, params = value.partition(";")
    uri = uri.rstrip(" \t")
    if not uri or "?" in uri or "," in uri or " " in uri or "\t" in uri or '"' in uri or ">" in uri:
        raise SipError(400, "Bad Address")
    return "", uri, semicolon + params


def parse_address(value: str) -> Address:
    """Read one address; 400 if it is broken. The URI is looked into only when asked for."""
    if value[:5] == "<sip:" and value[-1:] == ">":  # the ordinary Contact and Route (0.4 us instead of 0.9)
        uri = value[1:-1]
        if " " not in uri and ">" not in uri and "<" not in uri and "\t" not in uri:
            return Address("", uri, {})
    display, uri, params = split_address(value.strip(" \t"))
    if display[:1] == '"':
        display = unquote(display)
    if params[:1] not in ("", ";"):
        raise SipError(400, "Bad Address")
    if ":" not in uri and uri != "*":
        raise SipError(400, "Bad Address")
    return Address(display, uri, parse_params(params))


def parse_addresses(value: str) -> list[Address]:
    """Read a comma list of addresses; 400 if one is broken or empty."""
    if "," not in value:
        return [parse_address(value)]
    return [parse_address(item) for item in split_list(value)]


def build_address(uri: str, display: str = "", params: dict[str, str] | None = None, *, tag: str = "") -> str:
    """Write a name-addr: ``"Display" <uri>;params;tag=...``. What could end the line or the brackets is left
    out of ``uri``.
    """
    if "<" in uri or ">" in uri or " " in uri or "\r" in uri or "\n" in uri or "\0" in uri:
        uri = without_breaks(uri).replace("<", "").replace(">", "").replace(" ", "")
    text = f"{quote(display)} <{uri}>" if display else f"<{uri}>"
    if params:
        for name, value in params.items():
            text += f";{name}={value}" if value else f";{name}"
    return f"{text};tag={tag}" if tag else text
