"""A node without signalling: the real engine, the real event log, and calls that only exist by name."""

import json
from functools import partial
from random import Random
from typing import Any

from acd.commands import KickOut, RingSeat
from acd.engine import Engine
from acd.events import CallbackChanged, SeatChanged
from acd.inputs import CallJoined, Input, OfferAnswered, PhoneReachable
from calls.catalogue import Catalogue
from calls.controls import Control
from config.load import load_settings
from config.schema import Settings, Token
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.outbox import Outbox
from kernel.rows import VoicemailRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from seatswitch.api import Api
from seatswitch.api.audio import Found, Wanted
from seatswitch.news import EventLog
from seatswitch.voicemails import Voicemails

EPOCH = 1_800_000_000.0  # of the moment 0

CONFIG = """
[sip]
listen = ["udp://127.0.0.1:5060"]
domain = "switch.example"

[[tenant]]
name = "north"
hotlines = [{number = "96198", entry = "queue:junior"}]
pause_reasons = ["rest", "meeting"]
[[tenant]]
name = "south"
hotlines = [{number = "96300", entry = "queue:other"}]

[[level]]
name = "junior"
wrap_up = "30s"

[[queue]]
name = "junior"
tenant = "north"
requires = {level = "junior"}
[[queue]]
name = "other"
tenant = "south"
requires = {level = "junior"}

[[seat]]
numbers = "8001-8003"
tenant = "north"
password = "demo"
level = "junior"
queues = ["junior"]
phones = ["softphone", "pstn:13800000000"]
[[seat]]
number = "8019"
tenant = "north"
password = "lead"
level = "junior"
queues = []
role = "supervisor"
[[seat]]
number = "9001"
tenant = "south"
password = "demo"
level = "junior"
queues = ["other"]
"""


