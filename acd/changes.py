"""Changes: a new configuration while calls wait, and seats from before a restart.

Calls, sign-ins, places and counters stay. What is gone leaves with a cause: calls of a removed queue are
handed back, a removed seat is signed out when it is idle.
"""

from collections.abc import Sequence

from acd.board import Board
from acd.commands import KickOut
from acd.desk import FORCED, OFFLINE, PAUSED, Desk
from acd.distribution import Distribution
from acd.inputs import SeatRestored, SeatTalks
from acd.matcher import Matcher
from acd.moves import Moves
from acd.phone import Phone, PhoneKey, choose_phone
from acd.readiness import RequirementClass
from acd.seat import Presence, Seat, SeatKeeper, Word
from acd.settings import AcdSettings, SeatSettings
from kernel.ids import QueueName, SeatId
from kernel.rows import SeatMoveRow
from policies.registry import policy_named
from policies.relax import build_steps
from queues.queue import Queue
from queues.settings import Requirement
from queues.tiers import Tiers


class Changes:
    """Puts settings and restored seats into the board."""

    def __init__(self, board: Board, desk: Desk, distribution: Distribution, keeper: SeatKeeper) -> None:
        self._board = board
        self._desk = desk
        self._distribution = distribution
        self._keeper = keeper
        self.moves = Moves(board)

    def configure(self, settings: AcdSettings, now: float) -> None:
        """Take ``settings``; raise OperatorError and change nothing if a queue names no policy there is."""
        board = self._board
        for each in settings.queues:
            policy_named(board.policies, each.policy, f"queue.{each.name}.policy")
        kept = {queue.name for queue in settings.queues}
        for call in list(board.calls.values()):
            if call.queue not in kept:
                self._distribution.remove(call, "queue_removed", now)
        standing = [call for call in board.calls.values() if call.entry is not None]
        for call in board.calls.values():
            self._distribution.take_from_line(call)
        for seat in board.seats.values():
            board.matcher.dismiss(seat)
        board.settings = settings
        board.tenants = {tenant.name: tenant for tenant in settings.tenants}
        board.matcher = Matcher()
        self._configure_queues(settings)
        self._distribution.entry.lists.configure(settings.lists, now)
        self._configure_seats(settings, now)
        self._enrol()
        for call in board.calls.values():
            self._distribution.put_in_line(call, now)
        for call in standing:
            self._distribution.stand(call)
        for seat in board.seats.values():
            if seat.is_routable:
                board.matcher.admit(seat, now)
        board.idle_seats.clear()
        board.idle_calls.clear()
        self._distribution.pair_all(now)
        board.thinned.clear()
        for queue in board.queues.values():
            self._distribution.entry.look_after(queue, now)
        self._distribution.callbacks.configure(now)

    def _configure_queues(self, settings: AcdSettings) -> None:
        board = self._board
        queues: dict[QueueName, Queue] = {}
        for each in settings.queues:
            name = QueueName(each.name)
            account = board.counting.queue(name)
            queue = board.queues.get(name) or Queue(each, account.statistics)
            queue.settings = account.settings = each
            account.tenant, account.level = each.tenant, board.level_name(each.requires.lowest)
            queue.signed_in = 0
            queue.there.clear()
            queues[name] = queue
        board.queues = queues
        board.steps = {name: build_steps(queue.settings) for name, queue in queues.items()}

    def _configure_seats(self, settings: AcdSettings, now: float) -> None:
        board, moves = self._board, self.moves
        moves.configure(settings)
        epoch = board.walltime.epoch(now)
        wanted = {SeatId(each.number): moves.settings_for(each, epoch) for each in settings.seats}
        for seat in list(board.seats.values()):
            if seat.id not in wanted:
                moves.forget(seat.id, epoch)
                self._remove(seat, now)
        for order, (name, each) in enumerate(wanted.items()):
            account = board.counting.seat(name)
            account.tenant, account.level = each.tenant, board.level_name(each.level)
            known = board.seats.get(name)
            if known is None:
                new = board.seats[name] = Seat(each, order, self._default_phone(each), self._keeper, account)
                new.since = now
                self._desk.daily.look(new, now)
                continue
            known.configure(each, order)
            self._desk.daily.look(known, now)
            if known.is_removed:
                known.is_removed = False
                known.pending = ""
        # In the order of the configuration, whatever came first.
        board.seats = {
            **{name: board.seats[name] for name in wanted},
            **{name: seat for name, seat in board.seats.items() if name not in wanted},
        }
        board.phone_seats = {}
        for seat in board.seats.values():
            for phone in seat.settings.phones or (choose_phone(seat.settings, "", ""),):
                if phone is not None:
                    key = PhoneKey((phone.kind, phone.number or seat.number))
                    board.phone_seats.setdefault(key, []).append(seat.id)

    def _default_phone(self, settings: SeatSettings) -> Phone:
        chosen = choose_phone(settings, "", "")
        assert chosen is not None
        return self._board.phones.build(chosen)

    def _remove(self, seat: Seat, now: float) -> None:
        seat.is_removed = True
        self._board.timers.disarm(seat.midnight)
        seat.classes = ()
        seat.watched_by = ()
        seat.pool = None
        if seat.session:
            self._board.commands.put(KickOut(seat.id, seat.session))
        if seat.is_busy:
            seat.pending = OFFLINE if seat.is_signed_in else ""
            return
        if seat.is_signed_in:
            self._desk.sign_out(seat, "seat_removed", now)
        del self._board.seats[seat.id]

    def _enrol(self) -> None:
        """Open the configured classes and find out who serves them."""
        board = self._board
        members = [(seat.id, seat.queues) for seat in board.seats.values() if not seat.is_removed]
        board.tiers = Tiers(members)
        board.classes = {
            name: [self._open(queue, step.requirement) for step in board.steps[name]]
            for name, queue in board.queues.items()
        }
        board.signed_in = {}
        board.signed_in_at = {}
        levels = board.settings.levels
        for seat in board.seats.values():
            if not seat.is_removed:
                board.matcher.enrol(seat, levels[seat.level].hold_back if seat.level < len(levels) else 0)
            self._desk.staffing.enrol(seat)
            if seat.is_signed_in:
                self._desk.count_signed_in(seat, 1)

    def move(self, seat: Seat, settings: SeatSettings, now: float) -> None:
        """Let one seat have other queues, or another level; all that it has beside stays."""
        board, desk, calls = self._board, self._desk, self._distribution
        waiting = list(board.wanted.get(seat.id, {}).values())
        standing = [call for call in waiting if call.entry is not None]
        for call in waiting:
            calls.take_from_line(call)
        board.matcher.dismiss(seat)
        if seat.is_signed_in:
            desk.count_signed_in(seat, -1)
        desk.staffing.retire(seat)
        if settings is not seat.settings:
            seat.configure(settings, seat.order)
            seat.account.level = board.level_name(seat.level)
            board.tiers.move(seat.id, seat.queues)
        levels = board.settings.levels
        board.matcher.enrol(seat, levels[seat.level].hold_back if seat.level < len(levels) else 0)
        desk.staffing.enrol(seat)
        if seat.is_signed_in:
            desk.count_signed_in(seat, 1)
        for call in waiting:
            if call.queue not in seat.queues or (call.queue in seat.paused_in and not call.is_patient):
                call.wanted_seat = None
            calls.put_in_line(call, now)
        for call in standing:
            calls.stand(call)

    def restore_move(self, row: SeatMoveRow, now: float) -> None:
        """Let a seat be where it had been moved to before a restart, unless that has ended."""
        seat = self._board.seats.get(SeatId(row.seat))
        known = None if seat is None or seat.is_removed else seat
        written = None if known is None else known.settings
        settings = self.moves.restore(row, written, self._board.walltime.epoch(now))
        if known is not None and settings is not None:
            self.move(known, settings, now)

    def _open(self, queue: Queue, requirement: Requirement) -> RequirementClass:
        board = self._board
        settings = queue.settings
        policy = board.policies[settings.policy]
        own_level = settings.requires.lowest
        return board.matcher.open_class(queue.name, requirement, own_level, policy, (), is_configured=True)

    def restore(self, what: SeatRestored, now: float, talks: Sequence[SeatTalks] = ()) -> None:
        """Bring a seat back as it was; an expired wrap-up has ended in what was pending, or in ready."""
        board = self._board
        seat = board.seats.get(what.seat)
        if seat is None or seat.is_signed_in or what.presence == OFFLINE:
            return
        chosen = choose_phone(seat.settings, what.phone_kind, what.phone_number)
        phone = seat.phone if chosen is None else board.phones.build(chosen)
        if board.phones.holder(phone.key) is not None:
            board.history.seat_changed(seat, "restored", now)  # as what it is: offline
            return
        if not seat.is_busy:
            self._desk.bind(seat, phone)
        else:
            board.phones.bind(seat.phone.key, seat.id)
            self._desk.stand(seat)
        for talk in talks:
            self._desk.talks_on(seat, talk)
            if talk.queue is not None:
                self._desk.watch_handling(seat, now)
        seat.session = what.session
        seat.agent = what.agent
        seat.pending = what.pending
        seat.after_call = what.after_call or seat.settings.after_call
        left = {QueueName(name): why for name, why in what.paused_in if QueueName(name) in seat.queues}
        if left:
            seat.paused_in = left
            self.move(seat, seat.settings, now)
        seat.wrapup_queue = what.queue
        if what.presence in (PAUSED, FORCED):
            is_forced = what.presence == FORCED
            self._desk.say(seat, Word.SIGN_IN_PAUSED, "restored", now, reason=what.reason, forced=is_forced)
        else:
            self._desk.say(seat, Word.SIGN_IN_READY, "restored", now)
            seat.idle_since = min(what.since, now)
        if what.presence == Presence.WRAPUP and what.wrapup_until is not None and what.wrapup_until > now:
            self._desk.wrap_up(seat, "restored", what.wrapup_until - now, now)
            seat.wrapup_since = min(what.since, now)
        elif seat.pending and not seat.is_busy:
            self._desk.apply_pending(seat, "restored", now)
        if seat.presence == (Presence.PAUSED if what.presence == FORCED else what.presence):
            seat.since = min(what.since, now)
