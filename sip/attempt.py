"""Attempts: one INVITE of ours on the wire, and what its CANCEL and ACK must repeat of it (RFC 3261 9.1,
17.1.1.3).
"""

from sip.message import Response
from sip.places import Place


class Attempt:
    """One INVITE: Request-URI, Via, Route, From, To, Call-ID and CSeq number."""

    __slots__ = (
        "_call_line",
        "_from_line",
        "_hops",
        "_routes",
        "_to_line",
        "_via_line",
        "branch",
        "cseq",
        "is_authorized",
        "sdp",
        "uri",
    )

    def __init__(
        self,
        uri: str,
        place: Place,
        branch: str,
        from_: str,
        to: str,
        sip_call_id: str,
        cseq: int,
        routes: str,
        sdp: bytes,
        *,
        is_authorized: bool = False,
        max_forwards: int = 70,
    ) -> None:
        """``routes`` is the whole Route line or ""."""
        self.uri = uri
        self.branch = branch
        self.cseq = cseq
        self.sdp = sdp
        self.is_authorized = is_authorized  # carries an answer to a challenge; a second one is not answered
        self._hops = max_forwards
        self._via_line = f"{place.via}{branch}\r\n"
        self._from_line = f"From: {from_}\r\n"
        self._to_line = f"To: {to}\r\n"
        self._call_line = f"Call-ID: {sip_call_id}\r\n"
        self._routes = routes

    def readdress(self, branch: str, via_line: str) -> None:
        """It goes to another target, under another branch."""
        self.branch, self._via_line = branch, via_line

    def invite(self, headers: str) -> bytes:
        """Return the INVITE; ``headers`` are whole lines."""
        start = (
            f"INVITE {self.uri} SIP/2.0\r\n{self._via_line}Max-Forwards: {self._hops}\r\n"
            f"{self._from_line}{self._to_line}{self._call_line}"
            f"CSeq: {self.cseq} INVITE\r\n{self._routes}{headers}"
        )
        if not self.sdp:
            return f"{start}Content-Length: 0\r\n\r\n".encode("utf-8", "surrogateescape")
        start = f"{start}Content-Type: application/sdp\r\nContent-Length: {len(self.sdp)}\r\n\r\n"
        return start.encode("utf-8", "surrogateescape") + self.sdp

    def cancel(self, headers: str) -> bytes:
        """Return the CANCEL: the INVITE's Request-URI, top Via, From, To, Call-ID, Route, CSeq number."""
        return self._bare("CANCEL", self._to_line, headers)

    def ack_failure(self, response: Response) -> bytes:
        """Return the ACK of a 3xx-6xx: as the CANCEL, but the response's To."""
        return self._bare("ACK", f"To: {response.header('to')}\r\n", "")

    def _bare(self, method: str, to_line: str, headers: str) -> bytes:
        return (
            f"{method} {self.uri} SIP/2.0\r\n{self._via_line}Max-Forwards: 70\r\n{self._from_line}{to_line}"
            f"{self._call_line}CSeq: {self.cseq} {method}\r\n{self._routes}{headers}Content-Length: 0\r\n\r\n"
        ).encode("utf-8", "surrogateescape")