class StubNode:
    """What the API sees of a node (seatswitch/api/switch.py)."""

    def __init__(self, config: str = CONFIG) -> None:
        self.settings: Settings = load_settings(config, file="test.toml")
        self.timers = TimerQueue()
        self.chance = Chance(Random(7).randbytes)
        self.walltime = WallTime(EPOCH)
        self.engine = Engine(self.settings.acd, self.timers, self.chance, self.walltime)
        self.news = EventLog()
        self.log: Outbox[tuple[str, dict[str, Any]]] = Outbox()
        self.kicked: Outbox[tuple[SeatId, str]] = Outbox()
        self.is_draining = False
        self.catalogue = Catalogue(self.settings.media.recordings)
        self.calls: dict[str, dict[str, Any]] = {}
        self.hung_up: list[tuple[str, str, str]] = []
        self.controls: list[Control] = []
        self.recorded: list[tuple[str, str, str, dict[str, str]]] = []
        self.supervisions: dict[str, tuple[str, str]] = {}  # by the seat: who, and that one's seat
        self.voicemails = Voicemails(self.settings.calls.voicemail, self.timers, self.walltime)
        self.banned = {"203.0.113.5": True}
        self.rings: list[RingSeat] = []
        self.bug: Exception | None = None
        for seat in self.settings.acd.seats:
            self.handle(PhoneReachable("softphone", seat.number, True), 0.0)

    def handle(self, what: Input, now: float) -> None:
        if self.bug is not None:
            raise self.bug
        try:
            self.engine.handle(what, now)
        finally:
            self.settle(now)

    def settle(self, now: float) -> None:
        for command in self.engine.commands.take():
            if isinstance(command, KickOut):
                self.kicked.put((command.seat, command.session))
            elif isinstance(command, RingSeat):
                self.rings.append(command)
        for event in self.engine.events.take():
            if isinstance(event, SeatChanged):
                self.news.put("seat", partial(self.seat_view, event.seat, now), now)
            elif isinstance(event, CallbackChanged):
                self.news.put("callback", partial(dict, event.data, what=event.what), now)
            else:
                self.news.put(
                    "queue", partial(dict, queue=event.queue, what=event.what, call=event.call), now
                )
        for what, view in self.voicemails.events.take():
            self.news.put("voicemail", partial(dict, view, what=what), now)
        self.voicemails.rows.take()
        self.engine.rows.take()

    def put_call(self, call: str, tenant: str = "north", now: float = 0.0, **more: Any) -> None:
        """Let a call exist and be told of."""
        self.calls[call] = {
            "call": call,
            "direction": "in",
            "tenant": tenant,
            "queue": None,
            "caller": "13900000001",
            "caller_name": "",
            "called": "96198",
            "state": "talking",
            "consult": None,
            "arrived_at": self.walltime.text(now),
            "joined_at": None,
            "waited": None,
            "position": None,
            "estimate": None,
            "seat": None,
            "tag": "",
            "script": None,
            "collected": {},
            "dialled": False,
            "recording": "off",
            "supervises": None,
            "verdict": None,
            **more,
        }
        self.news.put("call", partial(dict, self.calls[call]), now)

    def end_call(self, call: str, now: float) -> None:
        """Let a call be over; its event says no more than that."""
        del self.calls[call]
        self.news.put("call", partial(dict, call=call, state="ended"), now)

    def hang_up(
        self, call: CallId, cause: str, now: float, ended_by: str = "switch", seat: SeatId | None = None
    ) -> None:
        if call not in self.calls:
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {call}")
        self.hung_up.append((call, cause, ended_by))
        self.end_call(call, now)

    def control(self, what: Control, now: float) -> None:
        self.controls.append(what)

    def record(self, what: str, by: str, tenant: str, now: float, **more: str) -> None:
        self.recorded.append((what, by, tenant, {name: text for name, text in more.items() if text}))

    def mark_voicemail(
        self, voicemail: str, state: str, remark: str | None, by: str, now: float
    ) -> VoicemailRow:
        try:
            return self.voicemails.mark(voicemail, state, remark, by, now)
        finally:
            self.settle(now)

    def put_voicemail(self, row: VoicemailRow, now: float) -> None:
        """Let a caller have left a message."""
        self.voicemails.left(row, now)
        self.settle(now)

    def seat_view(self, seat: SeatId, now: float) -> dict[str, Any]:
        return self.engine.seat_object(seat, now)

    def seats_view(self, now: float, queue: str = "") -> list[dict[str, Any]]:
        views = [self.seat_view(seat, now) for seat in self.engine.seats]
        return [view for view in views if not queue or queue in view["queues"]]

    def supervised_by(self, who: str) -> list[SeatId]:
        return [SeatId(seat) for seat, (by, _) in self.supervisions.items() if by == who]

    def supervision_view(self, seat: SeatId) -> dict[str, Any]:
        views = {
            target: {
                "seat": target,
                "by": by,
                "mode": "monitor",
                "follow": False,
                "attached": True,
                "call": None,
            }
            for target, (by, _) in self.supervisions.items()
        }
        own = next((target for target, (_, at) in self.supervisions.items() if at == seat), "")
        return {"supervising": views.get(own), "supervised": views.get(seat)}

    def call_view(self, call: CallId, now: float) -> dict[str, Any]:
        if call not in self.calls:
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {call}")
        return self.calls[call]

    def calls_view(self, now: float) -> list[dict[str, Any]]:
        return list(self.calls.values())

    def queue_view(self, queue: str, now: float) -> dict[str, Any]:
        known = self.engine.queues[QueueName(queue)]
        return {"queue": queue, "tenant": known.settings.tenant, "waiting": len(known.waiting)}

    def queues_view(self, now: float) -> list[dict[str, Any]]:
        return [self.queue_view(name, now) for name in self.engine.queues]

    def trunks_view(self, now: float) -> list[dict[str, Any]]:
        return [
            {
                "trunk": "carrier",
                "tenant": "north",
                "contact": None,
                "calls": 0,
                "max_calls": 300,
                "max_cps": 50.0,
                "calls_in": 0,
                "calls_out": 0,
                "over_cap": 0,
                "failovers": 0,
                "state": "up",
                "registration": None,
                "down": [],
            }
        ]

    def bans_view(self, now: float) -> list[dict[str, Any]]:
        return [{"ip": host, "left": 60.0} for host in self.banned]

    def lift_ban(self, host: str, now: float) -> bool:
        return self.banned.pop(host, None) is not None

    def explain_call(self, call: CallId, now: float) -> dict[str, Any]:
        return self.engine.explain_call(call, now)

    def explain_seat(self, seat: SeatId, now: float) -> dict[str, Any]:
        return self.engine.explain_seat(seat, now)

    def snapshot(self, now: float) -> dict[str, Any]:
        return {"uptime": now, "events": self.news.seq}


