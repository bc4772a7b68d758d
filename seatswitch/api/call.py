"""``call.*``: what a seat does with its call, and who is talking to whom."""

from typing import Annotated, Any

from msgspec import Meta

from kernel.errors import OperationRefused
from kernel.ids import CallId
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
    return [view for view in scope.node.calls_view(scope.now) if scope.sees(view["tenant"])]


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
    if own["call"] is None or own["activity"] not in _CONNECTED:
        raise OperationRefused("NOT_IN_CALL", f"seat {own['seat']} is {own['activity']}")
    scope.node.hang_up(CallId(own["call"]), "seat", scope.now, "seat")
    return {"done": True}


_OWN = ("NOT_LOGGED_IN", "NO_SUCH_CALL", "NOT_IN_CALL")

METHODS = (
    Method("call.list", AGENT, "The living calls of the tenant.", Nothing, list[CallObject], list_calls),
    Method("call.answer", AGENT, "Answer the ringing call.", OneCall, Done, words=(*_OWN, "NOT_RINGING")),
    Method("call.refuse", AGENT, "Refuse the ringing call.", OneCall, Done, words=(*_OWN, "NOT_RINGING")),
    Method("call.hangup", AGENT, "End the seat's own call; a supervisor any.", OneCall, Done, hang_up, _OWN),
    Method("call.hold", AGENT, "Put the caller on hold.", OneCall, Done, words=(*_OWN, "ALREADY_HELD")),
    Method("call.unhold", AGENT, "Take the caller from hold.", OneCall, Done, words=(*_OWN, "NOT_HELD")),
    Method("call.mute", AGENT, "Let the caller hear nothing of the seat.", OneCall, Done, words=_OWN),
    Method("call.unmute", AGENT, "Let the caller hear the seat again.", OneCall, Done, words=_OWN),
    Method("call.dtmf", AGENT, "Press keys.", Digits, Done, words=(*_OWN, "NO_BRIDGE")),
    Method(
        "call.dial",
        AGENT,
        "Call a number from the seat.",
        Dial,
        CallObject,
        words=("BUSY", "CALL_RIGHT", "BLACKLIST", "BAD_DISPLAY_NUMBER", "TENANT_SUSPENDED", "OUT_OF_HOURS"),
    ),
    Method(
        "call.transfer",
        AGENT,
        "Hand the caller on.",
        Target,
        Done,
        words=(*_OWN, "TARGET_BUSY", "NO_SUCH_TARGET"),
    ),
    Method(
        "call.consult",
        AGENT,
        "Call somebody while the caller holds.",
        Target,
        Done,
        words=(*_OWN, "TARGET_BUSY", "NO_SUCH_TARGET"),
    ),
    Method("call.consult_cancel", AGENT, "Stop calling them.", OneCall, Done, words=(*_OWN, "NO_CONSULT")),
    Method("call.consult_back", AGENT, "Go back to the caller.", OneCall, Done, words=(*_OWN, "NO_CONSULT")),
    Method(
        "call.consult_transfer", AGENT, "Join the two others.", OneCall, Done, words=(*_OWN, "NO_CONSULT")
    ),
    Method("call.consult_join", AGENT, "Talk as three.", OneCall, Done, words=(*_OWN, "NO_CONSULT")),
    Method(
        "call.survey", AGENT, "Ask the caller to rate the call.", OneCall, Done, words=(*_OWN, "NO_BRIDGE")
    ),
    Method("call.record_pause", AGENT, "Suspend recording.", OneCall, Done, words=_OWN),
    Method("call.record_resume", AGENT, "Go on recording.", OneCall, Done, words=_OWN),
    Method("call.escalate", AGENT, "Hand the caller to the next level.", OneCall, Done, words=_OWN),
    Method(
        "call.interact", AGENT, "Let the caller answer a script.", Interact, Done, words=(*_OWN, "NO_BRIDGE")
    ),
    Method("call.tag", AGENT, "Mark what the call was about.", Tag, Done, words=_OWN),
)
