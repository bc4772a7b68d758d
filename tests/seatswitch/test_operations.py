"""Every operation on a seat in every state of it, through the whole switch: done, or refused with which word.

The table is the one of docs/seats.md; a new operation or state means a decision for each of its pairs.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.people import Habits
from tests.simulator.phones import RINGS_FOR_EVER, SILENT, Errand, Manner
from tests.simulator.stories import ONE_SEAT
from tests.simulator.stories import staffed as staffed_town
from tests.simulator.town import PASSWORD
from tests.simulator.world import World

TALKS = Manner(answers_after=0.5)
PSTN = {"kind": "pstn", "number": "1390008001"}


def staffed(manner: Manner | None = None) -> World:
    """Seat 8001 is ready, and so is the supervisor's, who leads it."""
    world = staffed_town(manner, replace(ONE_SEAT, leaders=1, more_seat='auto_answer = "desk"'))
    world.add_agent("8901", Manner(), Habits(signs_in_at=0.1))
    world.run(2.0)
    return world


def offline() -> World:
    world = staffed()
    world.admin.ask("supervisor.force_logout", {"seat": "8001"})
    return world


def paused() -> World:
    world = staffed()
    world.admin.ask("seat.pause", {"seat": "8001", "reason": "rest"})
    return world


def forced() -> World:
    world = staffed()
    world.admin.ask("supervisor.force_pause", {"seat": "8001", "reason": "coaching"})
    return world


def called(manner: Manner, after: float = 2.0) -> World:
    world = staffed(manner)
    world.trunk.dial(Errand())
    world.run(after)
    return world


def wrapup() -> World:
    world = called(TALKS)
    world.phones["8001"].calls[0].hang_up()
    world.run(0.5)
    return world


def dialling() -> World:
    world = staffed()
    world.trunk.manner = RINGS_FOR_EVER
    world.phones["8001"].invite("96201")
    world.run(0.5)
    return world


def out_ringing() -> World:
    """The seat's own phone rings for a call that came through no queue."""
    world = staffed(RINGS_FOR_EVER)
    phone = world.add_phone("2001")
    phone.register()
    world.run(0.5)
    phone.invite("8001")
    world.run(0.5)
    return world


def unreachable() -> World:
    world = staffed()
    world.phones["8001"].unregister()
    world.run(0.5)
    return world


STATES: dict[str, tuple[Callable[[], World], tuple[str, str]]] = {
    "offline": (offline, ("offline", "idle")),
    "ready": (staffed, ("ready", "idle")),
    "paused": (paused, ("paused", "idle")),
    "forced": (forced, ("paused", "idle")),
    "wrapup": (wrapup, ("wrapup", "idle")),
    "reserved": (lambda: called(SILENT, 0.5), ("ready", "reserved")),
    "ringing": (lambda: called(RINGS_FOR_EVER), ("ready", "ringing")),
    "talking": (lambda: called(TALKS), ("ready", "talking")),
    "own ringing": (out_ringing, ("ready", "ringing")),
    "unreachable": (unreachable, ("ready", "unreachable")),
}

OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "login": ("session.login", {"hotline": "96198", "password": PASSWORD}),
    "login, another phone": ("session.login", {"hotline": "96198", "password": PASSWORD, "phone": PSTN}),
    "logout": ("session.logout", {}),
    "logout, deferred": ("session.logout", {"deferred": True}),
    "bind": ("seat.bind", {"phone": PSTN}),
    "bind, phone unknown": ("seat.bind", {"phone": {"kind": "extension", "number": "2002"}}),
    "pause": ("seat.pause", {"reason": "rest"}),
    "pause, reason unknown": ("seat.pause", {"reason": "golf"}),
    "ready": ("seat.ready", {}),
    "wrapup_end": ("seat.wrapup_end", {}),
    "wrapup_extend": ("seat.wrapup_extend", {"seconds": 60}),
    "force_ready": ("supervisor.force_ready", {}),
    "force_pause": ("supervisor.force_pause", {"reason": "coaching"}),
    "force_logout": ("supervisor.force_logout", {}),
    "disconnect": ("supervisor.disconnect", {}),
    "pickup": ("supervisor.pickup", {}),
    "monitor": ("supervisor.monitor", {}),
    "whisper": ("supervisor.whisper", {}),
    "barge": ("supervisor.barge", {"follow": True}),
    "switch, attached to nobody": ("supervisor.switch", {"mode": "barge"}),
    "takeover, attached to nobody": ("supervisor.takeover", {}),
    "answer": ("call.answer", {}),
    "refuse": ("call.refuse", {}),
    "hangup": ("call.hangup", {}),
    "hold": ("call.hold", {}),
    "unhold": ("call.unhold", {}),
    "mute": ("call.mute", {}),
    "dtmf": ("call.dtmf", {"digits": "1"}),
    "transfer": ("call.transfer", {"to": "seat:9999"}),
    "consult": ("call.consult", {"to": "seat:9999"}),
    "consult_back": ("call.consult_back", {}),
    "consult_join": ("call.consult_join", {}),
    "dial": ("call.dial", {"number": "8901"}),
    "move_seat": ("supervisor.move_seat", {"queues": ["junior"], "level": "intermediate"}),
}

NO_CALL = {**dict.fromkeys(STATES, "NOT_IN_CALL"), "offline": "NOT_LOGGED_IN"}

NOT_TALKING = {**dict.fromkeys(STATES, "TARGET_NOT_TALKING"), "talking": ""}

