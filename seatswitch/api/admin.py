"""``admin.*`` and ``trunk.*``: the switch itself."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from seatswitch.api.method import ADMIN, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Accepted, BanObject, TrunkObject


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


class Host(Params, frozen=True):
    """A host as the list of bans names it."""

    ip: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.:]{1,64}$(?!\n)", description="203.0.113.5")]


class Lifted(msgspec.Struct, frozen=True):
    """Whether there was a ban to end."""

    lifted: bool


def list_bans(scope: Scope, params: Nothing) -> list[dict[str, Any]]:
    """Return who is not listened to because of wrong passwords."""
    return scope.node.bans_view(scope.now)


def unban(scope: Scope, params: Host) -> dict[str, Any]:
    """Listen to a host again."""
    scope.audit("ban lifted", ip=params.ip)
    return {"lifted": scope.node.lift_ban(params.ip, scope.now)}


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
    Method(
        "admin.bans",
        ADMIN,
        "The hosts that guessed passwords and are not listened to for a while.",
        Nothing,
        list[BanObject],
        list_bans,
    ),
    Method("admin.unban", ADMIN, "Listen to a banned host again.", Host, Lifted, unban),
    Method("trunk.list", ADMIN, "The trunks with their calls.", Nothing, list[TrunkObject], list_trunks),
)
