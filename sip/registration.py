"""Registration at a trunk: we are the user agent, the carrier is the registrar (RFC 3261 10.2).

One REGISTER is out at a time. It is renewed well before it expires; after a failure the next try comes later
and later, with jitter, so that a carrier that comes back is not met by everybody at once (RFC 5626 4.5).

The contact has a ``line`` that only the registrar knows: what calls it is that trunk's, wherever it comes
from. It is made of the trunk's password, so that it is the same after a restart and replaces the binding of
before. Rule: nobody's challenge is answered but the registrar's, and of one realm only.
"""

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kernel.timers import Timer
from sip.authorization import authorize, realm_of
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.events import TrunkChanged
from sip.flows import NOWHERE, Flow
from sip.grammar import SipError
from sip.headers import parse_delta
from sip.message import Response
from sip.settings import TrunkPeer, TrunkRegister
from sip.uri import escape_user

if TYPE_CHECKING:
    from sip.core import Core

WAIT_FIRST = 30.0  # seconds before the second try (RFC 5626 4.5), doubled with each failure
WAIT_MAX = 600.0
LEAVE_WITHIN = 2.0  # seconds a registrar has to answer our last request
EXPIRES_MIN = 10.0  # seconds; a registrar that grants less is asked no more often than this


class State(StrEnum):
    """How far the registration is."""

    IDLE = "idle"
    ASKING = "registering"
    REGISTERED = "registered"
    RENEWING = "renewing"
    WAITING = "failed"
    LEAVING = "leaving"
    LEFT = "unregistered"


