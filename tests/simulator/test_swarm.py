"""Three hundred seeds of up to twenty calls, every turn checked; and one seed is one history.

A seed that fails here is run alone, with its story, by ``python -m tests.simulator --seed N``.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.rows import CallbackRow, ScriptRow
from tests.simulator.menus import Hands, Menus, Turned
from tests.simulator.swarm import BUTTONS, Swarm, draw_options, run_seed

ROOT = Path(__file__).resolve().parents[2]
BLOCK = 15
SAID = (
    'announce = {every = "5s", after = "2s", position = "always", wait = "always"}',
    "say_seat = true",
    'seat_hears = "builtin:welcome"',
    "survey = {automatic = true}",
    "seat_delay = 1",
    "seat_hears_wait = true",
)
BY_HAND = (
    "pick = true",
    'call_back_abandoned = {after = "10s", min_waited = "3s", per_number = 3}',
)
PICKS = (("supervisor.pickup", {"call": "CALL"}), ("call.pick", {"call": "CALL"}))


@pytest.mark.parametrize("first", range(1, 301, BLOCK))
def test_nothing_unsafe_and_nothing_stuck_in_a_block_of_seeds(first: int) -> None:
    for seed in range(first, first + BLOCK):
        try:
            run_seed(seed)
        except AssertionError as error:
            pytest.fail(f"python -m tests.simulator --seed {seed}: {error}")


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_everything_is_said_that_can_be(first: int) -> None:
    """Announcements, words before the bridge, keys of outside phones, ratings and reminders of holds."""
    for seed in range(first, first + BLOCK):
        drawn = draw_options(seed)
        town = replace(
            drawn.town, doors=(*drawn.town.doors, *SAID), accept_key="1" if seed % 2 else "", hold_recall=15.0
        )
        try:
            Swarm(replace(drawn, town=town)).run()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_callers_come_by_a_menu_and_desks_send_them_into_one(first: int) -> None:
    """Keys at random, kills in every third seed; every run of a script leaves one row."""
    pressed = interacts = runs = 0
    for seed in range(first, first + BLOCK):
        swarm = Menus(draw_options(seed, also=("kills",) if seed % 3 == 0 else ()))
        try:
            swarm.run_all()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        rows = [row for row in swarm.world.rows if isinstance(row, ScriptRow)]
        assert len({row.run for row in rows}) == len(rows), f"seed {seed}: two rows of one run"
        assert not any('"pin":"' in row.variables and '"pin":"***"' not in row.variables for row in rows)
        pressed, interacts, runs = pressed + swarm.pressed, interacts + swarm.interacts, runs + len(rows)
    assert min(pressed, interacts, runs) > 0


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_nobody_takes_the_callers_of_a_script(first: int) -> None:
    """Busy, silent, refusing, away, full, closed, waited in vain: whoever came by a script that says what
    follows is hung up by none of that.
    """
    came_back = 0
    for seed in range(first, first + BLOCK):
        swarm = Turned(draw_options(seed, also=("kills",) if seed % 3 == 0 else ()))
        try:
            swarm.run_all()
            assert swarm.dropped() == []
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        rows = [row for row in swarm.world.rows if isinstance(row, ScriptRow)]
        assert len({row.run for row in rows}) == len(rows), f"seed {seed}: two rows of one run"
        came_back += sum(not row.run.endswith("/s1") for row in rows)
    assert came_back


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_waiting_calls_are_moved_and_taken_by_hand(first: int) -> None:
    """Between queues, before all others, by credit and by who picks them; their scripts take them back."""
    moved = picked = credited = 0
    for seed in range(first, first + BLOCK):
        swarm = Hands(draw_options(seed, also=("kills",) if seed % 3 == 0 else ()))
        try:
            swarm.run_all()
            assert swarm.dropped() == []
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        moved += sum(row.cause == "moved" for row in swarm.world.visit_rows)
        picked += sum(row.policy == "picked" for row in swarm.world.offer_rows)
        credited += swarm.done.get("supervisor.move_call", 0)
    assert min(moved, picked, credited - moved) > 0


def test_a_caller_that_a_queue_turns_away_out_of_a_conversation_talks_to_whom_its_script_finds() -> None:
    """A call that came to its queue and was led on from there by its script: the queue has served nobody."""
    swarm = Turned(draw_options(193))
    swarm.run_all()
    answered = [row.call for row in swarm.world.visit_rows if row.outcome == "answered"]
    calls = [row for row in swarm.world.call_rows if row.entry == "queue:junior" and row.call not in answered]
    assert any(row.verdict == "success" and row.talked for row in calls)


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_calls_are_picked_by_hand_and_who_gave_up_is_called(first: int) -> None:
    picked = promised = 0
    for seed in range(first, first + BLOCK):
        drawn = draw_options(seed, 20, ("desk operations",))
        town = replace(drawn.town, doors=(*drawn.town.doors, *BY_HAND))
        swarm = Swarm(replace(drawn, town=town, buttons=(*BUTTONS, *(PICKS * 40))))
        try:
            swarm.run()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        picked += sum(row.policy == "picked" for row in swarm.world.offer_rows)
        promised += sum(
            isinstance(row, CallbackRow) and row.booked_by == "abandoned" and row.outcome == "answered"
            for row in swarm.world.rows
        )
    assert picked
    assert promised


@pytest.mark.parametrize("first", range(1, 46, BLOCK))
def test_the_same_where_phones_stay_on_the_line(first: int) -> None:
    """Lines that are lost, calls on them that are called off, and kills in the middle of all that."""
    answered = lines = 0
    for seed in range(first, first + BLOCK):
        drawn = draw_options(seed, 20, ("kills",) if seed % 2 else ())
        swarm = Swarm(replace(drawn, town=replace(drawn.town, more_seat='standing = "auto"')))
        try:
            swarm.run()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        answered += sum(row.outcome == "answered" for row in swarm.world.offer_rows)
        lines += sum(row.entry.startswith("standing:") for row in swarm.world.call_rows)
    assert answered
    assert lines


def test_a_caller_hangs_up_as_the_number_it_was_sent_to_fails() -> None:
    """The row of what it was sent to says that this could not be reached, and not that the caller went."""
    swarm = Swarm(draw_options(6022, 20, ("kills", "internal", "transfers")))
    swarm.run()
    assert any(
        row.entry == "number:9999" and row.verdict == "network:unreachable" for row in swarm.world.call_rows
    )


def test_an_ear_waits_until_the_workers_have_heard_what_they_were_told() -> None:
    """The late ACK of a caller who had offered nothing arrives in the very instant in which all are listened
    to: the music is on its way to the worker, and the caller does not wait in silence.
    """
    run_seed(93483)


def test_a_seed_is_one_history_whatever_the_hash_seed() -> None:
    """No container order reaches the wire, the rows or the API."""
    ends = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-m", "tests.simulator", "--seed", "3", "--count", "6", "--log", "none"]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        ends.append(done.stdout.split("fingerprint ")[1].strip())
    assert ends[0] == ends[1]


def test_options_differ_between_seeds_and_agree_with_themselves() -> None:
    assert str(draw_options(5)) == str(draw_options(5))
    assert len({str(draw_options(seed)) for seed in range(50)}) == 50
