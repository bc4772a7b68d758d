"""The command line's JSON-RPC client: addresses, answers, and what is said when nobody answers."""

import socket
from pathlib import Path

import pytest

from kernel.errors import OperatorError
from seatswitch.shell.client import Client, RpcFailed
from tests.seatswitch.shell.rpc_stub import METHODS, QUEUES, STATUS, Refused, StubSwitch


def test_requests_over_a_unix_socket(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch, Client(switch.address) as client:
        assert client.call("queue.list") == QUEUES
        assert client.call("echo", {"text": "投诉"}) == {"text": "投诉"}
        assert client.batch(["queue.list", "admin.status"]) == [QUEUES, STATUS]
    with StubSwitch(tmp_path / "t.sock") as switch, Client(f"unix://{switch.address}") as client:
        assert client.call("admin.status") == STATUS


def test_requests_over_tcp_show_the_token_first() -> None:
    with StubSwitch() as switch:
        with Client(switch.address, token="right") as client:
            assert client.call("admin.status") == STATUS
        assert switch.asked == ["session.token", "admin.status"]
        with pytest.raises(RpcFailed, match="wrong token"):
            Client(switch.address, token="wrong")


def test_a_refusal_carries_code_and_word(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch, Client(switch.address) as client:
        with pytest.raises(RpcFailed) as caught:
            client.call("seat.get", {"seat": "1"})
        assert (caught.value.code, caught.value.word) == (-32010, "NO_SUCH_SEAT")
        assert str(caught.value) == "NO_SUCH_SEAT: there is no such seat"
        with pytest.raises(RpcFailed, match=r"^error -32601: there is no such method$"):
            client.call("seat.fly")
        with pytest.raises(RpcFailed, match="there is no such method"):
            client.batch(["seat.list", "seat.fly"])


def test_nobody_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    missing = tmp_path / "s.sock"
    with pytest.raises(OperatorError) as caught:
        Client(str(missing))
    assert str(caught.value) == (
        f"no switch answers at {missing}: "
        "is `seatswitch run` running? --socket, before the command, names another"
    )
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(missing))
    with pytest.raises(OperatorError, match="no switch answers"):
        Client(str(missing))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OperatorError, match="no switch answers at tcp://"):
        Client(f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["tcp://", "tcp://host", "tcp://host:port", "tcp://host:70000"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(OperatorError, match=f"^{address}: is not tcp://HOST:PORT$"):
        Client(address)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"SSH-2.0-OpenSSH\n", "what answers there does not speak JSON-RPC"),
        (b"", "the switch closed the connection"),
        (b'{"jsonrpc":"2.0"', "the switch closed the connection"),
    ],
)
def test_a_stranger_at_the_socket_is_told(tmp_path: Path, raw: bytes, why: str) -> None:
    with (
        StubSwitch(tmp_path / "s.sock", raw=raw) as switch,
        Client(switch.address) as client,
        pytest.raises(OperatorError, match=why),
    ):
        client.call("admin.status")


def test_a_silent_switch_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s.sock"))
        silent.listen()
        with (
            Client(str(tmp_path / "s.sock"), within=0.05) as client,
            pytest.raises(OperatorError, match=r"did not answer within 0\.05 s"),
        ):
            client.call("admin.status")


def test_an_error_for_a_whole_batch_is_told(tmp_path: Path) -> None:
    raw = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too many"}}\n'
    with (
        StubSwitch(tmp_path / "s.sock", raw=raw) as switch,
        Client(switch.address) as client,
        pytest.raises(RpcFailed, match="error -32600: too many"),
    ):
        client.batch(["seat.list"])


def test_over_tcp_without_a_token_a_refusal_says_how_to_show_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(params: object) -> object:
        raise Refused(-32001, "NO_RIGHT: seat.list: sign in or present a token", "NO_RIGHT")

    monkeypatch.setitem(METHODS, "seat.list", refuse)
    why = "NO_RIGHT: seat.list: sign in or present a token"
    with StubSwitch() as switch:
        with Client(switch.address) as client:
            for ask in (lambda: client.call("seat.list"), lambda: client.batch(["seat.list"])):
                with pytest.raises(RpcFailed) as caught:
                    ask()
                assert str(caught.value).startswith(f"{why} (the environment variable SEATSWITCH_TOKEN ")
        with Client(switch.address, token="right") as client, pytest.raises(RpcFailed) as caught:
            client.call("seat.list")
        assert str(caught.value) == why
