"""Lines: what the registered phones of seats and extensions do in calls, for those who watch their lamps.

Rule: a leg is on the line of its phone from the moment it has one until it is dropped.
"""

from collections.abc import Container

from calls.leg import Leg, LegState
from sip.subscription import DARK, Lamp

KINDS = ("softphone", "extension")  # of phones that have a lamp


class Lines:
    """The legs of every phone of ours; ``changed`` are the watched numbers whose lamps may have changed."""

    def __init__(self, watched: Container[str]) -> None:
        self._watched = watched
        self._legs: dict[str, list[Leg]] = {}
        self.changed: dict[str, bool] = {}

    def add(self, leg: Leg) -> None:
        """A leg has begun; legs to outside numbers and from trunks are on nobody's line."""
        kind, number = leg.phone
        if kind in KINDS:
            self._legs.setdefault(number, []).append(leg)
            if number in self._watched:
                self.changed[number] = True

    def remove(self, leg: Leg) -> None:
        """A leg is over."""
        number = leg.phone[1]
        legs = self._legs.get(number)
        if legs is not None and leg in legs:
            legs.remove(leg)
            if not legs:
                del self._legs[number]
            if number in self._watched:
                self.changed[number] = True

    def note(self, leg: Leg) -> None:
        """Something has happened to a leg."""
        if leg.phone[1] in self._watched and leg.phone[0] in KINDS:
            self.changed[leg.phone[1]] = True

    def lamp(self, number: str) -> Lamp:
        """Return the lamp of a phone: of its calls the one that has come furthest counts."""
        best = DARK
        for leg in self._legs.get(number, ()):
            call = leg.call
            if call is None or leg.state is LegState.ENDED:
                continue
            if leg.state is LegState.ANSWERED:
                return Lamp("confirmed", is_rendering=not call.held)
            is_caller = leg is call.caller_leg
            if not is_caller:
                best = Lamp("early", "recipient", dialog=_dialog_of(leg))
            elif best is DARK:
                best = Lamp("early" if leg.state is LegState.EARLY else "trying", "initiator")
        return best

    def count(self) -> int:
        """Return how many legs are on lines."""
        return sum(map(len, self._legs.values()))


def _dialog_of(leg: Leg) -> tuple[str, str]:
    """Return Call-ID and our tag of a leg that rings, none of an offer: its ring is its seat's alone."""
    if leg.offer is not None or not leg.ringing_sessions:
        return "", ""
    session = leg.ringing_sessions[0]
    return session.sip_call_id, session.local_tag
