"""Overflow: where a call goes that a queue does not take, or does not keep.

A target is a text: ``hangup``, ``queue:NAME``, ``seat:NUMBER``, ``number:DIGITS``, ``callback``,
``message:SOUND``, ``ivr:NAME``, ``voicemail`` and ``voicemail:WHOSE``. Queues and seats are distribution's
own; the others are carried out by call control.
"""

from kernel.ids import QueueName, SeatId
from queues.events import Outcome

HANG_UP = "hangup"
CALLBACK = "callback"


def overflow_queue(target: str) -> QueueName | None:
    """Return the queue named by ``queue:NAME``, or None for what leads elsewhere."""
    kind, _, name = target.partition(":")
    return QueueName(name) if kind == "queue" and name else None


def overflow_seat(target: str) -> SeatId | None:
    """Return the seat named by ``seat:NUMBER``, or None for what leads elsewhere."""
    kind, _, name = target.partition(":")
    return SeatId(name) if kind == "seat" and name else None


def release_target(target: str) -> str:
    """Return what call control is told to do with the call: "" is hang up.

    A queue or a seat that leads nowhere (full, gone, not there) is a hang-up too.
    """
    is_ours = overflow_queue(target) is not None or overflow_seat(target) is not None
    return "" if target == HANG_UP or is_ours else target


def outcome_of(target: str, otherwise: Outcome) -> Outcome:
    """Return how a visit ends whose call leaves distribution for ``target``.

    Who goes on to a number, into a script or to a mailbox has overflowed, who is called back waits on without
    the phone in the hand; a message and a hang-up are the end, which is what ``otherwise`` says.
    """
    kind = release_target(target).partition(":")[0]
    if kind in ("number", "ivr", "voicemail"):
        return Outcome.OVERFLOWED
    return Outcome.CALLBACK if kind == CALLBACK else otherwise
