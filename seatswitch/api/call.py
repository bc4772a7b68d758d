"""``call.*``: what a seat does with its call, and who is talking to whom."""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from acd.inputs import CallPicked, DialWanted
from calls.controls import (
    CallAnswered,
    CallHeld,
    CallMuted,
    CallRefused,
    CallTagged,
    CallUnheld,
    ConsultAsked,
    ConsultEnded,
    ConsultJoined,
    DialAsked,
    DigitsPressed,
    InteractAsked,
    RecordingAsked,
    SurveyAsked,
    TransferAsked,
)
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from seatswitch.api.method import AGENT, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, CallObject, Done, Name, Number, Text

_CONNECTED = (
    "talking",
    "dialling",
)  # activities of a seat that can hang up; a ringing call is refused instead


class OneCall(Params, frozen=True):
    """A call; left out, the seat's own."""

    call: CallNumber | None = None


class Waiting(Params, frozen=True):
    """A call that waits."""

    call: CallNumber


class Digits(Params, frozen=True):
    """Keys to press."""

    digits: Annotated[str, Meta(pattern=r"^[0-9A-D*#]{1,32}$(?!\n)")]
    call: CallNumber | None = None


class Dial(Params, frozen=True):
    """Whom to call, and which of the tenant's numbers to show."""

    number: Number
    display: Number | None = None


class Target(Params, frozen=True):
    """A seat, queue, extension or number."""

    to: Name
    call: CallNumber | None = None


class Interact(Params, frozen=True):
    """An IVR script to send the caller to and get it back from."""

    ivr: Name
    call: CallNumber | None = None


class Tag(Params, frozen=True):
    """What the call was about."""

    tag: Text
    call: CallNumber | None = None


def list_calls(scope: Scope, params: Nothing) -> list[dict[str, Any]]:
    """Return the living calls that may be seen, oldest first."""
    return [view for view in scope.node.calls_view(scope.now) if scope.may_know_of(view)]


def hang_up(scope: Scope, params: OneCall) -> dict[str, Any]:
    """End the seat's own call, or for a supervisor any."""
    own = None if scope.connection.session is None else scope.seat_view(scope.own_seat())
    if params.call is not None:
        view = scope.call_view(params.call)
        if own is None or view["call"] != own["call"]:
            if not scope.may("supervisor"):
                raise OperationRefused("NO_RIGHT", "an agent ends its own call only")
            if not scope.leads([view["queue"] or ""]):
                raise OperationRefused("NO_RIGHT", f"call {view['call']} is of no queue that this seat leads")
            scope.record("hangup", call=view["call"], tenant=view["tenant"])
            scope.node.hang_up(CallId(view["call"]), "supervisor", scope.now)
            return {"done": True}
    if own is None:
        raise OperationRefused("NOT_LOGGED_IN", "sign in at a seat first, or name a call")
    if own["call"] is None or not _is_connected(scope, own):
        raise OperationRefused("NOT_IN_CALL", f"seat {own['seat']} is {own['activity']}")
    scope.node.hang_up(CallId(own["call"]), "seat", scope.now, "seat", SeatId(own["seat"]))
    return {"done": True}


def _is_connected(scope: Scope, own: dict[str, Any]) -> bool:
    """Say whether the seat can hang up: what rings is refused, unless the seat itself has dialled."""
    if own["activity"] == "ringing":
        view = scope.call_view(own["call"])
        return bool(view["dialled"]) and view["seat"] == own["seat"]
    return own["activity"] in _CONNECTED


def _own_call(scope: Scope, asked: str | None) -> tuple[CallId, SeatId]:
    """Return the call to act on, and the seat that does."""
    seat = scope.own_seat()
    call = scope.seat_view(seat)["call"] if asked is None else scope.call_view(asked)["call"]
    if call is None:
        raise OperationRefused("NOT_IN_CALL", f"seat {seat} is in no call")
    return CallId(call), seat


