"""Redirections: who is rung answers 3xx and names somebody else (RFC 3261 8.1.3.4, RFC 5359 2.7 to 2.9).

A phone leads to numbers: those of ours, and, for callers of ours, those outside that have a route. A trunk
leads also to another address for the number that it was asked for. Whoever is rung next is told whom the call
was for before (Diversion, RFC 5806; History-Info, RFC 7044).

Rules: no host is rung that is neither ours nor a trunk's address that the tenant may use; nobody is led where
it could not call - a phone leads where its owner, a trunk where the caller could call; a caller from a trunk
is not led out through a trunk again (transit guard); no number and no address is tried twice for one leg, and
no more than FORWARDS_MAX in all.
"""

from typing import TYPE_CHECKING

from calls.call import Call
from calls.events import SeatFreed
from calls.leg import Leg
from calls.outside import Target
from calls.ringing import invitations, ring_headers
from calls.routing import Route
from kernel.chance import Chance
from kernel.ids import SeatId
from sip.events import Identity, SessionFailed
from sip.grammar import SipError
from sip.identity import DIVERSIONS
from sip.stack import Stack
from sip.uri import SipUri, TelUri, escape_user, parse_uri

if TYPE_CHECKING:
    from calls.admission import PhoneBook
    from calls.switchboard import Switchboard

FORWARDS_MAX = 3  # followed for one leg
_INSIDE = ("softphone", "extension")


class Redirects:
    """The redirections of one switchboard."""

    def __init__(self, board: "Switchboard", stack: Stack, phonebook: "PhoneBook", chance: Chance) -> None:
        self._board = board
        self._stack = stack
        self._phonebook = phonebook
        self._chance = chance

    def follow(self, leg: Leg, event: SessionFailed, now: float) -> bool:
        """Ring what a 3xx names instead; False if there is nothing that may be rung."""
        call, asked = leg.call, event.session.invitation
        if call is None or asked is None or call.is_supervision or leg.redirects >= FORWARDS_MAX:
            return False  # a supervisor listens at the phone that was asked for, or not at all
        leg.forwards = leg.forwards or (leg.phone[1],)
        leg.tried += (asked.uri,)
        found: list[Target] = []
        number, why = "", 0
        for uri in event.redirects:
            target = _read(uri)
            if target is None:
                continue
            cause = _cause(target, event)
            phone = None if found else self._phone(leg, call, target)
            if phone is not None and self._ring_phone(leg, call, phone, cause, now):
                return True
            outside = self._outside(leg, call, target)
            if outside and number in ("", target.user):
                number, why = target.user, why or cause
                found += outside
        return bool(found) and self._ring_outside(leg, call, number, found, why, now)

    # Inside.

    def _phone(self, leg: Leg, call: Call, target: SipUri | TelUri) -> tuple[str, str] | None:
        """Return the phone of ours that a Contact leads to, None if it must not be followed."""
        route = self._route(leg, call, target)
        if route is None or route.phone is None or route.phone[0] not in _INSIDE:
            return None
        phone = route.phone
        if phone[0] == "softphone":
            phone = self._phonebook.phone_of(SeatId(phone[1])) or phone
        if phone[0] not in _INSIDE or phone[1] in leg.forwards or self._board.is_busy(route.phone):
            return None
        if leg.offer is not None and self._phonebook.seat_of(*phone) not in (None, leg.seat):
            return None  # another seat is rung by an offer of its own
        return phone

    def _ring_phone(self, leg: Leg, call: Call, phone: tuple[str, str], cause: int, now: float) -> bool:
        settings = self._board.plan.settings
        domain = settings.domain
        causes = (*leg.causes, cause)
        headers = ring_headers(leg, call, settings) + forwarded((*leg.forwards, phone[1]), causes, domain)
        leg.phone, before = phone, leg.phone
        leg.targets = invitations(leg, call, domain, self._stack, headers)
        leg.phone = before  # whose leg it is for distribution does not change
        if not leg.targets:
            return False
        self._board.failover.left(leg)
        leg.causes = causes
        self._ring(leg, call, phone[1], self._phonebook.seat_of(*phone), now)
        return True

    # Outside.

    def _outside(self, leg: Leg, call: Call, target: SipUri | TelUri) -> list[Target]:
        """Return the addresses of trunks that a Contact leads to; none if it must not be followed."""
        plan, number, asked_for = self._board.plan.outside, target.user, leg.forwards[-1]
        is_same = plan.is_same(number, asked_for)
        if number in leg.forwards and not is_same:
            return []  # it has led away from there
        if not is_same:
            caller = call.caller_leg or call.transferee
            route = self._route(leg, call, target, anywhere=True)
            if caller is None or caller.phone[0] not in _INSIDE or leg.offer is not None:
                return []
            if route is None or route.phone is None or route.phone[0] != "pstn":
                return []
        if self._is_ours(target):
            found = [] if is_same else plan.targets(call.tenant, number, self._chance)
        elif leg.phone[0] in _INSIDE:
            return []
        else:
            place = plan.at(call.tenant, number, target.host.strip("[]"), target.port or 5060)
            found = [] if place is None else [place]
        return [each for each in found if each.uri not in leg.tried]

    def _ring_outside(
        self, leg: Leg, call: Call, number: str, found: list[Target], cause: int, now: float
    ) -> bool:
        forwards, causes = leg.forwards, leg.causes
        is_same = self._board.plan.outside.is_same(number, forwards[-1])
        if not is_same:
            forwards, causes = (*forwards, number), (*causes, cause)
        settings = self._board.plan.settings
        headers = ring_headers(leg, call, settings) + forwarded(forwards, causes, settings.domain)
        if not self._board.failover.lead(leg, found, headers, now):
            return False
        call.trunk = call.trunk or leg.trunk
        leg.causes = causes
        self._ring(leg, call, "" if is_same else number, leg.seat if leg.offer is not None else None, now)
        return True

    # Both.

    def _route(
        self, leg: Leg, call: Call, target: SipUri | TelUri, *, anywhere: bool = False
    ) -> Route | None:
        """Return where whoever redirects, or the caller of a trunk that does, would get with that number."""
        if not anywhere and not self._is_ours(target):
            return None
        number = leg.phone[1]
        if leg.phone[0] not in _INSIDE:
            caller = call.caller_leg or call.transferee
            if caller is None or caller.phone[0] not in _INSIDE:
                return None
            number = caller.phone[1]
        route = self._board.plan.from_account(Identity("account", number), target.user)
        return route if isinstance(route, Route) else None

    def _is_ours(self, target: SipUri | TelUri) -> bool:
        return not target.host or self._stack.is_ours(target.host, target.port)

    def _ring(self, leg: Leg, call: Call, number: str, seat: SeatId | None, now: float) -> None:
        """Ring who is next; a direct call is then at the seat that the phone belongs to."""
        board = self._board
        leg.redirects += 1
        leg.forwards += (number,) if number else ()
        if leg.offer is None and seat != leg.seat:
            if leg.seat is not None:
                board.events.put(SeatFreed(leg.seat, call.id, bridged=False))
                board.disengage(leg)
            board.engage(leg, seat, "ringing")
        board.rings.invite(leg, now)


