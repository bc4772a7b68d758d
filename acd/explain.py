"""Explanations: why a call still waits, why a seat is not offered calls. Tests, in order, with their numbers.

A test is ``{test, passed, is, wanted, since}``; moments are wall time as text, durations seconds.
"""

from math import inf
from typing import Any

from acd.board import Board
from acd.daily import answered_today
from acd.readiness import RequirementClass
from acd.seat import Activity, Presence, Seat
from kernel.ids import CallId, SeatId
from policies.skills import serves
from queues.waiting import WaitingCall

SEATS_MAX = 50  # seats named in the explanation of a call
CALLS_MAX = 20  # waiting calls named in the explanation of a seat

Test = dict[str, Any]


class Explainer:
    """Reads the board and says why."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def call(self, call: CallId, now: float) -> dict[str, Any]:
        """Say why ``call`` still waits."""
        board = self._board
        visit = board.calls.get(call)
        if visit is None or visit.line is None:
            return {"call": call, "waiting": False, "tests": [], "seats": []}
        queue = board.queues[visit.queue]
        steps = board.steps[queue.name]
        following = steps[visit.step + 1] if visit.step + 1 < len(steps) else None
        wanted = board.matcher.class_of(visit.line)
        seats = [
            (seat, self._seat_tests(seat, now) + self._pair_tests(visit, wanted, seat))
            for seat in board.seats_of(queue.name)
        ]
        return {
            "call": call,
            "waiting": True,
            "queue": queue.name,
            "visit": visit.visit,
            "since": board.walltime.text(visit.joined_at),
            "waited": round(now - visit.joined_at, 3),
            "credit": visit.credit,
            "vip": visit.vip or None,
            "resumes": visit.resumes or None,
            "starves_in": None
            if visit.starves_after == inf
            else max(0.0, round(visit.key + visit.starves_after - now, 3)),
            "position": queue.position(visit),
            "ringing": [board.offers[offer].seat.id for offer in visit.ringing],
            "offers": visit.offered,
            "requirement": self._requirement(wanted),
            "step": visit.step,
            "next_step_in": None
            if following is None
            else max(0.0, round(visit.entered_at + following.after - now, 3)),
            "next_step_when_few": None if following is None or following.when_few < 0 else following.when_few,
            "max_wait_in": None
            if not queue.settings.max_wait
            else max(0.0, round(visit.entered_at + queue.settings.max_wait - now, 3)),
            "tests": _funnel([tests for _, tests in seats]),
            "seats": [
                {"seat": seat.id, "failed": [test for test in tests if not test["passed"]]}
                for seat, tests in seats[:SEATS_MAX]
            ],
        }

    def seat(self, number: SeatId, now: float) -> dict[str, Any]:
        """Say why the seat is, or is not, offered calls."""
        board = self._board
        seat = board.seats[number]
        calls: list[dict[str, Any]] = []
        for each in seat.classes:
            head = each.line.head()
            if head is not None and len(calls) < CALLS_MAX:
                failed = [test for test in self._pair_tests(head, each, seat) if not test["passed"]]
                calls.append({"call": head.call, "queue": head.queue, "failed": failed})
        return {
            "seat": number,
            "routable": seat.is_routable,
            "tests": self._seat_tests(seat, now),
            "waiting": calls,
            "serves": [self._requirement(each) for each in seat.classes],
            "offer": seat.offer.call.call if seat.offer is not None else None,
        }

    def _seat_tests(self, seat: Seat, now: float) -> list[Test]:
        since = self._board.walltime.text(seat.since)
        resting = seat.rest is not None
        presence: str = seat.presence
        if seat.presence is Presence.PAUSED and seat.reason:
            presence = f"{seat.presence} ({seat.reason})"
        left = round(seat.rest_until - now, 3) if resting else 0.0
        return [
            _test("signed_in", seat.is_signed_in, presence, "signed in", since),
            _test("serves_a_queue", bool(seat.classes), len(seat.classes), ">= 1 class", None),
            _test("phone_reachable", seat.phone.reachable, str(seat.phone), "reachable", since),
            _test("presence_ready", seat.presence is Presence.READY, presence, "ready", since),
            _test("activity_idle", seat.activity is Activity.IDLE, seat.activity.value, "idle", since),
            _test("rested", not resting, left, "0 s of rest left", self._text(seat.idle_since)),
            _test("below_daily_limit", not seat.is_spent, *self._daily(seat, now), None),
        ]

    def _daily(self, seat: Seat, now: float) -> tuple[int, str]:
        limit = seat.settings.daily_limit
        return (answered_today(self._board, seat, now), f"< {limit} today") if limit else (0, "no limit")

    def _text(self, at: float) -> str:
        return self._board.walltime.text(at)

    def _pair_tests(self, call: WaitingCall, wanted: RequirementClass, seat: Seat) -> list[Test]:
        board = self._board
        requirement = wanted.line.requirement
        low, high = requirement.lowest, requirement.highest
        lacking = [skill for skill, least in requirement.skills if seat.skills.get(skill, -1) < least]
        pool = seat.pool
        # A seat that is not idle itself would add to the idle ones of its level.
        idle = 0 if pool is None else len(pool.idle) + (seat.id not in pool.idle)
        held = pool is not None and idle <= pool.hold_back and wanted.line.own_level != seat.level
        back_off = call.back_off.get(seat.id)
        queue = board.queues[call.queue]
        # The requirement holds since its step; the back-off since the offer that was in vain.
        since = self._text(call.entered_at + board.steps[queue.name][call.step].after)
        missed = None if back_off is None else self._text(back_off.at - queue.settings.pair_back_off)
        return [
            _test(
                "wanted_seat",
                requirement.seat in ("", seat.id),
                seat.id,
                requirement.seat or "any seat",
                self._text(call.entered_at),
            ),
            _test(
                "not_paused_here",
                queue.name not in seat.paused_in,
                seat.paused_in.get(queue.name, ""),
                "not paused in the queue",
                None,
            ),
            _test(
                "level",
                low <= seat.level <= high,
                board.level_name(seat.level),
                f"{board.level_name(low)} to {board.level_name(high)}",
                since,
            ),
            _test(
                "skills",
                serves(low, seat.skills, requirement),
                {skill: seat.skills.get(skill, 0) for skill in lacking},
                dict(requirement.skills),
                since,
            ),
            _test(
                "not_held_back",
                not held,
                f"{idle} idle" if pool is not None else "",
                f"more than {pool.hold_back} idle" if pool is not None else "",
                self._text(seat.since),
            ),
            _test(
                "not_backed_off",
                back_off is None,
                "" if back_off is None else f"until {board.walltime.text(back_off.at)}",
                "not offered this call just now",
                missed,
            ),
        ]

    def _requirement(self, each: RequirementClass) -> dict[str, Any]:
        requirement = each.line.requirement
        preferred = requirement.preferred
        return {
            "queue": each.line.queue,
            "lowest": self._board.level_name(requirement.lowest),
            "highest": self._board.level_name(requirement.highest),
            "skills": dict(requirement.skills),
            "preferred": self._board.level_name(preferred) if preferred >= 0 else None,
            "signed_in": each.signed_in,
            "ready": each.count,
            "waiting": each.line.count,
        }


def _test(name: str, passed: bool, found: object, wanted: object, since: str | None) -> Test:
    return {"test": name, "passed": passed, "is": found, "wanted": wanted, "since": since}


def _funnel(seats: list[list[Test]]) -> list[Test]:
    """Count, test by test, how many of the seats that came so far get past it."""
    result: list[Test] = []
    left = seats
    for number in range(len(seats[0]) if seats else 0):
        passing = [tests for tests in left if tests[number]["passed"]]
        name = seats[0][number]["test"]
        result.append(
            {"test": name, "passed": bool(passing), "seats_before": len(left), "seats_after": len(passing)}
        )
        left = passing
    return result
