"""RTCP: reading a peer's compound packet, and answering it with a report of our own (RFC 3550 6).

Each leg is an RTP session of its own, so RTCP ends here: the peer's reports are about what we send, and our
answers about what we hear. An answer follows a report, at most one a second, and needs no timer.
"""

from struct import Struct
from typing import TypeAlias

Sent: TypeAlias = tuple[int, int, int]  # RTP timestamp of now, packets, octets
Block: TypeAlias = tuple[int, int, int, int, int, int]  # as on the wire (6.4.1)

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION = 200, 201, 202
ANSWER_EVERY = 1.0  # seconds between two answers at least

_HEAD = Struct(">BBH")
_SENDER = Struct(">IIIIII")  # SSRC, NTP seconds and fraction, RTP timestamp, packets, octets
_BLOCK = Struct(">IIIIII")  # SSRC, fraction and cumulative loss, highest, jitter, LSR, DLSR
_LONG = Struct(">I")


class PeerReport:
    """The last report of a peer: what LSR and DLSR of ours are made of."""

    __slots__ = ("answered_at", "expected", "lost", "middle", "reported_at")

    def __init__(self) -> None:
        self.middle = 0  # middle 32 bits of the NTP time in the last sender report
        self.reported_at = 0.0
        self.answered_at = -ANSWER_EVERY
        self.expected = 0  # at our last answer, for the fraction lost
        self.lost = 0

    def receive(self, buffer: bytearray, size: int, now: float) -> bool:
        """Take a compound packet; return False if it is malformed (A.2)."""
        at, middle = 0, -1
        if size < 8 or buffer[1] not in (SENDER_REPORT, RECEIVER_REPORT):
            return False
        while at < size:
            if at + 4 > size:
                return False
            first, kind, words = _HEAD.unpack_from(buffer, at)
            end = at + 4 * (words + 1)
            count = first & 0x1F
            if first >> 6 != 2 or end > size or (first & 0x20 and end != size):
                return False
            if kind == SENDER_REPORT:
                if end < at + 28 + 24 * count:
                    return False
                middle = _LONG.unpack_from(buffer, at + 10)[0]
            elif kind == RECEIVER_REPORT and end < at + 8 + 24 * count:
                return False
            at = end
        if middle >= 0:
            self.middle, self.reported_at = middle, now
        return True


def build_report(ssrc: int, now: float, sent: Sent | None, block: Block | None) -> bytes:
    """Return a compound packet: a report, and a description with a CNAME that says nothing (RFC 7022).

    With ``sent`` it is a sender report. NTP time is seconds of our own clock, which 6.4.1 allows to those
    that have no other.
    """
    count = 0 if block is None else 1
    if sent is None:
        report = _HEAD.pack(0x80 | count, RECEIVER_REPORT, 1 + 6 * count) + _LONG.pack(ssrc)
    else:
        seconds = int(now)
        report = _HEAD.pack(0x80 | count, SENDER_REPORT, 6 + 6 * count) + _SENDER.pack(
            ssrc, seconds, int((now - seconds) * 2**32), *sent
        )
    if block is not None:
        report += _BLOCK.pack(*block)
    name = f"{ssrc:08x}".encode()
    item = bytes((1, len(name))) + name
    item += bytes(4 - len(item) % 4)
    return report + _HEAD.pack(0x81, DESCRIPTION, 1 + len(item) // 4) + _LONG.pack(ssrc) + item
