"""Streams: the media of the legs of one switchboard, from the port to the row.

Rule: a stream is in ``living`` while its leg is, then in ``closing`` until its worker has told what it heard.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallState
from calls.leg import Leg, LegState
from calls.records import side_of, stream_row
from kernel.ids import StreamId
from kernel.walltime import WallTime
from media.events import (
    DigitReceived,
    MediaEvent,
    PromptEnded,
    RecordingEnded,
    RecordingFailed,
    StreamClosed,
    StreamFailed,
    StreamReady,
    StreamTimedOut,
)
from media.plane import Plane
from sip.sdp import Descriptions

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class Streams:
    """The streams of one switchboard."""

    def __init__(self, board: "Switchboard", plane: Plane, walltime: WallTime) -> None:
        self._board = board
        self._plane = plane
        self._walltime = walltime
        self.living: dict[StreamId, Leg] = {}
        self.closing: dict[StreamId, tuple[str, str, str]] = {}  # call, side, codec
        self._last = 0
        self._descriptions = Descriptions()

    def new_leg(self, call: Call, number: str, state: LegState) -> Leg:
        """Return a leg with a stream of its own, not open yet."""
        self._last += 1
        return Leg(call, StreamId(self._last), number, state, self._descriptions)

    def leg_of(self, stream: StreamId) -> Leg | None:
        """Return the leg whose stream is open, None for one that is over."""
        return self.living.get(stream)

    def open(self, leg: Leg, now: float) -> None:
        """Open a leg's stream; the switchboard goes on with the leg when it is ready."""
        self.living[leg.stream] = leg
        assert leg.call is not None
        caller = leg.call.caller_leg or leg.call.transferee
        near = caller.stream if caller is not None and caller is not leg else None
        local = self._plane.open(leg.stream, now, near)
        if local is not None:
            self._ready(leg, *local, now)

    def reopen(self, leg: Leg, port: int, now: float) -> bool:
        """Open the stream of a leg of the process before; False if there is no port for it."""
        local = self._plane.reopen(leg.stream, port, now)
        if local is not None:
            self.living[leg.stream] = leg
            leg.address, leg.port = local
        return local is not None

    def close(self, leg: Leg, now: float) -> None:
        """Close a leg's stream, if it is open."""
        if self.living.pop(leg.stream, None) is not None:
            assert leg.call is not None
            codec = leg.agreement.codec if leg.agreement is not None else ""
            self.closing[leg.stream] = (leg.call.id, side_of(leg), codec)
            self._plane.close(leg.stream, now)
            if self._board.hearing.wanted:
                self._board.hearing.forget(leg.stream)

    def handle(self, event: MediaEvent, now: float) -> None:
        """Take one event of the media plane."""
        if isinstance(event, StreamClosed):
            self._closed(event, now)
        elif isinstance(event, StreamReady):
            leg = self.living.get(event.stream)
            if leg is not None and not leg.address:
                self._ready(leg, event.address, event.port, now)
        elif isinstance(event, StreamFailed):
            leg = self.living.pop(event.stream, None)  # there is nothing to close
            self._board.hearing.forget(event.stream)
            if leg is not None:
                self._board.stream_failed(leg, event.reason, now)
        elif isinstance(event, DigitReceived):
            self._board.keys.pressed(self.living.get(event.stream), event.digit, now)
        elif isinstance(event, PromptEnded):
            self._prompt_ended(event, now)
        elif isinstance(event, RecordingEnded | RecordingFailed):
            if not self._board.voicemails.over(event, now):
                self._board.recordings.over(event, now)
        elif isinstance(event, StreamTimedOut):
            leg = self.living.get(event.stream)
            if leg is not None and leg.call is not None and leg.call.state is CallState.TALKING:
                if not leg.call.held and not self._board.scripts.interacts(leg.call):
                    self._board.end(leg.call, now, ended_by="switch", verdict="network:no_audio", status=200)

    def _prompt_ended(self, event: PromptEnded, now: float) -> None:
        """A sound is over: tell whoever may have waited for that, until one has something else played."""
        board, leg = self._board, self.living.get(event.stream)
        if self._plane.is_news(event):
            board.announcements.ended(leg, event.prompt, now)
        for tell in (
            board.comfort.ended,
            board.handover.ended,
            board.surveys.ended,
            board.scripts.ended,
            board.voicemails.played,
        ):
            if self._plane.is_news(event):
                tell(leg, now)

    def _ready(self, leg: Leg, address: str, port: int, now: float) -> None:
        leg.address, leg.port = address, port
        assert leg.call is not None
        if leg is leg.call.caller_leg:
            self._board.caller_ready(leg.call, leg, now)
        else:
            self._board.rings.invite(leg, now)

    def _closed(self, event: StreamClosed, now: float) -> None:
        whose = self.closing.pop(event.stream, None)
        statistics = event.statistics
        if whose is not None and (statistics.packets_received or statistics.packets_sent):
            self._board.rows.put(stream_row(*whose, statistics, now, self._walltime))
