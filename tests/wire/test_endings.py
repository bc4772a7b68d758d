"""Every way a queue call can end, once with SIPp: the right outcome, and nothing left behind.

Tests in a row that want the same of a switch share it, each with a seat of its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, wait_until
from tests.wire.test_queue_call import sign_in

pytestmark = pytest.mark.wire


BEGUN_AT = {"calls": "arrived_at", "visits": "joined_at", "offers": "rung_at"}


class Scene:
    """A switch with one registered seat, and what is needed to call it; what was before is not seen."""

    def __init__(self, folder: Path, switch: Switch, number: str = "8001") -> None:
        self.folder = folder
        self.switch = switch
        self.number = number
        self.phone_port = free_port()
        self.admin = switch.rpc()
        self.desks: list[Rpc] = []
        self._begins_at = time.time()

    def seat(self, scenario: str, **options: Any) -> Sipp:
        """Register the seat with a phone that behaves as ``scenario``, and sign it in."""
        register(self.folder, self.switch.sip_port, [self.number], port=self.phone_port)
        phone = Sipp(self.folder, scenario, port=self.phone_port, **options)
        self.desks = sign_in(self.switch, [self.number])
        return phone

    def leave(self) -> None:
        """Sign the seat out, for whoever comes next."""
        for desk in self.desks:
            desk.call("session.logout")

    def is_idle(self) -> bool:
        """Return whether nothing goes on at the seat."""
        return bool(self.admin.call("seat.get", seat=self.number)["activity"] == "idle")

    def caller(self, scenario: str = "caller", **options: Any) -> Sipp:
        """Call 96198."""
        return Sipp(
            self.folder, scenario, port=free_port(), target=f"127.0.0.1:{self.switch.sip_port}", **options
        )

    def visit(self) -> dict[str, Any]:
        """Return the one visit, once it has ended and nothing is left of its call."""
        visit = self.rows("visits", 1)[0]
        wait_until("no call is left", lambda: not self.admin.call("call.list"))
        return visit

    def rows(self, table: str, most: int) -> list[dict[str, Any]]:
        """Return its rows, once there are so many."""
        name = BEGUN_AT[table]

        def mine() -> list[dict[str, Any]]:
            return [row for row in self.switch.rows(table) if row[name] >= self._begins_at]

        wait_until(f"{most} rows in {table}", lambda: len(mine()) >= most)
        assert len(mine()) == most
        return mine()

    def offer(self) -> dict[str, Any]:
        """Return the one offer."""
        return self.rows("offers", 1)[0]

    def verdict(self) -> str:
        """Return the verdict of the one call."""
        return str(self.rows("calls", 1)[0]["verdict"])


class House:
    """The switch that runs now; the next with other options takes its place, and its ports."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._options: dict[str, Any] | None = None

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def scene(self, folder: Path, options: dict[str, Any]) -> Scene:
        """Return a scene at a switch with these options, with a seat that nobody has used."""
        if self._options != options:
            self._running.close()
            home = folder / "switch"
            home.mkdir()
            self._switch = self._running.enter_context(Switch(home, **options))
            self._options, self._numbers = options, iter(self._switch.seats)
        return Scene(folder, self._switch, next(self._numbers))


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as one:
        yield one


