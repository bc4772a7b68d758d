"""Every way a queue call can end, once with SIPp: the right outcome, and nothing left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire


class Scene:
    """A switch with one registered seat, and what is needed to call it."""

    def __init__(self, folder: Path, switch: Switch) -> None:
        self.folder = folder
        self.switch = switch
        self.phone_port = free_port()
        self.admin = switch.rpc()
        self.desks: list[Rpc] = []

    def seat(self, scenario: str, **options: Any) -> Sipp:
        """Register seat 8001 with a phone that behaves as ``scenario``, and sign it in."""
        register(self.folder, self.switch.sip_port, ["8001"], port=self.phone_port)
        phone = Sipp(self.folder, scenario, port=self.phone_port, **options)
        self.desks = sign_in(self.switch, ["8001"])
        return phone

    def caller(self, scenario: str = "caller", **options: Any) -> Sipp:
        """Call 96198."""
        return Sipp(
            self.folder, scenario, port=free_port(), target=f"127.0.0.1:{self.switch.sip_port}", **options
        )

    def visit(self) -> dict[str, Any]:
        """Return the one visit, once it has ended and nothing is left of its call."""
        visit = rows_when_complete(self.switch, "visits", 1)[0]
        wait_until("no call is left", lambda: not self.admin.call("call.list"))
        return visit

    def offers(self, count: int) -> list[dict[str, Any]]:
        """Return the offers' rows."""
        return sorted(rows_when_complete(self.switch, "offers", count), key=lambda row: str(row["rung_at"]))

    def verdict(self) -> str:
        """Return the verdict of the one call."""
        return str(rows_when_complete(self.switch, "calls", 1)[0]["verdict"])


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    options = getattr(request, "param", {})
    with Switch(tmp_path, **options) as switch:
        yield Scene(tmp_path, switch)


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
    assert scene.offers(1)[0]["outcome"] == "withdrawn"
    wait_until("the seat is free", lambda: scene.admin.call("seat.get", seat="8001")["activity"] == "idle")


def test_caller_hangs_up_between_answer_and_ack(scene: Scene) -> None:
    with scene.caller("caller_without_ack") as caller:
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"


@pytest.mark.parametrize(
    "scene", [{"queue_extra": 'answer = "183"'}], indirect=True, ids=["early media"]
)
def test_caller_cancels_in_early_media(scene: Scene) -> None:
    with scene.caller("caller_cancels", status=183, options=("-d", "300")) as caller:
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.verdict() == "caller:cancelled"


@pytest.mark.parametrize("status", [486, 480, 603])
def test_seat_refuses(scene: Scene, status: int) -> None:
    with scene.seat("seat_refuses", status=status) as phone, scene.caller(options=("-d", "900")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    offer = scene.offers(1)[0]
    assert (offer["outcome"], offer["sip_status"]) == ("refused", status)


@pytest.mark.parametrize("scene", [{"ring_for": 1}], indirect=True, ids=["ring for 1 s"])
def test_seat_never_answers(scene: Scene) -> None:
    with scene.seat("seat_rings") as phone, scene.caller(options=("-d", "1800")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.offers(1)[0]["outcome"] == "missed"


@pytest.mark.parametrize("scene", [{"ring_for": 1}], indirect=True, ids=["ring for 1 s"])
def test_seat_answers_after_our_cancel(scene: Scene) -> None:
    with scene.seat("seat_late") as phone, scene.caller(options=("-d", "1800")) as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "abandoned"
    assert scene.offers(1)[0]["outcome"] == "missed"


def test_seat_hangs_up(scene: Scene) -> None:
    with scene.seat("seat_hangs_up", options=("-d", "300")) as phone, scene.caller("caller_stays") as caller:
        phone.finish()
        caller.finish()
    assert scene.visit()["outcome"] == "answered"
    assert rows_when_complete(scene.switch, "calls", 1)[0]["ended_by"] == "seat"


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
    call = rows_when_complete(scene.switch, "calls", 1)[0]
    assert (call["verdict"], call["ended_by"]) == ("network:no_audio", "switch")
    wait_until("the seat is free", lambda: scene.admin.call("seat.get", seat="8001")["activity"] == "idle")
    wait_until("nothing is left", lambda: scene.admin.call("admin.status")["media"]["streams"] == 0)


@pytest.mark.parametrize("scene", [{"max_waiting": 1}], indirect=True, ids=["one place"])
def test_a_full_queue_refuses(scene: Scene) -> None:
    with scene.caller(options=("-d", "2500")) as first:
        wait_until("the first waits", phase(scene, "waiting"))
        with scene.caller("caller_refused", status=486) as second:
            second.finish()
        first.finish()
    outcomes = sorted(row["outcome"] for row in rows_when_complete(scene.switch, "visits", 2))
    assert outcomes == ["abandoned", "refused"]


def test_an_unknown_number_is_404(scene: Scene) -> None:
    with scene.caller("caller_refused", status=404, service="99999") as caller:
        caller.finish()
    assert scene.verdict() == "caller:unknown_number"