def _read(uri: str) -> SipUri | TelUri | None:
    try:
        return parse_uri(uri)
    except SipError:
        return None


def _cause(target: SipUri | TelUri, event: SessionFailed) -> int:
    """Return why whoever was rung leads on: as the Contact itself says (RFC 4458 2.1), else as the 3xx."""
    said = target.params.get("cause", "")
    cause = int(said) if said.isascii() and said.isdigit() and len(said) == 3 else 0
    return cause if cause in DIVERSIONS else event.cause


def forwarded(
    numbers: tuple[str, ...], causes: tuple[int, ...], domain: str
) -> tuple[tuple[str, str], ...]:
    """Return what the last of ``numbers`` is told of those before it, each of whom was left for its one of
    ``causes`` (RFC 7544 3.2); nothing if there are none.
    """
    if len(numbers) < 2:
        return ()
    uris = [f"sip:{escape_user(number)}@{domain}" for number in numbers]
    left = list(zip(uris, causes, strict=False))
    diversions = [f"<{uri}>;reason={DIVERSIONS[cause]};counter=1" for uri, cause in reversed(left)]
    uris[1:] = [f"{uri};cause={cause}" for uri, cause in zip(uris[1:], causes, strict=True)]
    entries = [f"<{uri}?Reason=SIP%3Bcause%3D{cause}>" for uri, cause in zip(uris, causes, strict=False)]
    entries.append(f"<{uris[-1]}>")
    index = "1"
    history = [f"{entries[0]};index=1"]
    for entry in entries[1:]:
        index, before = f"{index}.1", index
        history.append(f"{entry};index={index};mp={before}")
    return (("Diversion", ", ".join(diversions)), ("History-Info", ", ".join(history)))
