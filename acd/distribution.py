"""Distribution: visits and offers, from join to outcome.

Every visit ends in ``_end_visit`` and every offer in ``_release``, whatever the exit. What becomes free in a
turn is only noted; :meth:`Distribution.settle` pairs it when the turn ends.
"""

from math import inf

from acd.abandoned import AbandonedCallers
from acd.alerts import Alerts
from acd.board import Board
from acd.callback import Callbacks
from acd.commands import ReleaseCall, RingSeat, WithdrawOffer
from acd.desk import Desk
from acd.entry import Entry
from acd.events import QueueChanged
from acd.inputs import CallJoined, CallLeft
from acd.lists import NumberReader
from acd.matcher import Choice, key_of
from acd.missed import Cause, count_miss, rule_for
from acd.offer import Input as OfferInput
from acd.offer import Offer, OfferKeeper
from acd.readiness import Pool, RequirementClass
from acd.seat import Presence, Seat, Sight, Word
from kernel.ids import CallId, OfferId, SeatId
from policies.policy import Policy, head_key
from policies.skills import with_skills
from queues.events import Outcome
from queues.queue import Queue
from queues.settings import Requirement
from queues.statistics import RINGING
from queues.waiting import ANYONE, Keeper, WaitingCall, WaitingLine

PICKED = "picked"  # in place of a policy, where a person has chosen the call
_OUTCOMES = {"abandoned": Outcome.ABANDONED, "callback": Outcome.CALLBACK}


