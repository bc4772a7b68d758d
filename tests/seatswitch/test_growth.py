"""What a switch remembers does not grow with the number of its calls: every map has a cap or an expiry.

Rounds of calls of all kinds, in virtual time, each with numbers of its own, and after each of them the
longest time for which anything of a call is kept. Every container and every object of ours is counted that
can be reached from the node, its API or a module of ours. Caps are made small, so that a round fills them.
"""

import sys
from collections import Counter, deque
from collections.abc import Iterator
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

import pytest

import acd.board
import acd.counting
import acd.followup
import acd.readiness
import calls.numbers
import kernel.chance
import kernel.timers
import seatswitch.api.subscriptions
import seatswitch.voicemails
import sip.places
from acd.memory import CallerSeats, LeftPlaces
from calls.catalogue import Catalogue
from kernel.rows import FollowupRow, ScriptRow, VoicemailRow
from queues.statistics import Statistics
from tests.simulator.call import Call
from tests.simulator.people import Desk
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import staffed
from tests.simulator.town import DOMAIN, Town
from tests.simulator.world import World

SMALL = 30  # entries of a cap
INTERVALS = 2  # that counters keep
CALLERS = 60  # of a round, each with a number of its own
KEPT_FOR = 4_000.0  # seconds: longer than anything of a call is kept, but for what only a cap ends
OURS = ("kernel", "sip", "media", "queues", "policies", "acd", "calls", "config", "seatswitch")
SCRIPT = """[tenant.ivr.main.node.hello]
kind = "branch"
caller = true
cases = {"139*" = "voicemail:public"}
otherwise = "queue:junior"
"""
TOWN = Town(
    wrap_up=1.0,
    junior_entry="ivr:main",
    doors=('sticky_for = "5s"', 'resume_abandoned = "60s"'),
    more_tenant=f"record = true\n{SCRIPT}",
    more='[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n',
)
CAPS: tuple[tuple[ModuleType, str], ...] = (
    (acd.board, "VISITS_REMEMBERED"),
    (acd.followup, "REMEMBERED_MAX"),
    (calls.numbers, "_KNOWN_MAX"),
    (seatswitch.voicemails, "KEPT_MAX"),
    (seatswitch.api.subscriptions, "EVENT_BUFFER_MAX"),
    (sip.places, "_RESOLVED_MAX"),
)
LEAVES = (str, bytes, int, float, type(None), type, FunctionType, BuiltinMethodType, ModuleType)


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def parts(owner: object) -> Iterator[tuple[str, Any]]:
    """Return what an object of ours holds, by the name of the attribute."""
    yield from vars(owner).items() if hasattr(owner, "__dict__") else ()
    for kind in type(owner).__mro__:
        for slot in vars(kind).get("__slots__", ()):
            if hasattr(owner, slot):
                yield slot, getattr(owner, slot)


def held(world: World) -> Counter[str]:
    """Return how many objects of each class of ours there are, and how much is in all containers that stand
    at the same attribute of the same class.
    """
    found: Counter[str] = Counter()
    modules = [(name, module) for name, module in sys.modules.items() if is_ours(name)]
    todo: list[tuple[str, Any]] = [("", world.node), ("", world.api)]
    todo += [(f"{name}.{key}", value) for name, module in modules for key, value in vars(module).items()]
    seen: dict[int, Any] = {}
    while todo:
        path, thing = todo.pop()
        if isinstance(thing, LEAVES) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, MethodType):
            todo.append((path, thing.__self__))
        elif isinstance(thing, dict):
            found[path] += len(thing)
            todo += [(f"{path}[]", value) for pair in thing.items() for value in pair]
        elif isinstance(thing, list | tuple | set | frozenset | deque):
            found[path] += 0 if isinstance(thing, tuple) else len(thing)
            todo += [(f"{path}[]", value) for value in thing]
        elif is_ours(type(thing).__module__):
            kind = f"{type(thing).__module__}.{type(thing).__qualname__}"
            found[kind] += 1
            todo += [(f"{kind}.{name}", value) for name, value in parts(thing)]
    return found


def transfer(call: Call) -> None:
    if call.state == "talking":
        call.refer("2001", DOMAIN, 0.5)


def hold(call: Call, direction: str = "sendonly") -> None:
    if call.state == "talking":
        call.reinvite(direction)


