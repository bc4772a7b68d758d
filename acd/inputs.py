"""What the engine is told: by call control (calls and offers), by people (seats), by signalling (phones)."""

import msgspec

from acd.settings import AcdSettings
from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.rows import CallbackRow, FollowupRow, ListEntryRow, QualityRow, SeatMoveRow


class CallJoined(msgspec.Struct, frozen=True):
    """A call enters a queue. Answered with a waiting visit, or with :class:`~acd.commands.ReleaseCall` at
    once.
    """

    call: CallId
    queue: QueueName
    caller: str
    called: str = ""
    credit: float = 0.0  # seconds of waiting brought along (overflow, VIP), on top of the queue's own
    skills: tuple[tuple[str, int], ...] = ()  # (skill, minimum) wanted on top of the queue's requirement
    seat: str = ""  # the caller waits for this one, for as long as the queue says


class CallLeft(msgspec.Struct, frozen=True):
    """The caller is gone (or was taken out) before it was connected; ``cause`` says how: abandoned,
    withdrawn.
    """

    call: CallId
    cause: str = "abandoned"


class OfferRang(msgspec.Struct, frozen=True):
    """The offered seat's phone rings (180, 183)."""

    offer: OfferId


class OfferAnswered(msgspec.Struct, frozen=True):
    """The offered seat's phone answered. Dead offers are ignored; call control has let go of them by then."""

    offer: OfferId


class OfferPickedUp(msgspec.Struct, frozen=True):
    """The offered seat's phone has answered, but a person has yet to take the call there: ``within`` seconds
    from now, else it is missed.
    """

    offer: OfferId
    within: float


class OfferTaken(msgspec.Struct, frozen=True):
    """The seat has taken the call and is told something before it talks: nobody else is asked any more."""

    offer: OfferId
    within: float


class OfferMissed(msgspec.Struct, frozen=True):
    """The seat's phone answered and hung up before the two talked."""

    offer: OfferId


class OfferRefused(msgspec.Struct, frozen=True):
    """The person refused (486, 480, 603, 600) or the phone did."""

    offer: OfferId
    status: int


class OfferFailed(msgspec.Struct, frozen=True):
    """The phone could not be rung: not registered, transport failed, 408, 5xx."""

    offer: OfferId
    status: int


class TalkEnded(msgspec.Struct, frozen=True):
    """A seat's conversation is over, of a queue call (then wrap-up) or of any other."""

    seat: SeatId
    call: CallId
    bridged: bool
    cause: str = "talk_ended"  # or transferred, taken_over: it goes on with somebody else


class SeatEngaged(msgspec.Struct, frozen=True):
    """The seat's phone is in a call that did not come through a queue: dialling, ringing or talking."""

    seat: SeatId
    call: CallId
    activity: str


class SeatHeld(msgspec.Struct, frozen=True):
    """The seat's conversation was put on hold or resumed."""

    seat: SeatId
    held: bool


class PhoneReachable(msgspec.Struct, frozen=True):
    """A phone can, or can no longer, be rung. ``kind`` and ``number`` as in a seat's phones."""

    kind: str
    number: str
    reachable: bool


class LineChanged(msgspec.Struct, frozen=True):
    """The phone that is kept on the line for ``seat`` is there, or is no longer."""

    seat: SeatId
    is_up: bool


class SignedIn(msgspec.Struct, frozen=True):
    """A person signs in at a seat; refused with a word (domain: QUOTA, NOT_IN_QUEUE, BAD_PAUSE, ...)."""

    seat: SeatId
    session: str
    phone_kind: str = ""  # default: the seat's first phone
    phone_number: str = ""
    presence: str = "ready"  # or paused
    reason: str = ""
    agent: str = ""


class SignedOut(msgspec.Struct, frozen=True):
    """The person leaves; refused while busy unless ``deferred`` (then it becomes pending)."""

    seat: SeatId
    deferred: bool = False
    cause: str = "agent"
    forced: bool = False  # by a supervisor: a ringing call is taken back, a conversation ends first


class ReadyAsked(msgspec.Struct, frozen=True):
    """置闲. A supervisor (``forced``) also lifts a forced pause."""

    seat: SeatId
    forced: bool = False
    cause: str = ""  # of the row; "" the person itself, or a supervisor


class PauseAsked(msgspec.Struct, frozen=True):
    """置忙 with a reason; pending while busy."""

    seat: SeatId
    reason: str
    forced: bool = False
    cause: str = ""