def survey(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Leave the caller to the survey (满意度)."""
    scope.node.control(SurveyAsked(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def interact(scope: Scope, params: Interact) -> dict[str, Any]:
    """Send the caller into a script, and stay (交互)."""
    scope.node.control(InteractAsked(*_own_call(scope, params.call), params.ivr), scope.now)
    return {"done": True}


def answer(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Have the own phone answer what rings (接听)."""
    scope.node.control(CallAnswered(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def refuse(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Refuse what rings (拒接)."""
    scope.node.control(CallRefused(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def pick(scope: Scope, params: Waiting) -> dict[str, Any]:
    """Take a waiting call, whoever stands before it."""
    own, call = scope.own_seat(), CallId(scope.call_view(params.call)["call"])
    scope.node.handle(CallPicked(call, own), scope.now)
    scope.audit("call picked", call=call)
    return {"done": True}


def hold(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Put the other side on hold (保持)."""
    scope.node.control(CallHeld(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def unhold(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Talk on."""
    scope.node.control(CallUnheld(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def mute(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Let the other side hear nothing of the seat."""
    scope.node.control(CallMuted(*_own_call(scope, params.call), True), scope.now)
    return {"done": True}


def unmute(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Let the other side hear the seat again."""
    scope.node.control(CallMuted(*_own_call(scope, params.call), False), scope.now)
    return {"done": True}


def press(scope: Scope, params: Digits) -> dict[str, Any]:
    """Press keys."""
    scope.node.control(DigitsPressed(*_own_call(scope, params.call), params.digits), scope.now)
    return {"done": True}


def pause_recording(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Suspend the recording (暂停录音)."""
    scope.node.control(RecordingAsked(*_own_call(scope, params.call), True), scope.now)
    return {"done": True}


def resume_recording(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Record again (恢复录音)."""
    scope.node.control(RecordingAsked(*_own_call(scope, params.call), False), scope.now)
    return {"done": True}


def tag(scope: Scope, params: Tag) -> dict[str, Any]:
    """Say what the call was about."""
    scope.node.control(CallTagged(*_own_call(scope, params.call), params.tag), scope.now)
    return {"done": True}


def transfer(scope: Scope, params: Target) -> dict[str, Any]:
    """Hand the other side on (转移)."""
    scope.node.control(TransferAsked(*_own_call(scope, params.call), params.to), scope.now)
    return {"done": True}


def escalate(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Hand the caller on to the queue of the next level."""
    call, seat = _own_call(scope, params.call)
    queues = scope.node.engine.queues
    here = queues.get(QueueName(scope.call_view(call)["queue"] or ""))
    if here is None:
        raise OperationRefused("NO_SUCH_TARGET", f"call {call} came through no queue")
    level, tenant = here.settings.requires.lowest, here.settings.tenant
    above = [
        (each.settings.requires.lowest, place, name)
        for place, (name, each) in enumerate(queues.items())
        if each.settings.tenant == tenant and each.settings.requires.lowest > level
    ]
    if not above:
        raise OperationRefused("NO_SUCH_TARGET", f"no queue of tenant {tenant} starts at a higher level")
    scope.node.control(TransferAsked(call, seat, f"queue:{min(above)[2]}"), scope.now)
    return {"done": True}


def consult(scope: Scope, params: Target) -> dict[str, Any]:
    """Ask somebody while the other side is on hold (咨询)."""
    call, seat = _own_call(scope, params.call)
    known = scope.node.engine.seats.get(SeatId(params.to.removeprefix("seat:")))
    if known is not None and scope.sees(known.settings.tenant):
        view = scope.seat_view(SeatId(params.to.removeprefix("seat:")))
        if (view["presence"], view["activity"]) != ("ready", "idle"):
            why = f"seat {view['seat']} is {view['presence']} and {view['activity']}"
            raise OperationRefused("TARGET_BUSY", why)
    scope.node.control(ConsultAsked(call, seat, params.to), scope.now)
    return {"done": True}


def _end_consult(how: str) -> Callable[[Scope, OneCall], dict[str, Any]]:
    def run(scope: Scope, params: OneCall) -> dict[str, Any]:
        scope.node.control(ConsultEnded(*_own_call(scope, params.call), how), scope.now)
        return {"done": True}

    return run


def join(scope: Scope, params: OneCall) -> dict[str, Any]:
    """Talk as three (咨询三方)."""
    scope.node.control(ConsultJoined(*_own_call(scope, params.call)), scope.now)
    return {"done": True}


def dial(scope: Scope, params: Dial) -> dict[str, Any]:
    """Ring the own phone, then the number (外呼)."""
    seat, node = scope.own_seat(), scope.node
    node.handle(DialWanted(seat, params.number), scope.now)
    call = node.chance.call_id()
    node.control(DialAsked(call, seat, params.number, params.display or ""), scope.now)
    return node.call_view(call, scope.now)


_OWN = ("NOT_LOGGED_IN", "NO_SUCH_CALL", "NOT_IN_CALL")

_MOVING = (*_OWN, "BAD_STATE", "TARGET_BUSY", "NO_SUCH_TARGET", "CALL_RIGHT", "TENANT_SUSPENDED")
_WHOM = (
    "queue:NAME, seat:NUMBER, extension:NUMBER, number:DIGITS, ivr:NAME, voicemail:public, voicemail:SEAT, "
    "or what the seat would dial"
)

METHODS = (
    Method("call.list", AGENT, "The living calls of the tenant.", Nothing, list[CallObject], list_calls),
    Method(
        "call.answer",
        AGENT,
        "Have the seat's phone answer what rings: it rings anew and is asked to answer at once. Only where "
        "the seat's auto_answer says that its phone knows of that.",
        OneCall,
        Done,
        answer,
        (*_OWN, "NOT_RINGING", "BAD_STATE"),
    ),
    Method(
        "call.refuse",
        AGENT,
        "Refuse the call that rings at the seat; a queue call waits on.",
        OneCall,
        Done,
        refuse,
        (*_OWN, "NOT_RINGING"),
    ),
    Method(
        "call.pick",
        AGENT,
        "Let a waiting call of one of the seat's queues ring at one's own phone, out of its order: where the "
        "queue says pick = true. The seat must be idle, ready or not.",
        Waiting,
        Done,
        pick,
        ("NOT_LOGGED_IN", "NO_SUCH_CALL", "BAD_STATE", "STATUS_NOT_IDLE"),
    ),
    Method(
        "call.hangup",
        AGENT,
        "End the seat's own call, or what it has dialled and nobody has answered yet; a supervisor any. The "
        "seat of a talk of three leaves it to the others.",
        OneCall,
        Done,
        hang_up,
        _OWN,
    ),
    Method(
        "call.hold",
        AGENT,
        "Let the other side hear music, and nothing of the seat. No phone is told.",
        OneCall,
        Done,
        hold,
        (*_OWN, "ALREADY_HELD", "BAD_STATE"),
    ),
    Method(
        "call.unhold",
        AGENT,
        "Talk on with who is on hold by call.hold, or in a script by call.interact; what a phone has put on "
        "hold it must take from it.",
        OneCall,
        Done,
        unhold,
        (*_OWN, "NOT_HELD", "BAD_STATE"),
    ),
    Method(
        "call.mute",
        AGENT,
        "Let the other side hear silence instead of the seat.",
        OneCall,
        Done,
        mute,
        _OWN,
    ),
    Method("call.unmute", AGENT, "Let the other side hear the seat again.", OneCall, Done, unmute, _OWN),
    Method(
        "call.dtmf",
        AGENT,
        "Press keys for whoever hears the seat: telephone events (RFC 4733) to who has agreed to such, INFO "
        "(application/dtmf-relay) to others.",
        Digits,
        Done,
        press,
        (*_OWN, "NO_BRIDGE"),
    ),
    Method(
        "call.dial",
        AGENT,
        "Call a number: the seat's own phone rings for up to 30 s and is asked to answer by itself, then the "
        "number for up to 45 s. The presence stays what it was.",
        Dial,
        CallObject,
        dial,
        (
            "NOT_LOGGED_IN",
            "BUSY",
            "PHONE_NOT_REGISTERED",
            "CALL_RIGHT",
            "BLACKLIST",
            "BAD_NUMBER",
            "BAD_DISPLAY_NUMBER",
            "NO_SUCH_TARGET",
            "TARGET_BUSY",
            "TENANT_SUSPENDED",
            "OUT_OF_HOURS",
        ),
    ),
    Method(
        "call.transfer",
        AGENT,
        f"Hand the other side on to {_WHOM}. It moves when the target answers, at once into a script "
        "or to a queue, where it is credited with what it has waited before; if nobody answers the "
        "conversation goes on.",
        Target,
        Done,
        transfer,
        _MOVING,
    ),
    Method(
        "call.consult",
        AGENT,
        f"Talk to somebody while the other side hears music: {_WHOM}, but no queue and no script. A "
        "seat must be ready and idle.",
        Target,
        Done,
        consult,
        _MOVING,
    ),
    Method(
        "call.consult_cancel",
        AGENT,
        "Stop calling who is to be consulted, and talk on.",
        OneCall,
        Done,
        _end_consult("cancel"),
        (*_OWN, "NO_CONSULT"),
    ),
    Method(
        "call.consult_back",
        AGENT,
        "Let go of who is consulted, and talk on.",
        OneCall,
        Done,
        _end_consult("back"),
        (*_OWN, "NO_CONSULT"),
    ),
    Method(
        "call.consult_transfer",
        AGENT,
        "Leave the other side to who is consulted.",
        OneCall,
        Done,
        _end_consult("transfer"),
        (*_OWN, "NO_CONSULT"),
    ),
    Method(
        "call.consult_join",
        AGENT,
        "Talk as three. call.consult_back lets go of who was consulted again; the seat that hangs up leaves "
        "the other side to it.",
        OneCall,
        Done,
        join,
        (*_OWN, "NO_CONSULT"),
    ),
    Method(
        "call.survey",
        AGENT,
        "Leave the caller to rate the call by a key (满意度). The result is a row of the table surveys and "
        "an event of topic call.",
        OneCall,
        Done,
        survey,
        (*_OWN, "NO_BRIDGE"),
    ),
    Method(
        "call.record_pause",
        AGENT,
        "Suspend the recording, for what must not be in it: its file is silent until it goes on, by "
        "call.record_resume or when the seat leaves the call.",
        OneCall,
        Done,
        pause_recording,
        (*_OWN, "NOT_RECORDED", "NO_BRIDGE", "ALREADY_SUSPENDED"),
    ),
    Method(
        "call.record_resume",
        AGENT,
        "Go on recording.",
        OneCall,
        Done,
        resume_recording,
        (*_OWN, "NOT_RECORDED", "NO_BRIDGE", "NOT_SUSPENDED"),
    ),
    Method(
        "call.escalate",
        AGENT,
        "Hand the caller on to the first queue of the tenant that starts at the next higher level, credited "
        "with what it has waited before.",
        OneCall,
        Done,
        escalate,
        _MOVING,
    ),
    Method(
        "call.interact",
        AGENT,
        "Send the caller into a script of the tenant (交互): the seat stays and hears music, and has the "
        "caller back when the script is over, or before by call.unhold. What was read comes with the event "
        "interact_returned of topic call, and is in the call object (collected); a secret is shown as ***.",
        Interact,
        Done,
        interact,
        (*_OWN, "NO_BRIDGE", "NO_SUCH_TARGET"),
    ),
    Method("call.tag", AGENT, "Mark what the call is about; its row says so.", Tag, Done, tag, _OWN),
)
