"""DTMF as telephone events (RFC 4733): packets to digits, each digit once, and digits to packets."""

from collections import deque

from media.rtp import CLOCK, FRAME

DIGITS = "0123456789*#ABCD"
EVENT_SIZE = 4
DIGITS_MAX = 64  # that wait to be sent to one peer
_END = 0x80
_VOLUME = 10  # -10 dBm0, as phones say
_ENDS = 3  # the last packet of an event is sent so often (2.5.1.4)


class DigitReader:
    """Turns the packets of telephone events into digits.

    All packets of one event have the timestamp of its begin; its end is sent three times (2.5.1.4). An event
    whose ends are all lost is over when the next packet with another timestamp comes. What follows of an
    event that has been told, or is under way when nobody wants digits any more, is for nobody else.
    """

    __slots__ = ("_duration", "_event", "_is_told", "_spent", "_timestamp", "is_wanted")

    def __init__(self) -> None:
        self._timestamp = -1
        self._event = -1
        self._duration = 0
        self._is_told = True
        self._spent = -1  # the timestamp of the event that nobody else is to hear of
        self.is_wanted = True

    def stop(self) -> None:
        """Tell no digits from now on."""
        self.is_wanted, self._is_told, self._spent = False, True, self._timestamp

    def is_spent(self, timestamp: int) -> bool:
        """Whether the event of this timestamp is for nobody else."""
        return timestamp == self._spent

    def receive(self, buffer: bytearray, start: int, timestamp: int) -> tuple[str, int] | None:
        """Take an event's payload; return (digit, duration in ms) if one is over."""
        event, flags = buffer[start], buffer[start + 1]
        duration = buffer[start + 2] << 8 | buffer[start + 3]
        over = None
        if timestamp != self._timestamp or event != self._event:
            over = self.settle()
            self._timestamp, self._event, self._duration = timestamp, event, 0
            # 16 is a hook flash; others are tones of modems.
            self._is_told = event >= len(DIGITS) or not self.is_wanted
        self._duration = max(self._duration, duration)
        if flags & _END and over is None:
            over = self.settle()
        return over

    def settle(self) -> tuple[str, int] | None:
        """Other audio came: return the digit that has not been told yet, if there is one."""
        if self._is_told:
            return None
        self._is_told, self._spent = True, self._timestamp
        return DIGITS[self._event], self._duration * 1000 // CLOCK


def stopped(reader: DigitReader | None) -> DigitReader | None:
    """Return the reader of a stream whose digits nobody wants any more."""
    if reader is not None:
        reader.stop()
    return reader


class DigitWriter:
    """Turns digits into the payloads of telephone events, one packet every 20 ms (2.5.1.2).

    The duration in a packet is how long the digit has been pressed by then; the last one comes three times.
    """

    __slots__ = ("_at", "_digits")

    def __init__(self) -> None:
        self._digits: deque[tuple[int, int, int]] = deque()  # event, frames pressed, frames until the next
        self._at = 0  # frames of the first that have passed

    def add(self, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send ``digits`` after those that wait; what is beyond DIGITS_MAX is dropped."""
        pressed = max(2, duration_ms // 20)
        every = pressed + max(_ENDS, gap_ms // 20)
        for digit in digits:
            if len(self._digits) < DIGITS_MAX:
                self._digits.append((DIGITS.index(digit), pressed, every))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be sent."""
        return not self._digits

    def next(self) -> tuple[bytes, bool] | None:
        """Return this frame's payload and whether it begins a digit; None in the gap between two."""
        event, pressed, every = self._digits[0]
        self._at += 1
        at = self._at
        if at >= every:
            self._digits.popleft()
            self._at = 0
        if at >= pressed + _ENDS:
            return None
        duration = min(at, pressed) * FRAME
        last = _END if at >= pressed else 0
        return bytes((event, last | _VOLUME, duration >> 8, duration & 0xFF)), at == 1
