"""Hearing: who hears whom in a mix, where more than two hear each other.

A consultation that is joined and a supervisor who is attached may both want something of one stream. Each
says under the id of its own call what it wants, and the media plane is told of all of it together.

Rule: a stream that is over neither hears nor is heard; whoever wanted it need not say so.
"""

from typing import TYPE_CHECKING

from kernel.ids import CallId, StreamId
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard


class Hearing:
    """The mixes of one switchboard."""

    def __init__(self, board: "Switchboard", plane: Plane) -> None:
        self._board = board
        self._plane = plane
        self.wanted: dict[
            StreamId, dict[CallId, tuple[StreamId, ...]]
        ] = {}  # by listener, then by whose wish
        self._listeners: dict[StreamId, dict[StreamId, None]] = {}  # by whom they hear

    def want(self, whose: CallId, stream: StreamId, hears: tuple[StreamId, ...], now: float) -> None:
        """Let ``stream`` hear ``hears`` besides what others want; () if only they want anything any more."""
        if stream not in self._board.streams.living:
            return
        before = self.hears(stream)
        wishes = self.wanted.setdefault(stream, {})
        wishes.pop(whose, None)
        if hears:
            wishes[whose] = hears
        if not wishes:
            del self.wanted[stream]
        after = self.hears(stream)
        for one in before:
            if one not in after:
                self._unhear(stream, one)
        for one in after:
            self._listeners.setdefault(one, {})[stream] = None
        self._plane.mix(stream, after, now)

    def hears(self, stream: StreamId) -> tuple[StreamId, ...]:
        """Return whom ``stream`` hears in its mix; nobody: it hears its peer."""
        wishes = self.wanted.get(stream, {})
        return tuple(dict.fromkeys(one for wish in wishes.values() for one in wish))

    def forget(self, stream: StreamId) -> None:
        """A stream is over; the media plane has taken it out of all mixes."""
        for one in self.hears(stream):
            self._unhear(stream, one)
        self.wanted.pop(stream, None)
        for listener in self._listeners.pop(stream, {}):
            wishes = self.wanted[listener]
            for whose, wish in list(wishes.items()):
                left = tuple(one for one in wish if one != stream)
                if left:
                    wishes[whose] = left
                else:
                    del wishes[whose]
            if not wishes:
                del self.wanted[listener]

    def _unhear(self, listener: StreamId, heard: StreamId) -> None:
        listeners = self._listeners[heard]
        del listeners[listener]
        if not listeners:
            del self._listeners[heard]

    def check(self) -> None:
        """Assert what must hold between turns."""
        living = self._board.streams.living
        heard: dict[StreamId, dict[StreamId, None]] = {}
        for stream in self.wanted:
            for one in self.hears(stream):
                heard.setdefault(one, {})[stream] = None
        assert self._listeners == heard, "who hears whom is not known the other way round"
        for stream, wishes in self.wanted.items():
            assert stream in living, f"stream {stream} is over and hears"
            assert wishes, f"nobody wants anything for stream {stream}"
            assert all(one in living for one in self.hears(stream)), f"{stream} hears who is over"
            assert stream not in self.hears(stream), f"stream {stream} hears itself"
            assert all(whose in self._board.calls for whose in wishes), f"a call is over and wants {stream}"
