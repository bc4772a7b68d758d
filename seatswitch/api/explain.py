"""``explain.*``: why a call still waits, why a seat is not offered calls."""

from typing import Any

from kernel.errors import OperationRefused
from kernel.ids import CallId
from seatswitch.api.method import AGENT, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.seat import OneSeat
from seatswitch.api.shapes import CallNumber


class TheCall(Params, frozen=True):
    """A call by its id."""

    call: CallNumber


def explain_call(scope: Scope, params: TheCall) -> dict[str, Any]:
    """Return the tests that fail for a waiting call, with their numbers."""
    view = scope.call_view(params.call)
    return scope.node.explain_call(CallId(view["call"]), scope.now)


def explain_seat(scope: Scope, params: OneSeat) -> dict[str, Any]:
    """Return the tests that fail for a seat, with their numbers."""
    seat = scope.seat(params.seat)
    session = scope.connection.session
    if not scope.may("supervisor") and (session is None or session.seat != seat):
        raise OperationRefused("NO_RIGHT", "an agent asks about its own seat only")
    return scope.node.explain_seat(seat, scope.now)


METHODS = (
    Method(
        "explain.call",
        AGENT,
        "Why a call still waits: the tests that failed, with their numbers; or where in which script it is.",
        TheCall,
        dict[str, Any],
        explain_call,
        ("NO_SUCH_CALL",),
    ),
    Method(
        "explain.seat",
        AGENT,
        "Why a seat is not offered calls: the tests that failed, with their numbers.",
        OneSeat,
        dict[str, Any],
        explain_seat,
        ("NO_SUCH_SEAT", "NOT_LOGGED_IN"),
    ),
)
