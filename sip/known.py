"""Known texts: what peers write into message after message is read once.

A trunk's Contact, our own address in Request-URIs and the beginning of a peer's Via are the same in every
call. Rules: only what was read without complaint is kept; every table is bounded: who floods us with texts
that never come again costs an entry each, and a new beginning now and then.
"""

from sip.address import Address, parse_address
from sip.grammar import SipError
from sip.headers import Via, parse_via
from sip.uri import SipUri, TelUri, parse_uri

_TEXTS_MAX = 1_024  # of a table
_LENGTH_MAX = 256  # characters; longer texts are read every time


class Known:
    """What texts of a kind say. The values are shared and must not be changed."""

    __slots__ = ("_contacts", "_places", "_uris")

    def __init__(self) -> None:
        self._uris: dict[str, SipUri | TelUri] = {}
        self._contacts: dict[str, list[Address]] = {}
        self._places: dict[str, tuple[str, str, int | None]] = {}  # of Vias: transport, host, port

    def uri(self, text: str) -> SipUri | TelUri:
        """Return what a Request-URI says; 400 or 416, and 400 for headers in it."""
        found = self._uris.get(text)
        if found is None:
            found = parse_uri(text)
            # RFC 3261 19.1.1; and never to be followed: they can hold a Route.
            if found.header_text:
                raise SipError(400, "Headers In Request-URI")
            if len(text) <= _LENGTH_MAX:
                if len(self._uris) >= _TEXTS_MAX:
                    self._uris.clear()
                self._uris[text] = found
        return found

    def contact(self, text: str) -> list[Address]:
        """Return what a Contact line without a comma says; 400 if it is broken."""
        found = self._contacts.get(text)
        if found is None:
            found = [parse_address(text)]
            if len(text) <= _LENGTH_MAX:
                if len(self._contacts) >= _TEXTS_MAX:
                    self._contacts.clear()
                self._contacts[text] = found
        return found

    def via(self, text: str) -> Via:
        """Return what a Via line without a comma says; 400 if it is broken."""
        head, _, params = text.partition(";")
        place = self._places.get(head)
        if place is not None and params[:7] == "branch=":
            branch, flag, rest = params[7:].partition(";")
            is_plain = branch.isalnum() or branch.replace("-", "").replace(".", "").isalnum()
            if is_plain and branch.isascii():
                transport, host, port = place
                if not flag:
                    return Via(text, transport, host, port, {"branch": branch}, branch)
                if rest == "rport":
                    return Via(text, transport, host, port, {"branch": branch, "rport": ""}, branch, "")
        via = parse_via(text)
        if place is None and len(head) <= _LENGTH_MAX:
            if len(self._places) >= _TEXTS_MAX:
                self._places.clear()
            self._places[head] = (via.transport, via.host, via.port)
        return via
