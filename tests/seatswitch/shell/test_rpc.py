import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from kernel.errors import OperatorError
from seatswitch.shell.pump import Exits, Pump
from seatswitch.shell.rpc import RpcServers, bind_unix, make_private_folder
from tests.seatswitch.shell.stubs import StubApi, StubNode, until


async def serve(*urls: str, api: StubApi | None = None, **bounds: Any) -> tuple[StubApi, Pump, RpcServers]:
    api, exits = api or StubApi(), Exits()
    pump = Pump(asyncio.get_running_loop(), StubNode(), api, exits)
    servers = exits.replies = RpcServers(pump, **bounds)
    for url in urls:
        await servers.listen(url)
    return api, pump, servers


async def finish(servers: RpcServers, *writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    await servers.stop()
    await until(lambda: len(servers) == 0, "the last client's end")


async def test_unix_clients_are_admin_and_tcp_clients_nobody(tmp_path: Path) -> None:
    """Contract 4: unix: file permissions; tcp: token or seat login."""
    path = tmp_path / "run" / "deep" / "switch.sock"
    api, _, servers = await serve(f"unix://{path}", "tcp://127.0.0.1:0")
    unix_reader, unix_writer = await asyncio.open_unix_connection(str(path))
    unix_writer.write(b'{"id":1}\n')
    assert await unix_reader.readline() == b'{"ok":true}\n'
    tcp_reader, tcp_writer = await asyncio.open_connection(*servers.addresses()[0])
    tcp_writer.write(b'{"id":2}\n')
    assert await tcp_reader.readline() == b'{"ok":true}\n'
    assert api.inputs == [
        ("opened", 1, "admin"),
        ("received", 1, b'{"id":1}'),
        ("opened", 2, ""),
        ("received", 2, b'{"id":2}'),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    await finish(servers, unix_writer, tcp_writer)
    assert not path.exists()


async def test_every_desk_may_come_back_at_once(tmp_path: Path) -> None:
    """As after a restart: nobody is told that the switch is busy, while the loop has not yet had a turn."""
    path = tmp_path / "switch.sock"
    _, _, servers = await serve(f"unix://{path}")
    desks = [socket.socket(socket.AF_UNIX) for _ in range(300)]
    for desk in desks:
        desk.setblocking(False)
        desk.connect(str(path))  # BlockingIOError where the queue is full
    await until(lambda: len(servers) == 300, "every desk")
    for desk in desks:
        desk.close()
    await finish(servers)


async def test_lines_are_cut_however_they_come() -> None:
    api, _, servers = await serve("tcp://127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*servers.addresses()[0])
    writer.write(b'{"a"')
    await until(lambda: api.inputs, "the connection")
    writer.write(b':1}\r\n\n  \n{"b":2}\n{"c"')
    assert await reader.readline() == b'{"ok":true}\n'
    assert await reader.readline() == b'{"ok":true}\n'
    writer.write(b":3}\n")
    assert await reader.readline() == b'{"ok":true}\n'
    assert [it[2].strip() for it in api.inputs if it[0] == "received"] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    await finish(servers, writer)


async def test_flood_of_lines_is_answered_in_order_over_several_rounds() -> None:
    api, _, servers = await serve("tcp://127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*servers.addresses()[0])
    lines = [b'{"id":%d}' % number for number in range(1000)]
    writer.write(b"\n".join(lines) + b"\n")
    for _ in lines:
        assert await reader.readline() == b'{"ok":true}\n'
    assert [it[2] for it in api.inputs if it[0] == "received"] == lines
    await finish(servers, writer)


@pytest.mark.parametrize("ending", [b"", b"\n"])
async def test_line_without_end_is_answered_and_the_client_closed(ending: bytes) -> None:
    api, _, servers = await serve("tcp://127.0.0.1:0", line_max=1000)
    reader, writer = await asyncio.open_connection(*servers.addresses()[0])
    writer.write(b"x" * 1001 + ending)
    answer = await reader.read()
    assert b'"code":-32600,"message":"line longer than 1000 bytes"' in answer
    await until(lambda: ("closed", 1) in api.inputs, "the close")
    assert not [it for it in api.inputs if it[0] == "received"]
    await finish(servers, writer)


async def test_clients_are_bounded() -> None:
    api, _, servers = await serve("tcp://127.0.0.1:0", connections_max=1)
    address = servers.addresses()[0]
    _, first = await asyncio.open_connection(*address)
    await until(lambda: len(servers) == 1, "the first client")
    reader, second = await asyncio.open_connection(*address)
    assert b"too many connections" in await reader.read()
    assert api.inputs == [("opened", 1, "")]
    await finish(servers, first, second)


async def test_slow_reader_is_disconnected_and_costs_the_others_nothing() -> None:
    """Fault list, "slow JSON-RPC client": bounded, closed, the others unaffected."""
    api, pump, servers = await serve("tcp://127.0.0.1:0", backlog_max=100_000)
    address = servers.addresses()[0]
    _slow_reader, slow = await asyncio.open_connection(*address, limit=1024)
    await until(lambda: len(servers) == 1, "the slow client")
    quick_reader, quick = await asyncio.open_connection(*address)
    await until(lambda: len(servers) == 2, "the quick client")
    event = b'{"method":"event","params":"' + b"x" * 50_000 + b'"}'
    sent = 0
    while ("closed", 1) not in api.inputs and sent < 1000:
        pump.turn(lambda now: [api.replies.put((number, event)) for number in (1, 2)])
        sent += 1
        assert await quick_reader.readexactly(len(event) + 1) == event + b"\n"
    assert ("closed", 1) in api.inputs
    assert ("closed", 2) not in api.inputs
    await finish(servers, slow, quick)


async def test_api_closes_a_client_after_its_last_reply() -> None:
    api, pump, servers = await serve("tcp://127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*servers.addresses()[0])
    await until(lambda: len(servers) == 1, "the client")

    def take_over(now: float) -> None:
        api.replies.put((1, b"{}"))
        api.closes.put((1, "taken over"))

    pump.turn(take_over)
    assert await reader.read() == b"{}\n"
    await until(lambda: ("closed", 1) in api.inputs, "the close")
    await finish(servers, writer)


def test_socket_of_a_dead_process_is_replaced_and_of_a_live_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "switch.sock"
    dead = bind_unix(path)
    dead.listen()
    dead.close()
    live = bind_unix(path)
    live.listen()
    with pytest.raises(OperatorError, match="another switch is listening there") as caught:
        bind_unix(path)
    assert caught.value.where == f"rpc.listen: unix://{path}"
    live.close()


def test_paths_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a socket")
    with pytest.raises(OperatorError, match="no socket; remove it or choose another path"):
        bind_unix(tmp_path / "file")
    with pytest.raises(OperatorError, match="longer than the 107 bytes"):
        bind_unix(tmp_path / ("x" * 120))
    with pytest.raises(OperatorError, match=r"not a folder|cannot be created"):
        make_private_folder(tmp_path / "file" / "below")


async def test_port_taken_and_unknown_kinds_are_refused() -> None:
    _, _, servers = await serve()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OperatorError, match=f"tcp://127.0.0.1:{port}: the port is taken"):
            await servers.listen(f"tcp://127.0.0.1:{port}")
    with pytest.raises(OperatorError, match="is not tcp://HOST:PORT"):
        await servers.listen("tcp://127.0.0.1")
    with pytest.raises(OperatorError, match="neither unix://PATH nor tcp://HOST:PORT"):
        await servers.listen("carrier-pigeon://loft")


async def test_socket_file_of_a_successor_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "switch.sock"
    _, _, servers = await serve(f"unix://{path}")
    os.rename(path, tmp_path / "moved")
    path.write_text("somebody else's")
    await servers.stop()
    assert path.exists()
