"""SIP over UDP: one socket per listener, straight from the loop into the pump and back.

The kernel is asked to keep ICMP errors with the address they are about (Linux ``IP_RECVERR``): a phone or
trunk that is gone is known after one round trip instead of 32 s of retransmissions (RFC 3261 18.4).
"""

import asyncio
import socket
import struct

from kernel.errors import OperatorError
from kernel.limits import SIP_MESSAGE_MAX
from kernel.timers import GRAIN
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
_SIZE_MAX = SIP_MESSAGE_MAX + 1  # one byte more, so that a message that is too long is known as such
_DATAGRAMS_PER_READ = 32  # then everybody else has a turn
_BUSY_FROM = 5  # datagrams within one grain
# Seconds between two reads of a busy socket at most. What a seat's answer asks of the media workers leaves at
# the end of the round, so this is also the longest that an answered caller and a seat wait for each other.
ROUND = 0.04
_CHORES_WITHIN = 2 * ROUND  # seconds, while a socket is never read to its end
_ENOUGH = 60  # datagrams that make a round worth a wake-up: 200 queue calls/s bring them in one ROUND
# What a round counts for the rate at which datagrams come, by one round later: phones that are answered
# in rounds send in bursts, and one round alone says too much or too little.
_REMEMBERED = 0.8


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


