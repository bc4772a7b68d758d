import asyncio
import contextlib
import gc
import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError
from websockets.typing import Origin, Subprotocol

from config.schema import ConnectionSettings
from kernel.limits import SIP_MESSAGE_MAX
from seatswitch.shell.pump import Exits, Pump
from seatswitch.shell.stream import Streams
from seatswitch.shell.tls import Certificates
from seatswitch.shell.udp import bind_socket
from seatswitch.shell.websocket import HANDSHAKE_MAX, PINGS_MAX, WebSocket
from tests.certificates import Authority
from tests.seatswitch.shell.stubs import StubApi, StubNode, until
from tests.seatswitch.shell.test_tls import settings_of, trusting

SIP = [Subprotocol("sip")]


class Place:
    """A WebSocket listener on a stub node."""

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        certificates: Certificates | None = None,
        **options: Any,
    ) -> None:
        self.node, exits = StubNode(), Exits()
        pump = Pump(asyncio.get_running_loop(), self.node, StubApi(), exits)
        self.streams = exits.streams = Streams(pump, settings, certificates, **options)
        bound = bind_socket("sip.listen", "tcp", "127.0.0.1", 0)
        self.port = bound.getsockname()[1]
        self.scheme = "ws" if certificates is None else "wss"
        self.streams.listen(bound, 0, self.scheme)

    def connect(self, **options: Any) -> connect:
        options.setdefault("subprotocols", SIP)
        return connect(f"{self.scheme}://127.0.0.1:{self.port}/", compression=None, **options)

    async def finish(self) -> None:
        await self.streams.stop()
        await until(lambda: len(self.streams) == 0, "the last connection's end")


async def heard(place: Place, count: int = 1) -> list[bytes]:
    await until(lambda: len(place.node.heard("datagram")) >= count, "the message")
    return [it[1] for it in place.node.heard("datagram")]


async def test_one_frame_is_one_message_and_answers_come_as_frames() -> None:
    """R05, RFC 7118 5: subprotocol sip; whole messages, text or binary; answers over the same connection."""
    place = Place()
    async with place.connect() as phone:
        assert phone.subprotocol == "sip"
        await phone.send("REGISTER sip:a SIP/2.0\r\n")
        await phone.send(b"OPTIONS sip:\xff SIP/2.0\r\n")
        assert await heard(place, 2) == [b"REGISTER sip:a SIP/2.0\r\n", b"OPTIONS sip:\xff SIP/2.0\r\n"]
        flow = place.node.heard("datagram")[0][2]
        assert flow[:3] == ("ws", 0, "127.0.0.1")
        place.streams.send(flow, b"SIP/2.0 200 OK\r\n")
        place.streams.send(flow, b"SIP/2.0 200 \xff\r\n")
        assert await phone.recv() == "SIP/2.0 200 OK\r\n"
        assert await phone.recv() == b"SIP/2.0 200 \xff\r\n"
    await until(lambda: place.node.heard("closed") == [("closed", flow)], "the close")
    await place.finish()


async def test_message_in_several_frames_is_put_together() -> None:
    place = Place()
    async with place.connect() as phone:
        await phone.send(["INVITE ", "sip:a ", "SIP/2.0\r\n"])
        assert await heard(place) == [b"INVITE sip:a SIP/2.0\r\n"]
    await place.finish()


@pytest.mark.parametrize("subprotocols", [None, [Subprotocol("chat")]], ids=["none", "another"])
async def test_other_subprotocols_are_refused(subprotocols: list[Subprotocol] | None) -> None:
    """R05, RFC 7118 4.1: the client MUST ask for sip."""
    place = Place()
    with pytest.raises((InvalidStatus, NegotiationError)):
        async with place.connect(subprotocols=subprotocols):
            pass
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


@pytest.mark.parametrize(
    ("origin", "is_taken"),
    [("https://desk.example", True), ("https://evil.example", False), (None, True)],
    ids=["listed", "foreign", "no browser"],
)
async def test_only_listed_web_pages_may_come(origin: str | None, is_taken: bool) -> None:
    """R05: the Origin that a browser says is checked; who says none is no browser."""
    place = Place(ConnectionSettings(origins=("https://desk.example",)))
    with contextlib.nullcontext() if is_taken else pytest.raises(InvalidStatus, match="403"):
        async with place.connect(origin=None if origin is None else Origin(origin)) as phone:
            await phone.send("hello")
            await heard(place)
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


