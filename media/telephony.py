"""DTMF as telephone events (RFC 4733): packets to digits, each digit once."""

from media.rtp import CLOCK

DIGITS = "0123456789*#ABCD"
EVENT_SIZE = 4
_END = 0x80


class DigitReader:
    """Turns the packets of telephone events into digits.

    All packets of one event have the timestamp of its begin; its end is sent three times (2.5.1.4). An event
    whose ends are all lost is over when the next packet with another timestamp comes.
    """

    __slots__ = ("_duration", "_event", "_is_told", "_timestamp")

    def __init__(self) -> None:
        self._timestamp = -1
        self._event = -1
        self._duration = 0
        self._is_told = True

    def receive(self, buffer: bytearray, start: int, timestamp: int) -> tuple[str, int] | None:
        """Take an event's payload; return (digit, duration in ms) if one is over."""
        event, flags = buffer[start], buffer[start + 1]
        duration = buffer[start + 2] << 8 | buffer[start + 3]
        over = None
        if timestamp != self._timestamp or event != self._event:
            over = self.settle()
            self._timestamp, self._event, self._duration = timestamp, event, 0
            self._is_told = event >= len(DIGITS)  # 16 is a hook flash; others are tones of modems
        self._duration = max(self._duration, duration)
        if flags & _END and over is None:
            over = self.settle()
        return over

    def settle(self) -> tuple[str, int] | None:
        """Other audio came: return the digit that has not been told yet, if there is one."""
        if self._is_told:
            return None
        self._is_told = True
        return DIGITS[self._event], self._duration * 1000 // CLOCK
