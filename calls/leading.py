"""Leading: where scripts send callers, and who may come back because nobody has taken them there.

A caller is led to a queue or a phone while its script waits for what comes of that. Taken, by a seat, a phone
or another script, it does not come back. Not taken, the script is told why and says what follows: a word of
this module for a phone, for a queue the cause of the visit (``full``, ``closed``, ``max_wait``, ...).

Rule: a script waits for a caller who lives, is in no script and talks to nobody yet.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.events import CallQueued
from calls.leg import Leg
from calls.retelling import write_down
from calls.routing import Refusal
from calls.script import Go
from calls.voicemail import VOICEMAIL
from kernel.ids import CallId, QueueName
from media.plane import Plane

if TYPE_CHECKING:
    from calls.scripts import Running
    from calls.switchboard import Switchboard

RINGBACK = "builtin:music"  # while the phone rings that a script has led to
BUSY = "busy"
NO_ANSWER = "no_answer"
REFUSED = "refused"
UNREACHABLE = "unreachable"
NO_SUCH_TARGET = "no_such_target"  # a reload has taken it away
PHONE_WORDS = (BUSY, NO_ANSWER, REFUSED, UNREACHABLE)
MAY_TURN_AWAY = ("queue", "seat", "extension", "number")  # kinds of targets that callers come back from
# How a call ends that is led nowhere else: verdict and status.
ENDINGS = {
    BUSY: ("agent:busy", 486),
    UNREACHABLE: ("agent:unreachable", 480),
    NO_SUCH_TARGET: ("us:no_such_target", 480),
}
_KINDS = {"seat": "softphone", "extension": "extension", "number": "pstn"}  # of phones

_ARRIVED = (CallState.TALKING, CallState.VOICEMAIL, CallState.SURVEY)


class Leading:
    """The callers of one switchboard that scripts have led on; ``away`` are those that may come back."""

    def __init__(self, board: "Switchboard", plane: Plane) -> None:
        self._board = board
        self._plane = plane
        self.away: dict[CallId, Running] = {}

    def refusal(self, call: Call, target: str) -> str:
        """Say why ``target`` takes nobody, as far as that is seen without trying it; "" where it may."""
        board = self._board
        kind, _, name = target.partition(":")
        if kind == "message":
            return ""
        if isinstance(board.plan.to_entry(call.direction, call.tenant, call.caller, name, target), Refusal):
            return NO_SUCH_TARGET
        if kind == "queue" and board.plan.queues[name.partition("/")[0]].tenant != call.tenant:
            return NO_SUCH_TARGET
        if kind not in _KINDS or board.can_ring((_KINDS[kind], name)):
            return ""
        return BUSY if board.is_busy((_KINDS[kind], name)) else UNREACHABLE

    def lead(self, call: Call, what: Go, now: float) -> None:
        """Lead a caller, whom nobody serves, to a target; one that is seen to take nobody ends the call."""
        why = self.refusal(call, what.target)
        if why:
            verdict, status = ENDINGS[why]
            self._board.end(call, now, ended_by="switch", verdict=verdict, status=status)
        else:
            self.send(call, what, now)

    def send(self, call: Call, what: Go, now: float) -> None:
        """Lead a caller, whom nobody serves, to a target of which :meth:`refusal` has just said nothing."""
        board = self._board
        kind, _, name = what.target.partition(":")
        if kind == "ivr":
            board.scripts.begin(call, name, now)
        elif kind == "message":
            board.announcements.play(call, name, "success:script", 480, now)
        elif kind == VOICEMAIL:
            board.voicemails.begin(call, what.target, now)
        elif kind == "queue":
            self._queue(call, name, what, now)
        else:
            self._ring(call, (_KINDS[kind], name), what.ring_for, now)

    def _queue(self, call: Call, name: str, what: Go, now: float) -> None:
        queue, _, seat = name.partition("/")
        call.queue, call.target = QueueName(queue), None
        credit, call.credit = call.credit + what.credit, 0.0
        event = CallQueued(call.id, call.queue, call.caller, call.called, seat, credit, what.skills)
        self._board.events.put(event)

    def _ring(self, call: Call, phone: tuple[str, str], ring_for: float, now: float) -> None:
        assert call.caller_leg is not None
        call.target = phone
        self._plane.play(call.caller_leg.stream, (RINGBACK,), now)
        self._board.place(call, now, ring_for)

    def hand_on(self, call: Call, seat: Leg, caller: Leg, what: Go, now: float) -> None:
        """Transfer the caller of a conversation blindly to where its script leads; it goes on meanwhile."""
        board = self._board
        kind, _, name = what.target.partition(":")
        if kind == "message":
            board.end(call, now, ended_by="switch", verdict="success:script", status=200)
            return
        route = board.plan.to_entry(call.direction, call.tenant, caller.number, name, what.target)
        assert not isinstance(route, Refusal), f"{what.target} was there a moment ago"
        board.transfers.hand_on(call, seat, caller, route, what.credit, now)

    # Who may come back.

    def wait_for(self, call: Call, running: "Running") -> None:
        """A script waits for what comes of the target that it leads ``call`` to."""
        self.away[call.id] = running

    def moved(self, call: Call, into: Call) -> None:
        """The caller of ``call`` goes on, or will, in another call."""
        running = self.away.pop(call.id, None)
        if running is not None:
            self.away[into.id] = running

    def take_back(self, call: Call) -> "Running | None":
        """Return the script that waits for what comes of ``call``, which now knows; None if none does."""
        return self.away.pop(call.id, None)

    def over(self, call: Call) -> None:
        """The caller has arrived, or is gone: its script has no more to say."""
        running = self.away.pop(call.id, None)
        if running is not None:
            running.run.close()

    def script_of(self, call: Call) -> str:
        """Return the script that waits while the phone rings that it has led ``call`` to, "" if none does."""
        running = self.away.get(call.id) if self.away and call.joined_at is None else None
        return "" if running is None else running.settings.name

    def written(self, call: Call) -> tuple[str, bytes]:
        """Return the script that waits while ``call`` does in a queue, and what the next process needs to
        have it go on; ("", b"") if none waits.
        """
        running = self.away.get(call.id) if self.away and call.joined_at is not None else None
        if running is None:
            return "", b""
        return running.settings.name, write_down(running.run, running.caller, running.missed[0])

    def check(self) -> None:
        """Assert what must hold between turns."""
        board = self._board
        for call_id in self.away:
            call = board.calls.get(call_id)
            assert call is not None, f"a script waits for {call_id}, which is over"
            assert call_id not in board.scripts.running, f"{call_id} is in a script while one waits for it"
            assert call.state not in _ARRIVED, f"a script waits for {call_id}, which is {call.state}"


def why_not(leg: Leg, status: int, *, reachable: bool) -> str:
    """Return the word for a phone that has not taken a call, by the last status of its contacts."""
    if not reachable:
        return UNREACHABLE
    if status in (486, 600):
        return BUSY
    if status == 603 or (status == 480 and leg.phone[0] != "pstn"):
        return REFUSED
    if status in (408, 480, 487) and (leg.phone[0] == "pstn" or leg.rang_at is not None):
        return NO_ANSWER
    return UNREACHABLE
