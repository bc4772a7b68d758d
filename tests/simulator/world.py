"""A simulated world: one switch, a network, phones, people, under one clock and one seed.

Every step is the next planned thing or the node's next deadline, whichever comes first; after each turn the
node's outputs are carried out and (every ``check_every`` turns) its ``check()`` is asked. The fingerprint is
a hash of everything that crossed the network and every row: one seed, one fingerprint.
"""

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any

from config.load import load_settings
from kernel.chance import Chance
from kernel.rows import (
    AnyRow,
    BindingRow,
    CallbackRow,
    CallerSeatRow,
    CallRow,
    CountedRow,
    CountRow,
    FollowupRow,
    ListEntryRow,
    OfferRow,
    PresenceRow,
    QualityRow,
    RecordingRow,
    SeatMoveRow,
    SeatStateRow,
    StreamRow,
    VisitRow,
    VoicemailRow,
)
from kernel.staterows import JournalRow, Living, StateRow
from seatswitch.api import Api
from seatswitch.node import Node
from sip.flows import Flow
from tests.simulator.crash import (
    BETWEEN,
    NOTHING,
    SENDING,
    TORN,
    Memory,
    check_survived,
    remember,
    through_the_journal,
)
from tests.simulator.media import Workers
from tests.simulator.network import FAIR, Address, Network, Passed, Weather
from tests.simulator.people import Agent, Desk, Habits
from tests.simulator.phones import Manner, Softphone, Trunk
from tests.simulator.streams import Connection, Streams
from tests.simulator.timeline import Timeline
from tests.simulator.town import CARRIER, DOMAIN, PASSWORD, SWITCH, Town

EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z
BEGIN = 1_000.0  # monotonic seconds at which worlds begin
TURNS_AT_ONE_MOMENT_MAX = 20_000


class Unsafe(AssertionError):
    """Something happened that must never happen (exit 2)."""


class Stuck(AssertionError):
    """Something that must happen did not (exit 3)."""