class Desk:
    """A client: sends requests, keeps what it is told."""

    def __init__(self, office: "Office", number: int) -> None:
        self.office, self.number = office, number
        self.heard: list[Any] = []  # everything, in order
        self._last_id = 0

    def say(self, text: bytes | str) -> list[Any]:
        """Send one text and return the texts that came back to this client in the same turn."""
        before = len(self.heard)
        data = text.encode() if isinstance(text, str) else text
        self.office.turn(lambda now: self.office.api.received(self.number, data, now))
        return self.heard[before:]

    def response(self, method: str, **params: Any) -> Any:
        """Send one request and return its whole response."""
        self._last_id += 1
        number = self._last_id
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        heard = self.say(json.dumps(request))
        (response,) = [text for text in heard if isinstance(text, dict) and text.get("id") == number]
        return response

    def ask(self, method: str, **params: Any) -> Any:
        """Send one request and return its result."""
        response = self.response(method, **params)
        assert "result" in response, response
        return response["result"]

    def refusal(self, method: str, **params: Any) -> str:
        """Send one request that must be refused and return the word (or the code) of its error."""
        response = self.response(method, **params)
        assert "error" in response, response
        error = response["error"]
        return str(error["data"]["word"] if "data" in error else error["code"])

    def sign_in(self, seat: str = "8001", password: str = "demo", hotline: str = "96198", **more: Any) -> str:
        """Sign in at a seat and return the session."""
        return str(
            self.ask("session.login", hotline=hotline, seat=seat, password=password, **more)["session"]
        )

    @property
    def events(self) -> list[Any]:
        """The parameters of every event heard."""
        return [text["params"] for text in self.notifications if text["method"] == "event"]

    @property
    def notifications(self) -> list[Any]:
        """Every notification heard."""
        return [text for text in self.heard if isinstance(text, dict) and "method" in text]

    def close(self) -> None:
        """Drop the connection."""
        self.office.turn(lambda now: self.office.api.closed(self.number, now))


class Office:
    """A node, its API, and the desks connected to it, in virtual time."""

    def __init__(self, tokens: tuple[Token, ...] = (), config: str = CONFIG) -> None:
        self.node = StubNode(config)
        self.api = Api(self.node, tokens)
        self.now = 100.0
        self.desks: dict[int, Desk] = {}
        self.files: dict[str, bytes] | None = {}  # in the folder of recordings; None: its disk says nothing

    def desk(self, role: str = "") -> Desk:
        """Connect; "admin" is the Unix socket, "" is TCP."""
        number = len(self.desks) + 1
        desk = self.desks[number] = Desk(self, number)
        self.turn(lambda now: self.api.opened(number, role, now))
        return desk

    def turn(self, verb: Any) -> None:
        """One turn: the verb, then what the pump does."""
        try:
            verb(self.now)
        finally:
            self._drain()

    def wait(self, seconds: float) -> None:
        """Let time pass, firing every deadline at its moment."""
        until = self.now + seconds
        while (at := self.node.timers.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            self.node.timers.fire_due(self.now)
            self.node.settle(self.now)
            self._drain()
        self.now = until

    def talk(self, call: str = "c1", seat: str = "8001") -> None:
        """Bring ``call`` through the queue to the phone of ``seat``, the only ready one."""
        self.node.put_call(call, queue="junior", now=self.now)
        self.turn(lambda now: self.node.handle(CallJoined(CallId(call), QueueName("junior"), "139"), now))
        ring = self.node.rings[-1]
        assert ring.seat == seat
        self.turn(lambda now: self.node.handle(OfferAnswered(ring.offer), now))

    def read(self, number: int, wanted: Wanted, data: bytes | None) -> None:
        """Be the shell, which has read a piece of a file."""
        found = Found(why="NO_AUDIO")
        if data is not None:
            found = Found(data[wanted.offset : wanted.offset + wanted.length], len(data))
        self.api.audio_read(number, found, self.now)

    def _drain(self) -> None:
        if self.node.news.fresh:  # as the pump does it: no news, no flush
            self.api.flush(self.now)
        if self.files is not None:
            for number, wanted in self.api.reads.take():
                self.read(number, wanted, self.files.get(wanted.file))
        for number, text in self.api.replies.take():
            assert b"\n" not in text
            if number in self.desks:
                self.desks[number].heard.append(json.loads(text))
        self.api.check()
