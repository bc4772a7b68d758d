"""Session timers: a session that nobody refreshes ends (RFC 4028).

Who refreshes is agreed by each INVITE, re-INVITE and UPDATE that succeeds: us, unless the peer wants to. A
peer that knows nothing of session timers is refreshed by us all the same, so that a session whose peer is
gone ends, however silent it is. Half of the interval after the last success the refresher refreshes; 32 s or
a third before its end, whichever is less, the session is over (RFC 4028 10).

Most calls end long before their first refresh, so no timer is armed for them: one sweep looks at all sessions
and arms what is due before the next.
"""

from typing import TYPE_CHECKING

from kernel.timers import Timer, TimerQueue
from sip.grammar import SipError
from sip.headers import parse_delta, tokens
from sip.message import Request, Response
from sip.settings import SipSettings

if TYPE_CHECKING:
    from sip.session import Session

SWEEP_EVERY = 30.0  # seconds; the shortest time to a refresh is 45
MARGIN_MAX = 32.0  # seconds before the end of the interval that the session is given up
RETRY_MIN = 5.0  # seconds between refreshes of which one was refused


def parse_session_expires(value: str) -> tuple[int, str]:
    """Split ``"1800;refresher=uac"`` into seconds and ``uac``, ``uas`` or "" (RFC 4028 4); 400 if broken."""
    seconds, _, rest = value.partition(";")
    refresher = ""
    for param in rest.split(";"):
        name, _, given = param.partition("=")
        if name.strip().lower() == "refresher":
            refresher = given.strip().lower()
    return parse_delta(seconds, "Session-Expires"), refresher if refresher in ("uac", "uas") else ""


def min_se_of(message: Request | Response) -> int:
    """Return the shortest interval that the way to the peer allows; 0 where nothing is said."""
    value = message.first.get("min-se")
    return 0 if value is None else parse_delta(value.partition(";")[0], "Min-SE")


def longer_interval(response: Response) -> int:
    """Return the interval that a 422 asks for; 0 if it does not say so in plain words."""
    try:
        return min_se_of(response)
    except SipError:
        return 0


def supports(message: Request | Response, option: str) -> bool:
    """Return whether an option tag stands in Supported or Require."""
    return any(
        tag.lower() == option for name in ("supported", "require") for tag in tokens(message.headers(name))
    )


class SessionTimers:
    """The session timers of one stack: what is offered, what is accepted, and the sweep."""

    __slots__ = (
        "_answer_line",
        "_next_at",
        "_sessions",
        "_sweep",
        "expires",
        "invite_lines",
        "min_se",
        "timers",
    )

    def __init__(self, sessions: "dict[str, Session]", timers: TimerQueue) -> None:
        self._sessions = sessions
        self.timers = timers
        self._sweep: Timer | None = None
        self._next_at = 0.0

    def configure(self, settings: SipSettings) -> None:
        """Take settings; running sessions keep their interval."""
        self.expires = int(settings.session_expires)  # 0: no session timers
        self.min_se = int(settings.min_se)
        self.invite_lines = self.offer_lines(self.expires, self.min_se) if self.expires else ""
        self._answer_line = f"Session-Expires: {self.expires};refresher=uas\r\n"

    def offer_lines(self, expires: int, min_se: int) -> str:
        """Return the header lines of an INVITE of ours; the peer says who refreshes."""
        return f"Session-Expires: {expires}\r\nMin-SE: {min_se}\r\n"

    def refusal(self, request: Request) -> str:
        """Return the header lines of the 422 that a too small interval deserves, else ""; 400 if broken."""
        value = request.first.get("session-expires")
        if value is None or not self.expires:
            return ""
        seconds, _ = parse_session_expires(value)
        if seconds < self.min_se and supports(request, "timer"):
            return f"Min-SE: {self.min_se}\r\n"
        return ""

    def accept(self, session: "Session", request: Request, now: float) -> str:
        """Agree on what their request says and return the header lines of our 2xx (RFC 4028 9)."""
        if not self.expires:
            return ""
        value = request.first.get("session-expires")
        if value is None and request.first.get("min-se") is None:
            self._start(session, self.expires, now, is_ours=True, is_agreed=False)
            return self._answer_line
        seconds, refresher = (self.expires, "") if value is None else parse_session_expires(value)
        interval = max(min(seconds, self.expires), min_se_of(request), self.min_se)
        knows = supports(request, "timer")
        is_ours = not (knows and refresher == "uac")
        self._start(session, interval, now, is_ours=is_ours, is_agreed=knows)
        if is_ours:
            return f"Session-Expires: {interval};refresher=uas\r\n"
        return f"Session-Expires: {interval};refresher=uac\r\nRequire: timer\r\n"

    def agreed(self, session: "Session", response: Response, now: float) -> None:
        """Take what the 2xx to a request of ours says (RFC 4028 7.2, 7.4); what is broken is not there."""
        if not self.expires:
            return
        value = response.first.get("session-expires")
        try:
            seconds, refresher = (0, "") if value is None else parse_session_expires(value)
        except SipError:
            seconds, refresher = 0, ""
        if seconds:
            self._start(session, seconds, now, is_ours=refresher != "uas", is_agreed=True)
            return
        timer = session.session_timer
        interval = self.expires if timer is None else timer.interval
        self._start(session, interval, now, is_ours=True, is_agreed=False)

    def watch(self, timer: "SessionTimer", now: float) -> None:
        """See to it that ``timer`` fires when it is due."""
        if self._sweep is None:
            self._next_at = now + SWEEP_EVERY
            self._sweep = self.timers.arm_after(self, "sweep", SWEEP_EVERY, now)
        if timer.due_at <= self._next_at:
            timer.arm()

    def on_timer(self, name: str, now: float) -> None:
        """Arm what is due before the next sweep (``name`` is always ``sweep``)."""
        self._sweep = None
        if not self._sessions:
            return
        self._next_at = next_at = now + SWEEP_EVERY
        self._sweep = self.timers.arm_after(self, "sweep", SWEEP_EVERY, now)
        for session in self._sessions.values():
            timer = session.session_timer
            if timer is not None and timer.due_at <= next_at:
                timer.arm()

    def _start(
        self, session: "Session", interval: int, now: float, *, is_ours: bool, is_agreed: bool
    ) -> None:
        timer = session.session_timer
        if timer is None:
            timer = session.session_timer = SessionTimer(self, session)
        timer.start(interval, now, is_ours=is_ours, is_agreed=is_agreed)


