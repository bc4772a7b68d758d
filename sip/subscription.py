"""Subscriptions: phones that watch the lamp of a seat or an extension (RFC 6665, Event: dialog of RFC 4235),
or a mailbox (Event: message-summary of RFC 3842).

We are the notifier: SUBSCRIBE makes, renews and ends a subscription, NOTIFY says what the watched user does
now, or what waits in the box. It comes from above (``lamp_of``, ``boxes``) at the moment it is told.

Rules: one NOTIFY of a subscription is out at a time; whatever changes meanwhile is one more afterwards. Only
phones of the same tenant watch each other, and hear nothing of who is talked to. What nobody watches costs
nothing. A NOTIFY that is refused, or that nobody answers, ends its subscription (RFC 6665 4.2.2); one whose
connection is gone waits until its phone has registered over another; the last registration of a user takes
its subscriptions along. Nothing is kept over a restart: who is watching when the switch ends is told to
subscribe again at once (RFC 6665 4.1.3, deactivated), and a refresh after a kill is answered 481.
"""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import msgspec

from kernel.timers import Timer
from sip.admission import Admission, Refused
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.core import ALLOW_EVENTS
from sip.dialog import contact_target, dialog_of_request
from sip.events import Identity
from sip.flows import Flow
from sip.headers import parse_delta
from sip.mailboxes import MESSAGE_SUMMARY, NOTHING, Boxes, Heralds, Waiting, message_summary
from sip.message import Request, Response
from sip.reaper import Key
from sip.registrar import Registrar
from sip.responses import answer_flow, build, record_routes, response_head
from sip.screening import Unwelcome, check_accept
from sip.server_request import ServerRequest
from sip.uri import SipUri, escape_user

if TYPE_CHECKING:
    from sip.core import Core

DIALOG_INFO = "application/dialog-info+xml"
DIALOG = "dialog"
MAILBOX = "message-summary"
PACKAGES = {DIALOG: DIALOG_INFO, MAILBOX: MESSAGE_SUMMARY}


class Lamp(msgspec.Struct, frozen=True):
    """What watchers are told of a user."""

    state: str = "terminated"  # trying, early, confirmed (RFC 4235 3.7.1)
    direction: str = ""  # initiator, recipient
    note: str = ""  # shown as the user's own display name: "paused"
    is_rendering: bool = True  # False: on hold, or not to be called for another reason (RFC 4235 4.1)
    dialog: tuple[str, str] = ("", "")  # Call-ID and our tag of what rings, where a colleague may pick it up


DARK = Lamp()


class State(IntEnum):
    """What is owed to a watcher."""

    QUIET = auto()
    TELLING = auto()  # a NOTIFY is out
    BEHIND = auto()  # a NOTIFY is out, and more has changed since
    LOST = auto()  # there is no way to the phone
    ENDED = auto()


class Input(IntEnum):
    """What can happen to a subscription."""

    CHANGE = auto()
    ANSWERED = auto()
    LOSE = auto()  # a NOTIFY could not be sent
    BACK = auto()  # the phone has registered again
    END = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.QUIET, Input.CHANGE): State.TELLING,
    (State.QUIET, Input.END): State.ENDED,
    (State.TELLING, Input.CHANGE): State.BEHIND,
    (State.TELLING, Input.ANSWERED): State.QUIET,
    (State.TELLING, Input.END): State.ENDED,
    (State.BEHIND, Input.CHANGE): State.BEHIND,
    (State.BEHIND, Input.ANSWERED): State.TELLING,
    (State.BEHIND, Input.END): State.ENDED,
    (State.TELLING, Input.LOSE): State.LOST,
    (State.BEHIND, Input.LOSE): State.LOST,
    (State.LOST, Input.BACK): State.TELLING,
    (State.LOST, Input.END): State.ENDED,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        *((State.QUIET, cause) for cause in (Input.ANSWERED, Input.LOSE, Input.BACK)),
        (State.TELLING, Input.BACK),
        (State.BEHIND, Input.BACK),
        # It is told all there is when it is back.
        *((State.LOST, cause) for cause in (Input.CHANGE, Input.ANSWERED, Input.LOSE)),
        *((State.ENDED, cause) for cause in Input),
    }
)