# What is not named is done.
REFUSALS: dict[str, dict[str, str]] = {
    "login": {},
    "login, another phone": {},
    "logout": {
        "offline": "NOT_LOGGED_IN",
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "STATUS_NOT_IDLE"),
    },
    "logout, deferred": {"offline": "NOT_LOGGED_IN"},
    "bind": {
        "offline": "NOT_LOGGED_IN",
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "STATUS_NOT_IDLE"),
    },
    "bind, phone unknown": {
        "offline": "NOT_LOGGED_IN",
        **dict.fromkeys(("ready", "paused", "forced", "wrapup", "unreachable"), "PHONE_NOT_REGISTERED"),
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "STATUS_NOT_IDLE"),
    },
    "pause": {"offline": "NOT_LOGGED_IN", "forced": "FORCED_PAUSE"},
    "pause, reason unknown": {
        **dict.fromkeys(STATES, "BAD_PAUSE"),
        "offline": "NOT_LOGGED_IN",
        "forced": "FORCED_PAUSE",
    },
    "ready": {
        **dict.fromkeys(STATES, "ALREADY_READY"),
        "offline": "NOT_LOGGED_IN",
        "forced": "FORCED_PAUSE",
        "paused": "",
        "wrapup": "",
    },
    "wrapup_end": {**dict.fromkeys(STATES, "BAD_STATE"), "offline": "NOT_LOGGED_IN", "wrapup": ""},
    "wrapup_extend": {**dict.fromkeys(STATES, "BAD_STATE"), "offline": "NOT_LOGGED_IN", "wrapup": ""},
    "force_ready": {
        **dict.fromkeys(STATES, "ALREADY_READY"),
        "offline": "NOT_LOGGED_IN",
        "forced": "",
        "paused": "",
        "wrapup": "",
    },
    "force_pause": {"offline": "NOT_LOGGED_IN"},
    "force_logout": {"offline": "NOT_LOGGED_IN"},
    "disconnect": {**dict.fromkeys(STATES, "TARGET_NOT_TALKING"), "talking": ""},
    "pickup": {**dict.fromkeys(STATES, "NOT_RINGING"), "ringing": ""},
    "monitor": NOT_TALKING,
    "whisper": NOT_TALKING,
    "barge": NOT_TALKING,
    "switch, attached to nobody": dict.fromkeys(STATES, "NOT_ATTACHED"),
    "takeover, attached to nobody": dict.fromkeys(STATES, "NOT_ATTACHED"),
    "answer": {
        **NO_CALL,
        **dict.fromkeys(("reserved", "ringing", "own ringing"), ""),
        "talking": "NOT_RINGING",
    },
    "refuse": {**NO_CALL, "ringing": "", "own ringing": "", "talking": "NOT_RINGING", "reserved": ""},
    "hangup": {**NO_CALL, "talking": ""},
    "hold": {**NO_CALL, "talking": ""},
    "unhold": {**NO_CALL, "talking": "NOT_HELD"},
    "mute": {**NO_CALL, "talking": ""},
    "dtmf": {**NO_CALL, "talking": ""},
    "transfer": {**NO_CALL, "talking": "NO_SUCH_TARGET"},
    "consult": {**NO_CALL, "talking": "NO_SUCH_TARGET"},
    "consult_back": {
        **NO_CALL,
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "NO_CONSULT"),
    },
    "consult_join": {
        **NO_CALL,
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "NO_CONSULT"),
    },
    "dial": {
        "offline": "NOT_LOGGED_IN",
        "unreachable": "PHONE_NOT_REGISTERED",
        **dict.fromkeys(("reserved", "ringing", "talking", "own ringing"), "BUSY"),
    },
    "move_seat": {},
}


def ask(world: World, method: str, params: dict[str, Any]) -> str:
    """Ask for it as whoever has a right to, and return the word of the refusal, "" when it was done."""
    answers: list[dict[str, Any]] = []
    group = method.partition(".")[0]
    is_offline = world.admin.ask("seat.get", {"seat": "8001"})["presence"] == "offline"
    own, lead = world.agents["8001"].desk, world.agents["8901"].desk
    desk = lead if group == "supervisor" else world.admin if is_offline else own
    assert desk is not None
    more = {} if group == "call" or method == "session.logout" else {"seat": "8001"}
    desk.send(method, {**more, **params}, answers.append)
    (answer,) = answers
    return str(answer["error"]["data"]["word"]) if "error" in answer else ""


def test_every_operation_has_a_row() -> None:
    assert list(OPERATIONS) == list(REFUSALS)
    for row in REFUSALS.values():
        assert set(row) <= set(STATES)


def page_rows() -> list[str]:
    """Return the table as docs/seats.md shows it: by operation, each word with the states it is for."""
    rows = []
    for operation, row in REFUSALS.items():
        by_word: dict[str, list[str]] = {}
        for state in STATES:
            if row.get(state):
                by_word.setdefault(row[state], []).append(state)
        words = "; ".join(f"`{word}` {', '.join(states)}" for word, states in by_word.items())
        rows.append(f"| {operation} | {words} |" if words else f"| {operation} | |")
    return rows


def test_the_page_shows_the_same_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "seats.md").read_text(encoding="utf-8")
    table = page.partition("| operation | refused |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == page_rows()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_in_state(operation: str, state: str) -> None:
    build, seen = STATES[state]
    world = build()
    view = world.admin.ask("seat.get", {"seat": "8001"})
    assert (view["presence"], view["activity"]) == seen
    method, params = OPERATIONS[operation]
    assert ask(world, method, params) == REFUSALS[operation].get(state, "")
    after = world.admin.ask("seat.get", {"seat": "8001"})
    if REFUSALS[operation].get(state, ""):
        assert after == view  # a refusal changes nothing
