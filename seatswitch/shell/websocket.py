"""SIP over WebSocket (RFC 7118), by the sans-IO side of the library ``websockets``.

One WebSocket message is one SIP message. Rules: before the handshake nothing reaches the node; the
subprotocol is ``sip``; a web page of an origin that is not listed is refused; who breaks the protocol or
sends more than a SIP message may have is closed, with the code that RFC 6455 has for it.
"""

from collections.abc import Callable, Sequence
from typing import cast

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from kernel.limits import SIP_MESSAGE_MAX

HANDSHAKE_MAX = 16_384  # bytes of the HTTP request
PONGS_OWED_MAX = 2  # pings in a row that a peer may leave unanswered
PINGS_MAX = 100  # of a peer between two looks, each of which costs a pong
_NORMAL, _POLICY = 1000, 1008


class WebSocket:
    """One WebSocket as bytes in, bytes and SIP messages out."""

    __slots__ = ("_handshake_bytes", "_message", "_pongs_owed", "_protocol", "messages", "pings")

    def __init__(self, origins: Sequence[str]) -> None:
        """``origins`` are those of the web pages that may come here; none: all may."""
        # None stands for a client without Origin, which is no browser.
        allowed = [*(cast(Origin, origin) for origin in origins), None] if origins else None
        self._protocol = ServerProtocol(
            origins=allowed, subprotocols=[cast(Subprotocol, "sip")], max_size=SIP_MESSAGE_MAX
        )
        self._handshake_bytes = 0
        self._message = bytearray()  # as far as its frames are here
        self._pongs_owed = 0
        self.messages = 0  # that have come whole
        self.pings = 0  # of the peer since somebody looked last

    @property
    def is_amid(self) -> bool:
        """Whether a message has begun, in frames of its own, and not ended."""
        return bool(self._message)

    @property
    def is_open(self) -> bool:
        """Whether the handshake is done and nobody has closed."""
        return self._protocol.state is State.OPEN

    @property
    def is_over(self) -> bool:
        """Whether the connection is to be closed once what there is to send has left."""
        protocol = self._protocol
        return protocol.handshake_exc is not None or protocol.state in (State.CLOSING, State.CLOSED)

    def receive(self, data: bytes, on_message: Callable[[bytes], None]) -> None:
        """Take bytes of the connection; ``on_message`` gets each SIP message."""
        protocol = self._protocol
        if protocol.state is State.CONNECTING:
            self._handshake_bytes += len(data)
            if self._handshake_bytes > HANDSHAKE_MAX:
                protocol.handshake_exc = ProtocolError("handshake too long")
                return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Request):
                protocol.send_response(protocol.accept(event))
            elif isinstance(event, Frame):
                self._receive_frame(event, on_message)

    def _receive_frame(self, frame: Frame, on_message: Callable[[bytes], None]) -> None:
        if frame.opcode is Opcode.PONG:
            self._pongs_owed = 0
        elif frame.opcode is Opcode.PING:
            self.pings += 1
            if self.pings > PINGS_MAX and self.is_open:
                self._protocol.fail(_POLICY, "too many pings")
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._message += frame.data
            if frame.fin:
                message = bytes(self._message)
                self._message.clear()
                self.messages += 1
                on_message(message)

    def send(self, message: bytes) -> None:
        """Send one SIP message: as text, as browsers' libraries like it, or as binary where it is none."""
        if not self.is_open:
            return
        try:
            message.decode("utf-8")
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)

    def ping(self) -> bool:
        """Ask whether the peer is there; False when it has left too many pings unanswered."""
        if not self.is_open:
            return True
        if self._pongs_owed >= PONGS_OWED_MAX:
            return False
        self._pongs_owed += 1
        self._protocol.send_ping(b"")
        return True

    def close(self) -> None:
        """Say good-bye."""
        if self.is_open:
            self._protocol.send_close(_NORMAL)

    def lost(self) -> None:
        """The connection is gone. Why it failed is forgotten: that holds frames which hold the protocol."""
        protocol = self._protocol
        if protocol.handshake_exc is not None:
            protocol.handshake_exc.__traceback__ = None  # the request, in that traceback, holds it too
        protocol.handshake_exc = protocol.parser_exc = None
        protocol.parser.close()

    def take(self) -> bytes:
        """Return what is to be sent now."""
        return b"".join(self._protocol.data_to_send())
