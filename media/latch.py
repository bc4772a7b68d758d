"""Latching: whose packets a stream takes, and where it sends.

What SDP says wins: packets from that very address are taken at once, and nothing is sent anywhere else
unless the peer is behind a NAT. Another source is taken only after it has sent several packets in sequence,
and then it is locked: everybody else's packets are foreign, dropped and counted (against "RTP bleed"). A peer
whose NAT has given it another address is taken again when its stream (same SSRC, next sequence numbers) comes
from there while the old source is silent.
"""

from typing import TypeAlias

from media.rtp import WORD

Address: TypeAlias = tuple[str, int]

CONFIRM_SAME_HOST = 3  # packets in sequence from the host of SDP, another port: a NAT or a sloppy phone
CONFIRM_PRIVATE = 5  # from anywhere, when SDP names a host that nobody else can reach
CONFIRM_ELSEWHERE = 10  # from anywhere, when SDP names a public host that stays silent; we still send there
CONFIRM_RETURN = 3  # from the address of SDP, when another source was locked
CONFIRM_REBOUND = 5  # from anywhere, when it continues the locked stream, which is silent
SILENT_AFTER = 0.2  # seconds: ten packets
_CONTINUES_WITHIN = 3_000  # sequence numbers: one minute


class Latch:
    """The addresses of one stream. ``source`` is taken from, ``target`` is sent to."""

    __slots__ = ("_candidate", "_count", "_next", "_ssrc", "is_private", "sdp", "source", "target")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing."""
        self.sdp: Address | None = None  # None: SDP named nobody whom we may send to
        self.is_private = False
        self.source: Address | None = None
        self.target: Address | None = None
        self._candidate: Address | None = None
        self._ssrc = -1
        self._next = 0
        self._count = 0

    def expect(self, sdp: Address | None, is_private: bool) -> None:
        """SDP says where the peer is; a new address opens the lock."""
        self.is_private = is_private
        if sdp == self.sdp and sdp is not None:
            return
        self.sdp = self.target = sdp
        self.source = None
        self._forget_candidate()

    def fix(self, address: Address) -> None:
        """Take from and send to ``address`` only (a stream of another worker)."""
        self.sdp = self.source = self.target = address

    def admit(
        self, source: Address, ssrc: int, sequence: int, now: float, known: tuple[int, int, float]
    ) -> bool:
        """Return whether a packet of another source than ``source`` is taken; if so, it is locked.

        ``known`` is (SSRC, next sequence number, moment of the last packet) of what was taken so far.
        """
        needed = self._packets_needed(source, ssrc, sequence, now, known)
        if not needed:
            return False
        if source == self._candidate and ssrc == self._ssrc and 0 <= (sequence - self._next) & WORD < 3:
            self._count += 1
        else:
            self._candidate, self._ssrc, self._count = source, ssrc, 1
        self._next = (sequence + 1) & WORD
        if self._count < needed:
            return False
        if self._is_heard_at(source):
            self.target = source
        self.source = source
        self._forget_candidate()
        return True

    def _is_heard_at(self, source: Address) -> bool:
        """Return whether the peer that is now taken from ``source`` listens there, too (RFC 4961)."""
        sdp = self.sdp
        if sdp is None or self.is_private or source[0] == sdp[0]:
            return True
        # A locked peer that moved; but who was never sent to does not begin to be by moving.
        return self.source is not None and self.target == self.source

    def _packets_needed(
        self, source: Address, ssrc: int, sequence: int, now: float, known: tuple[int, int, float]
    ) -> int:
        """Return after how many packets in sequence ``source`` is taken; 0: never."""
        sdp = self.sdp
        if self.source is None:
            if sdp is None or self.is_private:
                return 1 if source == sdp else CONFIRM_PRIVATE
            if source[0] == sdp[0]:
                return 1 if source[1] == sdp[1] else CONFIRM_SAME_HOST
            return CONFIRM_ELSEWHERE
        if source == sdp:
            return CONFIRM_RETURN
        if source == self._candidate and ssrc == self._ssrc:
            # Its first packet has passed the test below; only the silence of the old source must last.
            return CONFIRM_REBOUND if now - known[2] >= SILENT_AFTER else 0
        if ssrc != known[0] or now - known[2] < SILENT_AFTER:
            return 0
        return CONFIRM_REBOUND if (sequence - known[1]) & WORD < _CONTINUES_WITHIN else 0

    def _forget_candidate(self) -> None:
        self._candidate = None
        self._count = 0
