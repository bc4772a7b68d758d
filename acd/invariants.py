"""What must hold between any two turns; the simulator asks after each."""

from acd.board import Board
from acd.offer import State
from acd.readiness import RequirementClass
from acd.seat import Activity, Presence, Seat
from acd.staffing import is_present
from kernel.ids import QueueName
from queues.waiting import WaitingCall, WaitingLine

PAIRS_MAX = 200_000  # pairs of call and seat looked at in one check; beyond that the rest is left out


def check(board: Board) -> None:
    """Assert that the engine's state is sound."""
    for queue in board.queues.values():
        queue.check()
        for call in queue.waiting.values():
            assert board.calls.get(call.call) is call, f"{call.call} waits and nobody knows"
    assert len(board.calls) == sum(len(queue.waiting) for queue in board.queues.values())
    left = [*board.idle_calls, *board.idle_seats, *board.gone, *board.deserted, *board.thinned]
    assert not left, "a turn was left undone"
    wanted = sum(call.wanted_seat is not None for call in board.calls.values())
    assert wanted == sum(map(len, board.wanted.values())), "calls that want a seat are miscounted"
    for name, calls in board.wanted.items():
        assert calls, f"nobody wants {name}"
        assert all(call.wanted_seat == name for call in calls.values()), f"{name} is not wanted by all"
    _check_offers(board)
    _check_seats(board)
    _check_lines(board)
    _check_pairs(board)


def _check_offers(board: Board) -> None:
    ringing = 0
    for offer in board.offers.values():
        seat = offer.seat
        assert offer.state is not State.ENDED, f"{offer.id} has ended and lives"
        assert seat.offer is offer, f"{seat.id} does not know of {offer.id}"
        assert board.seats.get(seat.id) is seat, f"{offer.id} is of a seat that is gone"
        seen = Activity.RESERVED if offer.state is State.RESERVED else Activity.RINGING
        assert seat.activity is seen, f"{seat.id} is {seat.activity}, {offer.id} is {offer.state}"
        assert offer.id in offer.call.ringing, f"{offer.id} is of a call that does not know"
        assert board.calls.get(offer.call.call) is offer.call, f"{offer.id} outlives its visit"
        assert offer.timer is not None
        assert offer.timer.owner is offer, f"{offer.id} has no deadline"
    for call in board.calls.values():
        ringing += len(call.ringing)
    assert ringing == len(board.offers), "a call counts offers that do not live"


def _check_seats(board: Board) -> None:
    signed_in: dict[str, int] = {}
    at_level: dict[tuple[str, int], int] = {}
    for seat in board.seats.values():
        offer = seat.offer
        holds = offer is not None
        assert holds or seat.activity is not Activity.RESERVED, f"{seat.id} is reserved for nothing"
        if offer is not None:
            assert board.offers.get(offer.id) is offer, f"{seat.id} holds a dead offer"
        busy_alone = seat.is_busy and not holds
        assert busy_alone <= bool(seat.engaged), f"{seat.id} is {seat.activity} with nobody"
        assert (seat.wrapup_until is not None) == (seat.presence is Presence.WRAPUP), f"{seat.id}: wrap-up"
        waits_for_it = seat.is_busy or seat.presence is Presence.WRAPUP
        assert waits_for_it or not seat.pending, f"{seat.id} has {seat.pending} pending and waits for nothing"
        assert seat.is_routable == bool(seat.ready_number), f"{seat.id} is {seat.presence} {seat.activity}"
        assert (board.matcher.ready.get(seat.id) is seat) == bool(seat.ready_number)
        if seat.is_signed_in:
            signed_in[seat.tenant] = signed_in.get(seat.tenant, 0) + 1
            at_level[seat.tenant, seat.level] = at_level.get((seat.tenant, seat.level), 0) + 1
            assert board.phones.holder(seat.phone.key) == seat.id, f"{seat.id} works on another's phone"
        else:
            assert not seat.pending, f"{seat.id} is offline and has something pending"
        stands = seat.is_standing and seat.is_signed_in
        assert (seat.line == seat.phone.key) if stands else seat.line is None, f"{seat.id}: which line?"
        if seat.pool is not None:
            assert (seat.id in seat.pool.idle) == bool(seat.ready_number), f"{seat.id} is lost to its pool"
        if not seat.is_busy:
            is_away = seat.activity is Activity.UNREACHABLE
            assert is_away is not seat.phone.reachable, f"{seat.id}: {seat.phone} and {seat.activity}"
    counted = {tenant: count for tenant, count in board.signed_in.items() if count}
    assert counted == signed_in, "sign-ins are miscounted"
    assert {it: n for it, n in board.signed_in_at.items() if n} == at_level, "levels are miscounted"


