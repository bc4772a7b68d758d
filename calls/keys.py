"""Keys: what is pressed on a telephone while there is nobody at the other end, by RFC 4733 or by INFO."""

from typing import TYPE_CHECKING

from calls.call import CallState
from calls.events import KeyPressed
from calls.leg import Leg
from calls.settings import QueueMedia
from media.plane import Plane
from sip.events import InfoReceived

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class Keys:
    """The keys of one switchboard's calls."""

    def __init__(self, board: "Switchboard", plane: Plane) -> None:
        self._board = board
        self._plane = plane

    def listen(self, leg: Leg, media: QueueMedia, now: float) -> None:
        """Hear the keys of a caller who waits, where its queue has any."""
        self._plane.collect(leg.stream, bool(media.keys), now)

    def pressed(self, leg: Leg | None, key: str, now: float) -> None:
        """A key of a phone that is asked for it (:mod:`calls.handover`), of who is in a script, rates its
        call, leaves a message or waits.

        Of those who wait, also in an announcement and while a seat rings, only their queue's own count.
        """
        call = None if leg is None else leg.call
        if leg is None or call is None or self._board.handover.key_pressed(leg, key, now):
            return
        if self._board.scripts.key_pressed(leg, key, now) or self._board.surveys.key_pressed(leg, key, now):
            return
        if self._board.voicemails.key_pressed(leg, key, now):
            return
        if leg is not call.caller_leg or call.queue is None:
            return
        media = self._board.plan.queues.get(call.queue)
        waits = call.joined_at is not None and call.state in (CallState.WAITING, CallState.RINGING)
        if waits and media is not None and key and key in media.keys:
            self._board.events.put(KeyPressed(call.id, key))

    def info_received(self, leg: Leg | None, event: InfoReceived, now: float) -> None:
        """A key as INFO."""
        self.pressed(leg, key_of(event), now)


def key_of(event: InfoReceived) -> str:
    """Return the key that an INFO brings, as ``Signal=1`` or bare; "" if it brings none."""
    kind = event.content_type.partition(";")[0].strip().lower()
    text = event.body.decode("ascii", "replace").strip()
    if kind == "application/dtmf-relay":
        lines = (line.partition("=") for line in text.splitlines())
        keys = [value.strip() for name, _, value in lines if name.strip().lower() == "signal"]
        return keys[0] if keys else ""
    return text if kind == "application/dtmf" else ""