class Input(StrEnum):
    """What can happen."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMER = "timer"
    STOP = "stop"


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.IDLE, Input.START): State.ASKING,
    (State.IDLE, Input.STOP): State.LEFT,
    (State.ASKING, Input.SUCCESS): State.REGISTERED,
    (State.ASKING, Input.FAILURE): State.WAITING,
    (State.ASKING, Input.STOP): State.LEAVING,
    (State.REGISTERED, Input.TIMER): State.RENEWING,
    (State.REGISTERED, Input.STOP): State.LEAVING,
    (State.RENEWING, Input.SUCCESS): State.REGISTERED,
    (State.RENEWING, Input.FAILURE): State.WAITING,
    (State.RENEWING, Input.STOP): State.LEAVING,
    (State.WAITING, Input.TIMER): State.ASKING,
    (State.WAITING, Input.STOP): State.LEAVING,
    (State.LEAVING, Input.SUCCESS): State.LEFT,
    (State.LEAVING, Input.FAILURE): State.LEFT,
    (State.LEAVING, Input.TIMER): State.LEFT,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        *((State.IDLE, cause) for cause in (Input.SUCCESS, Input.FAILURE, Input.TIMER)),
        # No timer is armed while a REGISTER is out, and none is out while a timer is armed.
        (State.ASKING, Input.START),
        (State.ASKING, Input.TIMER),
        (State.REGISTERED, Input.START),
        (State.REGISTERED, Input.SUCCESS),
        (State.REGISTERED, Input.FAILURE),
        (State.RENEWING, Input.START),
        (State.RENEWING, Input.TIMER),
        (State.WAITING, Input.START),
        (State.WAITING, Input.SUCCESS),
        (State.WAITING, Input.FAILURE),
        (State.LEAVING, Input.START),
        (State.LEAVING, Input.STOP),
        *((State.LEFT, cause) for cause in Input),
    }
)


class Registration:
    """Our binding at one trunk's registrar."""

    def __init__(self, core: "Core", peer: TrunkPeer, register: TrunkRegister) -> None:
        self.state = State.IDLE
        self.last_status = 0  # of the registrar's last final answer; 408 for silence, 503 for no way there
        self.expires_at = 0.0
        self._core = core
        self._peer = peer
        self._register = register
        self._sip_call_id = core.chance.token()
        self._tag = core.chance.token()
        self._cseq = 0
        self._flow = NOWHERE  # where the registrar answered last
        self._expires = register.expires
        self._failures = 0
        self._realm = peer.realm
        self._request: ClientRequest | None = None
        self._timer: Timer | None = None

    def start(self, now: float) -> None:
        """Register."""
        if self._move(Input.START):
            self._ask(self._expires, "", now)

    def stop(self, now: float) -> None:
        """Take the binding away; :attr:`is_over` when the registrar has answered, or has had its time."""
        self._disarm()
        self._forget(now)
        if self._move(Input.STOP) and self.state is State.LEAVING:
            self._timer = self._core.timers.arm_after(self, "leave", LEAVE_WITHIN, now)
            self._ask(0.0, "", now)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be asked of the registrar."""
        return self.state in (State.IDLE, State.LEFT)

    def is_registered(self, now: float) -> bool:
        """Return whether the registrar has our binding, as far as it has told."""
        return self.expires_at > now

    def view(self, now: float) -> dict[str, Any]:
        """Return what an operator may see."""
        left = max(0.0, self.expires_at - now)
        return {"state": self.state.value, "expires_in": round(left, 3), "status": self.last_status or None}

    # What comes back.

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take an answer of the registrar."""
        request = self._request
        if response.status < 200 or request is None or transaction is not request:
            return
        self._request = None
        self._flow = transaction.flow
        expires, is_repeated = request.context
        status = self.last_status = response.status
        if status in (401, 407) and not (is_repeated and not _is_stale(response)):
            authorization = self._authorize(response)
            if authorization:
                self._ask(expires, authorization, now)
                return
        if status == 423 and expires and self._lengthen(response):
            self._ask(self._expires, "", now)
        elif status < 300:
            self._succeeded(response, expires, now)
        else:
            self._failed(_seconds(response.header("retry-after")), now)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Take that there is no answer."""
        if transaction is self._request:
            self._request = None
            self.last_status = status
            self._failed(0.0, now)

    def on_timer(self, name: str, now: float) -> None:
        """Renew, try again, or leave without an answer."""
        self._timer = None
        if not self._move(Input.TIMER):
            return
        if self.state is not State.LEFT:
            self._ask(self._expires, "", now)
        else:
            self._forget(now)

    def _forget(self, now: float) -> None:
        """Repeat a request no more, and hear no answer to it."""
        if self._request is not None:
            self._request.drop(now)
            self._request = None

    def _succeeded(self, response: Response, expires: float, now: float) -> None:
        self._disarm()
        self._failures = 0
        granted = _granted(response, self.line, expires) if expires else 0.0
        if granted:
            self._core.registrar_hosts[self._flow.host] = self._peer.name
        else:
            self._core.registrar_hosts.pop(self._flow.host, None)
        self.expires_at = now + granted
        if self._move(Input.SUCCESS) and self.state is State.REGISTERED:
            renew_after = max(EXPIRES_MIN, granted) * self._core.chance.uniform(0.75, 0.9)
            self._timer = self._core.timers.arm(self, "renew", now + renew_after)

    def _failed(self, retry_after: float, now: float) -> None:
        self._disarm()
        if self._move(Input.FAILURE) and self.state is State.WAITING:
            wait = min(WAIT_MAX, WAIT_FIRST * 2 ** min(self._failures, 10))
            self._failures += 1
            wait = max(min(retry_after, WAIT_MAX), wait * self._core.chance.uniform(0.5, 1.0))
            self._timer = self._core.timers.arm(self, "retry", now + wait)

    def _lengthen(self, response: Response) -> bool:
        """Ask for longer when the registrar finds us too brief (RFC 3261 10.2.8); once per length."""
        least = _seconds(response.header("min-expires"))
        if least <= self._expires:
            return False
        self._expires = least
        return True

    def _authorize(self, response: Response) -> str:
        """Answer a challenge of the registrar's realm: the one configured, else the first it came with."""
        realm = realm_of(response)
        if not self._realm:
            self._realm = realm
        if realm != self._realm:
            return ""
        return authorize(self._peer, response, "REGISTER", self._register.registrar, b"", self._core.chance)

    def _ask(self, expires: float, authorization: str, now: float) -> None:
        core, register = self._core, self._register
        flow, next_hop = core.places.resolve(register.registrar), register.registrar
        if flow is None and core.places.named(next_hop) is None:
            self.last_status = 503
            self._failed(0.0, now)
            return
        flow = flow or NOWHERE
        self._cseq += 1
        branch = core.chance.branch()
        user = escape_user(register.user)
        aor = f"sip:{user}@{register.domain}"
        data = (
            f"REGISTER {register.registrar} SIP/2.0\r\n{core.places[flow.local].via}{branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: <{aor}>;tag={self._tag}\r\nTo: <{aor}>\r\n"
            f"Call-ID: {self._sip_call_id}\r\nCSeq: {self._cseq} REGISTER\r\n"
            f"Contact: <{self._contact(user, flow)}>\r\nExpires: {int(expires)}\r\n"
            f"{authorization}{core.invite_headers}Content-Length: 0\r\n\r\n"
        ).encode("utf-8", "surrogateescape")
        key = client_key_of(branch, "REGISTER")
        context = (expires, bool(authorization))
        transactions = core.transactions
        self._request = ClientRequest(transactions, key, "REGISTER", data, flow, self, now, context, next_hop)

    @property
    def line(self) -> str:
        """What tells our contact at this trunk from any other; see :func:`line_of`."""
        return line_of(self._peer)

    def _contact(self, user: str, flow: Flow) -> str:
        return f"sip:{user}@{self._core.places[flow.local].address};line={self.line}"

    def _move(self, cause: Input) -> bool:
        before, after = self.state, MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        if after in (State.WAITING, State.LEFT) or (
            after is State.REGISTERED and before is not State.RENEWING
        ):
            name, status = self._peer.name, self.last_status
            self._core.put_event(TrunkChanged(name, "registration", after.value, "", status))
        return True

    def _disarm(self) -> None:
        self._core.timers.disarm(self._timer)
        self._timer = None


def line_of(peer: TrunkPeer) -> str:
    """Return the ``line`` of our contact at a trunk: 64 bits that nobody guesses who has not its password."""
    password = "" if peer.secret is None else peer.secret.password
    register = peer.register
    user = "" if register is None else f"{register.user}@{register.domain}"
    return hashlib.sha256(f"{peer.name}\0{user}\0{password}".encode()).hexdigest()[:16]


def _is_stale(response: Response) -> bool:
    return any("stale=true" in value.lower() for _, value in response.header_lines)


def _granted(response: Response, line: str, asked: float) -> float:
    """Return for how long the registrar keeps our contact: its parameter, else Expires, else as asked."""
    try:
        for contact in response.contacts:
            if line in contact.uri and "expires" in contact.params:
                return float(parse_delta(contact.params["expires"]))
    except SipError:
        return asked
    value = response.header("expires")
    return asked if value is None else _seconds(value)


def _seconds(value: str | None) -> float:
    """Return the seconds of Retry-After, Min-Expires or Expires; 0 for none or nonsense."""
    if value is None:
        return 0.0
    try:
        return float(parse_delta(value.partition("(")[0].partition(";")[0].strip()))
    except SipError:
        return 0.0
