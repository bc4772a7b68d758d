"""A switchboard on a real stack and a real plane, in virtual time: callers, phones and a worker as text."""

from typing import Any

from calls.call import Call
from calls.events import CallEvent, CallQueued
from calls.settings import CallSettings, Hotline, QueueMedia, TrunkSettings
from calls.switchboard import Switchboard
from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.rows import BindingRow, CallRow, StreamRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from media.events import StreamStatistics, Written
from media.messages import (
    Close,
    Command,
    EndRecording,
    PortsBound,
    Recorded,
    decode_commands,
    encode_reports,
)
from media.messages import Closed as StreamReport
from media.plane import Plane
from media.settings import MediaSettings
from sip.flows import Flow
from sip.message import Response
from sip.settings import Account, Secret
from sip.stack import Stack
from tests.sip.scene import PHONE, TRUNK, Sent, request, respond, seeded, settings

EPOCH = 1_700_000_000.0
OTHER_PHONE = Flow("udp", 0, "192.0.2.8", 5064)
THIRD_PHONE = Flow("udp", 0, "192.0.2.9", 5066)
FLOWS = {"phone": PHONE, "other": OTHER_PHONE, "third": THIRD_PHONE}
PORTS = (30000, 30398)


def sdp(port: int, direction: str = "sendrecv", host: str = "10.0.0.9", version: int = 1) -> bytes:
    """Return a description of PCMU at ``host:port``."""
    lines = f"v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    return f"{lines}m=audio {port} RTP/AVP 0\r\na={direction}\r\n".encode()


def with_events(description: bytes, payload_type: int = 101) -> bytes:
    """Return a description that takes telephone events, too (RFC 4733)."""
    known = description.replace(b" RTP/AVP 0", b" RTP/AVP 0 %d" % payload_type)
    return known + b"a=rtpmap:%d telephone-event/8000\r\n" % payload_type


def direction_of(body: bytes) -> str:
    """Return the direction that a description asks for or answers with."""
    known = ("sendrecv", "sendonly", "recvonly", "inactive")
    return next((word for word in known if f"a={word}".encode() in body), "sendrecv")


class Book:
    """The phonebook: nobody is signed in unless a test says so."""

    def __init__(self) -> None:
        self.phones: dict[str, tuple[str, str]] = {}  # seat -> kind and number
        self.barred: dict[str, bool] = {}  # callers on a black list
        self.place: int | None = 1  # of every caller who waits
        self.likely: tuple[float, float] | None = None
        self.open: dict[str, bool] = {}  # calendars
        self.listed: dict[tuple[str, str], bool] = {}  # list and caller

    def position(self, call: CallId, now: float) -> int | None:
        """Return the place of a call in its queue."""
        return self.place

    def estimate(self, call: CallId, now: float) -> tuple[float, float] | None:
        """Return how long a call is likely to wait."""
        return self.likely

    def is_open(self, hours: str, now: float) -> bool:
        """Return whether a calendar is open."""
        return self.open.get(hours, False)

    def is_listed(self, tenant: str, name: str, caller: str, now: float) -> bool:
        """Return whether ``caller`` is on a list."""
        return (name, caller) in self.listed

    def seat_of(self, kind: str, number: str) -> SeatId | None:
        """Return the seat that has bound this phone."""
        return next((SeatId(seat) for seat, phone in self.phones.items() if phone == (kind, number)), None)

    def phone_of(self, seat: SeatId) -> tuple[str, str] | None:
        """Return the phone bound to ``seat``."""
        return self.phones.get(seat)

    def bars(self, tenant: str, caller: str, now: float) -> bool:
        """Return whether ``caller`` is kept off ``tenant``'s numbers."""
        return caller in self.barred


