"""Announcements: who is not taken, or not kept, hears why and is then hung up (target ``message:SOUND``).

Before the caller is answered the sound goes out as early media (183), or the call is answered for it, as its
queue says. Rule: a call with a farewell ends when the sound does, or after :data:`FAREWELL_MAX`, whatever the
media workers say.
"""

from typing import TYPE_CHECKING

from calls.call import Call
from calls.leg import Leg, LegInput, LegState
from kernel.ids import CallId
from kernel.timers import TimerQueue
from media.plane import Plane
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

FAREWELL_MAX = 300.0  # seconds; the longest sound of a configuration is shorter


class Announcements:
    """The farewells of one switchboard."""

    def __init__(self, board: "Switchboard", stack: Stack, plane: Plane, timers: TimerQueue) -> None:
        self._board = board
        self._stack = stack
        self._plane = plane
        self._timers = timers

    def play(self, call: Call, sound: str, verdict: str, status: int, now: float) -> None:
        """Play ``sound`` to the caller, then end the call with ``verdict`` and ``status``."""
        leg = call.caller_leg
        if leg is None or leg.session is None or not sound:
            self._board.end(call, now, ended_by="switch", verdict=verdict, status=status)
            return
        call.farewell = (sound, verdict, status)
        media = self._board.plan.queues.get(call.queue or "")
        if leg.state is not LegState.ANSWERED:
            is_early = leg.answer_sdp and (media is None or media.message_answer == "183")
            if not is_early:
                self._board.answer_caller(leg, now)
            elif leg.state is not LegState.EARLY:
                leg.move(LegInput.PROGRESSED)
                self._stack.ring(leg.session, now, 183, leg.answer_sdp)
        self._plane.play(leg.stream, (sound,), now, loop_last=False)
        self._timers.disarm(call.timer)
        call.timer = self._timers.arm_after(self, f"farewell {call.id}", FAREWELL_MAX, now)

    def ended(self, leg: Leg | None, sound: str, now: float) -> None:
        """A sound has been played to the end."""
        call = None if leg is None else leg.call
        if call is not None and call.farewell is not None and call.farewell[0] == sound:
            self._hang_up(call, now)

    def on_timer(self, name: str, now: float) -> None:
        """A farewell has lasted long enough."""
        call = self._board.calls.get(CallId(name.partition(" ")[2]))
        if call is not None and call.farewell is not None:
            self._hang_up(call, now)

    def _hang_up(self, call: Call, now: float) -> None:
        assert call.farewell is not None
        _, verdict, status = call.farewell
        self._board.end(call, now, ended_by="switch", verdict=verdict, status=status)
