"""Redirections: a phone answers 3xx and names another one (RFC 3261 8.1.3.4, RFC 5359 2.7 to 2.9).

Rules: only numbers of ours are followed, never a foreign host; what the phone's owner could not call is not
called for it; a caller from a trunk is not led out through a trunk again (transit guard); no number is tried
twice for one leg and no more than FORWARDS_MAX in all.
"""

from typing import TYPE_CHECKING

from calls.events import SeatFreed
from calls.leg import Leg
from calls.ringing import invitations, queue_headers
from calls.routing import Route
from kernel.ids import SeatId
from sip.events import Identity, SessionFailed
from sip.grammar import SipError
from sip.stack import Stack
from sip.uri import parse_uri

if TYPE_CHECKING:
    from calls.switchboard import PhoneBook, Switchboard

FORWARDS_MAX = 3  # followed for one leg
_INSIDE = ("softphone", "extension")


class Redirects:
    """The redirections of one switchboard."""

    def __init__(self, board: "Switchboard", stack: Stack, phonebook: "PhoneBook") -> None:
        self._board = board
        self._stack = stack
        self._phonebook = phonebook

    def follow(self, leg: Leg, event: SessionFailed, now: float) -> bool:
        """Ring what a 3xx names instead; False if there is nothing that may be rung."""
        call = leg.call
        if call is None or leg.phone[0] not in _INSIDE:
            return False
        leg.forwards = leg.forwards or (leg.phone[1],)
        for uri in event.redirects:
            phone = self._phone(leg, uri)
            if phone is None or phone[1] in leg.forwards or len(leg.forwards) > FORWARDS_MAX:
                continue
            by, leg.forwards = leg.forwards[-1], (*leg.forwards, phone[1])
            domain = self._board.plan.settings.domain
            diversion = f"<sip:{by}@{domain}>;reason=deflection;counter={len(leg.forwards) - 1}"
            headers = (*queue_headers(leg, call), ("Diversion", diversion))
            leg.phone, before = phone, leg.phone
            leg.targets = invitations(leg, call, domain, self._stack, headers)
            leg.phone = before  # whose leg it is for distribution does not change
            if leg.targets:
                self._ring(leg, self._phonebook.seat_of(*phone), now)
                return True
        return False

    def _ring(self, leg: Leg, seat: SeatId | None, now: float) -> None:
        """Ring the new phone; a direct call is then at the seat that it belongs to."""
        board, call = self._board, leg.call
        assert call is not None
        if leg.offer is None and seat != leg.seat:
            if leg.seat is not None:
                board.events.put(SeatFreed(leg.seat, call.id, bridged=False))
                board.disengage(leg)
            board.engage(leg, seat, "ringing")
        board.send_invites(leg, now)

    def _phone(self, leg: Leg, uri: str) -> tuple[str, str] | None:
        """Return the phone a Contact leads to, None if it must not be followed."""
        try:
            target = parse_uri(uri)
        except SipError:
            return None
        if target.host and not self._stack.is_ours(target.host, target.port):
            return None
        route = self._board.plan.from_account(Identity("account", leg.phone[1]), target.user)
        if not isinstance(route, Route) or route.phone is None or route.phone[0] not in _INSIDE:
            return None
        phone = route.phone
        if phone[0] == "softphone":
            phone = self._phonebook.phone_of(SeatId(phone[1])) or phone
        if phone[0] not in _INSIDE or self._board.is_busy(route.phone):
            return None
        if leg.offer is not None and self._phonebook.seat_of(*phone) not in (None, leg.seat):
            return None  # another seat is rung by an offer of its own
        return phone
