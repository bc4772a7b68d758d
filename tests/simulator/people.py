"""People: agents at desks, who sign in over JSON-RPC as a real desk does, and their habits."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from acd.inputs import SignedOut
from tests.simulator.phones import Softphone

if TYPE_CHECKING:
    from tests.simulator.world import World

Reply = Callable[[dict[str, Any]], None]


class Desk:
    """One connection to the JSON-RPC side."""

    def __init__(self, world: "World", number: int, role: str = "") -> None:
        self.world, self.number = world, number
        self.events: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.is_open = True
        self.on_event: Callable[[dict[str, Any]], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self._last_id = 0
        self._waiting: dict[int, Reply | None] = {}
        self._answers: dict[int, dict[str, Any]] = {}
        self._last_seq: int | None = None
        world.open_desk(self, role)

    def send(self, method: str, params: dict[str, Any] | None = None, reply: Reply | None = None) -> int:
        """Send one request; ``reply`` gets the whole response object."""
        self._last_id += 1
        self._waiting[self._last_id] = reply
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params or {}}
        self.world.desk_says(self, json.dumps(request).encode())
        return self._last_id

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send one request and return its result; an error is an AssertionError with its word."""
        number = self.send(method, params)
        response = self._answers.pop(number, None)
        assert response is not None, f"{method} was not answered in its turn"
        assert "result" in response, f"{method}: {response.get('error')}"
        return response["result"]

    def refusal(self, method: str, params: dict[str, Any] | None = None) -> str:
        """Send one request that must be refused, and return the word of its error."""
        response = self._answers.pop(self.send(method, params), {})
        assert "error" in response, f"{method} was not refused: {response}"
        return str(response["error"].get("data", {}).get("word", response["error"]["code"]))

    def hear(self, text: bytes) -> None:
        """Take one JSON text of the switch."""
        message = json.loads(text)
        if "method" in message:
            if message["method"] == "event":
                self._take_event(message["params"])
            else:
                self.notices.append(message)
            return
        number = message["id"]
        assert number in self._waiting, f"an answer to nothing: {message}"
        reply = self._waiting.pop(number)
        if reply is not None:
            reply(message)
        else:
            self._answers[number] = message

    def subscribe(self, topics: list[str]) -> Any:
        """Subscribe; from here on the numbers of events must chain without a gap."""
        result = self.ask("events.subscribe", {"topics": topics})
        self._last_seq = result["seq"]
        return result

    def lose(self) -> None:
        """The switch has died, and its kernel has closed the connection."""
        if self.is_open:
            self.is_open = False
            if self.on_lost is not None:
                self.on_lost()

    def close(self) -> None:
        """Drop the connection without a word."""
        if self.is_open:
            self.is_open = False
            self.world.desk_closes(self)

    def _take_event(self, params: dict[str, Any]) -> None:
        if self._last_seq is not None and params["prev"] != self._last_seq:
            self.world.complain(
                f"desk {self.number}", f"lost events: {params['prev']} after {self._last_seq}"
            )
        self._last_seq = params["seq"]
        self.events.append(params)
        if self.on_event is not None:
            self.on_event(params)


DESK = (
    "call.hold",
    "call.unhold",
    "call.mute",
    "call.unmute",
    "call.transfer",
    "call.consult",
    "call.consult",
    "call.consult_back",
    "call.consult_cancel",
    "call.consult_join",
    "call.consult_join",
    "call.consult_transfer",
    "call.consult_transfer",
    "call.escalate",
    "call.hangup",
)


@dataclass(frozen=True)
class Habits:
    """How an agent works. Probabilities per occasion, times in seconds."""

    signs_in_at: float = 1.0
    ends_wrapup: float = 0.0  # probability of ending it early
    pauses: float = 0.0  # probability, per conversation, of asking for a pause during it
    rests_for: float = 60.0
    forgets_pause: float = 0.3  # probability of asking for a pause in wrap-up instead
    signs_out_at: float | None = None
    drops_desk_at: float | None = None  # the connection breaks; resumed 10 s later
    phone_kind: str = "softphone"
    uses_desk: float = 0.0  # probability, per conversation, of call control from the desk; dials now and then

    def __str__(self) -> str:
        plain = Habits()
        return ", ".join(
            f"{key} {value}" for key, value in vars(self).items() if value != getattr(plain, key)
        )