class AfterCallSet(msgspec.Struct, frozen=True):
    """Whether the seat is ready, or paused, after a queue call and its wrap-up; until it signs out."""

    seat: SeatId
    mode: str  # ready, pause


class QueuesPaused(msgspec.Struct, frozen=True):
    """The person takes no calls of some queues, as if it had left them, and goes on in the others."""

    seat: SeatId
    queues: tuple[str, ...]
    reason: str


class QueuesReady(msgspec.Struct, frozen=True):
    """The person takes calls of these queues again."""

    seat: SeatId
    queues: tuple[str, ...]


class PhoneBound(msgspec.Struct, frozen=True):
    """Another phone is bound; refused unless idle, or ``deferred`` (then when the work is over)."""

    seat: SeatId
    kind: str
    number: str
    deferred: bool = False


class WrapUpEnded(msgspec.Struct, frozen=True):
    """The person has finished early."""

    seat: SeatId


class WrapUpExtended(msgspec.Struct, frozen=True):
    """The person needs ``seconds`` more (30-600)."""

    seat: SeatId
    seconds: float


class DialWanted(msgspec.Struct, frozen=True):
    """The person wants to dial from the desk; refused where the seat, or its tenant, may not do so now."""

    seat: SeatId
    number: str


class SeatMoved(msgspec.Struct, frozen=True):
    """A supervisor lets a seat serve other queues, work at another level or with other skills (None: as it
    is); with ``resets`` as the configuration says.
    """

    seat: SeatId
    queues: tuple[str, ...] | None = None
    level: str | None = None
    skills: tuple[tuple[str, int], ...] | None = None
    by: str = ""  # who said so, for the row
    resets: bool = False


class SeatMoveRestored(msgspec.Struct, frozen=True):
    """Where a supervisor had moved a seat before a restart."""

    row: SeatMoveRow


class CallMoved(msgspec.Struct, frozen=True):
    """A supervisor lets a waiting call wait in another queue (None: where it is), before all others, or with
    another credit.
    """

    call: CallId
    queue: str | None = None
    is_first: bool = False
    credit: float | None = None  # seconds, in place of its own; None: that stays
    lowers: bool = False  # the credit may be less than it has


class CallPickedUp(msgspec.Struct, frozen=True):
    """A supervisor at seat ``by`` takes what rings at ``seat`` to the own phone."""

    seat: SeatId
    by: SeatId


class CallPicked(msgspec.Struct, frozen=True):
    """The person at seat ``by`` takes a waiting call out of its order to the own phone: who ``leads`` any,
    others those of their own queues that allow it.
    """

    call: CallId
    by: SeatId
    leads: bool = False


class SupervisionWanted(msgspec.Struct, frozen=True):
    """A supervisor wants to be in the conversation of ``seat``; refused where that, or its own seat ``by``,
    is not in a state for it. ``by`` is None for a phone at which nobody is signed in.
    """

    seat: SeatId
    by: SeatId | None = None
    has_phone: bool = False  # another phone than the one bound to ``by`` will ring


class Reconfigured(msgspec.Struct, frozen=True):
    """New settings; calls, sign-ins, places and counters stay."""

    settings: AcdSettings


class CallerRestored(msgspec.Struct, frozen=True):
    """Which seat served a caller before a restart; ``epoch`` is when (seconds, UTC)."""

    queue: QueueName
    number: str
    seat: SeatId
    epoch: float


class PlaceRestored(msgspec.Struct, frozen=True):
    """The place that a caller gave up before a restart; moments are monotonic already."""

    visit: str
    queue: QueueName
    number: str
    joined_at: float
    credit: float
    left_at: float


class DrainBegan(msgspec.Struct, frozen=True):
    """The switch takes no new calls: nobody is called back any more."""


class SeatTalks(msgspec.Struct, frozen=True):
    """A seat that was talking before a restart talks on."""

    seat: SeatId
    call: CallId
    queue: QueueName | None  # None: of a call that came through no queue
    since: float
    held: bool


class SeatRestored(msgspec.Struct, frozen=True):
    """A seat's state from before a restart; moments are monotonic already."""

    seat: SeatId
    agent: str
    session: str
    presence: str
    reason: str
    since: float
    wrapup_until: float | None
    pending: str
    phone_kind: str
    phone_number: str
    queue: str = ""  # that a wrap-up follows a call of
    after_call: str = ""  # ready, pause; "" as its settings say
    paused_in: tuple[tuple[str, str], ...] = ()  # queues it takes no calls of, and why


