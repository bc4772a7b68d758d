"""What seats do by rule and by the clock, in the whole switch: limits, wrap-up, missed offers, quotas."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.load import load_settings
from tests.simulator.people import Desk, Habits
from tests.simulator.phones import BUSY, RINGS_FOR_EVER, Errand, Manner
from tests.simulator.stories import ONE_SEAT, settle, staffed
from tests.simulator.town import PASSWORD, Town
from tests.simulator.world import World

TALKS = Manner(answers_after=1.0)


def seat(world: World, number: str = "8001") -> dict[str, Any]:
    view: dict[str, Any] = world.admin.ask("seat.get", {"seat": number})
    return view


def login(world: World, number: str) -> dict[str, Any]:
    """Sign in at a desk of its own, and return the whole answer."""
    answers: list[dict[str, Any]] = []
    desk = Desk(world, world.next_desk())
    desk.send("session.login", {"hotline": "96198", "seat": number, "password": PASSWORD}, answers.append)
    return answers[0]


def reload(world: World, text: str) -> None:
    settings = load_settings(text, file="town.toml", find_zone=ZoneInfo)
    world.turn(lambda now: world.node.reconfigure(settings, now))
    world.has_reloaded = True


# Handle limit.


def test_a_call_that_lasts_too_long_is_told_once_and_never_cut() -> None:
    """Juniors: 3 minutes (domain.md, level rules); told on the topics of supervisors and of calls."""
    world = staffed(TALKS)
    world.admin.subscribe(["supervisor", "call"])
    caller = world.trunk.dial(Errand(talks_for=400.0))

    def told() -> list[dict[str, Any]]:
        return [event for event in world.admin.events if event["data"].get("what") == "handle_limit"]

    world.run(180.9)
    assert told() == []
    world.run(0.3)
    assert [event["topic"] for event in told()] == ["supervisor", "call"]
    first, second = (event["data"] for event in told())
    assert (first["seat"], first["limit"]) == ("8001", 180.0)
    assert (second["state"], second["call"]) == ("talking", first["call"])
    world.run(200.0)
    assert caller.state == "talking"
    assert len(told()) == 2
    world.run(30.0)
    assert world.call_rows[0].talked == pytest.approx(399.0, abs=0.2)
    settle(world)


def test_a_call_that_ends_in_time_is_not_told_of_nor_the_next_one_blamed() -> None:
    world = staffed(TALKS, replace(ONE_SEAT, wrap_up=0.0))
    world.admin.subscribe(["supervisor"])
    world.trunk.dial(Errand(talks_for=100.0))
    world.run(102.0)
    world.trunk.dial(Errand(talks_for=100.0))
    world.run(150.0)
    assert world.admin.events == []
    settle(world)


# Wrap-up.


@pytest.mark.parametrize(
    ("queue", "own", "most", "lasts"),
    [
        ("", "", "", 30.0),
        ("wrap_up = 12", "", "", 12.0),
        ("wrap_up = 12", "wrap_up = 7", "", 7.0),
        ("wrap_up = 12", "wrap_up = 0", "", 0.0),
        ("wrap_up = 100", "", "wrap_up_max = 20", 20.0),
    ],
)
def test_wrap_up_is_the_levels_then_the_queues_then_the_seats_and_capped(
    queue: str, own: str, most: str, lasts: float
) -> None:
    world = staffed(TALKS)
    text = world.town.toml().replace('on_timeout = "hangup"', f'on_timeout = "hangup"\n{queue}', 1)
    text = text.replace('number = "8001"', f'number = "8001"\n{own}')
    reload(world, text.replace('drain_after = "10m"', f'drain_after = "10m"\n{most}'))
    world.trunk.dial(Errand(hangs_up_after=10.0))
    world.run(10.1)
    view = seat(world)
    assert view["presence"] == ("wrapup" if lasts else "ready")
    assert (view["wrapup_left"] or 0.0) == pytest.approx(lasts, abs=0.2)
    settle(world)


# Missed offers.


@pytest.mark.parametrize(
    ("manner", "rule", "presence", "reason"),
    [
        (RINGS_FOR_EVER, "no_answer = {pause_after = 1}", "paused", "no_answer"),
        (RINGS_FOR_EVER, "no_answer = {logout_after = 1}", "offline", ""),
        (RINGS_FOR_EVER, "no_answer = {pause_after = 0}", "ready", ""),
        (BUSY, "refused = {pause_after = 1}", "paused", "refused"),
        (BUSY, "refused = {logout_after = 1}", "offline", ""),
        (Manner(answers_after=1.0, refuses=503), "unreachable = {pause_after = 1}", "paused", "unreachable"),
        (Manner(answers_after=1.0, refuses=503), "unreachable = {logout_after = 1}", "offline", ""),
    ],
)
def test_what_a_missed_offer_costs_by_cause(manner: Manner, rule: str, presence: str, reason: str) -> None:
    """No wrap-up in any case; the caller keeps its place."""
    world = staffed(manner, replace(ONE_SEAT, ring_for=5.0, missed=f"{{{rule}}}"))
    caller = world.trunk.dial(Errand())
    world.run(8.0)
    view = seat(world)
    assert (view["presence"], view["reason"]) == (presence, reason)
    assert all(row.presence != "wrapup" for row in world.presence_rows)
    assert caller.state == "talking"  # to the music
    assert world.visit_rows == []
    caller.hang_up()
    settle(world)


def test_a_caller_who_hangs_up_and_a_lost_race_cost_nothing() -> None:
    """Two seats ring at once; one answers; then the next caller gives up while both ring."""
    rules = "{no_answer = {pause_after = 1}, refused = {pause_after = 1}}"
    town = Town(juniors=2, intermediates=0, seniors=0, policy="ring-all", wrap_up=0.0, missed=rules)
    world = staffed(TALKS, town)
    world.phones["8002"].manner = RINGS_FOR_EVER
    world.trunk.dial(Errand(talks_for=3.0))
    world.run(10.0)
    world.phones["8001"].manner = RINGS_FOR_EVER
    world.trunk.dial(Errand(hangs_up_after=4.0))
    world.run(10.0)
    assert [seat(world, number)["presence"] for number in ("8001", "8002")] == ["ready", "ready"]
    assert [row.outcome for row in world.offer_rows if row.seat == "8002"] == ["withdrawn", "withdrawn"]
    settle(world)


# By the clock.


def test_a_seat_pauses_comes_back_and_leaves_by_the_clock_of_its_tenant() -> None:
    """Worlds begin on Thursday 2026-01-01 at 00:00 UTC, which is 08:00 in Shanghai."""
    jobs = 'timetable = ["thu 08:05 pause rest", "thu 08:10 ready", "thu 08:15 logout"]'
    world = staffed(RINGS_FOR_EVER, habits=Habits(rests_for=9_000.0))
    plain = world.town.toml()
    text = plain.replace('number = "8001"', f'number = "8001"\n{jobs}')
    zone = 'time_zone = "Asia/Shanghai"'
    reload(world, text.replace("seat_quota = 0", f"seat_quota = 0\n{zone}"))
    world.run(300.0)
    assert (seat(world)["presence"], seat(world)["reason"]) == ("paused", "rest")
    world.run(300.0)
    assert seat(world)["presence"] == "ready"
    world.run(300.0)
    assert seat(world)["presence"] == "offline"
    desk = world.agents["8001"].desk
    assert desk is not None
    assert [notice["method"] for notice in desk.notices] == ["session.ended"]
    told = [(row.presence, row.cause) for row in world.presence_rows][-3:]
    assert told == [("paused", "timetable"), ("ready", "timetable"), ("offline", "timetable")]
    reload(world, plain)
    settle(world)


# Quota and second sign-ins.


def test_no_more_seats_are_signed_in_at_once_than_the_tenant_has_leased() -> None:
    town = Town(juniors=3, intermediates=0, seniors=0, seat_quota=2)
    world = World(1, town)
    for number in town.seats:
        world.add_phone(number).register()
    world.run(1.0)
    assert "result" in login(world, "8001")
    assert "result" in login(world, "8002")
    refused = login(world, "8003")["error"]
    assert (refused["data"]["word"], refused["message"]) == ("QUOTA", "all 2 seats of tenant demo are in use")
    assert "result" in login(world, "8002")  # again: the same seat takes no second place
    world.admin.ask("supervisor.force_logout", {"seat": "8001"})
    assert "result" in login(world, "8003")
    settle(world)


def test_a_level_may_have_a_quota_of_its_own() -> None:
    quota = "level_quota = {junior = 1}"
    town = Town(juniors=2, intermediates=1, seniors=0, seat_quota=3, more_tenant=quota)
    world = World(1, town)
    for number in town.seats:
        world.add_phone(number).register()
    world.run(1.0)
    assert "result" in login(world, "8001")
    refused = login(world, "8002")["error"]
    assert refused["data"]["word"] == "QUOTA"
    assert refused["message"] == "all 1 seats of level junior of tenant demo are in use"
    assert "result" in login(world, "8101")
    lower = {"seat": "8001", "queues": ["junior"], "level": "intermediate"}
    world.admin.ask("supervisor.move_seat", lower)
    assert "result" in login(world, "8002")
    settle(world)


def test_a_second_sign_in_kicks_the_first_out_and_keeps_the_state() -> None:
    """While it talks, with a pause pending: the newcomer finds all of it."""
    world = staffed(TALKS)
    world.trunk.dial(Errand(talks_for=30.0))
    world.run(5.0)
    first = world.agents["8001"].desk
    assert first is not None
    first.ask("seat.pause", {"reason": "rest"})
    before = seat(world)
    assert "result" in login(world, "8001")
    after = seat(world)
    assert [notice["method"] for notice in first.notices] == ["session.kicked"]
    assert first.refusal("seat.ready") == "NO_RIGHT"
    assert [key for key in before if before[key] != after[key] and key != "since"] == []
    assert (after["activity"], after["pending"]) == ("talking", "paused:rest")
    settle(world)