class Distribution:
    """Moves calls: into queues, to seats, out again."""

    def __init__(
        self,
        board: Board,
        desk: Desk,
        call_keeper: Keeper,
        offer_keeper: OfferKeeper,
        numbers: NumberReader,
    ) -> None:
        self._board = board
        self._desk = desk
        self._call_keeper = call_keeper
        self._offer_keeper = offer_keeper
        self.alerts = Alerts(board)
        self.entry = Entry(board, self, numbers)
        self.callbacks = Callbacks(board, self)
        self.abandoned = AbandonedCallers(board, self)

    # Joining and leaving.

    def leave(self, what: CallLeft, now: float) -> None:
        """End a visit because the call is gone; one that has ended already needs nothing."""
        call = self._board.calls.get(what.call)
        if call is not None:
            outcome = _OUTCOMES.get(what.cause, Outcome.WITHDRAWN)
            is_rung = outcome is Outcome.ABANDONED and bool(call.ringing)
            self.withdraw_all(call, "caller_gone", now)
            self.end_visit(call, outcome, RINGING if is_rung else what.cause, "", now)

    def remove(self, call: WaitingCall, cause: str, now: float) -> None:
        """Take a call out of its queue and hand it back to call control."""
        self.withdraw_all(call, cause, now)
        self.end_visit(call, Outcome.WITHDRAWN, cause, "", now)
        self._board.commands.put(ReleaseCall(call.call, call.queue, Outcome.WITHDRAWN.value, cause))

    def enter_callback(
        self,
        what: CallJoined,
        joined_at: float,
        credit: float,
        now: float,
        seat: SeatId | None = None,
        until: float = inf,
    ) -> None:
        """Let a callback stand in its queue, full or not: it has had its place there before.

        ``seat`` alone may have it until the moment ``until``, even if nobody is there now.
        """
        call = self.build_visit(what, joined_at, now, credit)
        call.is_callback = True
        if seat is not None and seat in self._board.seats and until > now:
            call.wanted_seat, call.seat_for, call.is_patient = seat, until - now, True
        self.enter(call, self._board.queues[what.queue], now)

    def call_back(self, call: WaitingCall, cause: str, now: float, number: str = "") -> bool:
        """Let a waiting caller go with its place kept, or return False if it cannot be called back."""
        callback = self.callbacks.keep_place(call, cause, now, number)
        if callback is None:
            return False
        self.withdraw_all(call, "callback", now)
        self.end_visit(call, Outcome.CALLBACK, cause, "", now)
        outcome = Outcome.CALLBACK.value
        self._board.commands.put(ReleaseCall(call.call, call.queue, outcome, outcome))
        self.callbacks.begin(callback, now)
        return True

    def move(self, call: WaitingCall, there: Queue, now: float) -> None:
        """Let a call wait in ``there`` instead, with its time and its credit."""
        target = f"queue:{there.name}"
        self.withdraw_all(call, "moved", now)
        self.end_visit(call, Outcome.OVERFLOWED, "moved", "", now, target)
        self.entry.transfer(call, there, target, now)

    def advance(self, call: WaitingCall, credit: float) -> None:
        """Give a waiting call ``credit`` in place of its own; it stands where that puts it."""
        queue = self._board.queues[call.queue]
        stands = call.entry is not None
        self._unassign(call)
        queue.leave(call)
        call.credit, call.key = credit, call.joined_at - credit
        queue.join(call)
        self._assign(call, queue)
        if stands:
            self.stand(call)
        self._board.history.visit_began(call)  # what the next process must know of it has changed
        self._board.events.put(QueueChanged(call.queue, "moved", call.call))

    def build_visit(self, what: CallJoined, joined_at: float, now: float, credit: float) -> WaitingCall:
        """Return the call's next visit, which has not begun yet."""
        board = self._board
        visit, number = board.next_visit(what.call)
        return WaitingCall(
            what.call,
            visit,
            number,
            what.queue,
            caller=what.caller,
            called=what.called,
            joined_at=joined_at,
            entered_at=now,
            credit=credit,
            sequence=board.next_sequence(),
            skills=what.skills,
            keeper=self._call_keeper,
        )

    def enter(self, call: WaitingCall, queue: Queue, now: float) -> None:
        """Begin a visit."""
        board = self._board
        board.calls[call.call] = call
        position = queue.join(call)
        call.position = call.position or position  # of a visit from before a restart it is known
        self._settle_in(call, queue)
        self._assign(call, queue)
        self._arm(call, queue, now)
        if queue.settings.alert_wait:
            self.alerts.watch(call, queue, now)
        board.history.visit_began(call)
        board.events.put(QueueChanged(call.queue, "joined", call.call))
        self.stand(call)

    def _settle_in(self, call: WaitingCall, queue: Queue) -> None:
        """Tell the call what policies compare."""
        call.weight = queue.settings.weight
        call.priority = queue.settings.priority
        call.starves_after = queue.settings.starve_after or inf
        call.home = queue

    def end_visit(
        self, call: WaitingCall, outcome: Outcome, cause: str, seat: str, now: float, target: str = ""
    ) -> None:
        """End a visit: the one way out."""
        board = self._board
        assert not call.ringing, f"{call.call} leaves while a seat rings for it"
        queue = board.queues[call.queue]
        board.timers.disarm(call.timer)
        call.timer = None
        board.timers.disarm(call.widening)
        call.widening = None
        if call.back_off:
            for seat_id, timer in list(call.back_off.items()):
                board.timers.disarm(timer)
                call.may_have(seat_id)
        self._unassign(call)
        call.position_left = queue.leave(call)
        if call.alert is not None or call.is_late:
            self.alerts.left(call, queue)
        del board.calls[call.call]
        board.history.visit_ended(call, queue, outcome, cause, seat, now, target)
        is_abandoned = outcome is Outcome.ABANDONED
        if is_abandoned or cause == "interrupted":
            self.entry.gave_up(call, queue, now)
        board.events.put(QueueChanged(call.queue, "left", call.call, outcome._value_, seat))
        if is_abandoned:
            self.abandoned.gave_up(call, queue, now)
        if call.is_callback:
            self.callbacks.visit_ended(call, outcome, cause, seat, now)

    # Lines.

    def _assign(self, call: WaitingCall, queue: Queue) -> None:
        """Find the line of the call's present step; skip steps that too few signed-in seats satisfy."""
        steps = self._board.steps[queue.name]
        while True:
            found = self._class_for(call, queue)
            if call.wanted_seat is not None:
                if found.signed_in or call.is_patient:
                    break
                self._forget(found.line)
                call.wanted_seat = None
                continue
            following = call.step + 1
            if following >= len(steps):
                break
            found.few = max(found.few, steps[following].when_few)  # calls of other steps may share it
            if found.signed_in > steps[following].when_few:
                break
            self._forget(found.line)
            call.step = following
        call.line = found.line
        found.line.members += 1
        if call.wanted_seat is not None:
            self._board.wanted.setdefault(call.wanted_seat, {})[call.call] = call

    def _unassign(self, call: WaitingCall) -> None:
        line = call.line
        assert line is not None
        if call.entry is not None:
            line.remove(call)
        call.line = None
        line.members -= 1
        if line.requirement.seat:
            self._unwant(call, line.requirement.seat)
        self._forget(line)

    def _unwant(self, call: WaitingCall, seat: str) -> None:
        wanted = self._board.wanted[seat]
        del wanted[call.call]
        if not wanted:
            del self._board.wanted[seat]

    def _forget(self, line: WaitingLine) -> None:
        """Forget a line that only calls of its own kind wanted, when they are gone."""
        if not line.members and not line.is_configured:
            self._board.matcher.close_class(line, self._seats_for(line))

    def _seats_for(self, line: WaitingLine) -> list[Seat]:
        """Return the seats that may have the class of ``line``."""
        if not line.requirement.seat:
            return self._board.seats_of(line.queue)
        seat = self._board.seats.get(SeatId(line.requirement.seat))
        return [] if seat is None else [seat]

    def _class_for(self, call: WaitingCall, queue: Queue) -> RequirementClass:
        """Return the requirement class of the call's step, with its own skills on top."""
        board = self._board
        configured = board.classes[queue.name][call.step]
        if call.wanted_seat is not None:
            # Its own level: nobody holds back a seat from those who ask for it.
            seat = board.seats[call.wanted_seat]
            wanted = Requirement(seat.level, seat.level, seat=seat.id)
            return board.matcher.open_class(
                queue.name, wanted, seat.level, configured.policy, (seat,), is_configured=False
            )
        if not call.skills:
            return configured
        return board.matcher.open_class(
            queue.name,
            with_skills(configured.line.requirement, call.skills),
            configured.line.own_level,
            configured.policy,
            board.seats_of(queue.name),
            is_configured=False,
        )

    def stand(self, call: WaitingCall) -> None:
        """Let the call stand in its line, to be looked at before the turn ends."""
        if call.entry is None and not call.is_overdue:
            assert call.line is not None
            call.line.add(call)
        self._board.idle_calls.append(call)

    def relax(self, call: WaitingCall, step: int, now: float) -> None:
        """Let the call do with the requirement of ``step``."""
        queue = self._board.queues[call.queue]
        stands = call.entry is not None
        self._unassign(call)
        call.step = step
        self._assign(call, queue)
        self._board.events.put(QueueChanged(call.queue, "relaxed", call.call))
        if stands:
            self.stand(call)

    # Deadlines of a visit.

    def _arm(self, call: WaitingCall, queue: Queue, now: float) -> None:
        """Arm the next deadline: a step of relaxation or the longest wait, whichever comes first."""
        steps = self._board.steps[queue.name]
        after = (not call.is_callback and queue.settings.max_wait) or None
        if call.wanted_seat is not None:
            after = call.seat_for if after is None else min(after, call.seat_for)
            after = None if after == inf else after
        elif call.step + 1 < len(steps) and (after is None or steps[call.step + 1].after < after):
            after = steps[call.step + 1].after
        timers = self._board.timers
        timers.disarm(call.timer)
        if after is None:
            call.timer = None
        elif now == call.entered_at:
            call.timer = timers.arm_after(call, "wait", after, now)
        else:
            call.timer = timers.arm(call, "wait", max(call.entered_at + after, now))

    def take_from_line(self, call: WaitingCall) -> None:
        """Take the call out of its line, before lines change with the settings."""
        self._unassign(call)

    def put_in_line(self, call: WaitingCall, now: float) -> None:
        """Find the call a line by the new settings, and arm its deadline by them."""
        queue = self._board.queues[call.queue]
        self._settle_in(call, queue)
        call.step = min(call.step, len(self._board.steps[queue.name]) - 1)
        wanted = self._board.seats.get(call.wanted_seat) if call.wanted_seat is not None else None
        if wanted is None or wanted.is_removed:
            call.wanted_seat = None
        self._assign(call, queue)
        self.alerts.watch(call, queue, now)
        if not call.is_overdue:
            self._arm(call, queue, now)

    def wait_due(self, call: WaitingCall, now: float) -> None:
        """Do what is due: relax, or leave."""
        queue = self._board.queues[call.queue]
        steps = self._board.steps[queue.name]
        longest = queue.settings.max_wait
        if longest and call.entered_at + longest <= now and not call.is_callback:
            call.timer = None
            self.overdue(call, "max_wait", now)
            return
        if call.wanted_seat is not None:
            if call.entered_at + call.seat_for <= now:
                self.let_go_of_seat(call, now)
            else:
                self._arm(call, queue, now)
            return
        step = call.step
        while step + 1 < len(steps) and call.entered_at + steps[step + 1].after <= now:
            step += 1
        if step > call.step:
            self.relax(call, step, now)
        self._arm(call, queue, now)

    def let_go_of_seat(self, call: WaitingCall, now: float) -> None:
        """The call has waited for its seat long enough, or the seat has left: do as its fallback says."""
        if call.fallback != ANYONE:
            self.overdue(call, "seat_wait", now)
            return
        call.wanted_seat = None
        steps = self._board.steps[call.queue]
        step = call.step
        while step + 1 < len(steps) and call.entered_at + steps[step + 1].after <= now:
            step += 1
        self.relax(call, step, now)
        if not call.is_overdue:
            self._arm(call, self._board.queues[call.queue], now)

    def overdue(self, call: WaitingCall, cause: str, now: float) -> None:
        """The call has waited too long, as ``cause`` says."""
        if call.is_callback:
            return  # its promise has an end of its own
        if not call.ringing:
            self.entry.send_on(call, cause, now)
        elif not call.is_overdue:
            # The seat that rings gets its chance; nobody else is asked any more.
            call.is_overdue, call.due_cause = True, cause
            if call.entry is not None and call.line is not None:
                call.line.remove(call)

    def back_off_ended(self, call: WaitingCall, seat: SeatId) -> None:
        """Let ``seat`` be offered the call again."""
        call.may_have(seat)
        if call.entry is not None:
            self._board.idle_calls.append(call)

    def deserted(self, each: RequirementClass, now: float) -> None:
        """Relax the calls of a class whose seats have become few, or none, where a step says so."""
        steps = self._board.steps.get(each.line.queue)
        queue = self._board.queues.get(each.line.queue)
        if steps is None or queue is None or each.signed_in > each.few or not each.line.members:
            return
        for call in list(queue.waiting.values()):
            if call.wanted_seat is not None:
                if call.line is each.line and not call.is_patient:
                    self.let_go_of_seat(call, now)
                continue
            following = call.step + 1
            if call.line is not each.line or following >= len(steps):
                continue
            if each.signed_in <= steps[following].when_few:
                self.relax(call, following, now)
                if not call.is_overdue:
                    self._arm(call, queue, now)

    # Offers.

    def _offer(self, call: WaitingCall, seat: Seat, now: float, choice: Choice | None) -> None:
        """Reserve ``seat`` for ``call`` and ask for its phone to be rung."""
        policy = self._board.policies[self._board.queues[call.queue].settings.policy]
        offer = Offer(call.next_offer_id(), call, seat, now, self._offer_keeper)
        key = offer.key = key_of(policy, seat, call.queue) if choice is None else choice.entry[0]
        is_ranked_by_level = choice is not None and choice.wanted.preferred >= 0
        policy.chosen(key[1:] if is_ranked_by_level else key)
        offer.policy = policy.name
        if choice is not None:
            offer.eligible = choice.eligible
            offer.runners_up = choice.runners_up
        self._ring(offer, policy, now)

    def _ring(self, offer: Offer, policy: Policy, now: float) -> None:
        """Begin the lease of an offer."""
        board, call, seat = self._board, offer.call, offer.seat
        queue = board.queues[call.queue]
        board.offers[offer.id] = offer
        call.ringing = (*call.ringing, offer.id)
        fan_out = _fan_out(policy, queue)
        if policy.widen_after and call.fan_out < fan_out:
            fan_out = call.fan_out
            if call.widening is None:
                call.widening = board.timers.arm_after(call, "widen", policy.widen_after, now)
        if len(call.ringing) >= fan_out and call.entry is not None and call.line is not None:
            call.line.remove(call)
        seat.offer = offer
        seat.call = call.call
        seat.offered += 1
        seat.offered_last = board.next_sequence()
        self._desk.see(seat, Sight.RESERVE, "offer", now)
        offer.timer = board.timers.arm_after(offer, "ring", queue.settings.ring_for, now)
        board.history.offer_began(offer)
        if call.is_callback:
            board.commands.put(self.callbacks.placed(call))
        board.commands.put(
            RingSeat(offer.id, call.call, seat.id, queue.name, seat.phone.kind, seat.phone.number)
        )
        board.events.put(QueueChanged(queue.name, "offered", call.call, "", seat.id))

    def widen(self, call: WaitingCall, now: float) -> None:
        """Let one seat more ring for a call that nobody has answered yet, up to the policy's most."""
        call.widening = None
        queue = self._board.queues[call.queue]
        policy = self._board.policies[queue.settings.policy]
        if call.ringing and policy.widen_after and call.fan_out < _fan_out(policy, queue):
            call.fan_out += 1
            call.widening = self._board.timers.arm_after(call, "widen", policy.widen_after, now)
            self.stand(call)

    def _release(self, offer: Offer, how: OfferInput, status: int, now: float) -> WaitingCall:
        """End the lease: the one way out of an offer. The seat is still reserved; the caller moves it on."""
        assert offer.step(how), f"{offer.id} is {offer.state} and gets {how}"
        board = self._board
        board.timers.disarm(offer.timer)
        offer.timer = None
        del board.offers[offer.id]
        call = offer.call
        offer.seat.offer = None
        call.stop_ringing(offer.id)
        board.history.offer_ended(offer, how._value_, status, now)
        if how is not OfferInput.ANSWERED:
            board.events.put(QueueChanged(call.queue, "offer_ended", call.call, how.value, offer.seat.id))
        return call

    def rang(self, offer_id: OfferId, now: float) -> None:
        """The phone rings."""
        offer = self._board.offers.get(offer_id)
        if offer is not None and offer.step(OfferInput.RANG):
            offer.rung_at = now
            self._desk.see(offer.seat, Sight.RING, "ringing", now)

    def picked_up(self, offer_id: OfferId, within: float, now: float) -> None:
        """A phone has been answered; whether by who may take the call shows in so many seconds."""
        offer = self._board.offers.get(offer_id)
        if offer is not None:
            self._board.timers.disarm(offer.timer)
            offer.timer = self._board.timers.arm_after(offer, "ring", within, now)

    def taken(self, offer_id: OfferId, within: float, now: float) -> None:
        """A seat has taken the call and is bridged soon: call the others off, and ask nobody else."""
        offer = self._board.offers.get(offer_id)
        if offer is None:
            return
        self.picked_up(offer_id, within, now)
        offer.is_taken = True
        call = offer.call
        for other in call.ringing:
            if other != offer_id:
                self._withdraw(self._board.offers[other], "answered_elsewhere", now)
        self._ask_nobody_else(call)

    def _ask_nobody_else(self, call: WaitingCall) -> None:
        self._board.timers.disarm(call.widening)
        call.widening = None
        if call.entry is not None and call.line is not None:  # where several may ring at once
            call.line.remove(call)

    def answered(self, offer_id: OfferId, now: float) -> None:
        """The seat takes the call: the visit ends, the others that rang are called off."""
        offer = self._board.offers.get(offer_id)
        if offer is None:
            return
        seat = offer.seat
        call = self._release(offer, OfferInput.ANSWERED, 200, now)
        if call.ringing:
            self.withdraw_all(call, "answered_elsewhere", now)
        seat.answered += 1
        seat.answers[call.queue] = seat.answers.get(call.queue, 0) + 1
        seat.misses.clear()
        seat.talk_call = call.call
        seat.talk_queue = call.queue
        seat.talk_since = now
        self._desk.watch_handling(seat, now)
        self._desk.daily.look(seat, now)
        self._desk.engage(seat, call.call, Sight.TALK, "answered", now)
        if seat.after_call == "pause":
            self._desk.taken(seat)
        self.entry.answered(call, seat.id, now)
        self.end_visit(call, Outcome.ANSWERED, "", seat.id, now)

    def missed(self, offer_id: OfferId, how: OfferInput, status: int, now: float) -> None:
        """The seat did not take the call (refused, failed, no answer): it pays, the call keeps its place."""
        offer = self._board.offers.get(offer_id)
        if offer is None:
            return
        board, seat = self._board, offer.seat
        call = self._release(offer, how, status, now)
        if how is OfferInput.MISSED:
            board.commands.put(WithdrawOffer(offer_id, "no_answer"))
            cause = Cause.NO_ANSWER
            seat.missed += 1
        elif how is OfferInput.REFUSED:
            cause = Cause.REFUSED
            seat.refused += 1
        else:
            cause = Cause.UNREACHABLE
        seat.idle_since = now
        rule = rule_for(board.queues[call.queue].settings.missed, cause)
        if rule.delay > 0:
            self._desk.rest(seat, rule.delay, now)
        costs = count_miss(seat.misses, rule, cause, now, now - seat.talked_until)
        self._desk.work_ended(seat, cause.value, now)
        if costs == "logout" and seat.is_signed_in:
            self._desk.sign_out(seat, cause.value, now)
        elif costs == "pause" and seat.is_signed_in and seat.presence is not Presence.PAUSED:
            self._desk.say(seat, Word.PAUSE, cause.value, now, reason=cause.value)
        self._return(call, seat, now)

    def withdraw(self, offer: Offer, cause: str, now: float) -> None:
        """Call an offer off, for a reason that is not the seat's fault."""
        call = self._withdraw(offer, cause, now)
        self._return(call, offer.seat, now)

    def pick(self, call: WaitingCall, seat: Seat, now: float) -> None:
        """Offer the call to ``seat``, which has asked for it, and to nobody else; no policy learns of it."""
        self.withdraw_all(call, "picked_up", now)
        offer = Offer(call.next_offer_id(), call, seat, now, self._offer_keeper)
        offer.policy = PICKED
        self._ring(offer, self._board.policies[self._board.queues[call.queue].settings.policy], now)
        self._ask_nobody_else(call)

    def phone_lost(self, seat: Seat, now: float) -> None:
        """The phone went away while it was offered a call."""
        if seat.offer is not None:
            offer = seat.offer
            self._board.commands.put(WithdrawOffer(offer.id, "unreachable"))
            self.missed(offer.id, OfferInput.FAILED, 0, now)

    def _withdraw(self, offer: Offer, cause: str, now: float) -> WaitingCall:
        call = self._release(offer, OfferInput.WITHDRAWN, 0, now)
        self._board.commands.put(WithdrawOffer(offer.id, cause))
        self._desk.work_ended(offer.seat, cause, now)
        return call

    def withdraw_all(self, call: WaitingCall, cause: str, now: float) -> None:
        """Call off everything that rings for a call."""
        for offer in call.ringing:
            self._withdraw(self._board.offers[offer], cause, now)

    def _return(self, call: WaitingCall, seat: Seat, now: float) -> None:
        """The call goes on waiting, at its place, and not at once for the same seat."""
        board = self._board
        queue = board.queues[call.queue]
        if call.is_overdue:
            if not call.ringing:
                self.entry.send_on(call, call.due_cause, now)
            return
        back_off = queue.settings.pair_back_off
        if back_off > 0:
            board.timers.disarm(call.back_off.get(seat.id))
            call.keep_from(seat.id, board.timers.arm_after(call, f"back_off {seat.id}", back_off, now))
        if call.is_sticky and call.wanted_seat is not None:
            self.let_go_of_seat(call, now)
        self.stand(call)

    # Pairing.

    def settle(self, now: float) -> None:
        """Pair what has become free in this turn, so that no eligible pair is left."""
        board = self._board
        while board.gone:
            gone = board.gone.pop()
            if gone.is_removed and not gone.is_busy and board.seats.get(gone.id) is gone:
                del board.seats[gone.id]
        while board.deserted:
            self.deserted(board.deserted.pop(), now)
        if board.idle_calls:
            calls = board.idle_calls.copy()
            board.idle_calls.clear()
            if len(calls) > 1:
                calls.sort(key=lambda call: call.place)
            for call in calls:
                self._look_for_seats(call, now)
        if board.idle_seats:
            seats = board.idle_seats.copy()
            board.idle_seats.clear()
            for seat in seats:
                if seat.is_routable and not seat.ready_number:
                    self._look_for_call(seat, now)
        while board.thinned:
            self.entry.look_after(board.thinned.pop(), now)

    def _look_for_seats(self, call: WaitingCall, now: float) -> None:
        matcher = self._board.matcher
        while call.entry is not None:  # more than one turn only where several seats may ring at once
            choice = matcher.best_seat(call)
            if choice is None:
                return
            self._offer(call, choice.seat, now, choice)

    def _look_for_call(self, seat: Seat, now: float) -> None:
        matcher = self._board.matcher
        pool = seat.pool
        if pool is None:
            call = matcher.best_call(seat, now)
            if call is None:
                matcher.admit(seat, now)
            else:
                self._offer(call, seat, now, None)
            return
        matcher.admit(seat, now)
        if len(pool.idle) == pool.hold_back + 1:
            self._open_pool(pool, now)
        else:
            call = matcher.best_call(seat, now)
            if call is not None:
                self._offer(call, seat, now, None)

    def _open_pool(self, pool: Pool, now: float) -> None:
        """One seat more than is held back has become idle: now others of the pool may go, too."""
        matcher = self._board.matcher
        for _ in range(pool.hold_back + 1):
            heads = [matcher.best_call(seat, now) for seat in pool.idle.values()]
            waiting = [call for call in heads if call is not None]
            if not waiting:
                return
            first = min(waiting, key=lambda call: self._call_key(call, now))
            choice = matcher.best_seat(first)
            assert choice is not None, f"{first.call} has a seat that it cannot have"
            self._offer(first, choice.seat, now, choice)

    def _call_key(self, call: WaitingCall, now: float) -> tuple[float, ...]:
        assert call.line is not None
        return head_key(self._board.matcher.class_of(call.line).policy, call, now)

    def pair_all(self, now: float) -> None:
        """Look at every waiting call, best first; after the settings have changed."""
        calls = [call for call in self._board.calls.values() if call.entry is not None]
        calls.sort(key=lambda call: (self._call_key(call, now), call.sequence))
        for call in calls:
            self._look_for_seats(call, now)

    def call_of(self, call: CallId) -> WaitingCall | None:
        """Return the visit that ``call`` is in."""
        return self._board.calls.get(call)


def _fan_out(policy: Policy, queue: Queue) -> int:
    """Return how many seats may ring for one call of ``queue``."""
    most = queue.settings.ring_at_most
    return most if 0 < most < policy.fan_out else policy.fan_out
