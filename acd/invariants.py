"""What must hold between any two turns; the simulator asks after each."""

from acd.board import Board
from acd.offer import State
from acd.seat import Activity, Presence, Seat

PAIRS_MAX = 200_000  # pairs of call and seat looked at in one check; beyond that the rest is left out


def check(board: Board) -> None:
    """Assert that the engine's state is sound."""
    for queue in board.queues.values():
        queue.check()
        for call in queue.waiting.values():
            assert board.calls.get(call.call) is call, f"{call.call} waits and nobody knows"
    assert len(board.calls) == sum(len(queue.waiting) for queue in board.queues.values())
    assert not (board.idle_calls or board.idle_seats or board.gone or board.deserted), (
        "a turn was left undone"
    )
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
        reserved = offer.state is State.RESERVED
        assert seat.activity is (Activity.RESERVED if reserved else Activity.RINGING), (
            f"{seat.id}, {offer.id}"
        )
        assert offer.id in offer.call.ringing, f"{offer.id} is of a call that does not know"
        assert board.calls.get(offer.call.call) is offer.call, f"{offer.id} outlives its visit"
        assert offer.timer is not None
        assert offer.timer.owner is offer, f"{offer.id} has no deadline"
    for call in board.calls.values():
        ringing += len(call.ringing)
    assert ringing == len(board.offers), "a call counts offers that do not live"


def _check_seats(board: Board) -> None:
    signed_in: dict[str, int] = {}
    for seat in board.seats.values():
        holds = seat.offer is not None
        assert holds or seat.activity is not Activity.RESERVED, f"{seat.id} is reserved for nothing"
        if holds:
            assert board.offers.get(seat.offer.id) is seat.offer if seat.offer else False, (
                f"{seat.id}: dead offer"
            )
        busy_alone = seat.is_busy and not holds
        assert busy_alone <= bool(seat.engaged), f"{seat.id} is {seat.activity} with nobody"
        assert (seat.wrapup_until is not None) == (seat.presence is Presence.WRAPUP), f"{seat.id}: wrap-up"
        assert seat.is_routable == bool(seat.ready_number), f"{seat.id} is {seat.presence} {seat.activity}"
        assert (board.matcher.ready.get(seat.id) is seat) == bool(seat.ready_number)
        if seat.is_signed_in:
            signed_in[seat.tenant] = signed_in.get(seat.tenant, 0) + 1
            assert board.phones.holder(seat.phone.key) == seat.id, f"{seat.id} works on another's phone"
        else:
            assert not seat.pending, f"{seat.id} is offline and has something pending"
        if seat.pool is not None:
            assert (seat.id in seat.pool.idle) == bool(seat.ready_number), f"{seat.id} is lost to its pool"
        if not seat.is_busy:
            is_away = seat.activity is Activity.UNREACHABLE
            assert is_away is not seat.phone.reachable, f"{seat.id}: {seat.phone} and {seat.activity}"
    counted = {tenant: count for tenant, count in board.signed_in.items() if count}
    assert counted == signed_in, "sign-ins are miscounted"


def _check_lines(board: Board) -> None:
    for each in board.matcher.classes():
        line = each.line
        standing = [call for call in board.calls.values() if call.line is line and call.entry is not None]
        assert line.count == len(standing) == len(list(line.calls())), f"a line of {line.queue} is miscounted"
        assert line.members == sum(call.line is line for call in board.calls.values())
        assert line.members or line.is_configured, f"a line of {line.queue} has outlived its calls"
        seats = [seat for seat in board.seats.values() if each in seat.classes]
        assert each.signed_in == sum(seat.is_signed_in for seat in seats), f"{line.queue}: seats miscounted"
        assert each.count == sum(bool(seat.ready_number) for seat in seats), f"{line.queue}: ready miscounted"
        assert len(each.ready()) == each.count, f"{line.queue}: the index lost a seat"
    for queue in board.queues.values():
        served = [seat for seat in board.seats.values() if seat.is_signed_in and _is_of(seat, queue.name)]
        assert queue.signed_in == len(served), f"{queue.name}: seats miscounted"


def _is_of(seat: Seat, queue: str) -> bool:
    return any(each.line.queue == queue for each in seat.classes)


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
