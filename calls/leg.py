"""A leg: one side of a call, that is a SIP session and the media stream that goes with it.

An outgoing leg may ring several contacts of one phone at once (``sessions``); the first to answer becomes
``session`` and the others are let go. All of them were offered the same stream.
"""

from enum import IntEnum, auto
from typing import TYPE_CHECKING

from calls.outside import Target
from kernel.ids import OfferId, SeatId, StreamId
from kernel.timers import Timer
from sip.invitation import Invitation
from sip.negotiation import AudioAgreement, SdpSide
from sip.sdp import Descriptions
from sip.session import Session

if TYPE_CHECKING:
    from calls.call import Call
    from calls.standing import Line


class LegState(IntEnum):
    """How far the leg's session has come."""

    ARRIVED = auto()  # their INVITE, no final answer yet
    INVITED = auto()  # our INVITE, nothing heard yet
    RINGING = auto()
    EARLY = auto()  # early media
    ANSWERED = auto()
    ENDED = auto()


class LegInput(IntEnum):
    """What can happen to a leg's session."""

    RANG = auto()
    PROGRESSED = auto()
    ANSWERED = auto()
    ENDED = auto()


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[LegState, LegInput], LegState] = {
    (LegState.ARRIVED, LegInput.RANG): LegState.RINGING,
    (LegState.ARRIVED, LegInput.PROGRESSED): LegState.EARLY,
    (LegState.ARRIVED, LegInput.ANSWERED): LegState.ANSWERED,
    (LegState.ARRIVED, LegInput.ENDED): LegState.ENDED,
    (LegState.INVITED, LegInput.RANG): LegState.RINGING,
    (LegState.INVITED, LegInput.PROGRESSED): LegState.EARLY,
    (LegState.INVITED, LegInput.ANSWERED): LegState.ANSWERED,
    (LegState.INVITED, LegInput.ENDED): LegState.ENDED,
    (LegState.RINGING, LegInput.RANG): LegState.RINGING,
    (LegState.RINGING, LegInput.PROGRESSED): LegState.EARLY,
    (LegState.RINGING, LegInput.ANSWERED): LegState.ANSWERED,
    (LegState.RINGING, LegInput.ENDED): LegState.ENDED,
    (LegState.EARLY, LegInput.RANG): LegState.EARLY,
    (LegState.EARLY, LegInput.PROGRESSED): LegState.EARLY,
    (LegState.EARLY, LegInput.ANSWERED): LegState.ANSWERED,
    (LegState.EARLY, LegInput.ENDED): LegState.ENDED,
    (LegState.ANSWERED, LegInput.ENDED): LegState.ENDED,
}

DROPPED: frozenset[tuple[LegState, LegInput]] = frozenset(
    {
        # A provisional or a second 2xx after the answer is late news.
        (LegState.ANSWERED, LegInput.RANG),
        (LegState.ANSWERED, LegInput.PROGRESSED),
        (LegState.ANSWERED, LegInput.ANSWERED),
        (LegState.ENDED, LegInput.RANG),
        (LegState.ENDED, LegInput.PROGRESSED),
        (LegState.ENDED, LegInput.ANSWERED),
        (LegState.ENDED, LegInput.ENDED),
    }
)


class Leg:
    """One side of a call."""

    __slots__ = (
        "address",
        "agreement",
        "answer_sdp",
        "best_status",
        "call",
        "causes",
        "forwards",
        "headers",
        "line",
        "number",
        "offer",
        "peer_offer",
        "phone",
        "port",
        "rang_at",
        "redirects",
        "reserve",
        "ringing_sessions",
        "seat",
        "session",
        "side",
        "state",
        "stream",
        "targets",
        "timer",
        "tried",
        "trunk",
    )

    def __init__(
        self,
        call: "Call",
        stream: StreamId,
        number: str,
        state: LegState,
        descriptions: Descriptions | None = None,
    ) -> None:
        self.call: Call | None = call
        self.stream = stream
        self.number = number  # who is at the other end
        self.state = state
        self.session: Session | None = None
        self.ringing_sessions: list[Session] = []
        self.side = SdpSide(0, descriptions)
        self.agreement: AudioAgreement | None = None
        self.peer_offer = b""  # the SDP offer their INVITE brought
        self.answer_sdp = b""  # our answer to it, the same in 183 and 200
        self.address = ""  # of our stream, once it is ready
        self.port = 0
        self.seat: SeatId | None = None
        self.phone: tuple[str, str] = ("", "")  # kind and number of a seat's or extension's phone
        self.offer: OfferId | None = None  # the ring this leg carries out for a queue
        self.line: Line | None = None  # that it is kept open on between calls
        self.rang_at: float | None = None
        self.targets: list[Invitation] = []  # whom to INVITE once the stream is ready
        self.reserve: list[Target] = []  # addresses to try when this one fails
        self.headers: tuple[tuple[str, str], ...] = ()  # of every INVITE to them
        self.timer: Timer | None = None  # how long an address may say nothing
        self.trunk = ""  # the trunk that this leg is counted at
        self.forwards: tuple[str, ...] = ()  # the numbers rung so far, where somebody has redirected
        self.causes: tuple[int, ...] = ()  # why each of them but the last was left (RFC 4458)
        self.tried: tuple[str, ...] = ()  # the Request-URIs that have redirected
        self.redirects = 0  # followed
        self.best_status = 0  # of the contacts that have failed so far

    def move(self, cause: LegInput) -> bool:
        """Take ``cause``; return whether it counted."""
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def unreachable(self) -> str:
        """Return the verdict of a call that could not be brought to this leg's phone: whose fault that is."""
        return "network:unreachable" if self.trunk else "agent:unreachable"

    def detach(self) -> None:
        """Break the cycles between leg, call and session, so that no garbage is left for the collector."""
        self.call = None
        self.line = None
        if self.session is not None:
            self.session.user = None
            self.session = None
        for session in self.ringing_sessions:
            session.user = None
        self.ringing_sessions.clear()
