"""A JSON-RPC client for the command line: blocking, one JSON text per line, over a Unix socket or TCP."""

import json
import socket
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from kernel.errors import OperatorError

DEFAULT_ADDRESS = "run/seatswitch.sock"
ANSWER_WITHIN = 10.0  # seconds
LINE_MAX = 64 * 1024 * 1024  # bytes of one answer; a thousand seats are about half a megabyte


class RpcFailed(OperatorError):
    """The switch refused a request."""

    def __init__(self, code: int, message: str, word: str = "") -> None:
        super().__init__(word or f"error {code}", message.removeprefix(f"{word}: ") if word else message)
        self.code = code
        self.word = word


class Client:
    """One connection; requests are answered in turn.

    ``address`` is a path, ``unix://PATH`` or ``tcp://HOST:PORT``. ``token`` is what a TCP connection shows
    first. Raises OperatorError when nobody answers there.
    """

    def __init__(self, address: str, *, token: str = "", within: float = ANSWER_WITHIN) -> None:
        self._address = address
        self._within = within
        self._number = 0
        # Over a Unix socket the file's rights say who may; over TCP a token does.
        self._lacks_token = address.startswith("tcp://") and not token
        self._socket = self._connect()
        self._file = self._socket.makefile("rb")
        if token:
            try:
                self.call("session.token", {"token": token})
            except OperatorError:
                self.close()
                raise

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the result of one request. Raises :class:`RpcFailed` when the switch refuses it."""
        self._number += 1
        self._send(_request(self._number, method, params))
        while True:
            answer = self._receive()
            if (
                isinstance(answer, dict)
                and "method" not in answer
                and answer.get("id") in (self._number, None)
            ):
                return self._result(answer)

    def batch(self, methods: Iterable[str]) -> list[Any]:
        """Return the results of several requests without parameters, all of the same moment."""
        requests = []
        for method in methods:
            self._number += 1
            requests.append(_request(self._number, method, None))
        self._send(requests)
        while True:
            answers = self._receive()
            if isinstance(answers, list):
                break
            if isinstance(answers, dict) and "method" not in answers:
                return [self._result(answers)]  # an error for the batch as a whole
        by_number = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        missing = {"error": {"code": 0, "message": "the switch left a request of a batch unanswered"}}
        return [self._result(by_number.get(request["id"], missing)) for request in requests]

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def _connect(self) -> socket.socket:
        address = self._address
        try:
            if address.startswith("tcp://"):
                return socket.create_connection(_host_and_port(address), self._within)
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self._within)
            try:
                connection.connect(address.removeprefix("unix://"))
            except OSError:
                connection.close()
                raise
            return connection
        except PermissionError as error:
            raise OperatorError(
                address, "the switch's socket is another user's; use sudo or --socket"
            ) from error
        except OSError as error:
            raise OperatorError(
                f"no switch answers at {address}",
                "is `seatswitch run` running? --socket, before the command, names another",
            ) from error

    def _send(self, request: object) -> None:
        try:
            self._socket.sendall(json.dumps(request, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise self._lost() from error

    def _receive(self) -> Any:
        try:
            line = self._file.readline(LINE_MAX)
        except TimeoutError as error:
            raise OperatorError(
                self._address,
                f"the switch did not answer within {self._within:g} s; is this one of its rpc.listen?",
            ) from error
        except OSError as error:
            raise self._lost() from error
        if not line.endswith(b"\n"):
            raise self._lost()
        try:
            return json.loads(line)
        except ValueError as error:
            raise OperatorError(self._address, "what answers there does not speak JSON-RPC") from error

    def _result(self, answer: dict[str, Any]) -> Any:
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        data = error.get("data")
        word = str(data.get("word", "")) if isinstance(data, dict) else ""
        message = str(error.get("message", ""))
        if word == "NO_RIGHT" and self._lacks_token:
            message += " (the environment variable SEATSWITCH_TOKEN holds the token to show)"
        raise RpcFailed(error.get("code", 0), message, word)

    def _lost(self) -> OperatorError:
        return OperatorError(self._address, "the switch closed the connection")


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise OperatorError(address, "is not tcp://HOST:PORT")
    return host.strip("[]"), int(port)


def _request(number: int, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    request: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": method}
    if params:
        request["params"] = params
    return request
