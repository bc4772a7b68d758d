"""A switch that answers JSON-RPC requests from a table, in a thread; for the command line's tests."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

Answer = Callable[[dict[str, Any]], Any]

SEATS = [
    {
        "seat": "8001",
        "tenant": "demo",
        "level": "junior",
        "skills": {},
        "presence": "ready",
        "reason": None,
        "activity": "talking",
        "held": False,
        "pending": "paused",
        "since": "2026-01-01T00:00:00.000Z",
        "phone": {"kind": "softphone", "number": "8001", "reachable": True},
        "call": "c-1",
        "queues": ["junior"],
        "counters": {"answered": 3, "talked": 61.25, "missed": 0},
    },
    {
        "seat": "8002",
        "level": "senior",
        "presence": "paused",
        "reason": "rest",
        "activity": "idle",
        "since": "2026-01-01T00:00:00.000Z",
        "phone": {"kind": "pstn", "number": "13800000000", "reachable": False},
        "call": None,
        "queues": ["junior", "complaint"],
        "counters": {},
    },
    {
        "seat": "8003",
        "level": "junior",
        "presence": "offline",
        "activity": "idle",
        "since": None,
        "phone": None,
    },
]
QUEUES = [
    {
        "queue": "junior",
        "waiting": 1,
        "longest_wait": 12.5,
        "seats": 3,
        "seats_signed_in": 2,
        "seats_ready": 1,
        "service_level": 0.871,
        "answered": 40,
        "abandoned": 2,
        "timed_out": 0,
        "refused": 1,
    }
]
CALLS = [
    {
        "call": "c-1",
        "direction": "in",
        "queue": "junior",
        "caller": "1380000",
        "called": "96198",
        "state": "talking",
        "waited": 4.0,
        "seat": "8001",
    },
    {
        "call": "c-2",
        "direction": "in",
        "queue": "junior",
        "caller": "\x1b[31mred",
        "called": "96198",
        "state": "waiting",
        "waited": 12.5,
        "position": 1,
        "estimate": [10.0, 95.0],
        "seat": None,
    },
]
TRUNKS = [
    {
        "trunk": "carrier",
        "tenant": "demo",
        "contact": "sip:127.0.0.1:5080",
        "calls": 2,
        "max_calls": 300,
        "max_cps": 50.0,
    }
]
STATUS = {"uptime": 3725.0, "draining": False, "overloaded": False}


class Refused(Exception):
    """What a method answers with an error."""

    def __init__(self, code: int, message: str, word: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.word = code, message, word


def _seats(params: dict[str, Any]) -> list[dict[str, Any]]:
    return [seat for seat in SEATS if not params.get("queue") or params["queue"] in seat.get("queues", ())]


def _seat(params: dict[str, Any]) -> dict[str, Any]:
    for seat in SEATS:
        if seat["seat"] == params.get("seat"):
            return seat
    raise Refused(-32010, "NO_SUCH_SEAT: there is no such seat", "NO_SUCH_SEAT")


def _token(params: dict[str, Any]) -> dict[str, Any]:
    if params["token"] != "right":
        raise Refused(-32011, "wrong token")
    return {"role": "admin"}


def _quality(params: dict[str, Any]) -> dict[str, Any]:
    seat = {"seat": "8001", "month": params.get("month", "2026-11"), "checks": 0, "missing": 1}
    return {"seats": [seat], "checks": [], "more": False}


METHODS: dict[str, Answer] = {
    "seat.list": _seats,
    "seat.get": _seat,
    "queue.list": lambda params: QUEUES,
    "queue.statistics": lambda params: {**params, "service_level": 0.8},
    "level.statistics": lambda params: params,
    "call.list": lambda params: CALLS,
    "trunk.list": lambda params: TRUNKS,
    "quality.list": _quality,
    "admin.status": lambda params: STATUS,
    "session.token": _token,
    "echo": lambda params: params,
}


class StubSwitch:
    """Serves :data:`METHODS` and keeps what was asked in :attr:`asked`."""

    def __init__(self, path: Path | None = None, raw: bytes | None = None) -> None:
        """Listen at a Unix ``path``, else on TCP; ``raw`` is sent for every line instead of an answer."""
        self.asked: list[str] = []
        self._raw = raw
        if path is None:
            self._socket = socket.create_server(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        else:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.bind(str(path))
            self._socket.listen()
            self.address = str(path)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "StubSwitch":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._thread.join(5)
        self._socket.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    connection.sendall(self._answer_line(line))
                    if self._raw is not None:
                        break

    def _answer_line(self, line: bytes) -> bytes:
        request = json.loads(line)
        if self._raw is not None:
            return self._raw
        # An event may come between request and answer; who asked must not take it for the answer.
        event = b'{"jsonrpc":"2.0","method":"event","params":{}}\n'
        answer = (
            [self._answer(one) for one in request] if isinstance(request, list) else self._answer(request)
        )
        return event + json.dumps(answer).encode() + b"\n"

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request["method"])
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        method = METHODS.get(request["method"])
        try:
            if method is None:
                raise Refused(-32601, "there is no such method")
            answer["result"] = method(request.get("params", {}))
        except Refused as error:
            answer["error"] = {"code": error.code, "message": error.message, "data": {"word": error.word}}
        return answer