def _check_lines(board: Board) -> None:
    members: dict[WaitingLine, list[WaitingCall]] = {}
    for call in board.calls.values():
        assert call.line is not None, f"{call.call} wants nothing"
        members.setdefault(call.line, []).append(call)
    seats: dict[RequirementClass, list[Seat]] = {}
    signed_in: dict[QueueName, int] = {}
    for seat in board.seats.values():
        for each in seat.classes:
            seats.setdefault(each, []).append(seat)
        if seat.is_signed_in:
            for name in dict.fromkeys(each.line.queue for each in _ordinary(seat)):
                signed_in[name] = signed_in.get(name, 0) + 1
    for each in board.matcher.classes():
        line = each.line
        here = members.pop(line, [])
        standing = sum(call.entry is not None for call in here)
        assert line.count == standing == len(list(line.calls())), f"a line of {line.queue} is miscounted"
        assert line.members == len(here), f"a line of {line.queue} is miscounted"
        assert here or line.is_configured, f"a line of {line.queue} has outlived its calls"
        able = seats.get(each, [])
        assert each.signed_in == sum(seat.is_signed_in for seat in able), f"{line.queue}: seats miscounted"
        steps = board.steps[line.queue]
        for call in here:
            has_next = call.wanted_seat is None and call.step + 1 < len(steps)
            waits = not has_next or each.signed_in > steps[call.step + 1].when_few
            assert waits, f"{call.call} waits for {each.signed_in} seats, which are too few"
        working = sum(seat.is_working and not seat.is_removed for seat in able)
        assert each.working == working, f"{line.queue}: working seats miscounted"
        ready = sum(bool(seat.ready_number) for seat in able)
        assert each.count == ready == len(each.ready()), f"{line.queue}: the index lost a seat"
    assert not members, "calls stand in lines that nobody serves"
    for name, queue in board.queues.items():
        assert queue.signed_in == signed_in.get(name, 0), f"{name}: seats miscounted"
        absent = queue.settings.entry.absent
        there = [
            seat.id
            for seat in board.seats.values()
            if absent
            and is_present(seat, absent)
            and any(each.line.queue == name for each in _ordinary(seat))
        ]
        assert sorted(queue.there) == sorted(there), f"{name}: absent seats miscounted"
        if queue.settings.entry.max_wait_empty:
            assert (queue.empty_since is None) == bool(queue.present), f"{name} is empty and does not know"


def _ordinary(seat: Seat) -> list[RequirementClass]:
    """Return the classes of a seat that are not of calls which want it alone."""
    return [each for each in seat.classes if not each.line.requirement.seat]


def _check_pairs(board: Board) -> None:
    """No call that may have a ready seat is without one."""
    looked_at = 0
    for call in board.calls.values():
        if call.entry is None:
            assert call.ringing, f"{call.call} neither stands nor rings"
            continue
        for seat in board.matcher.ready.values():
            looked_at += 1
            if looked_at > PAIRS_MAX:
                return
            assert not board.matcher.is_eligible(call, seat), f"{call.call} and {seat.id} are not paired"