@pytest.fixture
def scene(tmp_path: Path, house: House, request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = house.scene(tmp_path, getattr(request, "param", {}))
    yield scene
    scene.leave()


def phase(scene: Scene, state: str) -> Callable[[], bool]:
    return lambda: any(call["state"] == state for call in scene.admin.call("call.list"))


def test_caller_hangs_up_while_waiting(scene: Scene) -> None:
    with scene.caller(options=("-d", "500")) as caller:
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.verdict() == "caller:abandoned"


def test_caller_hangs_up_while_ringing(scene: Scene) -> None:
    with scene.seat("seat_rings") as phone, scene.caller(options=("-d", "700")) as caller:
        caller.finish()
        phone.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.offer()["outcome"] == "withdrawn"
    wait_until("the seat is free", scene.is_idle)


def test_caller_hangs_up_between_answer_and_ack(scene: Scene) -> None:
    with scene.caller("caller_without_ack") as caller:
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"


@pytest.mark.parametrize("status", [486, 480, 603])
def test_seat_refuses(scene: Scene, status: int) -> None:
    with scene.seat("seat_refuses", status=status) as phone, scene.caller(options=("-d", "900")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    offer = scene.offer()
    assert (offer["outcome"], offer["sip_status"]) == ("refused", status)


def test_seat_hangs_up(scene: Scene) -> None:
    with scene.seat("seat_hangs_up", options=("-d", "300")) as phone, scene.caller("caller_stays") as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "answered"
    assert scene.rows("calls", 1)[0]["ended_by"] == "seat"


def test_seat_vanishes_in_the_call(scene: Scene) -> None:
    """The BYE to a dead phone times out by itself; caller, seat and rows do not wait for it."""
    with scene.seat("seat_vanishes") as phone, scene.caller(options=("-d", "1000")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "answered"
    assert scene.verdict() == "success"


def test_caller_vanishes_and_the_seat_hangs_up(scene: Scene) -> None:
    """The trunk is silent: our BYE is never answered."""
    with (
        scene.seat("seat_hangs_up", options=("-d", "500")) as phone,
        scene.caller("caller_vanishes") as caller,
    ):
        caller.finish()
        phone.finish()
    assert scene.visit()["outcome"] == "answered"


def test_an_unknown_number_is_404(scene: Scene) -> None:
    with scene.caller("caller_refused", status=404, service="99999") as caller:
        caller.finish()
    assert scene.verdict() == "caller:unknown_number"


@pytest.mark.parametrize("scene", [{"ring_for": 1}], indirect=True, ids=["ring for 1 s"])
def test_seat_never_answers(scene: Scene) -> None:
    with scene.seat("seat_rings") as phone, scene.caller(options=("-d", "1800")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.offer()["outcome"] == "missed"


@pytest.mark.parametrize("scene", [{"ring_for": 1}], indirect=True, ids=["ring for 1 s"])
def test_seat_answers_after_our_cancel(scene: Scene) -> None:
    with scene.seat("seat_late") as phone, scene.caller(options=("-d", "1800")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.offer()["outcome"] == "missed"


@pytest.mark.parametrize("scene", [{"rtp_timeout": "2s"}], indirect=True, ids=["2 s without audio"])
@pytest.mark.parametrize(
    ("caller", "seat"),
    [("caller_bye_lost", "seat"), ("caller_stays", "seat_bye_lost"), ("caller_vanishes", "seat")],
    ids=["the caller's BYE is lost", "the seat's BYE is lost", "the trunk is silent"],
)
def test_a_call_whose_bye_is_lost_ends_by_the_silence_of_its_audio(
    scene: Scene, caller: str, seat: str
) -> None:
    """Nobody tells us that it is over; both sides are told, whatever they say, and everything is free."""
    options = ("-d", "500")
    with scene.seat(seat, options=options) as phone, scene.caller(caller, options=options) as trunk:
        trunk.finish()
        phone.finish()
    assert scene.visit()["outcome"] == "answered"
    call = scene.rows("calls", 1)[0]
    assert (call["verdict"], call["ended_by"]) == ("network:no_audio", "switch")
    wait_until("the seat is free", scene.is_idle)
    wait_until("nothing is left", lambda: scene.admin.call("admin.status")["media"]["streams"] == 0)


@pytest.mark.parametrize(
    "scene", [{"queue_extra": 'answer = "183"'}], indirect=True, ids=["early media"]
)
def test_caller_cancels_in_early_media(scene: Scene) -> None:
    with scene.caller("caller_cancels", status=183, options=("-d", "300")) as caller:
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.verdict() == "caller:cancelled"


@pytest.mark.parametrize("scene", [{"max_waiting": 1}], indirect=True, ids=["one place"])
def test_a_full_queue_refuses(scene: Scene) -> None:
    with scene.caller(options=("-d", "2500")) as first:
        wait_until("the first waits", phase(scene, "waiting"))
        with scene.caller("caller_refused", status=486) as second:
            second.finish()
        first.finish()
    outcomes = sorted(row["outcome"] for row in scene.rows("visits", 2))
    assert outcomes == ["abandoned", "refused"]