class SessionTimer:
    """The interval of one session, from one success to the next."""

    __slots__ = ("_ends_at", "_owner", "_session", "_timer", "due_at", "interval", "is_agreed", "is_ours")

    def __init__(self, owner: SessionTimers, session: "Session") -> None:
        self._owner = owner
        self._session: Session | None = session
        self._timer: Timer | None = None
        self.interval = 0  # seconds
        self.is_ours = True  # we refresh
        self.is_agreed = False  # the peer has said that it keeps session timers
        self.due_at = self._ends_at = 0.0

    def start(self, interval: int, now: float, *, is_ours: bool, is_agreed: bool) -> None:
        """Begin an interval: a request that refreshes has succeeded."""
        self.interval, self.is_ours, self.is_agreed = interval, is_ours, is_agreed
        self._ends_at = now + interval - min(MARGIN_MAX, interval / 3)
        self._set_due(now + interval / 2 if is_ours else self._ends_at, now)

    def stop(self) -> None:
        """The session is over."""
        self._session = None
        if self._timer is not None:
            self._owner.timers.disarm(self._timer)
            self._timer = None

    def arm(self) -> None:
        """Arm a timer of its own for what is due soon."""
        if self._timer is None and self._session is not None:
            self._timer = self._owner.timers.arm(self, "session", self.due_at)

    def offer_lines(self) -> str:
        """Return the header lines of a request of ours inside the session: the roles stay (RFC 4028 7.4)."""
        refresher = "uac" if self.is_ours else "uas"
        min_se = self._owner.min_se
        return f"Session-Expires: {self.interval};refresher={refresher}\r\nMin-SE: {min_se}\r\n"

    def lengthen(self, response: Response) -> bool:
        """Take a 422: return whether a longer interval may be tried."""
        min_se = longer_interval(response)
        if min_se <= self.interval:
            return False
        self.interval = min_se
        return True

    def refused(self, now: float, *, is_answered: bool) -> None:
        """Take that our refresh failed. A peer without session timers that answers is there, which is all we
        wanted to know; else another refresh must succeed before the end.
        """
        if is_answered and not self.is_agreed:
            self.start(self.interval, now, is_ours=True, is_agreed=False)
            return
        again_at = now + max((self._ends_at - now) / 2, RETRY_MIN)
        self._set_due(min(again_at, self._ends_at), now)

    def on_timer(self, name: str, now: float) -> None:
        """Refresh, or give the session up (``name`` is always ``session``)."""
        self._timer = None
        session = self._session
        assert session is not None, "a session timer outlived its session"
        if self.due_at >= self._ends_at:
            session.gone(now, "expired")
        else:
            self._set_due(self._ends_at, now)
            session.refresh(now)

    def _set_due(self, at: float, now: float) -> None:
        self.due_at = at
        if self._timer is not None:
            self._owner.timers.disarm(self._timer)
            self._timer = None
        self._owner.watch(self, now)
