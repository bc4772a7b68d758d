"""What the SIP stack tells: the vocabulary between the stack and :mod:`calls`.

A :class:`~sip.session.Session` is one INVITE usage of a dialog; it carries ``user``, which belongs to whoever
made or accepted the session. Every session that was told of ends in exactly one :class:`SessionFailed` (never
answered) or :class:`SessionEnded` (answered before), or, where we were called and never answered, in
:class:`SessionCancelled` or by our own refusal, which is not told back.
"""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from sip.flows import Flow
    from sip.refer import OutgoingReferral, Referral
    from sip.session import Session


class Identity(msgspec.Struct, frozen=True):
    """Who sent a request, as proved (contract: "Who is it?")."""

    kind: str  # "account" or "trunk"
    name: str  # the account's user, or the trunk's name
    tenant: str = ""


class InviteArrived(msgspec.Struct, frozen=True):
    """A new INVITE, already answered with 100; ``session.request`` is the message, ``sdp`` its offer (or
    b""). ``replaces`` is the session whose place it asks for (RFC 3891); whether it may is the user's to say.
    """

    session: "Session"
    identity: Identity
    sdp: bytes
    replaces: "Session | None" = None


class SessionProgressed(msgspec.Struct, frozen=True):
    """Our INVITE drew a 101-199."""

    session: "Session"
    status: int
    sdp: bytes


class SessionAnswered(msgspec.Struct, frozen=True):
    """Our INVITE was answered 2xx (the ACK has been sent), first time only."""

    session: "Session"
    sdp: bytes


class SessionFailed(msgspec.Struct, frozen=True):
    """Our INVITE failed: final status, or 408 for silence, 503 for a transport that failed. ``redirects`` are
    the URIs that a 3xx names, the best first, and ``cause`` why (RFC 4458 4).
    """

    session: "Session"
    status: int
    reason: str
    redirects: tuple[str, ...] = ()
    cause: int = 0


class SessionCancelled(msgspec.Struct, frozen=True):
    """The caller gave up before our final answer (CANCEL, or BYE in the early dialog); 487 has been sent.
    ``reason`` is the value of its Reason header (RFC 3326).
    """

    session: "Session"
    reason: str = ""


class SessionConfirmed(msgspec.Struct, frozen=True):
    """The ACK of our 2xx arrived; ``sdp`` is the answer to an offer we made in it, else b""."""

    session: "Session"
    sdp: bytes


class SessionEnded(msgspec.Struct, frozen=True):
    """An answered session is over, and not by us: ``cause`` is bye, no_ack, timeout, gone (481/408 inside)
    or expired (RFC 4028). One that never was answered ends so too for want of a PRACK: no_prack.
    ``reason`` is the value of the Reason header of a BYE (RFC 3326).
    """

    session: "Session"
    cause: str
    reason: str = ""


class SessionOffered(msgspec.Struct, frozen=True):
    """The peer sent a re-INVITE or UPDATE with ``sdp`` (b"" for a re-INVITE without an offer).

    To be answered with ``Stack.accept_update`` or ``Stack.refuse_update``.
    """

    session: "Session"
    sdp: bytes


class UpdateAnswered(msgspec.Struct, frozen=True):
    """Our re-INVITE was accepted."""

    session: "Session"
    sdp: bytes


class UpdateFailed(msgspec.Struct, frozen=True):
    """Our re-INVITE was refused; the session goes on as it was (RFC 3261 14.1). Glare is retried by the
    stack.
    """

    session: "Session"
    status: int


class InfoReceived(msgspec.Struct, frozen=True):
    """An INFO inside a session, already answered 200 (DTMF relay and the like)."""

    session: "Session"
    content_type: str
    body: bytes


class NameUnresolved(msgspec.Struct, frozen=True):
    """A name that a request of ours should have gone to leads nowhere, and why: told now and then."""

    name: str
    why: str


class ReferArrived(msgspec.Struct, frozen=True):
    """The peer of an answered session asks for a transfer: ``referral.accept`` or ``referral.refuse`` it now,
    and once accepted tell how it goes with ``referral.notify``.
    """

    session: "Session"
    referral: "Referral"


class ReferProgressed(msgspec.Struct, frozen=True):
    """How a transfer goes that we asked for: the status the peer told, or of its refusal; told once with
    ``is_final``.
    """

    referral: "OutgoingReferral"
    status: int
    is_final: bool


class BindingsChanged(msgspec.Struct, frozen=True):
    """A user's registered contacts changed; ``reachable`` says whether any is left that answers."""

    user: str
    reachable: bool


class DigestRefused(msgspec.Struct, frozen=True):
    """A wrong answer to a challenge of ours, for the operator's eyes and for fail2ban."""

    user: str
    method: str
    flow: "Flow"


class SourceBanned(msgspec.Struct, frozen=True):
    """A host guessed passwords too often and is not listened to for ``banned_for`` seconds."""

    host: str
    banned_for: float


class StraysSeen(msgspec.Struct, frozen=True):
    """A storm of messages that belong to nothing: the last of them, and how many there have been in all."""

    what: str  # method, "response" or "flood"
    host: str
    total: int


class TrunkChanged(msgspec.Struct, frozen=True):
    """A trunk's ``registration`` or one of its addresses (``contact``) is in another state."""

    trunk: str
    what: str
    state: str  # registered, failed, unregistered; up, down
    uri: str
    status: int  # what the peer said; 408 for nothing, 503 for no way there


# For the operator, whatever the calls do.
Notice = DigestRefused | SourceBanned | StraysSeen | TrunkChanged | NameUnresolved
NOTICES = (DigestRefused, SourceBanned, StraysSeen, TrunkChanged, NameUnresolved)

SipEvent = (
    InviteArrived
    | SessionProgressed
    | SessionAnswered
    | SessionFailed
    | SessionCancelled
    | SessionConfirmed
    | SessionEnded
    | SessionOffered
    | UpdateAnswered
    | UpdateFailed
    | InfoReceived
    | ReferArrived
    | ReferProgressed
    | BindingsChanged
    | Notice
)
