"""``admin.*`` and ``trunk.*``: the switch itself."""

from typing import Any

from seatswitch.api.method import ADMIN, Method, Nothing
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Accepted, TrunkObject


def status(scope: Scope, params: Nothing) -> dict[str, Any]:
    """Return the state of every part in numbers."""
    view = dict(scope.node.snapshot(scope.now))
    connections = scope.sessions.connections.values()
    view["rpc"] = {
        "connections": len(connections),
        "signed_in": sum(each.session is not None for each in connections),
        "subscribed": sum(each.subscription is not None for each in connections),
    }
    if scope.shell:
        view["shell"] = scope.shell
    return view


def reload(scope: Scope, params: Nothing) -> dict[str, Any]:
    """Have the configuration read again."""
    scope.audit("reload asked for")
    scope.requests.put("reload")
    return {"accepted": True}


def drain(scope: Scope, params: Nothing) -> dict[str, Any]:
    """Take no new calls and end after the last one."""
    scope.audit("drain asked for")
    scope.requests.put("drain")
    return {"accepted": True}


def list_trunks(scope: Scope, params: Nothing) -> list[dict[str, Any]]:
    """Return every trunk."""
    return scope.node.trunks_view(scope.now)


METHODS = (
    Method("admin.status", ADMIN, "The state of the switch in numbers.", Nothing, dict[str, Any], status),
    Method(
        "admin.reload",
        ADMIN,
        "Read the configuration again. A wrong one is reported in the log and the old one kept; calls, "
        "sign-ins, places in queues and counters stay.",
        Nothing,
        Accepted,
        reload,
    ),
    Method("admin.drain", ADMIN, "Take no new calls and stop after the last one.", Nothing, Accepted, drain),
    Method("trunk.list", ADMIN, "The trunks with their calls.", Nothing, list[TrunkObject], list_trunks),
)
