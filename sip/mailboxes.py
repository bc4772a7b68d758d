"""Message waiting: what a phone is told of the messages that wait for its user (RFC 3842).

What waits where is known above, behind :class:`Boxes`. Phones that subscribe are told by
:mod:`sip.subscription`; those of an account with ``mwi = "unsolicited"`` are told unasked, at each of their
registrations and whenever something changes.

Rule: NOTIFYs are out for one state of a user at a time, so that none overtakes another.
"""

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.message import Response
from sip.registrar import Binding, Registrar
from sip.uri import escape_user

if TYPE_CHECKING:
    from sip.core import Core

MESSAGE_SUMMARY = "application/simple-message-summary"
UNSOLICITED = "unsolicited"


class Waiting(msgspec.Struct, frozen=True):
    """How many messages of a mailbox nobody has heard, and how many are heard and not done with."""

    new: int = 0
    old: int = 0


NOTHING = Waiting()


class Boxes(Protocol):
    """The mailboxes there are. A box is a text that holds a "/", so that it is no user's number."""

    def box_of(self, user: str, named: str) -> str:
        """Return the box that ``user`` means by ``named``, "" if it may not know of it."""

    def owner_of(self, box: str) -> str:
        """Return the user whose own box it is, "" for one of several."""

    def waiting(self, box: str) -> Waiting:
        """Return what waits there."""


class NoBoxes:
    """Nobody has a mailbox."""

    def box_of(self, user: str, named: str) -> str:
        """Return none."""
        return ""

    def owner_of(self, box: str) -> str:
        """Return nobody."""
        return ""

    def waiting(self, box: str) -> Waiting:
        """Return nothing."""
        return NOTHING


class Herald:
    """Tells the phones of one user, unasked; it lives while NOTIFYs are out."""

    __slots__ = ("_heralds", "is_behind", "out", "user")

    def __init__(self, heralds: "Heralds", user: str) -> None:
        self._heralds = heralds
        self.user = user
        self.out = 0
        self.is_behind = False  # more has changed since

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the answer to a NOTIFY, whatever it says: nothing hangs on it."""
        if response.status >= 200:
            self._done(now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that nobody has answered."""
        self._done(now)

    def _done(self, now: float) -> None:
        self.out -= 1
        if not self.out:
            self._heralds.done(self, now)


class Heralds:
    """Those who are told unasked."""

    def __init__(self, core: "Core", registrar: Registrar) -> None:
        self.boxes: Boxes = NoBoxes()  # told from above
        self._core = core
        self._registrar = registrar
        self._out: dict[str, Herald] = {}  # by user

    def tell(self, user: str, now: float) -> None:
        """Tell every phone of ``user`` what waits in its own box, if its account is told unasked."""
        account = self._core.settings.accounts.get(user)
        if account is None or account.mwi != UNSOLICITED:
            return
        box = self.boxes.box_of(user, user)
        if not box:
            return
        herald = self._out.get(user)
        if herald is not None:
            herald.is_behind = True
            return
        ways = self._registrar.ways(user)
        if not ways:
            return
        herald = self._out[user] = Herald(self, user)
        herald.out = len(ways)
        waiting = self.boxes.waiting(box)
        for binding in ways:
            self._send(herald, binding, waiting, now)

    def done(self, herald: Herald, now: float) -> None:
        """Every phone has answered, or will not."""
        del self._out[herald.user]
        if herald.is_behind:
            self.tell(herald.user, now)

    def count(self) -> int:
        """Return for how many users NOTIFYs are out."""
        return len(self._out)

    def _send(self, herald: Herald, binding: Binding, waiting: Waiting, now: float) -> None:
        core, flow = self._core, binding.flow
        place, branch = core.places[flow.local], core.chance.branch()
        domain = core.settings.domains[0] if core.settings.domains else core.realm
        me = f"<sip:{binding.user_text}@{domain}>"
        routes = f"Route: {', '.join(binding.path)}\r\n" if binding.path else ""
        body = message_summary(herald.user, domain, waiting)
        # Terminated, because there is no subscription that the phone could renew or end.
        head = (
            f"NOTIFY {binding.uri} SIP/2.0\r\n{place.via}{branch}\r\nMax-Forwards: 70\r\n"
            f"From: {me};tag={core.chance.token()}\r\nTo: {me}\r\n"
            f"Call-ID: {core.chance.token()}\r\nCSeq: 1 NOTIFY\r\n{routes}{place.contact}"
            "Event: message-summary\r\nSubscription-State: terminated\r\n"
            f"Content-Type: {MESSAGE_SUMMARY}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode("utf-8", "surrogateescape")
        key = client_key_of(branch, "NOTIFY")
        ClientRequest(core.transactions, key, "NOTIFY", head + body, flow, herald, now, flow)


def message_summary(user: str, domain: str, waiting: Waiting) -> bytes:
    """Return what is told of a mailbox (RFC 3842 5): whether there is something new, and how much."""
    is_waiting = "yes" if waiting.new else "no"
    return (
        f"Messages-Waiting: {is_waiting}\r\nMessage-Account: sip:{escape_user(user)}@{domain}\r\n"
        f"Voice-Message: {waiting.new}/{waiting.old}\r\n"
    ).encode("utf-8", "replace")
