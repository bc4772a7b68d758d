"""What the switchboard tells; the node turns it into engine inputs, rows and events."""

from collections.abc import Mapping

import msgspec

from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.rows import VoicemailRow
from sip.events import Notice


class CallQueued(msgspec.Struct, frozen=True):
    """A caller was answered and waits."""

    call: CallId
    queue: QueueName
    caller: str
    called: str
    seat: str = ""  # the one that the caller waits for
    credit: float = 0.0  # seconds of waiting that it brings along
    skills: tuple[tuple[str, int], ...] = ()  # wanted on top of the queue's requirement


class CallGone(msgspec.Struct, frozen=True):
    """A waiting or ringing call ended before it was connected to a seat."""

    call: CallId
    cause: str  # abandoned, withdrawn


class SeatRang(msgspec.Struct, frozen=True):
    """The phone of an offer rings."""

    offer: OfferId


class SeatAnswered(msgspec.Struct, frozen=True):
    """The phone of an offer answered and is bridged to the caller."""

    offer: OfferId


class SeatPickedUp(msgspec.Struct, frozen=True):
    """The outside phone of an offer has answered; a key says ``within`` seconds whether a person has it."""

    offer: OfferId
    within: float


class SeatTook(msgspec.Struct, frozen=True):
    """The seat has taken the call of an offer, and is bridged when it has heard what call it is, ``within``
    seconds.
    """

    offer: OfferId
    within: float


class SeatMissed(msgspec.Struct, frozen=True):
    """The phone of an offer answered and hung up before it was bridged."""

    offer: OfferId


class SeatRefused(msgspec.Struct, frozen=True):
    """The phone of an offer refused."""

    offer: OfferId
    status: int


class SeatFailed(msgspec.Struct, frozen=True):
    """The phone of an offer could not be rung."""

    offer: OfferId
    status: int


class SeatTaken(msgspec.Struct, frozen=True):
    """A seat's phone is in a call that came through no queue: ``activity`` is dialling, ringing or talking.
    """

    seat: SeatId
    call: CallId
    activity: str


class PhoneChanged(msgspec.Struct, frozen=True):
    """A softphone or extension can, or can no longer, be rung."""

    kind: str
    number: str
    reachable: bool


class LineMoved(msgspec.Struct, frozen=True):
    """The standing line to a seat's phone is up, or is no longer."""

    seat: SeatId
    is_up: bool


class SeatHold(msgspec.Struct, frozen=True):
    """A seat's call is held or resumed."""

    seat: SeatId
    held: bool


class HoldRecalled(msgspec.Struct, frozen=True):
    """A call has been on hold for long; ``seat`` is who has put it there, "" if that is no seat."""

    call: CallId
    seat: str
    held_for: float  # seconds


class SeatFreed(msgspec.Struct, frozen=True):
    """A seat's conversation is over."""

    seat: SeatId
    call: CallId
    bridged: bool
    cause: str = "talk_ended"  # or transferred, taken_over: the call goes on with somebody else


class KeyPressed(msgspec.Struct, frozen=True):
    """A waiting caller has pressed one of its queue's keys."""

    call: CallId
    key: str


class SurveyEnded(msgspec.Struct, frozen=True):
    """A caller who was asked to rate its call has done so, or has not."""

    call: CallId
    tenant: str
    queue: str
    seat: str
    key: str
    result: str | None


class ScriptEnded(msgspec.Struct, frozen=True):
    """A caller is in a script no longer. ``kind`` is entry or interact, ``seat`` whose caller it is."""

    call: CallId
    tenant: str
    ivr: str
    kind: str
    seat: str
    outcome: str  # led (to ``target``), returned, hung_up, abandoned, taken_back, ended, limit, failed
    target: str
    variables: Mapping[str, str]  # as anybody may see them


class CallbackWanted(msgspec.Struct, frozen=True):
    """A caller in a script wants to be called back by a queue; the script waits for whether that can be."""

    call: CallId
    queue: QueueName
    number: str
    called: str


class VoicemailLeft(msgspec.Struct, frozen=True):
    """A caller has left a message, or nothing worth keeping: its row says which."""

    row: VoicemailRow


class CustomerAnswered(msgspec.Struct, frozen=True):
    """Who was to be called back has answered and talks to the seat."""

    call: CallId


class CustomerFailed(msgspec.Struct, frozen=True):
    """Who was to be called back did not take the call, or the seat hung up before that."""

    call: CallId
    outcome: str  # no_answer, busy, failed, cancelled
    status: int


class SupervisionChanged(msgspec.Struct, frozen=True):
    """A supervisor hears a seat's conversation (attached), waits for its next one (waiting), is there in
    another way (switched), or is gone (detached: ``reason``).
    """

    what: str
    target: SeatId
    by: str
    seat: SeatId | None  # the supervisor's
    tenant: str
    mode: str
    call: CallId | None  # the seat's call that is heard
    reason: str = ""


class CallChanged(msgspec.Struct, frozen=True):
    """A call arrived or changed its state; for event subscribers."""

    call: CallId
    state: str
    tenant: str = ""  # of a call that has ended: nobody can be asked any more
    verdict: str = ""
    supervises: str = ""  # of a supervisor's that has ended: the seat


CallEvent = (
    CallQueued
    | CallGone
    | SeatRang
    | SeatAnswered
    | SeatPickedUp
    | SeatTook
    | SeatMissed
    | SeatRefused
    | SeatFailed
    | SeatTaken
    | PhoneChanged
    | LineMoved
    | SeatHold
    | HoldRecalled
    | SeatFreed
    | KeyPressed
    | SurveyEnded
    | ScriptEnded
    | CallbackWanted
    | VoicemailLeft
    | CustomerAnswered
    | CustomerFailed
    | SupervisionChanged
    | CallChanged
    | Notice
)
