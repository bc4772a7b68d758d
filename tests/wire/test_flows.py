"""A phone that keeps two flows (RFC 5626) is baresip; between it and the switch, a wire that can be cut."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, Sipp
from tests.wire.switch import Switch, wait_until
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


def test_answers_find_a_caller_whose_connection_is_gone(tmp_path: Path) -> None:
    """RFC 3261 18.2.2: it hangs up its connection behind the INVITE, and is answered where its Via says."""
    body = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"
    )
    with Switch(tmp_path, wrap_up=0) as switch, socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        invite = (
            f"INVITE sip:96198@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:{port};branch=z9hG4bKgone\r\n"
            "From: <sip:1390000@carrier.example>;tag=f\r\nTo: <sip:96198@127.0.0.1>\r\nCall-ID: gone\r\n"
            f"CSeq: 1 INVITE\r\nContact: <sip:c@127.0.0.1:{port};transport=tcp>\r\nMax-Forwards: 70\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        with socket.create_connection(("127.0.0.1", switch.sip_port)) as gone:
            gone.sendall(invite.encode())
        listener.settimeout(10)
        back, _ = listener.accept()
        with back:
            back.settimeout(10)
            heard = b""
            while b"SIP/2.0 200" not in heard or not heard.endswith(b"\r\n"):
                more = back.recv(65_536)
                assert more, heard
                heard += more
            assert b"branch=z9hG4bKgone" in heard
            assert b"m=audio" in heard