class UdpSocket:
    """One listening UDP socket; ``local`` is its index in ``SipSettings.listen``.

    A quiet socket is read as soon as something arrives. A busy one (:data:`_BUSY_FROM`) is left alone after
    each round, as a network card holds its interrupts back, and the node's timers run in the same round: a
    wake-up, with caches gone cold, costs more than several turns. It is left alone for as long as
    :data:`_ENOUGH` datagrams take to come, and :data:`ROUND` at most.
    """

    def __init__(self, pump: Pump, exits: Exits, local: int, bound: socket.socket) -> None:
        self._pump = pump
        self._bound = bound
        self._exits = exits
        self._local = local
        self._loop = asyncio.get_running_loop()
        self._receive = pump.node.receive_datagram
        self._settle = pump.settle
        # Read into one place and copied: recvfrom takes 64 KiB off the heap for each datagram and gives back
        # what is too much; what is made meanwhile and kept lies in that gap, and the heap grows and grows.
        self._buffer = memoryview(bytearray(_SIZE_MAX))
        self._recvfrom_into = bound.recvfrom_into
        self._sendto = bound.sendto
        self._is_drained = False  # the last read left nothing behind
        self._counted = 0  # datagrams since
        self._counted_from = 0.0
        self._next_round: asyncio.TimerHandle | None = None  # set while the socket is busy
        self._refused = 0  # errors that the operating system has told
        self._refused_before = 0  # at the last look
        self._round_from = 0.0  # when the socket was last left alone
        self._round_count = 0  # datagrams since
        self._seen = 0.0  # datagrams of the rounds before, the latest counting most
        self._seen_within = 0.0  # seconds that they took
        exits.udp[local] = self
        self._loop.add_reader(bound, self._on_readable)

    def send(self, flow: Flow, data: bytes) -> None:
        """Hand a datagram to the operating system."""
        try:
            self._sendto(data, flow[2:4])
        except OSError as error:
            self._take_refusal(flow, data, error)

    def close(self) -> None:
        """Nothing more comes or leaves through this socket."""
        if self._next_round is None:
            self._loop.remove_reader(self._bound)
        else:
            self._next_round.cancel()
            self._pump.release_timers()
        self._exits.udp.pop(self._local, None)
        self._bound.close()

    def _on_readable(self) -> None:
        count = self._read_some()
        now = monotonic()
        if now - self._counted_from >= GRAIN:
            self._counted_from = now
            self._counted = 0
        self._counted += count
        if self._counted >= _BUSY_FROM:
            self._loop.remove_reader(self._bound)
            self._pump.hold_timers()
            self._round_from = now
            self._round_count = 0
            self._seen = self._seen_within = 0.0
            self._next_round = self._loop.call_later(ROUND, self._on_round)
        elif count == 0 or self._refused != self._refused_before:
            self._refused_before = self._refused
            self._watch_again()

    def _watch_again(self) -> None:
        """Have the loop look at the socket again: libuv looks away for good at an error it sees there, which
        is what ICMP about one peer looks like.
        """
        if self._next_round is None and self._bound.fileno() >= 0:
            self._loop.remove_reader(self._bound)
            self._loop.add_reader(self._bound, self._on_readable)

    def _on_round(self) -> None:
        count = 1
        try:
            count = self._read_some()
            self._pump.run_timers()
            # The shell's chores are done once a round, when all has been read: one write to a media worker is
            # one wake-up of it, and the journal's thread need not wait for us to let go of the interpreter.
            if self._is_drained or monotonic() - self._round_from > _CHORES_WITHIN:
                self._pump.rounds.run()
        finally:
            self._end_round(count)  # whatever happens: a socket that is read no more is a dead switch

    def _end_round(self, count: int) -> None:
        self._round_count += count
        if self._round_count == 0 and self._is_drained:
            self._next_round = None
            self._counted = 0
            self._loop.add_reader(self._bound, self._on_readable)
            self._pump.release_timers()
            return
        # What is left is read at once, but after everybody else had a turn. The count does not say whether
        # there is more: each ICMP error takes the place of a datagram.
        pause = 0.0
        if self._is_drained:
            now = monotonic()
            self._seen = self._seen * _REMEMBERED + self._round_count
            self._seen_within = self._seen_within * _REMEMBERED + now - self._round_from
            pause = min(ROUND, _ENOUGH * self._seen_within / self._seen)
            self._round_from = now
            self._round_count = 0
        self._next_round = self._loop.call_later(pause, self._on_round)

    def _read_some(self) -> int:
        """Take what has arrived, each datagram a turn; return how many. The hot path of the shell."""
        count = 0
        self._is_drained = False
        for _ in range(_DATAGRAMS_PER_READ):
            try:
                size, source = self._recvfrom_into(self._buffer)
                data = bytes(self._buffer[:size])
            except BlockingIOError:
                self._is_drained = True
                break
            except OSError:
                self._refused += 1
                self._pump.refused_datagrams += 1
                self._fail_unreachable()
                continue
            count += 1
            now = monotonic()
            try:
                # tuple.__new__ skips the keyword handling of a NamedTuple: 0.1 instead of 0.3 us.
                flow = tuple.__new__(Flow, ("udp", self._local, source[0], source[1], 0, ""))
                self._receive(data, flow, now)
            except Exception as bug:
                self._pump.note_bug(bug)
        if count:
            self._settle(now)
        return count

    def _take_refusal(self, flow: Flow, data: bytes, error: OSError) -> None:
        """Fail the flows that ICMP has named, or the one the operating system refuses to send on."""
        self._pump.refused_datagrams += 1
        self._refused += 1
        if isinstance(error, BlockingIOError):
            return  # the send buffer is full: lost as on the network, and sent again when its timer says so
        if self._fail_unreachable():
            # The kernel reported an earlier peer's ICMP error instead of sending: send again.
            try:
                self._sendto(data, flow[2:4])
                return
            except OSError:
                self._pump.refused_datagrams += 1
        self._fail(flow)

    def _fail_unreachable(self) -> bool:
        """Fail the flow of every ICMP error that waits; True if any waited."""
        waited = False
        for _ in range(_ERRORS_PER_READ):
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
        if waited:
            # On a later round: the loop may have seen the error in this one, and not told us yet.
            self._loop.call_soon(self._watch_again)
        return waited

    def _fail(self, flow: Flow) -> None:
        # On a later round: this may be inside the turn that sends.
        self._loop.call_soon(self._pump.turn, self._pump.node.flow_failed, flow)


def open_udp(pump: Pump, exits: Exits, local: int, bound: socket.socket) -> UdpSocket:
    """Serve ``bound`` from now on."""
    widen_buffers(bound)
    if bound.family in _KEEP_ERRORS:
        bound.setsockopt(*_KEEP_ERRORS[bound.family], 1)
    return UdpSocket(pump, exits, local, bound)
