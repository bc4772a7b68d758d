"""RTP: the fixed header, what makes a packet malformed, and what is counted about a source (RFC 3550).

Rule: nothing here makes an object per packet; packets stay in the buffer they were received into.
"""

from struct import Struct

CLOCK = 8_000  # timestamp units per second of every codec we speak (RFC 3551 table 4)
HEADER = Struct(">HHII")  # V P X CC M PT in one word; sequence number; timestamp; SSRC
HEADER_SIZE = 12
FRAME = 160  # samples and bytes of 20 ms of G.711
PACKET_MAX = 2_048  # bytes we receive at most; 20 ms of G.711 are 172

VERSION_2 = 0x8000
MARKER = 0x0080
WORD = 0xFFFF
LONG = 0xFFFFFFFF

PCMU, PCMA = 0, 8  # static payload types (RFC 3551 6)
CODECS = {PCMU: "PCMU", PCMA: "PCMA"}

# RFC 3550 A.1.
_DROPOUT_MAX = 3_000
_MISORDER_MAX = 100
# A step of the transit time beyond this is a new clock (a phone that went on after a hold), not jitter.
TRANSIT_STEP_MAX = float(CLOCK)


def payload_bounds(buffer: bytearray, size: int) -> tuple[int, int]:
    """Return where the payload of an RTP packet of ``size`` bytes begins and ends (RFC 3550 5.1, A.1).

    ``(-1, -1)`` for what is not RTP: too short, another version, or CSRC count, extension length or padding
    that reach beyond the packet.
    """
    if size < HEADER_SIZE or buffer[0] >> 6 != 2:
        return -1, -1
    first = buffer[0]
    start, end = HEADER_SIZE + 4 * (first & 0x0F), size
    if first & 0x10:
        if start + 4 > size:
            return -1, -1
        start += 4 + 4 * (buffer[start + 2] << 8 | buffer[start + 3])
    if first & 0x20:
        end -= buffer[size - 1]
        if end == size:
            return -1, -1
    return (start, end) if start <= end else (-1, -1)


def is_rtcp(buffer: bytearray, size: int) -> bool:
    """Return whether a packet on an RTP port is RTCP (RFC 5761 4: packet types 192 to 223)."""
    return size >= 2 and 192 <= buffer[1] <= 223


class Reception:
    """What is counted about what one stream receives: RFC 3550 A.1 (sequence), A.3 (loss), A.8 (jitter).

    A peer that starts anew with another SSRC, or jumps, begins a new epoch; the epochs are added up.
    """

    __slots__ = (
        "_bad",
        "_cycles",
        "_expected_before",
        "_first",
        "_is_timed",
        "_lost_before",
        "_received_before",
        "expected",
        "heard_at",
        "jitter",
        "octets",
        "received",
        "ssrc",
        "transit",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Count from nothing."""
        self.ssrc = -1  # nothing was received
        self.expected = -1  # the next sequence number; 65536 after 65535, so that the wrap is seen
        self.received = 0  # packets, of all epochs
        self.octets = 0  # bytes of RTP, headers included
        self.heard_at = -1.0
        self.transit = 0.0  # arrival minus timestamp of the packet heard last, in clock units
        self.jitter = 0.0  # clock units
        self._first = 0
        self._cycles = 0
        self._bad = -1
        self._is_timed = False  # whether transit is of this epoch
        self._received_before = 0
        self._expected_before = 0
        self._lost_before = 0

    def begin(self, ssrc: int, sequence: int) -> None:
        """Begin an epoch with this packet (which :meth:`note_sequence` counts)."""
        if self.ssrc >= 0:
            expected = self._epoch_expected()
            self._expected_before += expected
            self._lost_before += max(0, expected - (self.received - self._received_before))
        self._received_before = self.received
        self.ssrc = ssrc
        self._is_timed = False
        self._first = sequence
        self.expected = sequence + 1
        self._cycles = 0
        self._bad = -1

    def note_sequence(self, sequence: int) -> bool:
        """Count one packet; return False for one far off, not used unless its successor comes next."""
        highest = (self.expected - 1) & WORD
        ahead = (sequence - highest) & WORD
        if ahead < _DROPOUT_MAX:
            if ahead:
                if sequence < highest:
                    self._cycles += WORD + 1
                self.expected = sequence + 1
        elif ahead <= WORD + 1 - _MISORDER_MAX:
            if sequence != self._bad:
                self._bad = (sequence + 1) & WORD
                return False
            self.begin(self.ssrc, sequence)
        self.received += 1
        return True

    def note_arrival(self, timestamp: int, now: float) -> None:
        """Update the jitter (A.8)."""
        transit = now * CLOCK - timestamp
        if self._is_timed:
            step = abs(transit - self.transit)
            if step < TRANSIT_STEP_MAX:
                self.jitter += (step - self.jitter) * 0.0625
        self.transit = transit
        self._is_timed = True

    def last_timestamp(self) -> int:
        """Return the timestamp of the packet heard last."""
        return round(self.heard_at * CLOCK - self.transit) & LONG

    def highest(self) -> int:
        """Return the extended highest sequence number received."""
        return self._cycles + ((self.expected - 1) & WORD)

    def lost(self) -> int:
        """Return packets lost over all epochs, not below 0 (duplicates count as received)."""
        if self.ssrc < 0:
            return 0
        return self._lost_before + max(0, self._epoch_expected() - (self.received - self._received_before))

    def expected_total(self) -> int:
        """Return packets expected over all epochs."""
        return self._expected_before + (self._epoch_expected() if self.ssrc >= 0 else 0)

    def _epoch_expected(self) -> int:
        # Between begin() and its note_sequence() nothing of the epoch has been counted.
        if self.received == self._received_before:
            return 0
        return self.highest() - self._first + 1
