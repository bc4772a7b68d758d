"""A call: what a person would call a call. One id, one or two legs, exactly one ending with a verdict."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from calls.leg import Leg
from kernel.ids import CallId, QueueName, SeatId, StreamId
from kernel.timers import Timer


class CallState(StrEnum):
    """The states of a call object (held is a flag beside TALKING)."""

    ARRIVED = "arrived"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    SCRIPT = "script"  # the caller hears a script, and waits for nobody
    VOICEMAIL = "voicemail"  # no seat serves the caller, who leaves a message
    SURVEY = "survey"  # the seat has left, the caller rates the call
    ENDED = "ended"


class CallInput(StrEnum):
    """What can happen to a call."""

    QUEUED = "queued"
    RUNG = "rung"  # a callee's phone is being rung
    RING_ENDED = "ring_ended"  # it was not answered; a queue call waits on
    BRIDGED = "bridged"
    SCRIPTED = "scripted"
    GREETED = "greeted"  # to leave a message
    SURVEYED = "surveyed"
    LENT = "lent"  # the only leg of a standing line
    GIVEN_BACK = "given_back"
    ENDED = "ended"


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[CallState, CallInput], CallState] = {
    (CallState.ARRIVED, CallInput.QUEUED): CallState.WAITING,
    (CallState.ARRIVED, CallInput.RUNG): CallState.RINGING,
    (CallState.ARRIVED, CallInput.ENDED): CallState.ENDED,
    (CallState.ARRIVED, CallInput.SCRIPTED): CallState.SCRIPT,
    (CallState.WAITING, CallInput.SCRIPTED): CallState.SCRIPT,
    (CallState.SCRIPT, CallInput.SCRIPTED): CallState.SCRIPT,
    (CallState.SCRIPT, CallInput.QUEUED): CallState.WAITING,
    (CallState.SCRIPT, CallInput.RUNG): CallState.RINGING,
    (CallState.SCRIPT, CallInput.ENDED): CallState.ENDED,
    (CallState.WAITING, CallInput.RUNG): CallState.RINGING,
    (CallState.WAITING, CallInput.ENDED): CallState.ENDED,
    (CallState.RINGING, CallInput.RUNG): CallState.RINGING,
    (CallState.RINGING, CallInput.RING_ENDED): CallState.WAITING,
    (CallState.RINGING, CallInput.BRIDGED): CallState.TALKING,
    (CallState.RINGING, CallInput.ENDED): CallState.ENDED,
    (CallState.ARRIVED, CallInput.GREETED): CallState.VOICEMAIL,
    (CallState.WAITING, CallInput.GREETED): CallState.VOICEMAIL,
    (CallState.SCRIPT, CallInput.GREETED): CallState.VOICEMAIL,
    (CallState.VOICEMAIL, CallInput.ENDED): CallState.ENDED,
    (CallState.TALKING, CallInput.SURVEYED): CallState.SURVEY,
    (CallState.TALKING, CallInput.LENT): CallState.WAITING,
    (CallState.WAITING, CallInput.GIVEN_BACK): CallState.TALKING,
    (CallState.TALKING, CallInput.ENDED): CallState.ENDED,
    (CallState.SURVEY, CallInput.ENDED): CallState.ENDED,
}

DROPPED: frozenset[tuple[CallState, CallInput]] = frozenset(
    {
        (CallState.ARRIVED, CallInput.RING_ENDED),
        (CallState.ARRIVED, CallInput.BRIDGED),
        (CallState.WAITING, CallInput.QUEUED),
        (CallState.WAITING, CallInput.RING_ENDED),
        (CallState.WAITING, CallInput.BRIDGED),
        (CallState.RINGING, CallInput.QUEUED),
        (CallState.TALKING, CallInput.QUEUED),
        (CallState.TALKING, CallInput.RUNG),
        (CallState.TALKING, CallInput.RING_ENDED),
        (CallState.TALKING, CallInput.BRIDGED),
        (CallState.RINGING, CallInput.SCRIPTED),
        (CallState.TALKING, CallInput.SCRIPTED),
        (CallState.SURVEY, CallInput.SCRIPTED),
        (CallState.ENDED, CallInput.SCRIPTED),
        (CallState.SCRIPT, CallInput.RING_ENDED),
        (CallState.SCRIPT, CallInput.BRIDGED),
        (CallState.SCRIPT, CallInput.SURVEYED),
        (CallState.ARRIVED, CallInput.SURVEYED),
        (CallState.WAITING, CallInput.SURVEYED),
        (CallState.RINGING, CallInput.SURVEYED),
        (CallState.SURVEY, CallInput.QUEUED),
        (CallState.SURVEY, CallInput.RUNG),
        (CallState.SURVEY, CallInput.RING_ENDED),
        (CallState.SURVEY, CallInput.BRIDGED),
        (CallState.SURVEY, CallInput.SURVEYED),
        (CallState.RINGING, CallInput.GREETED),
        (CallState.TALKING, CallInput.GREETED),
        (CallState.SURVEY, CallInput.GREETED),
        (CallState.ENDED, CallInput.GREETED),
        (CallState.VOICEMAIL, CallInput.QUEUED),
        (CallState.VOICEMAIL, CallInput.RUNG),
        (CallState.VOICEMAIL, CallInput.RING_ENDED),
        (CallState.VOICEMAIL, CallInput.BRIDGED),
        (CallState.VOICEMAIL, CallInput.GREETED),
        (CallState.VOICEMAIL, CallInput.SURVEYED),
        (CallState.VOICEMAIL, CallInput.SCRIPTED),
        (CallState.ENDED, CallInput.SURVEYED),
        (CallState.ENDED, CallInput.QUEUED),
        (CallState.ENDED, CallInput.RUNG),
        (CallState.ENDED, CallInput.RING_ENDED),
        (CallState.ENDED, CallInput.BRIDGED),
        (CallState.ENDED, CallInput.ENDED),
        # Only the own call of a standing line lends its leg, and only from an open line.
        (CallState.ARRIVED, CallInput.LENT),
        (CallState.WAITING, CallInput.LENT),
        (CallState.RINGING, CallInput.LENT),
        (CallState.SCRIPT, CallInput.LENT),
        (CallState.SURVEY, CallInput.LENT),
        (CallState.VOICEMAIL, CallInput.LENT),
        (CallState.ENDED, CallInput.LENT),
        (CallState.ARRIVED, CallInput.GIVEN_BACK),
        (CallState.RINGING, CallInput.GIVEN_BACK),
        (CallState.TALKING, CallInput.GIVEN_BACK),
        (CallState.SCRIPT, CallInput.GIVEN_BACK),
        (CallState.SURVEY, CallInput.GIVEN_BACK),
        (CallState.VOICEMAIL, CallInput.GIVEN_BACK),
        (CallState.ENDED, CallInput.GIVEN_BACK),
    }
)


_NONE: Mapping[str, str] = MappingProxyType({})


class Call:
    """One call and its legs.

    ``callee`` is the leg that is bridged; ``rings`` are the legs that ring for it now, one per offer (one in
    all for a direct call).
    """

    __slots__ = (
        "answered_at",
        "arrived_at",
        "called",
        "callee",
        "caller",
        "caller_leg",
        "caller_name",
        "collected",
        "continued_as",
        "credit",
        "customer_ring_for",
        "direction",
        "diverted_by",
        "entry",
        "farewell",
        "held",
        "held_at",
        "held_by",
        "held_for",
        "id",
        "is_callback",
        "is_dialled",
        "is_muted",
        "is_parked",
        "is_private",
        "is_standing",
        "is_supervision",
        "joined_at",
        "mailbox",
        "queue",
        "recording",
        "referred_by",
        "replaces",
        "resumed",
        "rings",
        "runs",
        "script",
        "seat",
        "state",
        "tag",
        "talked_until",
        "target",
        "tenant",
        "timer",
        "transferee",
        "trunk",
        "variables",
        "visits",
    )

    def __init__(self, call: CallId, now: float) -> None:
        self.id = call
        self.state = CallState.ARRIVED
        self.direction = "in"
        self.tenant = ""
        self.caller = ""
        self.caller_name = ""  # in words, as the caller's side says; "" where it says nothing
        self.called = ""
        self.trunk = ""
        self.entry = ""
        self.queue: QueueName | None = None
        self.arrived_at = now
        self.joined_at: float | None = None
        self.answered_at: float | None = None
        self.resumed = 0  # times it was taken over from a switch that had died
        self.held = False
        self.held_at = 0.0
        self.held_for = 0.0
        self.held_by: StreamId | None = None  # whose side has put it on hold
        self.caller_leg: Leg | None = None
        self.callee: Leg | None = None
        self.rings: list[Leg] = []
        self.target: tuple[str, str] | None = None  # the phone a direct call rings
        self.is_callback = False  # the seat is the caller's leg, the customer the callee's
        self.customer_ring_for = 0.0
        self.is_dialled = False  # such a call that no queue promised: the seat has asked for it at its desk
        self.is_parked = False  # held at the desk: the other side hears music instead of the seat
        self.is_muted = False  # at the desk: it hears silence
        self.talked_until: float | None = None  # when its seat has left the caller to the survey
        self.mailbox = ""  # that the call is for: voicemail:public, voicemail:8001
        self.tag = ""  # what it was about, as its seat says
        self.recording = ""  # the first that was made of it
        self.credit = 0.0  # seconds of waiting that it brings to a queue
        self.seat: SeatId | None = None  # where it was answered
        self.script = ""  # that the caller is in, or is to be led into
        self.runs = 0  # of scripts so far
        self.visits = 0  # to queues, when it came into a script
        self.variables = _NONE  # of its scripts, for the next one
        self.collected = _NONE  # of its scripts, as anybody may see them
        self.is_standing = False  # a standing line's own: its leg is the only one, and may be lent
        self.is_supervision = False  # a supervisor's, whose leg is the only one
        self.transferee: Leg | None = None  # of another call; the caller's leg once this is answered
        self.is_private = False  # the caller asks not to be named (RFC 3323)
        self.diverted_by = ""  # the number that sent the call here instead of taking it
        self.replaces: Leg | None = None  # of another call; its place is what this call is for (RFC 3891)
        self.continued_as = ""  # the call that whoever was transferred went on in, or has stayed in
        self.referred_by = ""  # the number that transferred the caller here
        self.farewell: tuple[str, str, int] | None = None  # sound that is played, then: verdict, status
        self.timer: Timer | None = None  # how long a direct call rings, or a hold lasts

    @property
    def supervises(self) -> str:
        """The seat that a supervisor's call is for; "" for any other."""
        return self.entry.partition(":")[2] if self.is_supervision else ""

    def move(self, cause: CallInput) -> bool:
        """Take ``cause``; return whether it counted."""
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def legs(self) -> list[Leg]:
        """Return every leg there is, the caller's first."""
        legs = [self.caller_leg] if self.caller_leg is not None else []
        if self.callee is not None:
            legs.append(self.callee)
        return legs + self.rings

    def other(self, leg: Leg) -> Leg | None:
        """Return the leg that ``leg`` is bridged to."""
        return self.callee if leg is self.caller_leg else self.caller_leg

    def word_for(self, leg: Leg) -> str:
        """Return which side ``leg`` is, in the word of ``ended_by``; a callback begins at the seat."""
        return "caller" if (leg is self.caller_leg) is not self.is_callback else "seat"

    def note_hold(self, held: bool, now: float) -> None:
        """Keep the sum of the time on hold."""
        if held and not self.held:
            self.held_at = now
        elif self.held and not held:
            self.held_for += now - self.held_at
        self.held = held
