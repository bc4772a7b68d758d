"""Attendance: what people ask of their seats, what phones do to them. Refusals carry the words of the API."""

from acd.board import Board
from acd.commands import KickOut
from acd.desk import AFTER_CALL, FORCED, OFFLINE, PAUSED, READY, Desk
from acd.distribution import Distribution
from acd.inputs import (
    AfterCallSet,
    DialWanted,
    LineChanged,
    PauseAsked,
    PhoneBound,
    PhoneReachable,
    ReadyAsked,
    SeatEngaged,
    SeatHeld,
    SignedIn,
    SignedOut,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.phone import Phone, PhoneKey, choose_phone
from acd.seat import Activity, Presence, Seat, Sight, Word
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from queues.hours import is_open

EXTENSION_MIN = 30.0  # seconds a wrap-up may be extended by
EXTENSION_MAX = 600.0

_SIGHTS = {"dialling": Sight.DIAL, "ringing": Sight.RING, "talking": Sight.TALK}


class Attendance:
    """Operations on seats."""

    def __init__(self, board: Board, desk: Desk, distribution: Distribution) -> None:
        self._board = board
        self._desk = desk
        self._distribution = distribution

    # Signing in and out.

    def sign_in(self, what: SignedIn, now: float) -> None:
        """Let a person work at a seat, or take the seat over from an older session of the same seat."""
        seat = self._seat(what.seat)
        if self._board.tenant(seat.tenant).suspended:
            raise OperationRefused("TENANT_SUSPENDED", f"tenant {seat.tenant} is suspended")
        phone = self._phone(seat, what.phone_kind, what.phone_number)
        if seat.is_signed_in:
            self._take_over(seat, what, phone, now)
            return
        self._may_sign_in(seat, what)
        if phone.key != seat.phone.key and seat.is_busy:
            raise OperationRefused("STATUS_NOT_IDLE", f"the phone of seat {seat.id} is {seat.activity}")
        if seat.is_busy:
            self._board.phones.bind(phone.key, seat.id)
            self._desk.stand(seat)
        else:
            self._desk.bind(seat, phone)
        seat.session = what.session
        seat.agent = what.agent
        seat.misses.clear()
        seat.after_call = seat.settings.after_call
        word = Word.SIGN_IN_READY if what.presence == READY else Word.SIGN_IN_PAUSED
        reason = what.reason if what.presence == PAUSED else ""
        self._desk.say(seat, word, "signed_in", now, reason=reason)

    def _may_sign_in(self, seat: Seat, what: SignedIn) -> None:
        board = self._board
        if what.presence not in (READY, PAUSED):
            raise OperationRefused("BAD_STATE", f"nobody signs in {what.presence!r}: ready or paused")
        if what.presence == PAUSED:
            self._check_reason(seat, what.reason)
        if not any(queue in board.queues for queue in seat.queues) and seat.settings.role != "supervisor":
            raise OperationRefused("NOT_IN_QUEUE", f"seat {seat.id} serves no queue")
        quota = board.tenant(seat.tenant).seat_quota
        if quota and board.signed_in.get(seat.tenant, 0) >= quota:
            raise OperationRefused("QUOTA", f"all {quota} seats of tenant {seat.tenant} are in use")
        for level, most in board.tenant(seat.tenant).level_quota:
            if level == seat.level and board.signed_in_at.get((seat.tenant, level), 0) >= most:
                name = board.level_name(level)
                message = f"all {most} seats of level {name} of tenant {seat.tenant} are in use"
                raise OperationRefused("QUOTA", message)

    def _take_over(self, seat: Seat, what: SignedIn, phone: Phone, now: float) -> None:
        """A second sign-in: the older session is told to go, the state stays as it is."""
        if seat.session != what.session:
            self._board.commands.put(KickOut(seat.id, seat.session))
            seat.session = what.session
            seat.agent = what.agent
        if what.phone_kind and phone.key != seat.phone.key and not seat.is_busy:
            self._desk.bind(seat, phone)
        self._desk.changed(seat, "taken_over", now)

    def sign_out(self, what: SignedOut, now: float) -> None:
        """Let the person leave, now or, where that is wanted, when the work is over."""
        seat = self._signed_in(what.seat)
        if what.forced and seat.offer is not None:
            self._distribution.withdraw(seat.offer, "signed_out", now)
        if not seat.is_busy:
            if seat.is_signed_in:
                self._desk.sign_out(seat, what.cause, now)
        elif what.deferred or what.forced:
            self._desk.ask_later(seat, OFFLINE, what.cause)
        else:
            raise OperationRefused("STATUS_NOT_IDLE", f"seat {seat.id} is {seat.activity}")

    # Presence.

    def ready(self, what: ReadyAsked, now: float) -> None:
        """Let the seat be offered calls, now or when its work is over."""
        seat = self._signed_in(what.seat)
        self._may_lift(seat, forced=what.forced)
        if seat.presence is Presence.READY:
            if not seat.pending:
                raise OperationRefused("ALREADY_READY", f"seat {seat.id} is ready")
            self._desk.ask_later(seat, "", "ready")
        elif seat.is_busy:
            self._desk.ask_later(seat, READY, "ready")
        else:
            seat.pending = ""  # asked for in the talk before, and overtaken
            self._desk.say(seat, Word.READY, what.cause or ("forced" if what.forced else "ready"), now)

    def pause(self, what: PauseAsked, now: float) -> None:
        """Keep calls from the seat, with a reason, now or when its work is over."""
        seat = self._signed_in(what.seat)
        self._may_lift(seat, forced=what.forced)
        if not what.forced:
            self._check_reason(seat, what.reason)
        elif seat.offer is not None:
            self._distribution.withdraw(seat.offer, "paused", now)
        if not seat.is_signed_in:
            return  # what was pending when the offer was taken back: to leave
        if seat.is_busy:
            kind = FORCED if what.forced else PAUSED
            self._desk.ask_later(seat, f"{kind}:{what.reason}", "pause")
        else:
            cause = what.cause or ("forced" if what.forced else "pause")
            seat.pending = ""  # asked for in the talk before, and overtaken
            self._desk.say(seat, Word.PAUSE, cause, now, reason=what.reason, forced=what.forced)

    def set_after_call(self, what: AfterCallSet, now: float) -> None:
        """Let the seat be ready, or paused, after each queue call; one that goes on counts already."""
        seat = self._signed_in(what.seat)
        seat.after_call = what.mode
        if what.mode == "pause" and seat.talk_call is not None:
            self._desk.taken(seat)
        elif what.mode == READY and seat.pending == f"{PAUSED}:{AFTER_CALL}":
            seat.pending = ""
        self._desk.saved(seat, AFTER_CALL)

    def end_wrap_up(self, what: WrapUpEnded, now: float) -> None:
        """Finish wrap-up early."""
        seat = self._wrapping_up(what.seat)
        self._desk.end_wrap_up(seat, "wrapup_ended", now)

    def extend_wrap_up(self, what: WrapUpExtended, now: float) -> None:
        """Lengthen wrap-up by 30 to 600 s, up to the configured most of all."""
        seat = self._wrapping_up(what.seat)
        if not EXTENSION_MIN <= what.seconds <= EXTENSION_MAX:
            raise OperationRefused(
                "BAD_STATE",
                f"wrap-up is extended by {EXTENSION_MIN:g} to {EXTENSION_MAX:g} s, not {what.seconds:g}",
            )
        until = seat.wrapup_until
        assert until is not None
        latest = seat.wrapup_since + self._board.settings.wrap_up_max
        if until >= latest:
            raise OperationRefused("BAD_STATE", f"wrap-up of seat {seat.id} is as long as it may be")
        self._desk.wrap_up_until(seat, min(until + what.seconds, latest))

    # Phones and calls.

    def bind(self, what: PhoneBound, now: float) -> None:
        """Bind another of the seat's phones."""
        seat = self._signed_in(what.seat)
        if seat.is_busy and not what.deferred:
            raise OperationRefused("STATUS_NOT_IDLE", f"seat {seat.id} is {seat.activity}")
        phone = self._phone(seat, what.kind, what.number)
        if seat.is_busy:
            seat.next_phone = phone
        elif phone.key != seat.phone.key:
            self._desk.bind(seat, phone)
            self._desk.changed(seat, "bound", now)

    def dial(self, what: DialWanted, now: float) -> None:
        """Say why the seat may not dial a number now; its call is call control's."""
        seat = self._signed_in(what.seat)
        board, tenant = self._board, self._board.tenant(seat.tenant)
        epoch = board.walltime.epoch(now)
        if tenant.suspended:
            raise OperationRefused("TENANT_SUSPENDED", f"tenant {seat.tenant} is suspended")
        if seat.activity is Activity.UNREACHABLE:
            raise OperationRefused("PHONE_NOT_REGISTERED", f"{seat.phone} of seat {seat.id} is not there")
        if seat.activity is not Activity.IDLE:
            raise OperationRefused("BUSY", f"seat {seat.id} is {seat.activity}")
        if tenant.call_hours is not None and not is_open(tenant.call_hours, epoch):
            raise OperationRefused("OUT_OF_HOURS", f"tenant {seat.tenant} dials nobody at this hour")
        if self._distribution.entry.lists.forbids(seat.tenant, what.number, epoch):
            raise OperationRefused("BLACKLIST", f"{what.number} is on a black list of tenant {seat.tenant}")

    def phone_reachable(self, what: PhoneReachable, now: float) -> None:
        """Follow a phone that came or went."""
        board = self._board
        board.phones.note(what.kind, what.number, reachable=what.reachable)
        key = PhoneKey((what.kind, what.number))
        for name in board.phone_seats.get(key, ()):
            seat = board.seats.get(name)
            if seat is None or seat.phone.key != key or seat.phone.reachable == what.reachable:
                continue
            if not seat.is_standing:  # else its line says so
                self._reach(seat, now, reachable=what.reachable)

    def line_changed(self, what: LineChanged, now: float) -> None:
        """Follow the line of a seat whose phone stays there."""
        seat = self._board.seats.get(what.seat)
        if seat is not None and seat.line is not None and seat.phone.reachable != what.is_up:
            self._reach(seat, now, reachable=what.is_up)

    def _reach(self, seat: Seat, now: float, *, reachable: bool) -> None:
        seat.phone.reachable = reachable
        if seat.offer is not None and not reachable:
            self._distribution.phone_lost(seat, now)
        elif reachable:
            self._desk.see(seat, Sight.BACK, "reachable", now)
        else:
            self._desk.see(seat, Sight.LOST, "unreachable", now)

    def engaged(self, what: SeatEngaged, now: float) -> None:
        """The seat's phone is in a call of its own."""
        seat = self._board.seats.get(what.seat)
        if seat is not None:
            self._desk.engage(seat, what.call, _SIGHTS[what.activity], what.activity, now)

    def held(self, what: SeatHeld, now: float) -> None:
        """The conversation was put on hold or taken up again."""
        seat = self._board.seats.get(what.seat)
        if seat is not None and seat.activity is Activity.TALKING and seat.held != what.held:
            self._desk.hold(seat, now, held=what.held)

    def talk_ended(self, what: TalkEnded, now: float) -> None:
        """A call of the seat is over; after the last one come wrap-up and what is pending."""
        seat = self._board.seats.get(what.seat)
        if seat is None or seat.engaged.pop(what.call, None) is None:
            return
        cause = what.cause
        seat.idle_since = now
        queue_call = seat.talk_call
        if what.call == queue_call:
            self._queue_call_ended(seat, now, bridged=what.bridged)
        if seat.engaged:
            seat.call = next(reversed(seat.engaged))
            if what.call == queue_call:
                self._board.history.seat_changed(seat, cause, now)
        elif seat.offer is None:
            self._desk.work_ended(seat, cause, now)

    def _queue_call_ended(self, seat: Seat, now: float, *, bridged: bool) -> None:
        talked_for = now - seat.talk_since
        name = seat.talk_queue
        queue = None if name is None else self._board.queues.get(name)
        seat.talk_call = seat.talk_queue = None
        seat.talked_until = now
        seat.wrapup_queue = name or ""
        self._board.timers.disarm(seat.alarm)
        seat.alarm = None
        if not bridged:
            return
        seat.talked_for += talked_for
        levels = self._board.settings.levels
        after = levels[seat.level].wrap_up if seat.level < len(levels) else 0.0
        if queue is not None and queue.settings.wrap_up is not None:
            after = queue.settings.wrap_up
        if seat.wrap_up is not None:
            after = seat.wrap_up
        after = min(after, self._board.settings.wrap_up_max)
        if after > 0:
            seat.wrapup_after = after
        if queue is not None:
            queue.note_handled(talked_for + after)

    # Deadlines.

    def due(self, seat: Seat, name: str, now: float) -> None:
        """Act on a timer of a seat."""
        if name == "wrapup":
            seat.wrapup = None
            self._desk.end_wrap_up(seat, "wrapup_over", now)
        elif name == "handle":
            self._desk.handled_too_long(seat)
        elif name == "midnight":
            self._desk.day_began(seat, now)
        else:
            self._desk.end_rest(seat)

    # Refusals.

    def _seat(self, name: SeatId) -> Seat:
        seat = self._board.seats.get(name)
        if seat is None or seat.is_removed:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {name}")
        return seat

    def _signed_in(self, name: SeatId) -> Seat:
        seat = self._seat(name)
        if not seat.is_signed_in:
            raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {name}")
        return seat

    def _wrapping_up(self, name: SeatId) -> Seat:
        seat = self._signed_in(name)
        if seat.presence is not Presence.WRAPUP:
            raise OperationRefused("BAD_STATE", f"seat {name} is {seat.presence}, not in wrap-up")
        return seat

    def _phone(self, seat: Seat, kind: str, number: str) -> Phone:
        """Return the phone asked for; it may be out of reach, but it must be the seat's and nobody else's."""
        phones = self._board.phones
        chosen = choose_phone(seat.settings, kind, number)
        if chosen is None:
            wanted = f"{kind}:{number}" if number else kind
            raise OperationRefused("PHONE_NOT_REGISTERED", f"seat {seat.id} has no phone {wanted}")
        phone = phones.build(chosen)
        holder = phones.holder(phone.key)
        if holder is not None and holder != seat.id:
            raise OperationRefused("PHONE_IN_USE", f"{phone} is bound to seat {holder}")
        return phone

    def _check_reason(self, seat: Seat, reason: str) -> None:
        reasons = self._board.tenant(seat.tenant).pause_reasons
        if reasons and reason not in reasons:
            raise OperationRefused("BAD_PAUSE", f"{reason!r} is not a pause reason: {', '.join(reasons)}")

    def _may_lift(self, seat: Seat, *, forced: bool) -> None:
        if not forced and (seat.is_forced or seat.pending.startswith(FORCED)):
            raise OperationRefused("FORCED_PAUSE", f"seat {seat.id} is paused by a supervisor")