def play_round(world: World, number: int) -> None:
    """Let callers of all kinds come, ten seconds apart, and then all that is kept of them expire."""
    world.trunk.manner = Manner(answers_after=1.0, talks_for=3.0)
    for index in range(CALLERS):
        caller = f"{139 if index % 6 == 5 else 138}{number:04d}{index:04d}"
        desk = Desk(world, world.next_desk(), "admin")
        desk.subscribe(["seat", "call", "queue", "callback", "switch"])
        kind = index % 6
        if kind == 0:
            world.admin.ask("callback.book", {"number": caller, "queue": "junior", "class": "general"})
        elif kind == 1:
            call = world.phones["2002"].invite("2001", to_host=DOMAIN)
            world.time.after(5.0, call.hang_up)
        else:
            patience = 1.0 if kind == 2 else None
            talks_for = 15.0 if kind == 5 else 5.0
            world.trunk.dial(Errand(caller=caller, hangs_up_after=patience, talks_for=talks_for))
            world.run(4.0)
            for phone in world.phones.values():
                for call in phone.calls:
                    if kind == 3:
                        transfer(call)
                    elif kind == 4:
                        hold(call)
                        world.time.after(1.0, partial(hold, call, "sendrecv"))
        world.run(5.0)
        desk.close()
        world.run(5.0)
        for phone in world.phones.values():
            phone.calls.clear()
    world.run(KEPT_FOR)


def busy() -> World:
    """Return a world whose phones are all there, and whose events somebody listens to."""
    world = staffed(Manner(answers_after=1.0), TOWN)
    world.check_every = 1_000
    for number in ("2001", "2002"):
        world.add_phone(number, Manner(answers_after=1.0)).register()
    world.node.news._kept = deque(maxlen=SMALL)
    world.run(3.0)
    return world


def grown(world: World) -> dict[str, tuple[int, int]]:
    """Return what two more rounds leave more of than two rounds had left, beyond a small cap."""
    play_round(world, 1)
    play_round(world, 2)
    before = held(world)
    play_round(world, 3)
    play_round(world, 4)
    after = held(world)
    return {it: (before[it], count) for it, count in after.items() if count > max(before[it], SMALL)}


def test_nothing_grows_with_the_number_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, cap in CAPS:
        monkeypatch.setattr(module, cap, SMALL)
    monkeypatch.setattr(acd.readiness, "_SPARE", 0)
    monkeypatch.setattr(kernel.timers, "_COMPACT_FROM", 5)  # dead timers whose moment is far away
    monkeypatch.setattr(kernel.chance, "_BATCH", 8 * SMALL)  # tokens in store
    monkeypatch.setattr(acd.counting, "SEAT_INTERVALS_MAX", INTERVALS)
    monkeypatch.setattr(Statistics.__init__, "__defaults__", (INTERVALS,))
    for kind in (CallerSeats, LeftPlaces, Catalogue):
        monkeypatch.setattr(kind.__init__, "__defaults__", (SMALL,))
    world = busy()
    assert grown(world) == {}
    assert {row.outcome for row in world.rows if isinstance(row, ScriptRow)} == {"led"}
    assert {row.outcome for row in world.rows if isinstance(row, FollowupRow)} == {"", "answered"}
    assert len(world.node.switchboard.recordings.catalogue) == SMALL
    assert sum(isinstance(row, VoicemailRow) and row.state == "new" for row in world.rows) == 4 * CALLERS // 6
    outcomes = Counter(row.outcome for row in world.visit_rows)
    assert outcomes == {"answered": 4 * CALLERS * 3 // 6, "abandoned": 4 * CALLERS // 6}


def test_what_has_a_large_cap_is_seen_to_grow() -> None:
    """The proof that the walk finds maps: those with a cap that four rounds do not fill."""
    seen = grown(busy())
    assert {
        "acd.board.Board._visits",
        "acd.followup.Followups._ended",
        "acd.memory.CallerSeats._seats",
        "calls.catalogue.Catalogue._rows",
        "calls.numbers.Numbers._known",
        "seatswitch.api.subscriptions.Subscriptions._call_tenants",
        "seatswitch.voicemails.Voicemails._kept",
        "sip.places.Places._resolved",
    } <= seen.keys()