class Agent:
    """A person, a desk and a phone, at one seat."""

    def __init__(
        self,
        world: "World",
        seat: str,
        phone: Softphone | None,
        habits: Habits,
        random: Random,
        password: str,
    ) -> None:
        self.world, self.seat, self.phone, self.habits = world, seat, phone, habits
        self._random, self._password = random, password
        self.desk: Desk | None = None
        self.session = ""
        self.is_signed_in = False
        self.is_leaving = False
        self.refusals: list[str] = []
        self._was = ("", "")

    def start(self) -> None:
        """Plan the day."""
        habits = self.habits
        if self.phone is not None:
            self.world.time.after(max(habits.signs_in_at - 0.9, 0.0), self.phone.register)
        self.world.time.after(habits.signs_in_at, self.sign_in)
        if habits.signs_out_at is not None:
            self.world.time.after(habits.signs_out_at, self.sign_out)
        if habits.drops_desk_at is not None:
            self.world.time.after(habits.drops_desk_at, self._drop_desk)

    def sign_in(self) -> None:
        """Open the desk, sign in, listen to what happens to the own seat."""
        if self.is_leaving or self.is_signed_in:
            return
        if not self.world.is_up:
            self.world.time.after(2.0, self.sign_in)
            return
        self.desk = Desk(self.world, self.world.next_desk())
        self.desk.on_lost = self._lose_desk
        phone = {"kind": self.habits.phone_kind}
        if phone["kind"] == "pstn":
            phone["number"] = f"139000{self.seat}"
        params = {"hotline": "96198", "seat": self.seat, "password": self._password, "phone": phone}
        self.desk.send("session.login", params, self._signed_in)

    def sign_out(self) -> None:
        """Leave; a busy seat is left when its work is done."""
        self.is_leaving = True
        if self.desk is not None and self.desk.is_open and self.is_signed_in:
            self.desk.send("session.logout", {}, self._signed_out)

    def notice(self, view: dict[str, Any]) -> None:
        """See the own seat change, as the desk shows it."""
        now_is = (view["presence"], view["activity"])
        was, self._was = self._was, now_is
        if was == now_is:
            return
        draw, habits = self._random.random, self.habits
        if habits.uses_desk and draw() < habits.uses_desk:
            self._press_buttons(now_is)
        if now_is[1] == "talking" and was[1] != "talking" and draw() < habits.pauses:
            if draw() < habits.forgets_pause:
                return
            self._later(1.0, "seat.pause", {"reason": "rest"})
        elif now_is == ("wrapup", "idle") and draw() < habits.ends_wrapup:
            self._later(2.0, "seat.wrapup_end", {})
        elif now_is[0] == "paused" and was[0] != "paused":
            self._later(habits.rests_for, "seat.ready", {})

    def _press_buttons(self, state: tuple[str, str]) -> None:
        """Do with calls what a desk can do, in whatever order."""
        random = self._random
        others = [seat for seat in self.world.town.seats if seat != self.seat]
        whom = [*others, "2001", "2002", "13900000055", "queue:senior"]
        if state[1] == "talking":
            delay = 0.0
            for _ in range(random.randint(1, 5)):
                delay += round(random.choice((0.01, 0.5, 2.0, 6.0)), 3)
                method = random.choice(DESK)
                params = {"to": random.choice(whom)} if method in ("call.transfer", "call.consult") else {}
                self._later(delay, method, params)
        elif state[1] == "ringing" and random.random() < 0.3:
            self._later(0.3, random.choice(("call.answer", "call.refuse", "call.hangup")), {})
        elif state[1] == "idle" and random.random() < 0.3:
            self._later(0.7, "call.dial", {"number": random.choice([*others, "2001", "13900000066"])})

    def _later(self, delay: float, method: str, params: dict[str, Any]) -> None:
        def act() -> None:
            if self.desk is not None and self.desk.is_open and self.is_signed_in:
                self.desk.send(method, params, self._take_refusal)

        self.world.time.after(delay, act)

    def _take_refusal(self, response: dict[str, Any]) -> None:
        if "error" in response:
            self.refusals.append(str(response["error"].get("data", {}).get("word", response["error"])))

    def _signed_in(self, response: dict[str, Any]) -> None:
        if "error" in response:
            word = response["error"].get("data", {}).get("word", response["error"]["message"])
            self.refusals.append(word)
            self.world.note(f"seat {self.seat}", f"is refused: {word}")
            if word == "PHONE_NOT_REGISTERED":
                self.world.time.after(5.0, self.sign_in)
            return
        self.session = response["result"]["session"]
        self.is_signed_in = True
        self.world.note(f"seat {self.seat}", "signed in")
        self._listen()

    def _listen(self) -> None:
        assert self.desk is not None
        self.desk.on_event = self._take_event
        self.desk.send("events.subscribe", {"topics": ["seat"]}, lambda _: None)

    def _take_event(self, params: dict[str, Any]) -> None:
        data = params["data"]
        if params["topic"] == "seat" and data.get("seat") == self.seat:
            self.notice(data)

    def _signed_out(self, response: dict[str, Any]) -> None:
        if "error" in response:
            self._take_refusal(response)
            self.world.time.after(5.0, self.sign_out)
            return
        self.is_signed_in = False
        self.world.note(f"seat {self.seat}", "signed out")

    def _lose_desk(self) -> None:
        """The switch has died: come back, as every desk does, before its minute is over."""
        self.world.time.after(
            self._random.uniform(1.0, 20.0), self._resume if self.is_signed_in else self.sign_in
        )

    def _drop_desk(self) -> None:
        if self.desk is None or not self.desk.is_open or not self.is_signed_in:
            return
        self.desk.close()
        self.world.note(f"seat {self.seat}", "desk connection lost")
        self.world.time.after(10.0, self._resume)

    def _resume(self) -> None:
        if self.is_leaving:
            return
        if not self.world.is_up:
            self.world.time.after(2.0, self._resume)
            return
        self.desk = Desk(self.world, self.world.next_desk())
        self.desk.on_lost = self._lose_desk
        self.desk.send("session.resume", {"session": self.session}, self._resumed)

    def _resumed(self, response: dict[str, Any]) -> None:
        if "error" in response:
            if self.world.has_meddlers:  # somebody may have signed the seat out meanwhile
                self.is_signed_in = False
                return
            self.world.complain(f"seat {self.seat}", f"resume within 60 s refused: {response['error']}")
            return
        self.world.note(f"seat {self.seat}", "desk resumed")
        self._listen()


def send_home(world: "World") -> None:
    """Sign everybody out, and let nobody come back."""
    while not world.is_up:
        world.run(1.0)
    for agent in world.agents.values():
        agent.is_leaving = True
    for seat in [each.id for each in world.node.engine.seats.values() if each.is_signed_in]:
        signed_out = SignedOut(seat, deferred=True, forced=True)
        world.turn(lambda now, what=signed_out: world.node.handle(what, now))
