"""The desk: the only writer of a seat's presence and activity, with rows, events, wrap-up and rests.

Whatever moves a seat goes through :meth:`Desk.say` (presence) or :meth:`Desk.see` (activity), so that a seat
which stops being routable leaves the indexes at once, and one which becomes routable is looked at before
the turn ends.
"""

from acd.board import Board
from acd.commands import CloseLine, OpenLine
from acd.daily import DailyLimits
from acd.events import HandleLimitReached, SeatChanged
from acd.inputs import SeatTalks
from acd.phone import Phone
from acd.seat import ACTIVITY_MOVES, PRESENCE_MOVES, Activity, Presence, Seat, Sight, Word
from acd.settings import PhoneSettings
from acd.staffing import Staffing
from kernel.ids import CallId

OFFLINE = "offline"
READY = "ready"
PAUSED = "paused"
FORCED = "forced"
AFTER_CALL = "after_call"  # the reason of a pause that follows every call

_SEEN = {Sight.DIAL: Activity.DIALLING, Sight.RING: Activity.RINGING, Sight.TALK: Activity.TALKING}


class Desk:
    """Moves seats."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.staffing = Staffing(board)
        self.daily = DailyLimits(board)

    # Presence.

    def say(
        self, seat: Seat, word: Word, cause: str, now: float, *, reason: str = "", forced: bool = False
    ) -> None:
        """Move the presence of ``seat`` by ``word``; what the table drops is ours to have refused before."""
        after = PRESENCE_MOVES.get((seat.presence, word))
        assert after is not None, f"{seat.id} is {seat.presence} and hears {word}"
        before = seat.presence
        if before is Presence.WRAPUP:
            self._board.timers.disarm(seat.wrapup)
            seat.wrapup = None
            seat.wrapup_until = None
        seat.presence = after
        seat.reason = reason
        seat.is_forced = forced
        if after is Presence.OFFLINE or before is Presence.OFFLINE:
            self.count_signed_in(seat, -1 if after is Presence.OFFLINE else 1)
        if after is Presence.READY:
            seat.idle_since = now
        self.changed(seat, cause, now)

    def wrap_up(self, seat: Seat, cause: str, after: float, now: float) -> None:
        """Begin ``after`` seconds of wrap-up."""
        seat.wrapup_since = now
        seat.wrapup_until = now + after
        self._board.timers.disarm(seat.wrapup)
        seat.wrapup = self._board.timers.arm_after(seat, "wrapup", after, now)
        assert PRESENCE_MOVES.get((seat.presence, Word.WRAP_UP)) is Presence.WRAPUP, (
            f"{seat.id} cannot wrap up"
        )
        seat.presence = Presence.WRAPUP
        seat.reason = ""
        seat.is_forced = False
        self.changed(seat, cause, now)

    def wrap_up_until(self, seat: Seat, until: float) -> None:
        """Move the end of the wrap-up."""
        self._board.timers.disarm(seat.wrapup)
        seat.wrapup_until = until
        seat.wrapup = self._board.timers.arm(seat, "wrapup", until)
        self.saved(seat, "wrapup_extended")

    def end_wrap_up(self, seat: Seat, cause: str, now: float) -> None:
        """Let wrap-up end in what is pending, else in ready."""
        if seat.pending and not seat.is_busy:
            self.apply_pending(seat, cause, now)
        else:
            self.say(seat, Word.READY, cause, now)

    def apply_pending(self, seat: Seat, cause: str, now: float) -> None:
        """Do what was asked for while the seat was busy."""
        kind, _, reason = seat.pending.partition(":")
        seat.pending = ""
        if kind == OFFLINE:
            self.sign_out(seat, cause, now)
        elif kind in (PAUSED, FORCED):
            self.say(seat, Word.PAUSE, cause, now, reason=reason, forced=kind == FORCED)
        elif kind == READY and seat.presence is not Presence.READY:
            self.say(seat, Word.READY, cause, now)

    def ask_later(self, seat: Seat, pending: str, cause: str) -> None:
        """Remember what is to happen when the work ends; "" forgets it."""
        if seat.pending != pending:
            seat.pending = pending
            self.saved(seat, cause)

    def sign_out(self, seat: Seat, cause: str, now: float) -> None:
        """Let the person leave."""
        seat.pending = ""
        seat.session = ""
        self._board.phones.unbind(seat.phone.key, seat.id)
        self.end_rest(seat)
        seat.misses.clear()
        seat.next_phone = None
        seat.after_call = seat.settings.after_call
        self.say(seat, Word.SIGN_OUT, cause, now)
        seat.agent = ""

    def taken(self, seat: Seat) -> None:
        """A seat that pauses after each queue call is in one: that is pending from now on, and may be asked
        otherwise.
        """
        if seat.presence is Presence.READY and not seat.pending:
            self.ask_later(seat, f"{PAUSED}:{AFTER_CALL}", AFTER_CALL)

    def serves_anew(self, seat: Seat, cause: str, now: float) -> None:
        """Tell that the seat serves other queues than before, in the state that it is in."""
        self._routable_changed(seat)
        self._board.history.seat_changed(seat, cause, now)
        self.saved(seat, cause)

    def saved(self, seat: Seat, cause: str) -> None:
        """Tell of a change that a restart must not lose, of neither presence nor activity."""
        self._follow_line(seat)
        self._board.history.seat_state(seat)
        self._board.events.put(SeatChanged(seat.id, cause))

    # Activity.

    def see(self, seat: Seat, sight: Sight, cause: str, now: float) -> bool:
        """Move the activity of ``seat`` by ``sight``; return False if the table drops it."""
        after = ACTIVITY_MOVES.get((seat.activity, sight))
        if after is None:
            return False
        seat.activity = after
        self._seen(seat, cause, now)
        return True

    def work_ended(self, seat: Seat, cause: str, now: float) -> None:
        """The phone of ``seat`` is free: wrap-up if it is due, else what is pending, else as before."""
        assert seat.is_busy, f"{seat.id} is {seat.activity}: there is no work to end"
        seat.held = False
        if seat.engaged:
            # An offer ended while the phone was in a call of its own.
            seat.call, seat.activity = next(reversed(seat.engaged.items()))
            self._seen(seat, cause, now)
            return
        seat.call = None
        phone, seat.next_phone = seat.next_phone, None
        if phone is not None and self._board.phones.holder(phone.key) in (None, seat.id):
            self.bind(seat, self._board.phones.build(PhoneSettings(phone.kind, phone.number)))
            self.saved(seat, "bound")
        # Activity and presence move together: idle and ready for no time at all would be offered a call.
        seat.activity = Activity.IDLE if seat.phone.reachable else Activity.UNREACHABLE
        after, seat.wrapup_after = seat.wrapup_after, None
        presence, reason = seat.presence, seat.reason
        if after is not None and not seat.is_removed and presence in (Presence.READY, Presence.PAUSED):
            self.wrap_up(seat, cause, after, now)
        elif seat.pending and (presence is not Presence.WRAPUP or seat.pending == OFFLINE):
            self.apply_pending(seat, cause, now)
        if (seat.presence, seat.reason) == (presence, reason):
            self._seen(seat, cause, now)
        if seat.is_removed:
            self._board.gone.append(seat)

    def engage(self, seat: Seat, call: CallId, sight: Sight, cause: str, now: float) -> None:
        """Note that the seat's phone is in ``call``."""
        seat.engaged[call] = _SEEN[sight]
        if seat.call is None or (sight is Sight.TALK and seat.offer is None):
            seat.call = call
        if seat.offer is None:
            self.see(seat, sight, cause, now)

    def talks_on(self, seat: Seat, talk: SeatTalks) -> None:
        """Let the seat be in the conversation it was in before a restart; the caller tells of it."""
        if talk.queue is not None:
            seat.talk_call, seat.talk_queue, seat.talk_since = talk.call, talk.queue, talk.since
        seat.engaged[talk.call] = seat.activity = Activity.TALKING
        seat.call, seat.held = talk.call, talk.held

    def bind(self, seat: Seat, phone: Phone) -> None:
        """Give a seat that is not busy another phone; the caller tells of it."""
        phones = self._board.phones
        phones.unbind(seat.phone.key, seat.id)
        phones.bind(phone.key, seat.id)
        seat.phone = phone
        self.stand(seat)
        seat.activity = Activity.IDLE if phone.reachable else Activity.UNREACHABLE

    def stand(self, seat: Seat) -> None:
        """Have the phone of ``seat``, just bound, kept on the line where its settings say so.

        It counts as out of reach until it is there.
        """
        seat.is_standing = bool(seat.settings.standing)
        if seat.is_standing:
            seat.phone.reachable = False

    def _follow_line(self, seat: Seat) -> None:
        """Have the right phone kept on the line: the one bound, while somebody is signed in."""
        wanted = seat.phone.key if seat.is_standing and seat.is_signed_in else None
        if wanted == seat.line:
            return
        board = self._board
        if seat.line is not None:
            board.commands.put(CloseLine(seat.id))
        seat.line = wanted
        if wanted is not None:
            board.commands.put(OpenLine(seat.id, *wanted))
            return
        seat.is_standing = False
        phone = seat.phone
        phone.reachable = board.phones.build(PhoneSettings(phone.kind, phone.number)).reachable
        if not seat.is_busy:
            seat.activity = Activity.IDLE if phone.reachable else Activity.UNREACHABLE

    def hold(self, seat: Seat, now: float, *, held: bool) -> None:
        """Note that the conversation is on hold, or no longer."""
        seat.held = held
        cause = "held" if held else "unheld"
        self._board.history.seat_changed(seat, cause, now)
        self._board.events.put(SeatChanged(seat.id, cause))

    def watch_handling(self, seat: Seat, now: float) -> None:
        """Say so once if the queue call that the seat has just taken lasts longer than its level should."""
        self._board.timers.disarm(seat.alarm)
        seat.alarm = None
        levels = self._board.settings.levels
        limit = levels[seat.level].handle_limit if seat.level < len(levels) else 0.0
        if limit:
            left = seat.talk_since + limit - now
            if left > 0:  # of a call from before a restart it may have been said
                seat.alarm = self._board.timers.arm_after(seat, "handle", left, now)

    def handled_too_long(self, seat: Seat) -> None:
        """Tell that the seat's queue call has reached the limit of its level; nothing is cut."""
        seat.alarm = None
        levels = self._board.settings.levels
        if seat.talk_call is not None and seat.level < len(levels):
            limit = levels[seat.level].handle_limit
            self._board.events.put(HandleLimitReached(seat.id, seat.talk_call, seat.talk_queue or "", limit))
            about = {"seat": seat.id, "call": seat.talk_call, "limit": limit}
            self._board.log.put(("handle limit reached", about))

    # Rest after a missed offer.

    def rest(self, seat: Seat, delay: float, now: float) -> None:
        """Keep calls from ``seat`` for ``delay`` seconds."""
        timers = self._board.timers
        timers.disarm(seat.rest)
        seat.rest_until = now + delay
        seat.rest = timers.arm_after(seat, "rest", delay, now)

    def end_rest(self, seat: Seat) -> None:
        """Let the seat be offered calls again."""
        self._board.timers.disarm(seat.rest)
        seat.rest = None
        self._routable_changed(seat)

    def day_began(self, seat: Seat, now: float) -> None:
        """Let a seat that had had its calls of a day be offered those of the next."""
        self.daily.look(seat, now)
        self._routable_changed(seat)

    # What every change entails.

    def changed(self, seat: Seat, cause: str, now: float) -> None:
        """Tell of a change of presence, phone or session."""
        if seat.is_standing or seat.line is not None:
            self._follow_line(seat)
        self._routable_changed(seat)
        seat.since = now
        board = self._board
        board.history.seat_changed(seat, cause, now)
        board.history.seat_state(seat)
        board.events.put(SeatChanged(seat.id, cause))

    def _seen(self, seat: Seat, cause: str, now: float) -> None:
        self._routable_changed(seat)
        seat.since = now
        board = self._board
        board.history.seat_changed(seat, cause, now)
        board.events.put(SeatChanged(seat.id, cause))

    def _routable_changed(self, seat: Seat) -> None:
        self.staffing.note(seat)
        if seat.is_routable:
            if not seat.ready_number:
                self._board.idle_seats.append(seat)
        elif seat.ready_number:
            self._board.matcher.dismiss(seat)

    def count_signed_in(self, seat: Seat, change: int) -> None:
        """Count one sign-in (1) or sign-out (-1) wherever the seat serves."""
        board = self._board
        board.signed_in[seat.tenant] = board.signed_in.get(seat.tenant, 0) + change
        place = (seat.tenant, seat.level)
        board.signed_in_at[place] = board.signed_in_at.get(place, 0) + change
        lines: dict[str, None] = {}
        for each in seat.classes:
            each.signed_in += change
            if not each.line.requirement.seat:
                lines[each.line.queue] = None
        for name in seat.queues:
            if name in lines:
                board.queues[name].signed_in += change
                self.staffing.changed(board.queues[name])
        if change < 0:
            board.deserted.extend(each for each in seat.classes if each.signed_in <= each.few)
