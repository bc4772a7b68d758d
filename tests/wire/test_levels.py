"""Three levels, skills, relaxation, reservation and refusals over real sockets; rows satisfy the checkers.

SIPp calls three hotlines faster than seven seats can answer, one of which refuses everything. What the row
writer has written is asked what the simulator asks of its worlds, and whether every offer was allowed.
"""

from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kernel.rows import CallRow, OfferRow, PresenceRow, VisitRow
from tests.ports import free_port
from tests.simulator.checkers import check_rows, made_at
from tests.simulator.town import Town
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

JUNIORS, INTERMEDIATES, SENIORS = ("8001", "8002", "8003"), ("8101", "8102"), ("8201", "8202")
REFUSES = "8003"
FRENCH = {"8001": 8, "8101": 6, "8102": 2}
WIDENS = {"intermediate": 1.5, "senior": 3.0}  # seconds after which juniors' calls may go there
ANYBODY_AFTER = 2.0  # seconds after which French is not asked for any more
SLACK = 0.05  # seconds: a deadline is due to 10 ms, a busy machine is late

_QUEUES = """
[[level]]
name = "junior"
wrap_up = 0.2
[[level]]
name = "intermediate"
wrap_up = 0.2
[[level]]
name = "senior"
wrap_up = 0.2
hold_back = 1

[[queue]]
name = "junior"
requires = {{level = "junior"}}
relax = [{{after = "1.5s", level = "intermediate"}}, {{after = "3s", level = "senior"}}]
missed = {{refused = {{delay = "1s"}}}}
pair_back_off = "2s"
[[queue]]
name = "french"
requires = {{level = {{from = "junior", to = "intermediate"}}, skills = {{french = 5}}}}
relax = [{{after = "2s", skills = {{}}}}]
missed = {{refused = {{delay = "1s"}}}}
pair_back_off = "2s"
[[queue]]
name = "complaint"
requires = {{level = "senior"}}
priority_credit = "90s"
"""


def _seat(number: str, level: str, queues: str) -> str:
    skills = f"{{{{french = {FRENCH[number]}}}}}" if number in FRENCH else "{{}}"
    return (
        f'[[seat]]\nnumber = "{number}"\npassword = "demo"\nlevel = "{level}"\nqueues = {queues}\n'
        f'skills = {skills}\nphones = ["softphone"]\n'
    )


def config() -> str:
    """The wire tests' switch with queues and seats of its own."""
    head = CONFIG.partition("[[level]]")[0]
    head = head.replace(
        'number = "96199", entry = "queue:senior"', 'number = "96199", entry = "queue:complaint"'
    )
    head = head.replace(
        'number = "96200", entry = "extension:2001"', 'number = "96197", entry = "queue:french"'
    )
    seats = [_seat(number, "junior", '["junior", "french"]') for number in JUNIORS]
    seats += [_seat(number, "intermediate", '["junior", "french"]') for number in INTERMEDIATES]
    seats += [_seat(number, "senior", '["junior", "complaint"]') for number in SENIORS]
    return head + _QUEUES + "\n".join(seats)


def typed(row_type: type, rows: list[dict[str, Any]]) -> list[Any]:
    """Return database rows as the rows that the switch wrote, oldest first."""
    fields = row_type.__struct_fields__  # type: ignore[attr-defined]
    return [row_type(**{name: row[name] for name in fields}) for row in rows]


def test_every_call_is_served_by_the_rules_and_the_rows_satisfy_the_checkers(tmp_path: Path) -> None:
    plans = (("96198", 30, 4.0), ("96197", 8, 1.0), ("96199", 6, 1.0))  # hotline, calls, per second
    calls = sum(count for _, count, _ in plans)
    phone_port, refusing_port = free_port(), free_port()
    with Switch(tmp_path, config=config()) as switch, ExitStack() as stack:
        seats = [*JUNIORS, *INTERMEDIATES, *SENIORS]
        register(tmp_path, switch.sip_port, [seat for seat in seats if seat != REFUSES], port=phone_port)
        register(tmp_path, switch.sip_port, [REFUSES], port=refusing_port)
        sign_in(switch, seats)
        answers = Sipp(tmp_path, "seat_hangs_up", port=phone_port, calls=calls, options=("-d", "1200"))
        stack.enter_context(answers)
        stack.enter_context(Sipp(tmp_path, "seat_refuses", port=refusing_port, calls=1000, status=486))
        target = f"127.0.0.1:{switch.sip_port}"
        callers = [
            stack.enter_context(
                Sipp(
                    tmp_path,
                    "caller_stays",
                    port=free_port(),
                    target=target,
                    calls=count,
                    rate=rate,
                    service=hotline,
                )
            )
            for hotline, count, rate in plans
        ]
        for caller in callers:
            caller.finish()
        answers.finish()
        rows = {"calls": rows_when_complete(switch, "calls", calls)}
        rows["visits"] = rows_when_complete(switch, "visits", calls)
        admin = switch.rpc()
        wait_until("all seats have wrapped up", lambda: _are_ready(admin.call("seat.list")))
        wait_until("the last row is there", lambda: _is_complete(switch))
        world = _world(switch, admin.call("queue.list"), admin.call("seat.list"))
    check_rows(world)
    assert {row.verdict for row in world.call_rows} == {"success"}
    _check_rules(world)


