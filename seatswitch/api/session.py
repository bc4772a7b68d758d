"""``session.*``: who a connection is."""

from typing import Any, Literal

from acd.inputs import SignedIn, SignedOut
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from seatswitch.api.credentials import find_token, seat_fits
from seatswitch.api.method import AGENT, ANYBODY, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.sessions import RANKS
from seatswitch.api.shapes import (
    Identity,
    Name,
    PhoneWanted,
    SeatAndSession,
    SeatNumber,
    SeatObject,
    Secret,
    Text,
)


class Login(Params, frozen=True):
    """A person signs in at a seat. The hotline names the tenant."""

    hotline: Name
    seat: SeatNumber
    password: Secret
    phone: PhoneWanted | None = None
    presence: Literal["ready", "paused"] = "ready"
    reason: Text = ""


class Resume(Params, frozen=True):
    """The session that a sign-in gave."""

    session: Secret


class TokenParams(Params, frozen=True):
    """A token of the configuration."""

    token: Secret


class Logout(Params, frozen=True):
    """With ``deferred`` a busy seat is left when its work is over."""

    deferred: bool = False


def login(scope: Scope, params: Login) -> dict[str, Any]:
    """Sign in; the older session of a seat that is signed in already is told to go."""
    sessions, connection, now = scope.sessions, scope.connection, scope.now
    of_seat = sessions.seat_failures(params.hotline, params.seat)
    connection.failures.check(now)
    if connection.role != "admin":
        # On the local socket the files' permissions have spoken: strangers cannot lock it out of a seat.
        of_seat.check(now)
    settings = scope.node.settings
    seat = SeatId(params.seat)
    known = scope.node.engine.seats.get(seat)
    tenants = [hotline.tenant for hotline in settings.calls.hotlines if hotline.number == params.hotline]
    is_right = seat_fits(settings, seat, params.password)
    if not is_right or known is None or known.settings.tenant not in tenants:
        connection.failures.note(now)
        of_seat.note(now)
        scope.node.log.put(
            ("! a sign-in failed", {"hotline": params.hotline, "seat": seat, "connection": connection.number})
        )
        raise OperationRefused("BAD_LOGIN", "hotline, seat or password is wrong")
    sessions.forget_failures(params.hotline, params.seat)
    own = connection.session
    if own is not None and own.seat != seat:
        raise OperationRefused(
            "BAD_STATE", f"this connection is signed in at seat {own.seat}: sign out first"
        )
    token = scope.node.chance.token() + scope.node.chance.token()
    phone = params.phone
    scope.node.handle(
        SignedIn(
            seat,
            token,
            phone_kind="" if phone is None else phone.kind,
            phone_number="" if phone is None else phone.number or "",
            presence=params.presence,
            reason=params.reason,
        ),
        now,
    )
    sessions.begin(connection, seat, token)
    return {"seat": scope.seat_view(seat), "session": token}


def resume(scope: Scope, params: Resume) -> dict[str, Any]:
    """Take a lost session up again."""
    failures = scope.connection.failures
    failures.check(scope.now)
    try:
        session = scope.sessions.resume(scope.connection, params.session)
    except OperationRefused as refused:
        if refused.word == "NO_SESSION":
            failures.note(scope.now)
        raise
    return {"seat": scope.seat_view(session.seat), "session": session.token}


def present_token(scope: Scope, params: TokenParams) -> dict[str, Any]:
    """Get the role of a token, if it is more than the connection has."""
    connection = scope.connection
    connection.failures.check(scope.now)
    token = find_token(scope.tokens, params.token)
    if token is None or token.role not in RANKS:
        connection.failures.note(scope.now)
        scope.node.log.put(("! a wrong token was presented", {"connection": connection.number}))
        raise OperationRefused("BAD_LOGIN", "the token is wrong")
    if RANKS[token.role] > RANKS[connection.role]:
        connection.role = token.role
        connection.name = token.name
    return whoami(scope, Nothing())


def logout(scope: Scope, params: Logout) -> dict[str, Any]:
    """Sign out of the connection's seat."""
    seat = scope.own_seat()
    scope.node.handle(SignedOut(seat, deferred=params.deferred), scope.now)
    session = scope.connection.session
    if session is not None and not scope.sessions.is_current(session):
        scope.sessions.end(session)
    return scope.seat_view(seat)


def whoami(scope: Scope, params: Nothing) -> dict[str, Any]:
    """Say who the connection is."""
    scope.look()
    session = scope.connection.session
    return {
        "role": scope.role,
        "name": scope.connection.name,
        "seat": None if session is None else session.seat,
        "tenant": scope.tenant or None,
    }


METHODS = (
    Method(
        "session.login",
        ANYBODY,
        "Sign in at a seat. An unknown seat and a wrong password are answered alike. Signing in at a seat "
        "that is signed in takes it over as it is; the older connection gets session.kicked.",
        Login,
        SeatAndSession,
        login,
        (
            "BAD_LOGIN",
            "TRY_LATER",
            "BAD_STATE",
            "TENANT_SUSPENDED",
            "NOT_IN_QUEUE",
            "QUOTA",
            "BAD_PAUSE",
            "PHONE_NOT_REGISTERED",
            "PHONE_IN_USE",
            "STATUS_NOT_IDLE",
        ),
    ),
    Method(
        "session.resume",
        ANYBODY,
        "Take up the session of a connection that was lost at most 60 s ago; the seat has stayed as it was. "
        "After that an idle seat is signed out at once, a busy one when its work is over. A connection that "
        "still has the session loses it and gets session.kicked.",
        Resume,
        SeatAndSession,
        resume,
        ("NO_SESSION", "TRY_LATER", "BAD_STATE"),
    ),
    Method(
        "session.token",
        ANYBODY,
        "Present a token of the configuration and get its role, for all tenants.",
        TokenParams,
        Identity,
        present_token,
        ("BAD_LOGIN", "TRY_LATER"),
    ),
    Method(
        "session.logout",
        AGENT,
        "Sign out. A busy seat refuses, or with deferred becomes offline when its work is over.",
        Logout,
        SeatObject,
        logout,
        ("NOT_LOGGED_IN", "STATUS_NOT_IDLE"),
    ),
    Method("session.whoami", AGENT, "Say what this connection is and may see.", Nothing, Identity, whoami),
)