class World:
    """One switch and everybody around it."""

    def __init__(
        self, seed: int = 1, town: Town | None = None, *, weather: Weather = FAIR, check_every: int = 1
    ) -> None:
        self.seed, self.town = seed, town or Town()
        self.time = Timeline(BEGIN)
        self.network = Network(self.time, Random(f"{seed}/network"), weather)
        self.network.watchers.append(self._watch)
        self.check_every = check_every
        self.turns = 0
        self.story: list[str] = []
        self.long_log: list[str] | None = None
        self.complaints: list[str] = []
        self.rows: list[AnyRow] = []
        self.seat_states: dict[str, SeatStateRow] = {}
        self.bindings: dict[str, BindingRow] = {}
        self.callers: dict[str, CallerSeatRow] = {}
        self.callbacks: dict[str, CallbackRow] = {}
        self.listed: dict[str, ListEntryRow] = {}
        self.moves: dict[str, SeatMoveRow] = {}
        self.followups: dict[str, FollowupRow] = {}
        self.living = Living()
        self.kills = 0
        self.deaths: list[float] = []  # when, as rows say it
        self.is_up = True
        self.started_at = BEGIN
        self.requests: list[str] = []
        self.is_noisy = False  # damaged copies of messages are about
        self.has_reloaded = False  # the town is no longer what it was
        self.has_meddlers = False  # somebody presses buttons at random
        self.desks: dict[int, Desk] = {}
        self.recent: list[bytes] = []  # datagrams to the switch, some of them
        self.phones: dict[str, Softphone] = {}
        self.agents: dict[str, Agent] = {}
        self._hash = sha256()
        self._turns_now, self._moment = 0, BEGIN
        self._death = ""  # how the next turn ends
        self._depth = 0  # turns that have not ended: what is sent may be answered at once
        self._die_random = Random(f"{seed}/death")
        self._torn: list[JournalRow] = []
        self._recovers = False
        self.before = NOTHING
        self._build_switch()
        self.network.attach(SWITCH, self._receive, self._unreachable)
        self.workers = Workers(self, Random(f"{seed}/media"))
        self.streams = Streams(
            self.network, SWITCH, Random(f"{seed}/streams"), self._receive_stream, self._stream_closed
        )
        self.turn(lambda now: None)
        self.workers.start()
        self.trunk = Trunk(
            "carrier", self.network, CARRIER, SWITCH, Random(f"{seed}/carrier"), self
        )  # outside numbers answer like any phone
        self._admin: Desk | None = None

    def _build_switch(self) -> None:
        settings = load_settings(self.town.toml(), file="town.toml")
        draw = Random(f"{self.seed}/node/{self.kills}")
        now = self.time.now
        self.node = Node(settings, Chance(draw.randbytes), EPOCH - BEGIN, now)
        self.api = Api(self.node, settings.rpc.tokens)

    def restart_switch(self) -> None:
        """Kill the switch and its workers between two turns, and start it again from its rows at once."""
        self.kill_switch()

    def kill_switch(self, death: str = BETWEEN, *, down_for: float = 0.0, again: str = "") -> None:
        """Kill the switch and its workers without a word, now or (TORN, SENDING) in its next turn.

        It is started again from its rows after ``down_for`` seconds; ``again``: and dies in its first turn,
        in which it recovers.
        """
        if not self.is_up or self._death:
            return
        self._down_for, self._again = down_for, again
        if death == BETWEEN:
            self._die(remember(self.node))
        else:
            self._death = death

    def _die(self, before: Memory) -> None:
        self.note("fault", "the switch is killed")
        self.kills += 1
        self.deaths.append(self.node.walltime.epoch(self.time.now))
        self.is_up = False
        self._admin = None
        for worker in self.workers.workers.values():
            worker.die()
        self.streams.close_all()
        for desk in list(self.desks.values()):
            desk.lose()
        self.before = before
        if self._down_for:
            self.time.after(self._down_for, self._start_again)
        else:
            self._start_again()

    def _start_again(self) -> None:
        self.note("world", "the switch is started again")
        self.is_up = self.streams.is_listening = True
        self.started_at = self.time.now
        self._build_switch()
        self.workers.restart()
        wall = self.time.now + EPOCH - BEGIN
        kept: list[JournalRow] = [*self.seat_states.values(), *self.callers.values()]
        kept += [row for row in self.bindings.values() if row.expires_at > wall]
        kept += [row for row in self.moves.values() if not row.is_removed]
        kept += self.listed.values()
        kept += [row for row in self.callbacks.values() if row.state != "ended"]
        kept += self.followups.values()
        kept += {row.voicemail: row for row in self.rows if isinstance(row, VoicemailRow)}.values()
        kept += {row.check: row for row in self.rows if isinstance(row, QualityRow)}.values()
        kept += {row.recording: row for row in self.rows if isinstance(row, RecordingRow)}.values()
        kept += [row for row in self.rows if isinstance(row, CountRow | CountedRow)]
        read = through_the_journal([*kept, *self.living.rows()], self._torn)
        before, self._torn = self.before, []
        self._death, self._again, self._recovers = self._again, "", True
        kills = self.kills
        files = {name: self.workers.written(name) for name in self.workers.tapes}
        self.turn(lambda now: self.node.restore(read, now, self.deaths[-1], files))
        self._recovers = False
        if self.kills == kills:
            check_survived(self, before)

    # People and phones.

    def add_phone(
        self, number: str, manner: Manner | None = None, *, algorithm: str = "SHA-256", tcp: bool = False
    ) -> Softphone:
        """Put a softphone for a seat or an extension into the world (unregistered)."""
        address = (f"198.51.100.{len(self.phones) + 1}", 5060)
        phone = Softphone(
            number,
            self.network,
            address,
            SWITCH,
            Random(f"{self.seed}/phone/{number}"),
            self,
            password=PASSWORD,
            domain=DOMAIN,
            algorithm=algorithm,
        )
        if manner is not None:
            phone.manner = manner
        if tcp:
            phone.streams = self.streams
        self.phones[number] = phone
        return phone

    def add_agent(
        self, seat: str, manner: Manner | None = None, habits: Habits | None = None, *, tcp: bool = False
    ) -> Agent:
        """Put a phone and a person at a seat; they register and sign in by themselves."""
        habits = habits or Habits()
        phone = self.add_phone(seat, manner, tcp=tcp) if habits.phone_kind == "softphone" else None
        agent = Agent(self, seat, phone, habits, Random(f"{self.seed}/agent/{seat}"), PASSWORD)
        self.agents[seat] = agent
        agent.start()
        return agent

    @property
    def admin(self) -> Desk:
        """A desk with every right."""
        if self._admin is None:
            self._admin = Desk(self, self.next_desk(), "admin")
        return self._admin

    def next_desk(self) -> int:
        return len(self.desks) + 1

    def open_desk(self, desk: Desk, role: str) -> None:
        self.desks[desk.number] = desk
        self.turn(lambda now: self.api.opened(desk.number, role, now))

    def desk_says(self, desk: Desk, text: bytes) -> None:
        self.turn(lambda now: self.api.received(desk.number, text, now))

    def desk_closes(self, desk: Desk) -> None:
        self.turn(lambda now: self.api.closed(desk.number, now))

    # Time.

    @property
    def elapsed(self) -> float:
        """Seconds since the world began."""
        return self.time.now - BEGIN

    def run(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        until = self.time.now + seconds
        while self.step(until):
            pass

    def run_until(self, condition: Callable[[], bool], within: float, what: str) -> None:
        """Let time pass until ``condition``; Stuck after ``within`` seconds."""
        until = self.time.now + within
        while not condition():
            if not self.step(until):
                raise Stuck(f"{what}: not within {within:g} s (at {self.elapsed:.3f})")

    def step(self, until: float) -> bool:
        """Do the next thing up to ``until``; False when there is none and time stands at ``until``."""
        planned = self.time.next_at()
        deadline = self.node.next_deadline() if self.is_up else None
        if planned is not None and planned <= until and (deadline is None or planned <= deadline):
            self.time.step()
        elif deadline is not None and deadline <= until:
            self.time.now = max(self.time.now, deadline)
            self.turn(self.node.handle_timers)
        else:
            self.time.now = max(self.time.now, until)
            return False
        return True

    def turn(self, act: Callable[[float], Any]) -> None:
        """Let the node take one input, and carry out what it says. Nobody listens while it is down."""
        if not self.is_up:
            return
        now = self.time.now
        self.turns += 1
        if now != self._moment:
            self._moment, self._turns_now = now, 0
        self._turns_now += 1
        if self._turns_now > TURNS_AT_ONE_MOMENT_MAX:
            raise Unsafe(f"the switch spins at {self.elapsed:.3f}: {self.node.timers.armed()[:3]}")
        if self._death and not self._depth:
            self._last_turn(act, now)
            return
        self._depth += 1
        act(now)
        self._drain(now)
        self._depth -= 1
        if self.check_every and self.turns % self.check_every == 0:
            self.node.check()

    def _last_turn(self, act: Callable[[float], Any], now: float) -> None:
        """A turn that the switch does not survive."""
        death, self._death = self._death, ""
        before = self.before if self._recovers else remember(self.node)
        act(now)
        self.api.flush(now)
        self.note("fault", f"dies in a turn: {death}")
        if death == TORN:
            self._torn = self.node.rows.take()
        else:
            assert death == SENDING
            self._write()
            if self._recovers:
                check_survived(self, before)
            before = remember(self.node)
            sent = self.node.stack.datagrams.take()
            for flow, data in sent[: self._die_random.randint(0, len(sent))]:
                self._send(flow, data)
        self._die(before)

    # What the endpoints write down.

    def note(self, who: str, what: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{self.elapsed:9.3f} {who} {what}")

    def complain(self, who: str, what: str) -> None:
        """The switch did what it must not."""
        self.complaints.append(f"{self.elapsed:.3f} {who}: {what}")
        self.note(who, f"OBJECTS: {what}")

    @property
    def fingerprint(self) -> str:
        """A hash of the whole history so far."""
        return self._hash.hexdigest()[:16]

    # Rows.

    @property
    def call_rows(self) -> list[CallRow]:
        return [row for row in self.rows if isinstance(row, CallRow)]

    @property
    def visit_rows(self) -> list[VisitRow]:
        return [row for row in self.rows if isinstance(row, VisitRow)]

    @property
    def offer_rows(self) -> list[OfferRow]:
        return [row for row in self.rows if isinstance(row, OfferRow)]

    @property
    def presence_rows(self) -> list[PresenceRow]:
        return [row for row in self.rows if isinstance(row, PresenceRow)]

    @property
    def stream_rows(self) -> list[StreamRow]:
        return [row for row in self.rows if isinstance(row, StreamRow)]

    # Inside.

    def _receive(self, data: bytes, source: Address) -> None:
        flow = Flow("udp", 0, source[0], source[1])
        self.turn(lambda now: self.node.receive_datagram(data, flow, now))

    def _receive_stream(self, connection: Connection, data: bytes) -> None:
        flow = Flow("tcp", 1, *connection.phone, connection.number)
        self._hash.update(data)
        self.turn(lambda now: self.node.receive_stream(data, flow, now))

    def _stream_closed(self, connection: Connection) -> None:
        flow = Flow("tcp", 1, *connection.phone, connection.number)
        self.turn(lambda now: self.node.flow_closed(flow, now))

    def _send_stream(self, flow: Flow, data: bytes) -> None:
        self._hash.update(data)
        connection = self.streams.connections.get(flow.connection)
        if connection is not None:
            connection.answer(data)
        else:  # nobody listens for TCP behind a softphone
            self.time.after(0.001, lambda: self.turn(lambda now: self.node.flow_failed(flow, now)))

    def _unreachable(self, destination: Address) -> None:
        flow = Flow("udp", 0, destination[0], destination[1])
        self.turn(lambda now: self.node.flow_failed(flow, now))

    def _drain(self, now: float) -> None:
        node = self.node
        self.api.flush(now)
        self._write()
        for flow, data in node.stack.datagrams.take():
            self._send(flow, data)
        for flow in node.stack.closes.take():
            self.streams.connections[flow.connection].close_from_switch()
        for worker, message in node.plane.commands.take():
            self.workers.receive(worker, message)
        for recording in node.looks.take():
            self.workers.look(recording)
        node.log.take()
        self.requests += self.api.requests.take()
        for number, text in self.api.replies.take():
            desk = self.desks.get(number)
            if desk is not None and desk.is_open:
                self._hash.update(text)
                desk.hear(text)
        for number, reason in self.api.closes.take():
            self.desks[number].is_open = False
            self.note(f"desk {number}", f"is closed: {reason}")

    def _send(self, flow: Flow, data: bytes) -> None:
        if flow.transport == "udp":
            self.network.send(SWITCH, (flow.host, flow.port), data)
        else:
            self._send_stream(flow, data)

    def _write(self) -> None:
        """Take the rows of a turn over: from here on they survive."""
        for row in self.node.rows.take():
            self.living.take([row])
            if isinstance(row, StateRow):
                continue
            self._hash.update(repr(row).encode())
            if isinstance(row, SeatStateRow):
                self.seat_states[row.seat] = row
            elif isinstance(row, BindingRow):
                self.bindings[row.binding] = row
            else:
                if isinstance(row, CallerSeatRow):
                    self.callers[row.caller] = row
                elif isinstance(row, CallbackRow):
                    self.callbacks[row.callback] = row
                elif isinstance(row, FollowupRow):
                    self.followups[row.followup] = row
                elif isinstance(row, ListEntryRow):
                    self.listed[row.entry] = row
                elif isinstance(row, SeatMoveRow):
                    self.moves[row.seat] = row
                self.rows.append(row)
                if isinstance(row, CallRow | VisitRow | OfferRow):
                    self.note("row", str(row))

    def _watch(self, passed: Passed) -> None:
        self._hash.update(f"{passed.at:.6f}{passed.source}{passed.destination}{passed.fate}".encode())
        self._hash.update(passed.data)
        if passed.destination == SWITCH and len(self.recent) < 300:
            self.recent.append(passed.data)
        if self.long_log is not None:
            line = passed.data.partition(b"\r\n")[0].decode("utf-8", "replace")
            fate = "" if passed.fate == "sent" else f" ({passed.fate})"
            self.long_log.append(
                f"{passed.at - BEGIN:9.3f} {passed.source[0]}:{passed.source[1]} > "
                f"{passed.destination[0]}:{passed.destination[1]} {line}{fate}"
            )