def _are_ready(seats: list[dict[str, Any]]) -> bool:
    return all((seat["presence"], seat["activity"]) == ("ready", "idle") for seat in seats)


def _is_complete(switch: Switch) -> bool:
    """The row of a seat's last change follows its offer's."""
    last: dict[str, Any] = {}
    for row in switch.rows("presences"):
        last[row["seat"]] = row
    return all((row["presence"], row["activity"]) == ("ready", "idle") for row in last.values())


def _world(switch: Switch, queues: list[dict[str, Any]], seats: list[dict[str, Any]]) -> Any:
    """What the checkers read, from the database."""
    calls, visits = typed(CallRow, switch.rows("calls")), typed(VisitRow, switch.rows("visits"))
    offers, presences = typed(OfferRow, switch.rows("offers")), typed(PresenceRow, switch.rows("presences"))
    for each in visits:
        assert each.within in (0, 1)
    presences.sort(key=lambda row: (row.at, int(row.change.partition(".")[0])))
    board = SimpleNamespace(calls={}, recordings=SimpleNamespace(living={}))
    node = SimpleNamespace(switchboard=board, queues_view=lambda now: queues, seats_view=lambda now: seats)
    return SimpleNamespace(
        time=SimpleNamespace(now=0.0),
        call_rows=calls,
        visit_rows=visits,
        offer_rows=offers,
        presence_rows=presences,
        rows=[*calls, *visits, *offers, *presences],
        deaths=[],
        node=node,
        trunk=SimpleNamespace(calls=[]),
        workers=SimpleNamespace(tapes={}),
        is_noisy=False,
        has_meddlers=False,
        has_reloaded=False,
        town=Town(wrap_up=0.2),
    )


def _check_rules(world: Any) -> None:
    visits = {row.visit: row for row in world.visit_rows}
    made = made_at(world)
    seen = defaultdict(int)
    for offer in world.offer_rows:
        visit, at = visits[offer.visit], made[offer.offer]
        waited = at - visit.joined_at + SLACK
        level = (
            "junior" if offer.seat in JUNIORS else "intermediate" if offer.seat in INTERMEDIATES else "senior"
        )
        seen[visit.queue, level] += 1
        if offer.seat == REFUSES:
            assert (offer.outcome, offer.sip_status) == ("refused", 486), offer
            seen["refusals"] += 1
        if visit.queue == "junior":
            assert waited >= WIDENS.get(level, 0.0), f"too early for {level}: {offer}"
            if level == "senior":
                assert _idle(world, offer, at), f"the last idle senior is kept for complaints: {offer}"
        elif visit.queue == "french":
            assert level != "senior", offer
            assert waited >= ANYBODY_AFTER or FRENCH.get(offer.seat, 0) >= 5, f"no French: {offer}"
        else:
            assert level == "senior", offer
        assert offer.policy == "least-skilled-first"
        assert offer.key, offer
    for met in (
        ("junior", "junior"),
        ("junior", "intermediate"),
        ("french", "junior"),
        ("complaint", "senior"),
    ):
        assert seen[met], f"never happened: {met}"
    assert seen["refusals"] >= 2


def _idle(world: Any, offer: OfferRow, at: float) -> bool:
    """Return whether another senior than the offered one was ready and idle at that moment."""
    for seat in SENIORS:
        if seat == offer.seat:
            continue
        before = [row for row in world.presence_rows if row.seat == seat and row.at <= at]
        if before and (before[-1].presence, before[-1].activity) == ("ready", "idle"):
            return True
    return False