class CallbackBooked(msgspec.Struct, frozen=True):
    """A customer is to be called back; refused with ALREADY_BOOKED, CALLBACKS_FULL, ..."""

    callback: str  # the id it gets
    queue: QueueName
    number: str
    at: float | None = None  # not before this moment, which is its place in the queue, too
    display: str = ""
    booked_by: str = ""
    skills: tuple[tuple[str, int], ...] = ()
    followup: str = ""  # its class: it is owed by a moment; refused with NO_SUCH_CLASS
    seat: str = ""  # it waits for this one; refused with NO_SUCH_SEAT, NOT_IN_QUEUE
    seat_wait: float | None = None  # and then anybody may have it; None: for as long as it lasts


class CallbackChosen(msgspec.Struct, frozen=True):
    """A waiting caller wants to be called back instead; ``number`` "" is the one it calls from.

    Refused like a booking.
    """

    call: CallId
    number: str = ""


class KeyChosen(msgspec.Struct, frozen=True):
    """A waiting caller has pressed a key, and wants what its queue says of it."""

    call: CallId
    key: str


class CallbackCancelled(msgspec.Struct, frozen=True):
    """Nobody is to be called back any more."""

    callback: str


class CallbackAnswered(msgspec.Struct, frozen=True):
    """The customer has answered the call that a seat took."""

    call: CallId


class CallbackFailed(msgspec.Struct, frozen=True):
    """The customer did not take the call: ``outcome`` is no_answer, busy, failed or cancelled."""

    call: CallId
    outcome: str
    status: int = 0


class CallbackRestored(msgspec.Struct, frozen=True):
    """A callback from before a restart."""

    row: CallbackRow


class FollowupClosed(msgspec.Struct, frozen=True):
    """A follow-up ends with what the department has said; before its fewest attempts only when ``forced``."""

    callback: str
    note: str = ""
    forced: bool = False  # by a supervisor


class FollowupRestored(msgspec.Struct, frozen=True):
    """A follow-up from before a restart; its callback is there already."""

    row: FollowupRow


class ListEntryAdded(msgspec.Struct, frozen=True):
    """A number, or the beginning of numbers (138*), is put on a list; refused with NO_SUCH_LIST, BAD_NUMBER,
    LIST_FULL.
    """

    list: str
    number: str
    until: float | None = None  # epoch seconds; None: for ever
    note: str = ""
    added_by: str = ""


class ListEntryRemoved(msgspec.Struct, frozen=True):
    """A number is taken off a list; refused with NO_SUCH_LIST, NOT_LISTED."""

    list: str
    number: str
    note: str = ""
    removed_by: str = ""


class ListEntryRestored(msgspec.Struct, frozen=True):
    """What an operator said of a number before a restart."""

    row: ListEntryRow


class QualityScored(msgspec.Struct, frozen=True):
    """A shift leader has checked a call of a seat; refused with NO_SUCH_SEAT, BAD_SCORE."""

    check: str
    seat: SeatId
    call: str
    recording: str
    items: tuple[tuple[str, int], ...]
    remark: str
    by: str


class QualityRestored(msgspec.Struct, frozen=True):
    """A check from before a restart."""

    row: QualityRow


Input = (
    CallJoined
    | CallLeft
    | OfferRang
    | OfferAnswered
    | OfferPickedUp
    | OfferTaken
    | OfferMissed
    | OfferRefused
    | OfferFailed
    | TalkEnded
    | SeatEngaged
    | SeatHeld
    | PhoneReachable
    | LineChanged
    | SignedIn
    | SignedOut
    | ReadyAsked
    | PauseAsked
    | AfterCallSet
    | QueuesPaused
    | QueuesReady
    | PhoneBound
    | WrapUpEnded
    | WrapUpExtended
    | DialWanted
    | SeatMoved
    | SeatMoveRestored
    | CallMoved
    | CallPickedUp
    | CallPicked
    | SupervisionWanted
    | Reconfigured
    | SeatRestored
    | CallerRestored
    | PlaceRestored
    | DrainBegan
    | CallbackBooked
    | CallbackChosen
    | KeyChosen
    | CallbackCancelled
    | CallbackAnswered
    | CallbackFailed
    | CallbackRestored
    | FollowupClosed
    | FollowupRestored
    | ListEntryAdded
    | ListEntryRemoved
    | ListEntryRestored
    | QualityScored
    | QualityRestored
)
