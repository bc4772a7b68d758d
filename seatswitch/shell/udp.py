"""SIP over UDP: one socket per listener, straight from the loop into the pump and back.

The kernel is asked to keep ICMP errors with the address they are about (Linux ``IP_RECVERR``): a phone or
trunk that is gone is known after one round trip instead of 32 s of retransmissions (RFC 3261 18.4).
"""

import asyncio
import socket
import struct
from typing import Any

import structlog

from kernel.errors import OperatorError
from kernel.limits import SIP_MESSAGE_MAX
from seatswitch.shell.clock import monotonic
from seatswitch.shell.pump import Exits, Pump
from sip.flows import Flow

BUFFER = 4 * 1024 * 1024  # bytes asked of the kernel each way: 2 s of a burst at 1,000 calls/s
_FORCE = {socket.SO_RCVBUF: 33, socket.SO_SNDBUF: 32}  # Linux SO_RCVBUFFORCE, SO_SNDBUFFORCE

# Linux: (level, option) by family that turns ICMP errors into messages on the socket's error queue.
_KEEP_ERRORS = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_ERROR = struct.Struct("=IBBB")  # the beginning of struct sock_extended_err: errno, origin, type, code
# (origin, type): ICMP 3 and ICMPv6 1, destination unreachable; RFC 3261 18.4 ignores the others.
_UNREACHABLE = {(2, 3), (3, 1)}
_TOO_BIG = 4  # ICMP code: fragmentation needed, which the kernel deals with
_ERRORS_PER_READ = 64

log = structlog.get_logger()


def bind_socket(key: str, transport: str, host: str, port: int) -> socket.socket:
    """Return a bound, non-blocking socket; TCP sockets are not listening yet.

    Raises OperatorError that names ``key``, the address and what to do.
    """
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    where = f"{key}: {transport}://{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=kind, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise OperatorError(where, f"the host is not known here ({error.strerror})") from error
    bound = socket.socket(family, kind, protocol)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OperatorError(where, _why_not_bound(transport, port, error)) from error
    bound.setblocking(False)
    return bound


def _why_not_bound(transport: str, port: int, error: OSError) -> str:
    flag = "u" if transport == "udp" else "t"
    if error.errno == 98:
        return (
            f"the port is taken by another program; stop it (ss -l{flag}np 'sport = :{port}' names it) "
            "or listen on another port"
        )
    if error.errno == 99:
        return "this machine has no such address; listen on one that `ip addr` shows"
    if error.errno == 13:
        return "ports below 1024 need a right this user does not have; choose another port"
    return f"cannot listen ({error.strerror})"


def widen_buffers(bound: socket.socket) -> None:
    """Ask for :data:`BUFFER` bytes each way: by force where we may, else what the system allows."""
    for option, force in _FORCE.items():
        try:
            bound.setsockopt(socket.SOL_SOCKET, force, BUFFER)
        except OSError:
            bound.setsockopt(socket.SOL_SOCKET, option, BUFFER)


class UdpSocket(asyncio.DatagramProtocol):
    """One listening UDP socket; ``local`` is its index in ``SipSettings.listen``."""

    def __init__(self, pump: Pump, exits: Exits, local: int, bound: socket.socket | None = None) -> None:
        self._pump = pump
        self._bound = bound  # for its error queue
        self._is_resending = False
        self._exits = exits
        self._local = local
        self._receive = pump.node.receive_datagram
        self._settle = pump.settle

    def connection_made(self, transport: Any) -> None:
        """Offer the transport as the way out; take whole datagrams on the stock loop, too."""
        if hasattr(transport, "max_size"):
            transport.max_size = SIP_MESSAGE_MAX + 1
        self._exits.udp[self._local] = transport

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """One turn. The hot path of the shell: about 13 of these per call."""
        now = monotonic()
        try:
            # tuple.__new__ skips the keyword handling of a NamedTuple: 0.1 instead of 0.3 us.
            self._receive(data, tuple.__new__(Flow, ("udp", self._local, source[0], source[1], 0)), now)
        except Exception as bug:
            self._pump.note_bug(bug)
        self._settle(now)

    def error_received(self, error: Exception) -> None:
        """Fail the flows that ICMP has named, and the one the operating system refuses to send on."""
        pump = self._pump
        pump.refused_datagrams += 1
        was_about_others = self._fail_unreachable()
        if pump.sending is None:
            return
        flow, data = pump.sending
        sender = self._exits.udp.get(self._local)
        if was_about_others and not self._is_resending and sender is not None:
            # The kernel reports an earlier peer's ICMP error instead of sending: send again.
            self._is_resending = True
            sender.sendto(data, flow[2:4])
            self._is_resending = False
        elif not was_about_others:
            self._fail(flow)

    def _fail_unreachable(self) -> bool:
        """Fail the flow of every ICMP error that waits; True if any waited."""
        waited = False
        for _ in range(_ERRORS_PER_READ if self._bound is not None else 0):
            assert self._bound is not None
            try:
                _, notes, _, peer = self._bound.recvmsg(64, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except OSError:
                break
            waited = True
            for level, option, note in notes:
                if (level, option) not in _KEEP_ERRORS.values() or len(note) < _ERROR.size:
                    continue
                _, origin, kind, code = _ERROR.unpack_from(note)
                if (origin, kind) in _UNREACHABLE and (origin, code) != (2, _TOO_BIG):
                    self._fail(Flow("udp", self._local, peer[0], peer[1]))
        return waited

    def _fail(self, flow: Flow) -> None:
        # On a later round: this may be inside the turn that sends.
        asyncio.get_running_loop().call_soon(self._pump.turn, self._pump.node.flow_failed, flow)

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more leaves through this socket."""
        self._exits.udp.pop(self._local, None)


async def open_udp(pump: Pump, exits: Exits, local: int, bound: socket.socket) -> asyncio.DatagramTransport:
    """Serve ``bound`` and return its transport."""
    widen_buffers(bound)
    if bound.family in _KEEP_ERRORS:
        bound.setsockopt(*_KEEP_ERRORS[bound.family], 1)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: UdpSocket(pump, exits, local, bound), sock=bound
    )
    return transport