async def test_what_is_too_long_is_closed() -> None:
    """A SIP message has 65,535 bytes at most; 1009 is RFC 6455's word for more."""
    place = Place()
    async with place.connect() as phone:
        await phone.send("x" * SIP_MESSAGE_MAX)
        assert len((await heard(place))[0]) == SIP_MESSAGE_MAX
        await phone.send("x" * (SIP_MESSAGE_MAX + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await phone.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


async def raw(place: Place, data: bytes) -> bytes:
    """Send bytes and return everything until the switch closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(), 10.0)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 426"),
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", b""),
        (b"\x16\x03\x01" * 20 + b"\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * HANDSHAKE_MAX, b""),
    ],
    ids=["no upgrade", "plain SIP", "TLS", "endless headers"],
)
async def test_what_is_no_handshake_is_closed(data: bytes, answer: bytes) -> None:
    place = Place()
    assert (await raw(place, data)).startswith(answer)
    await until(lambda: len(place.streams) == 0, "nothing left")
    assert not place.node.heard("datagram")
    await place.finish()


async def test_silent_handshake_ends() -> None:
    place = Place(first_request_after=0.05, sweep_every=0.02)
    assert await raw(place, b"GET / HT") == b""
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: sip\r\n\r\n"
)
MASK = b"\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x05hello", 1002),  # RFC 6455 5.1: a client's frame without mask
        (b"\x81\xff" + (1 << 20).to_bytes(8, "big") + MASK, 1009),  # 1 MiB announced, none of it sent
        (b"\x81\xff" + (1 << 63).to_bytes(8, "big") + MASK, 1009),  # more than there can be
        (b"\x89\xfe\x00\x80" + MASK + b"x" * 128, 1002),  # a ping of 128 bytes (5.5)
        (b"\xf1\x85" + MASK + b"hello", 1002),  # reserved bits
        (b"\x83\x85" + MASK + b"hello", 1002),  # a reserved opcode
        (b"\x80\x85" + MASK + b"hello", 1002),  # a continuation of nothing
    ],
    ids=["unmasked", "1 MiB", "2^63", "long ping", "reserved bits", "reserved opcode", "continuation"],
)
async def test_broken_frames_are_closed(frame: bytes, code: int) -> None:
    """A-WS: before anything of them is believed; the code says why."""
    place = Place()
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(HANDSHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.write(frame)
    closing = await asyncio.wait_for(reader.read(), 10.0)
    assert closing[:1] == b"\x88"
    assert int.from_bytes(closing[2:4], "big") == code
    writer.close()
    assert not place.node.heard("datagram")
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


async def test_flood_of_pings_is_closed() -> None:
    """A-WS: each ping costs a pong; a few are welcome, a hundred between two looks are not."""
    place = Place(sweep_every=600.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    ping = b"\x89\x80" + MASK
    writer.write(ping * PINGS_MAX)
    assert await reader.readexactly(2 * PINGS_MAX) == b"\x8a\x00" * PINGS_MAX
    writer.write(ping * 10_000)
    with contextlib.suppress(ConnectionError):
        closing = (await asyncio.wait_for(reader.read(), 10.0)).replace(b"\x8a\x00", b"")
        assert closing[:1] == b"\x88"
        assert int.from_bytes(closing[2:4], "big") == 1008
    await until(lambda: len(place.streams) == 0, "nothing left")
    writer.close()
    await place.finish()


async def test_message_in_frames_without_end_is_closed() -> None:
    """A-WS, fragmented without end: a message must be whole in time, whatever comes."""
    place = Place(first_request_after=0.5, sweep_every=0.02)
    async with place.connect() as phone:
        await phone.send("REGISTER")
        await heard(place)

        async def endless() -> AsyncIterator[str]:
            while True:
                yield "x"
                await asyncio.sleep(0.005)

        with pytest.raises(ConnectionClosed):
            await phone.send(endless())
    assert await heard(place) == [b"REGISTER"]
    await until(lambda: len(place.streams) == 0, "nothing left")
    await place.finish()


async def silent(phone: ClientConnection) -> None:
    """Stop answering pings."""
    phone.protocol.receive_data = lambda data: None  # type: ignore[method-assign]


async def test_who_answers_no_ping_is_gone() -> None:
    place = Place(ConnectionSettings(ping_every=0.25), sweep_every=0.02)
    async with place.connect() as dead, place.connect() as alive:
        await dead.send("dead")
        await alive.send("alive")
        await heard(place, 2)
        await silent(dead)
        await until(lambda: place.node.heard("closed"), "the dead one's end")
        flows = {it[1]: it[2] for it in place.node.heard("datagram")}
        assert place.node.heard("closed") == [("closed", flows[b"dead"])]
    await place.finish()


async def test_secure_websocket(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    place = Place(certificates=Certificates(settings_of(authority, "127.0.0.1")))
    async with place.connect(ssl=trusting(authority)) as phone:
        await phone.send("REGISTER")
        assert await heard(place) == [b"REGISTER"]
        flow = place.node.heard("datagram")[0][2]
        assert flow.transport == "wss"
        place.streams.send(flow, b"SIP/2.0 200 OK\r\n\r\n")
        assert await phone.recv() == "SIP/2.0 200 OK\r\n\r\n"
        place.streams.close(flow)
        with pytest.raises(ConnectionClosed):
            await phone.recv()
    await place.finish()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300,
        HANDSHAKE.replace(b"sip\r\n", b"sip\r\nOrigin: https://elsewhere.example\r\n"),
        HANDSHAKE,
        HANDSHAKE + b"\x81\x85" + MASK + b"he",
        HANDSHAKE + b"\x81\x05hello",
    ],
    ids=["half", "no upgrade", "plain SIP", "headers", "origin", "open", "half a frame", "unmasked"],
)
def test_what_is_lost_leaves_no_garbage(data: bytes) -> None:
    """Issue 3, "flat memory": the library keeps why it failed, with the frames that hold the library."""
    gc.collect()
    gc.disable()
    try:
        web = WebSocket(["https://desk.example"])
        web.receive(data, lambda message: None)
        web.take()
        web.lost()
        del web
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_a_lost_connection_lets_go_of_its_websocket() -> None:
    place = Place()
    _, writer = await asyncio.open_connection("127.0.0.1", place.port)
    await until(lambda: len(place.streams) == 1, "the connection")
    connection = place.streams._by_number[1]
    writer.write(HANDSHAKE + b"\x81")
    await until(lambda: connection.web is not None and connection.web.is_open, "the handshake")
    writer.transport.abort()
    await until(lambda: len(place.streams) == 0, "the end")
    assert connection.web is not None
    assert inspect.getgeneratorstate(connection.web._protocol.parser) == inspect.GEN_CLOSED
    await place.finish()
