import asyncio
import contextlib
import socket
from functools import partial
from itertools import count
from typing import Any

from config.schema import ConnectionSettings
from seatswitch.shell.pump import Exits, Pump
from seatswitch.shell.stream import UNSENT_MAX, Streams
from seatswitch.shell.udp import bind_socket
from sip.flows import Flow
from tests.seatswitch.shell.stubs import StubApi, StubNode, until


def has_heard(node: StubNode, data: bytes) -> bool:
    return any(it[1] == data for it in node.heard("stream"))


async def serve(**bounds: Any) -> tuple[StubNode, Pump, Streams, tuple[str, int]]:
    node, exits = StubNode(), Exits()
    pump = Pump(asyncio.get_running_loop(), node, StubApi(), exits)
    streams = exits.streams = Streams(pump, **bounds)
    bound = bind_socket("sip.listen", "tcp", "127.0.0.1", 0)
    address = bound.getsockname()
    streams.listen(bound, 0)
    return node, pump, streams, address


async def finish(streams: Streams, *writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    await streams.stop()
    await until(lambda: len(streams) == 0, "the last connection's end")


async def test_bytes_pass_as_they_are_and_the_answer_comes_back_on_the_connection() -> None:
    """Framing is the stack's; the shell cuts nothing and joins nothing."""
    node, pump, streams, address = await serve()
    reader, writer = await asyncio.open_connection(*address)
    pieces = [b"\r\n\r\n", b"OPTIONS sip:a SIP/2.0\r\nContent-Le", b"ngth: 0\r\n\r\n"]
    for piece in pieces:
        writer.write(piece)
        await until(partial(has_heard, node, piece), "the piece")
    flow = node.inputs[0][2]
    assert [it[1] for it in node.inputs] == pieces
    assert flow[:3] == ("tcp", 0, "127.0.0.1")
    assert flow.port == writer.get_extra_info("sockname")[1]
    assert flow.connection > 0
    pump.turn(lambda now: node.stack.datagrams.put((flow, b"SIP/2.0 200 OK\r\n")))
    assert await reader.readexactly(16) == b"SIP/2.0 200 OK\r\n"
    pump.turn(lambda now: node.stack.closes.put(flow))
    assert await reader.read() == b""
    await until(lambda: node.heard("closed"), "the close")
    assert node.heard("closed") == [("closed", flow)]
    await finish(streams, writer)


async def test_connection_to_a_peer_is_opened_once_and_used_again() -> None:
    node, _, streams, _ = await serve()
    heard: list[bytes] = []
    accepted: list[asyncio.StreamWriter] = []

    async def trunk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        while data := await reader.read(100):
            heard.append(data)
        writer.close()

    server = await asyncio.start_server(trunk, "127.0.0.1", 0)
    peer = Flow("tcp", 0, *server.sockets[0].getsockname())
    streams.send(peer, b"one ")
    streams.send(peer, b"two ")  # before the handshake is done
    await until(lambda: b"".join(heard) == b"one two ", "both messages")
    streams.send(peer, b"three")
    await until(lambda: b"".join(heard) == b"one two three", "the third message")
    assert len(accepted) == 1
    accepted[0].write(b"SIP/2.0 100 Trying\r\n\r\n")
    await until(lambda: node.heard("stream"), "the answer")
    flow = node.heard("stream")[0][2]
    assert (flow.host, flow.port) == (peer.host, peer.port)
    accepted[0].close()
    await until(lambda: node.heard("failed"), "the loss")
    # Whoever waits for an answer asked over "any connection to that peer": both names of it end.
    assert node.inputs[-2:] == [("closed", flow), ("failed", peer)]
    server.close()
    await finish(streams)


async def test_refused_connection_and_unknown_number_fail_their_flow() -> None:
    """Fault list, "trunk down": TCP refused comes back as an input, never inside a turn."""
    node, _, streams, _ = await serve()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = Flow("tcp", 0, *closed.getsockname())
    streams.send(nobody, b"INVITE")
    gone = Flow("tcp", 0, "127.0.0.1", 5060, 77)
    streams.send(gone, b"BYE")
    assert node.heard("failed") == []
    await until(lambda: len(node.heard("failed")) == 2, "both failures")
    assert {it[1] for it in node.heard("failed")} == {nobody, gone}
    await finish(streams)


async def test_connections_are_bounded_per_source_and_in_all() -> None:
    _, _, streams, address = await serve(settings=ConnectionSettings(per_source_max=2))
    _, first = await asyncio.open_connection(*address)
    _, second = await asyncio.open_connection(*address)
    await until(lambda: len(streams) == 2, "two connections")
    reader, third = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    assert (len(streams), streams.refused) == (2, 1)
    first.close()
    await until(lambda: len(streams) == 1, "one connection")
    _, fourth = await asyncio.open_connection(*address)
    await until(lambda: len(streams) == 2, "the place that was freed")
    await finish(streams, second, third, fourth)


async def test_who_never_speaks_is_closed_before_who_was_silent_for_a_while() -> None:
    node, _, streams, address = await serve(first_request_after=3600.0, sweep_every=0.02)
    silent, silent_writer = await asyncio.open_connection(*address)
    _, polite = await asyncio.open_connection(*address)
    polite.write(b"OPTIONS")
    await until(partial(has_heard, node, b"OPTIONS"), "the request")
    streams._first_request_after = 0.05
    with contextlib.suppress(ConnectionResetError):
        assert await silent.read() == b""
    await until(lambda: len(node.heard("closed")) == 1, "the close")
    assert len(streams) == 1
    await finish(streams, silent_writer, polite)


async def test_peer_that_does_not_read_is_dropped() -> None:
    node, _, streams, address = await serve()
    _reader, writer = await asyncio.open_connection(*address, limit=1024)
    writer.write(b"x")
    await until(lambda: node.inputs, "the flow")
    flow = node.inputs[0][2]
    for _ in range(200):  # loopback buffers hold a few MB
        streams.send(flow, b"y" * (UNSENT_MAX // 8))
    await until(lambda: node.heard("closed"), "the drop")
    assert node.heard("closed") == [("closed", flow)]
    writer.close()
    await finish(streams)


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte again and again, until there is nobody to take it."""
    with contextlib.suppress(OSError):
        while not writer.is_closing():
            writer.write(b"I")
            await writer.drain()
            await asyncio.sleep(0.005)


async def test_who_sends_byte_by_byte_is_closed() -> None:
    """A-FLOOD2: bytes are no request: the first one must be whole in time, and so must every later one; who
    ends one message after the other stays.
    """
    node, _, streams, address = await serve(first_request_after=0.1, sweep_every=0.02)
    node.stack.stream_progress = lambda flow: (0, True)
    _, first = await asyncio.open_connection(*address)
    await until(lambda: len(streams) == 1, "the first connection")
    dripping = asyncio.ensure_future(drip(first))
    await until(lambda: len(node.heard("closed")) == 1, "the end of who never ends a request")
    await dripping
    number, ended = node.heard("closed")[0][1].connection, count(2)
    node.stack.stream_progress = lambda flow: (1 if flow.connection == number + 1 else next(ended), True)
    _, slow = await asyncio.open_connection(*address)
    _, busy = await asyncio.open_connection(*address)
    drips = [asyncio.ensure_future(drip(it)) for it in (slow, busy)]
    await until(lambda: len(node.heard("closed")) == 2, "the end of who is slow")
    assert [it[1].connection for it in node.heard("closed")[1:]] == [number + 1]
    assert len(streams) == 1
    await finish(streams, first, slow, busy)
    await asyncio.gather(*drips)


async def test_a_thousand_idle_connections_leave_room_for_a_good_one() -> None:
    """A-FLOOD2: of one host only so many are taken, the rest are closed at once; another host comes in, and
    when their time is over all descriptors are free again.
    """
    settings = ConnectionSettings(connections_max=300, per_source_max=200)
    node, _, streams, address = await serve(settings=settings, first_request_after=3600.0, sweep_every=0.05)
    idle = []
    for _ in range(1_000):
        one = socket.socket()
        one.connect(address)
        idle.append(one)
        await asyncio.sleep(0)
    await until(lambda: streams.refused == 800, "the refusals")
    assert len(streams) == 200
    good = socket.socket()
    good.bind(("127.0.0.2", 0))
    good.setblocking(False)
    await asyncio.get_running_loop().sock_connect(good, address)
    await asyncio.get_running_loop().sock_sendall(good, b"OPTIONS")
    await until(lambda: node.heard("stream"), "the good request")
    assert node.heard("stream")[0][2].host == "127.0.0.2"
    streams._first_request_after = 0.05  # their time is over now, however long it took to connect
    await until(lambda: len(streams) == 1, "the idle ones' end")
    for one in (*idle, good):
        one.close()
    await finish(streams)