class Subscription:
    """One phone's watch over one user (``watched`` is its number) or one mailbox."""

    __slots__ = (
        "_event",
        "_last",
        "_timer",
        "_version",
        "_watchers",
        "dialog",
        "expires_at",
        "flow",
        "named",
        "package",
        "state",
        "user",
        "watched",
    )

    def __init__(
        self, watchers: "Watchers", user: str, watched: str, request: Request, flow: Flow, tag: str
    ) -> None:
        core = watchers.core
        self._watchers = watchers
        self._last: Lamp | Waiting | None = None
        self._timer: Timer | None = None
        self._version = 0
        self._event = f"Event: {request.header('event')}\r\n"  # with its id, if it has one
        self.dialog = dialog = dialog_of_request(request, tag, core.places, flow.local)
        dialog.home_flow, dialog.home_host = flow, core.places.host_of(dialog.remote_target)
        self.expires_at = 0.0
        self.flow = flow
        self.named = user_of(request)
        self.package = package_of(request)
        self.state = State.QUIET
        self.user = user
        self.watched = watched

    def renew(self, expires: int, now: float) -> None:
        """Let it live for so many seconds from now."""
        timers = self._watchers.core.timers
        timers.disarm(self._timer)
        self.expires_at = now + expires
        self._timer = timers.arm(self, "subscription", self.expires_at)

    def tell(self, now: float, *, is_asked: bool = False) -> None:
        """Send a NOTIFY if something has changed since the last, or if the phone has asked for one."""
        if not self.is_let():
            self.end("rejected", now)
            return
        seen = self._look()
        if not is_asked and seen == self._last:
            return
        was_quiet = self.state is State.QUIET
        if self._move(Input.CHANGE) and was_quiet:
            self._say(seen, now)

    def is_let(self) -> bool:
        """Return whether the phone may know of its mailbox still: seats and queues change."""
        if self.package == DIALOG:
            return True
        return self._watchers.boxes.box_of(self.user, self.named) == self.watched

    def back(self, now: float) -> None:
        """Its phone has registered again: tell what it has missed."""
        if self._move(Input.BACK):
            self._say(self._look(), now)

    def end(self, reason: str, now: float) -> None:
        """Send the last NOTIFY, and forget it."""
        if self._forget():
            self._send(f"terminated;reason={reason}", self._look(), now)

    def on_timer(self, name: str, now: float) -> None:
        """It has not been renewed."""
        self._timer = None
        self.end("timeout", now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the answer to a NOTIFY: an error ends the subscription (RFC 6665 4.2.2)."""
        if response.status >= 300:
            self._forget()
        elif response.status >= 200:
            was_behind = self.state is State.BEHIND
            if self._move(Input.ANSWERED) and was_behind:
                self._say(self._look(), now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that a NOTIFY stays unanswered, or could not be sent over its connection."""
        if status == 408 or transaction.flow.transport == "udp" or not self._move(Input.LOSE):
            self._forget()

    def _look(self) -> Lamp | Waiting:
        watchers = self._watchers
        if self.package == DIALOG:
            return watchers.lamp_of(self.watched)
        return watchers.boxes.waiting(self.watched) if self.is_let() else NOTHING

    def _say(self, seen: Lamp | Waiting, now: float) -> None:
        self._send(f"active;expires={max(1, round(self.expires_at - now))}", seen, now)

    def _send(self, subscription: str, seen: Lamp | Waiting, now: float) -> None:
        core, dialog = self._watchers.core, self.dialog
        self._last = seen
        domain = core.settings.domains[0] if core.settings.domains else core.realm
        if isinstance(seen, Lamp):
            body = dialog_info(self.watched, domain, self._version, seen)
        else:
            body = message_summary(self.named, domain, seen)
        self._version += 1
        flow = dialog.find_flow(core.places) or self.flow
        branch = core.chance.branch()
        headers = f"{self._event}Subscription-State: {subscription}\r\n{dialog.place.contact}"
        data = dialog.build("NOTIFY", dialog.next_cseq(), branch, headers, body, PACKAGES[self.package])
        key = client_key_of(branch, "NOTIFY")
        ClientRequest(core.transactions, key, "NOTIFY", data, flow, self, now, None, dialog.next_hop)

    def _forget(self) -> bool:
        if not self._move(Input.END):
            return False
        self._watchers.core.timers.disarm(self._timer)
        self._timer = None
        self._watchers.forget(self)
        return True

    def _move(self, cause: Input) -> bool:
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True


def _all_dark(user: str) -> Lamp:
    """Nobody is known to do anything."""
    return DARK


class Watchers:
    """The subscriptions of one stack."""

    def __init__(self, core: "Core", admission: Admission, registrar: Registrar) -> None:
        self.core = core
        self.is_stopped = False
        self.lamp_of: Callable[[str], Lamp] = _all_dark  # told from above
        self.watched: dict[str, list[Subscription]] = {}  # by the user whose lamp it is, or the mailbox
        self._admission = admission
        self._registrar = registrar
        self._heralds = Heralds(core, registrar)
        self._by_tag: dict[str, Subscription] = {}
        self._by_user: dict[str, list[Subscription]] = {}  # by the user who watches

    @property
    def boxes(self) -> Boxes:
        """The mailboxes there are."""
        return self._heralds.boxes

    def show(self, boxes: Boxes) -> None:
        """Take the mailboxes there are."""
        self._heralds.boxes = boxes

    def changed(self, watched: str, now: float) -> None:
        """The lamp of a user, or a mailbox, may have changed: tell those who watch it, once a turn."""
        for subscription in list(self.watched.get(watched, ())):
            subscription.tell(now)
        if "/" in watched:
            self._heralds.tell(self.boxes.owner_of(watched), now)

    def registered(self, user: str, now: float) -> None:
        """A phone of ``user`` has registered: it may be where it was lost from."""
        if not self._registrar.contacts(user):
            self.unregistered(user, now)
            return
        for subscription in list(self._by_user.get(user, ())):
            subscription.back(now)
        self._heralds.tell(user, now)

    def unregistered(self, user: str, now: float) -> None:
        """The last registration of ``user`` is gone: it has no phone that watches."""
        for subscription in list(self._by_user.get(user, ())):
            subscription.end("timeout", now)

    def subscribe(self, request: Request, flow: Flow, key: Key, now: float) -> Refused | None:
        """Take a SUBSCRIBE that begins a subscription; return how to refuse it, None if it was answered.

        Unwelcome 489, 406, 423; SipError 400.
        """
        core = self.core
        expires = self._expires(request)
        contact_target(request)
        who = self._admission.identify(request, flow, now)
        if isinstance(who, Refused):
            return who
        if who.kind != "account":
            return Refused(403)
        if package_of(request) == MAILBOX:
            watched = self.boxes.box_of(who.name, user_of(request))
            if not watched:
                return Refused(403)  # whether there is such a box is not told
        else:
            watched = self._watched_by(who, request)
            if not watched:
                return Refused(404)
        if expires and len(self._by_user.get(who.name, ())) >= core.settings.subscriptions_per_user:
            return Refused(403)
        subscription = Subscription(self, who.name, watched, request, flow, core.chance.token())
        tag = subscription.dialog.local_tag
        self._by_tag[tag] = subscription
        self.watched.setdefault(watched, []).append(subscription)
        self._by_user.setdefault(who.name, []).append(subscription)
        self._accept(subscription, request, flow, key, expires, now)
        return None

    def renew(self, request: Request, flow: Flow, key: Key, now: float) -> bool:
        """Take a SUBSCRIBE of a subscription: renew or end it; False if it is of none that lives."""
        subscription = self._by_tag.get(request.to_tag)
        if subscription is None or not self._is_of(subscription, request, flow):
            return False
        expires = self._expires(request)
        if package_of(request) != subscription.package:
            raise Unwelcome(489, ALLOW_EVENTS)  # one dialog, one usage (RFC 6665 4.5.1)
        dialog = subscription.dialog
        if request.cseq[0] <= dialog.remote_cseq:
            self._respond(subscription, request, flow, key, 500, "", now)
            return True
        dialog.remote_cseq = request.cseq[0]
        dialog.refresh_target(request, self.core.places)
        dialog.heard_from(flow)
        subscription.flow = flow
        self._accept(subscription, request, flow, key, expires, now)
        return True

    def forget(self, subscription: Subscription) -> None:
        """A subscription has ended."""
        del self._by_tag[subscription.dialog.local_tag]
        for table, name in ((self.watched, subscription.watched), (self._by_user, subscription.user)):
            table[name].remove(subscription)
            if not table[name]:
                del table[name]

    def reconfigure(self, now: float) -> None:
        """End the subscriptions of and to accounts that are no more."""
        accounts = self.core.settings.accounts
        for subscription in list(self._by_tag.values()):
            if subscription.user not in accounts:
                subscription.end("rejected", now)
            elif subscription.package == DIALOG and subscription.watched not in accounts:
                subscription.end("noresource", now)

    def stop(self, now: float) -> None:
        """The switch ends: who watches subscribes again, at the one that comes next, and at us no more."""
        self.is_stopped = True
        for subscription in list(self._by_tag.values()):
            subscription.end("deactivated", now)

    def count(self) -> int:
        """Return how many subscriptions there are."""
        return len(self._by_tag)

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert sum(map(len, self._by_user.values())) == len(self._by_tag), "nobody has a subscription"
        assert sum(map(len, self.watched.values())) == len(self._by_tag), "a subscription watches nobody"
        assert all(self.watched.values()), "somebody is watched by nobody"
        for tag, subscription in self._by_tag.items():
            assert subscription.dialog.local_tag == tag, "a subscription is known by a foreign tag"
            assert subscription.state is not State.ENDED, f"a watch over {subscription.watched} has ended"
            assert subscription.expires_at, f"a watch over {subscription.watched} never ends"

    def _expires(self, request: Request) -> int:
        """Return for how many seconds a SUBSCRIBE asks; 489, 406 and 423 for one that cannot be served."""
        package = package_of(request)
        if package not in PACKAGES:
            raise Unwelcome(489, ALLOW_EVENTS)
        check_accept(request, PACKAGES[package])
        value = request.header("expires")
        # RFC 4235 3.4 and RFC 3842 3.4: an hour, where the phone says nothing.
        most = int(self.core.settings.subscribe_expires_max)
        expires = most if value is None else min(parse_delta(value), most)
        least = int(self.core.settings.register_expires_min)
        if 0 < expires < least:
            raise Unwelcome(423, f"Min-Expires: {least}\r\n")
        return expires

    def _watched_by(self, who: Identity, request: Request) -> str:
        """Return the user of the same tenant whom the Request-URI names, "" for nobody."""
        named = user_of(request)
        account = self.core.settings.accounts.get(named)
        return named if account is not None and account.tenant == who.tenant else ""

    def _is_of(self, subscription: Subscription, request: Request, flow: Flow) -> bool:
        """Return whether a request is of the dialog, and from where its phone may be."""
        dialog = subscription.dialog
        if request.call_id != dialog.sip_call_id or request.from_tag != dialog.remote_tag:
            return False
        on_flow = self._registrar.users_on(flow)
        return flow.host == subscription.flow.host or subscription.user in on_flow

    def _accept(
        self, subscription: Subscription, request: Request, flow: Flow, key: Key, expires: int, now: float
    ) -> None:
        """Answer 200, and say at once what there is to say (RFC 6665 4.2.1.2)."""
        headers = f"Expires: {expires}\r\n{record_routes(request)}{subscription.dialog.place.contact}"
        self._respond(subscription, request, flow, key, 200, f"{headers}{self.core.agent}", now)
        if expires:
            subscription.renew(expires, now)
            subscription.tell(now, is_asked=True)
        else:
            subscription.end("timeout", now)

    def _respond(
        self,
        subscription: Subscription,
        request: Request,
        flow: Flow,
        key: Key,
        status: int,
        headers: str,
        now: float,
    ) -> None:
        server = ServerRequest(self.core.transactions, key, "SUBSCRIBE", answer_flow(request, flow))
        head = response_head(request, subscription.dialog.local_tag, flow)
        server.respond(status, build(status, head, headers), now)


def package_of(request: Request) -> str:
    """Return the event package of a SUBSCRIBE, in lower case, without its id."""
    return (request.header("event") or "").partition(";")[0].strip(" \t").lower()


def user_of(request: Request) -> str:
    """Return the user that the Request-URI names, "" for none."""
    uri = request.parsed_uri
    return uri.user if isinstance(uri, SipUri) else ""


def dialog_info(user: str, domain: str, version: int, lamp: Lamp) -> bytes:
    """Return what is told of a lamp (RFC 4235 4): one dialog, named as its user, in its state."""
    uri = escape(f"sip:{escape_user(user)}@{domain}", {'"': "&quot;"})
    direction = f' direction="{lamp.direction}"' if lamp.direction else ""
    if lamp.dialog[0]:
        # A watcher writes INVITE with Replaces of these, and that comes to us: to-tag is ours (RFC 3891 3).
        sip_call_id, tag = (escape(each, {'"': "&quot;"}) for each in lamp.dialog)
        direction = f' call-id="{sip_call_id}" local-tag="{tag}" remote-tag="0"{direction}'
    local = ""
    if lamp.note or not lamp.is_rendering:
        display = f' display="{escape(lamp.note, {chr(34): "&quot;"})}"' if lamp.note else ""
        param = "" if lamp.is_rendering else '<param pname="+sip.rendering" pval="no"/>'
        local = f'<local><identity{display}>{uri}</identity><target uri="{uri}">{param}</target></local>'
    return (
        '<?xml version="1.0"?>\r\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '
        f'version="{version}" state="full" entity="{uri}">\r\n'
        f'<dialog id="{escape_user(user)}"{direction}><state>{lamp.state}</state>{local}</dialog>\r\n'
        "</dialog-info>\r\n"
    ).encode("utf-8", "replace")
