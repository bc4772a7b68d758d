"""Controls: what a seat's agent asks of its calls from the desk, without touching the phone.

``call`` is the call, ``seat`` whose leg of it asks. What cannot be done is refused with a word of the API.
"""

import msgspec

from kernel.ids import CallId, SeatId


class CallRefused(msgspec.Struct, frozen=True):
    """What rings at the seat is not wanted."""

    call: CallId
    seat: SeatId


class CallAnswered(msgspec.Struct, frozen=True):
    """The phone that rings shall answer by itself."""

    call: CallId
    seat: SeatId


class CallHeld(msgspec.Struct, frozen=True):
    """The other side hears music, and nothing of the seat, until the call is taken from hold."""

    call: CallId
    seat: SeatId


class CallUnheld(msgspec.Struct, frozen=True):
    """Both sides hear each other again."""

    call: CallId
    seat: SeatId


class CallMuted(msgspec.Struct, frozen=True):
    """The other side hears silence instead of the seat, or the seat again."""

    call: CallId
    seat: SeatId
    muted: bool


class DigitsPressed(msgspec.Struct, frozen=True):
    """Keys for the other side."""

    call: CallId
    seat: SeatId
    digits: str


class CallTagged(msgspec.Struct, frozen=True):
    """What the call was about."""

    call: CallId
    seat: SeatId
    tag: str


class RecordingAsked(msgspec.Struct, frozen=True):
    """What is said now shall not be recorded (``paused``), or shall be again."""

    call: CallId
    seat: SeatId
    paused: bool


class SurveyAsked(msgspec.Struct, frozen=True):
    """The caller shall rate the call, which the seat leaves."""

    call: CallId
    seat: SeatId


class InteractAsked(msgspec.Struct, frozen=True):
    """The other side shall answer a script, and come back."""

    call: CallId
    seat: SeatId
    ivr: str


class TransferAsked(msgspec.Struct, frozen=True):
    """The other side shall talk to ``to``: ``queue:NAME``, ``seat:NUMBER``, ``extension:NUMBER``,
    ``number:DIGITS``, or what the seat would dial.
    """

    call: CallId
    seat: SeatId
    to: str


class ConsultAsked(msgspec.Struct, frozen=True):
    """The seat wants to talk to ``to`` while the other side is on hold."""

    call: CallId
    seat: SeatId
    to: str


class ConsultEnded(msgspec.Struct, frozen=True):
    """The consultation is over: ``cancel`` (it rings yet), ``back`` to the other side, ``transfer`` both."""

    call: CallId
    seat: SeatId
    how: str


class ConsultJoined(msgspec.Struct, frozen=True):
    """Who is consulted, the seat and the other side shall hear each other."""

    call: CallId
    seat: SeatId


class DialAsked(msgspec.Struct, frozen=True):
    """The seat's own phone shall ring, and then ``number``; ``display`` "" is the tenant's first number."""

    call: CallId  # the id that the call gets
    seat: SeatId
    number: str
    display: str


class SupervisionAsked(msgspec.Struct, frozen=True):
    """A supervisor wants to be in the conversation of ``target``: monitor, whisper or barge.

    ``phone`` (kind, number) is rung; None is the one bound to the supervisor's ``seat``, which is None for
    who has none. ``follows``: stay for the seat's next conversations.
    """

    call: CallId  # the id that the supervisor's call gets
    target: SeatId
    by: str  # a seat, the name of a token, or a role
    seat: SeatId | None
    phone: tuple[str, str] | None
    mode: str
    follows: bool = False


class ModeSwitched(msgspec.Struct, frozen=True):
    """Who supervises ``target`` wants to be there in another way."""

    target: SeatId
    mode: str


class TakeoverAsked(msgspec.Struct, frozen=True):
    """Who supervises ``target`` wants its place."""

    target: SeatId


Control = (
    CallRefused
    | CallAnswered
    | CallHeld
    | CallUnheld
    | CallMuted
    | DigitsPressed
    | CallTagged
    | RecordingAsked
    | SurveyAsked
    | InteractAsked
    | TransferAsked
    | ConsultAsked
    | ConsultEnded
    | ConsultJoined
    | DialAsked
    | SupervisionAsked
    | ModeSwitched
    | TakeoverAsked
)
