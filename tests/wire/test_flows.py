"""A phone that keeps two flows (RFC 5626) is baresip; between it and the switch, a wire that can be cut."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.wire.phones import Baresip, Sipp
from tests.wire.switch import Switch, free_media_ports, free_port, wait_until
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire


class Wire:
    """Carries TCP connections to ``port``. Whichever of several wires an INVITE comes over is cut, and the
    INVITE is lost: as often as there are ``shears``.
    """

    def __init__(self, port: int, shears: list[str]) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._shears = shears
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut it for good."""
        for end in (self._listener, *self._ends):
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        while True:
            try:
                data = source.recv(65_536)
            except OSError:
                data = b""
            if b"INVITE sip:" in data and self._shears:
                self._shears.pop()
                data = b""
                self._listener.close()
            if not data:
                for end in (source, target):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                return
            try:
                target.sendall(data)
            except OSError:
                return


def test_a_call_whose_flow_is_cut_comes_over_the_other(tmp_path: Path) -> None:
    """The INVITE dies with the connection that it was sent on; the phone rings once, and answers."""
    with Switch(tmp_path, wrap_up=0) as switch:
        shears = ["one"]
        wires = [Wire(switch.sip_port, shears) for _ in range(2)]
        ways = [f'"sip:127.0.0.1:{wire.port};transport=tcp"' for wire in wires]
        phone = Baresip(
            tmp_path,
            "2001",
            port=free_port(),
            control=free_port(),
            rtp=free_media_ports(16),
            sip_port=switch.sip_port,
            frequency=1000.0,
            answer="auto",
            transport="tcp",
            account=f";sipnat=outbound;outbound1={ways[0]};outbound2={ways[1]}",
        )
        with phone:
            admin = switch.rpc()
            wait_until("both flows are there", lambda: admin.call("admin.status")["sip"]["bindings"] == 2)
            caller_port = free_port()
            with Sipp(
                tmp_path, "caller", port=caller_port, target=f"127.0.0.1:{switch.sip_port}", service="96200"
            ) as caller:
                caller.finish()
            assert not shears
            log = (phone.folder / "out.log").read_text(errors="replace")
            assert log.count("answering call on line") == 1, log
        for wire in wires:
            wire.close()
        (row,) = rows_when_complete(switch, "calls", 1)
        assert (row["verdict"], row["called"]) == ("success", "96200")