def call_settings(**changes: Any) -> CallSettings:
    """Two hotlines, a queue, two seats, an extension."""
    base: dict[str, Any] = {
        "trunks": (TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080"),),
        "hotlines": (Hotline("96198", "demo", "queue:junior"), Hotline("96201", "demo", "seat:8001")),
        "queues": (QueueMedia("junior", "demo"),),
        "seats": {"8001": "demo", "8002": "demo"},
        "extensions": {"2001": "demo"},
        "domain": "example.com",
    }
    return CallSettings(**(base | changes))


class Office:
    """One switchboard and everybody around it. Queued calls are taken at once unless ``accepts`` is off."""

    def __init__(self, calls: CallSettings | None = None, ports: tuple[int, int] = PORTS, **sip: Any) -> None:
        self.now = 100.0
        self.timers = TimerQueue()
        self.walltime = WallTime(EPOCH)
        chance = seeded()
        accounts = {
            number: Account(number, Secret(password="pw"), tenant="demo")
            for number in ("8001", "8002", "2001")
        }
        self.stack = Stack(settings(accounts=accounts, **sip), self.timers, chance, self.walltime)
        self.plane = Plane(MediaSettings(address="10.0.0.1", ports=ports), self.timers, chance)
        self.book = Book()
        self.board = Switchboard(
            call_settings() if calls is None else calls,
            self.stack,
            self.plane,
            self.timers,
            chance,
            self.walltime,
            self.book,
        )
        self.accepts = True
        self.answers_end = True  # the worker closes a file as soon as it is asked to
        self.written = Written(1.0, 16_058)  # by workers that died, of each recording
        self.sent: list[Sent] = []
        self.told: list[CallEvent] = []
        self.rows: list[CallRow | StreamRow] = []
        self.commands: list[Command] = []
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.plane.worker_started(0, self.now)
        bound = tuple(range(ports[0], ports[1] + 1, 2))
        self.plane.receive_worker(0, encode_reports([PortsBound(bound, True)]), self.now)
        self.settle()

    # People and phones.

    def register(self, number: str, *where: str) -> None:
        """Give ``number`` a contact on each of the phones ``where``."""
        for place in where or ("phone",):
            flow = FLOWS[place]
            contact = f"sip:{number}@{flow.host}:{flow.port}"
            row = BindingRow(
                f"{number} {contact}",
                number,
                contact,
                f"udp/0/{flow.host}/{flow.port}/0",
                "",
                "",
                f"{place}-{number}",
                1,
                1.0,
                self.walltime.epoch(self.now) + 3600.0,
            )
            self.stack.restore_binding(row, self.now, self.walltime)
        self.settle()

    def dial(self, number: str, call_id: str = "call1", flow: Flow = TRUNK, **more: Any) -> Call | None:
        """Send a caller's INVITE and return the call, or None if it was refused."""
        text = request(
            "INVITE",
            f"sip:{number}@example.com",
            branch=f"z9hG4bK{call_id}",
            call_id=call_id,
            to=f"<sip:{number}@example.com>",
            via=f"{flow.host}:{flow.port}",
            **{"body": sdp(4000), **more},
        )
        before = len(self.board.calls)
        self.receive(text, flow)
        return list(self.board.calls.values())[-1] if len(self.board.calls) > before else None

    def caller_says(self, method: str, answer: Sent, cseq: int, body: bytes = b"", **more: Any) -> None:
        """Send a request of the caller's inside the dialog that ``answer`` (its 200) opened."""
        message = answer.message
        text = request(
            method,
            "sip:10.0.0.1:5060",
            branch=f"z9hG4bK{message.call_id}{method}{cseq}",
            call_id=message.call_id,
            to=message.header("to") or "",
            from_=message.header("from") or "",
            via=f"{answer.flow.host}:{answer.flow.port}",
            cseq=cseq,
            body=body,
            **more,
        )
        self.receive(text, answer.flow)

    def phone_says(self, method: str, invite: Sent, cseq: int, body: bytes = b"", **more: Any) -> None:
        """Send a request of the phone's inside the dialog of the ``invite`` it answered."""
        message = invite.message
        text = request(
            method,
            "sip:10.0.0.1:5060",
            branch=f"z9hG4bK{message.call_id}{method}{cseq}",
            call_id=message.call_id,
            from_=f"{message.header('to')};tag=callee1",
            to=message.header("from") or "",
            via=f"{invite.flow.host}:{invite.flow.port}",
            cseq=cseq,
            contact=f"<sip:phone@{invite.flow.host}:{invite.flow.port}>",
            body=body,
            **more,
        )
        self.receive(text, invite.flow)

    def answer(self, sent: Sent, status: int, body: bytes = b"", **more: Any) -> None:
        """Answer a request that the switch sent."""
        contact = f"<sip:phone@{sent.flow.host}:{sent.flow.port}>"
        self.receive(respond(sent, status, contact=contact, body=body, **more), sent.flow)

    def ring(self, call: Call, seat: str = "8001", offer: str = "o1") -> Sent:
        """Be distribution: ring the softphone of ``seat``, and return the INVITE to it."""
        self.offer(call.id, ("softphone", seat), seat, offer)
        return self.last("INVITE")

    def offer(self, call: CallId, phone: tuple[str, str], seat: str = "8001", offer: str = "o1") -> None:
        """Be distribution: ring whatever phone is bound to ``seat``."""
        self.board.rings.ring_seat(OfferId(offer), call, SeatId(seat), QueueName("junior"), phone, self.now)
        self.settle()

    def talk(self, call_id: str = "call1", offer: str = "o1") -> tuple[Call, Sent, Sent]:
        """Bring a queue call to talking; return it, the caller's 200 and the phone's INVITE."""
        call = self.dial("96198", call_id)
        assert call is not None
        ok = self.last("200")
        self.caller_says("ACK", ok, 1)
        invite = self.ring(call, offer=offer)
        self.answer(invite, 180)
        self.answer(invite, 200, sdp(5000, host="192.0.2.7"))
        return call, ok, invite

    # Time and what comes of it.

    def receive(self, data: bytes, flow: Flow) -> None:
        """Let one datagram arrive."""
        self.stack.receive_datagram(data, flow, self.now)
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.fire_due(self.now)
            self.settle()
        self.now = end

    def settle(self) -> None:
        """Carry what the floors say to each other, as the node does; keep the rest."""
        stack, plane, board = self.stack, self.plane, self.board
        while stack.events or plane.events or board.events or plane.commands or self._moved():
            for recording in plane.recordings.looks.take():
                plane.recordings.measured(recording, self.written)
            board.supervision.settle(self.now)
            board.recordings.settle(self.now)
            for sip_event in stack.events.take():
                board.on_sip[type(sip_event)](sip_event, self.now)
            for media_event in plane.events.take():
                board.handle_media(media_event, self.now)
            for event in board.events.take():
                self.told.append(event)
                if isinstance(event, CallQueued) and self.accepts:
                    board.accept_queued(event.call, self.now)
            for _, message in plane.commands.take():
                self._work(decode_commands(message))
        self.sent += [Sent(self.now, flow, data) for flow, data in stack.datagrams.take()]
        self.rows += board.rows.take()
        stack.rows.take()
        self.logged += board.log.take()
        stack.check()
        plane.check()
        board.check()

    def _moved(self) -> bool:
        return bool(self.board.supervision.moved or self.board.recordings.moved)

    def _work(self, commands: list[Command]) -> None:
        """Be the worker: every stream heard fifty packets."""
        self.commands += commands
        for command in commands:
            if isinstance(command, EndRecording) and self.answers_end:
                ended = Recorded(command.recording, 1.0, 16_058, "asked")
                self.plane.receive_worker(0, encode_reports([ended]), self.now)
            if isinstance(command, Close):
                report = StreamReport(StreamStatistics(command.stream, 50, 8000, 50, 8000))
                self.plane.receive_worker(0, encode_reports([report]), self.now)

    # What was seen.

    def last(self, word: str, flow: Flow | None = None) -> Sent:
        """Return the last message of a kind, to ``flow`` if given."""
        return [sent for sent in self.sent if sent.word == word and flow in (None, sent.flow)][-1]

    def words(self, flow: Flow) -> list[str]:
        """Return what was sent to ``flow``."""
        return [sent.word for sent in self.sent if sent.flow == flow]

    def events(self, kind: type) -> list[Any]:
        """Return what the switchboard told, of one type."""
        return [event for event in self.told if type(event) is kind]

    def verdicts(self) -> list[tuple[str, str, int]]:
        """Return ended_by, verdict and status of every call that has ended."""
        return [(row.ended_by, row.verdict, row.sip_status) for row in self.rows if isinstance(row, CallRow)]

    def call_of(self, number: int) -> CallId:
        """Return the id of the call that was told of as number ``number``, from 0."""
        calls = dict.fromkeys(event.call for event in self.told if hasattr(event, "call"))
        return list(calls)[number]

    def is_quiet(self) -> bool:
        """Return whether nothing is left of any call on any floor."""
        return self.board.is_quiet() and self.stack.is_quiet() and self.plane.is_quiet()


def reason_of(sent: Sent) -> str:
    """Return the Reason header of a request, or the phrase of a response."""
    message = sent.message
    return message.reason if isinstance(message, Response) else message.header("reason") or ""
