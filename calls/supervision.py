"""Supervision: a supervisor listens to a seat's conversations (monitor), speaks to the seat alone (whisper),
or to both sides (barge), and may take the seat's place (takeover).

The supervisor's phone is in a call of its own, whose only leg it is. What it hears, and who hears it, is
mixed by the media plane (:meth:`~media.plane.Plane.mix`): neither the seat's phone nor the other side's is
told anything. It is attached to the seat, not to a call: through hold, consultation and whatever else changes
who the seat talks to. It ends when the seat is in no conversation any more, unless it follows the seat to its
next one.

Rules, checked by :meth:`Supervision.check`: an attachment lives exactly as long as the supervisor's call; a
seat has at most one; and what the media plane was told is what the mode asks for as things stand.
"""

from typing import TYPE_CHECKING

from calls.call import Call, CallInput, CallState
from calls.controls import ModeSwitched, SupervisionAsked, TakeoverAsked
from calls.desk import SILENCE
from calls.dial import OWN_RING_FOR
from calls.events import CallChanged, SeatTaken, SupervisionChanged
from calls.leg import Leg, LegState
from calls.routing import Refusal
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId, StreamId
from kernel.timers import TimerQueue
from media.plane import Plane

if TYPE_CHECKING:
    from calls.admission import PhoneBook
    from calls.switchboard import Switchboard

TAKEN_OVER = "success:taken_over"
Hearing = dict[StreamId, tuple[StreamId, ...]]  # who hears whom, beside what the relay connects

_REASONS = {"success": "hung_up", "us:operator": "hung_up", "us:supervisor": "hung_up", "us:seat": "hung_up"}


class Attachment:
    """One supervisor at one seat. ``seat`` is None for a phone at which nobody is signed in."""

    __slots__ = ("by", "call", "follows", "hears", "mode", "reason", "seat", "target", "told", "unsilenced")

    def __init__(self, call: Call, what: SupervisionAsked) -> None:
        self.call = call  # the supervisor's
        self.target = what.target
        self.by = what.by
        self.seat = what.seat
        self.mode = what.mode
        self.follows = what.follows
        self.hears: CallId | None = None  # the seat's call that is heard now
        self.told: Hearing = {}
        self.unsilenced: Leg | None = None  # who would hear silence, the seat being muted, but for a barge
        self.reason = ""  # why it ends, where that is known before

    @property
    def is_attached(self) -> bool:
        """The supervisor's phone has answered."""
        return self.call.state is CallState.TALKING


class Supervision:
    """The attachments of one switchboard, by the seat they are to and by the supervisor's call.

    ``moved`` are the seats whose conversation may have changed in this turn; :meth:`settle` looks at them.
    """

    def __init__(self, board: "Switchboard", plane: Plane, timers: TimerQueue, book: "PhoneBook") -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._phonebook = book
        self.by_seat: dict[SeatId, Attachment] = {}
        self.by_call: dict[CallId, Attachment] = {}
        self.waiting: dict[SeatId, Attachment] = {}  # that follow a seat which is in no conversation
        self.moved: dict[SeatId, None] = {}

    def at(self, seat: SeatId) -> Attachment | None:
        """Return what the person at ``seat`` supervises."""
        for leg in self._board.legs_at(seat):
            if leg.call is not None and leg.call.id in self.by_call:
                return self.by_call[leg.call.id]
        return None

    # What a supervisor asks.

    def begin(self, what: SupervisionAsked, now: float) -> None:
        """Ring the supervisor's phone; it is attached when it answers."""
        board = self._board
        leg = self.conversation(what.target)
        if leg is None or leg.call is None:
            raise OperationRefused("TARGET_NOT_TALKING", f"seat {what.target} is in no conversation")
        if what.target in self.by_seat:
            raise OperationRefused("TARGET_BUSY", f"seat {what.target} is being supervised already")
        phone = self._phone(what)
        call = Call(what.call, now)
        call.is_supervision = True
        call.tenant = board.plan.settings.seats.get(what.target, "")
        call.direction = "out" if phone[0] == "pstn" else "internal"
        call.caller = board.plan.display_number(call.tenant) if phone[0] == "pstn" else what.target
        call.called, call.entry, call.target = phone[1], f"supervise:{what.target}", phone
        call.transferee = leg  # whose audio this call will share
        board.calls[call.id] = call
        self.by_seat[what.target] = self.by_call[call.id] = Attachment(call, what)
        board.events.put(CallChanged(call.id, "arrived"))
        call.timer = self._timers.arm_after(board, f"ring {call.id}", OWN_RING_FOR, now)
        call.move(CallInput.RUNG)
        ring = board.rings.add(call, phone, now, seat=None, offer=None)
        board.engage(ring, what.seat, "ringing")
        board.rings.start(ring, now)

    def _phone(self, what: SupervisionAsked) -> tuple[str, str]:
        """Return the phone to ring: the one named, else the one bound to the supervisor's seat."""
        board, phone = self._board, what.phone
        if phone is None:
            assert what.seat is not None
            phone = self._phonebook.phone_of(what.seat)
            if phone is None:
                raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {what.seat}")
        else:
            self._may_ring(what, phone)
        if board.is_busy(phone):
            raise OperationRefused("STATUS_NOT_IDLE", f"{phone[0]} {phone[1]} is in a call")
        if not board.can_ring(phone):
            raise OperationRefused("PHONE_NOT_REGISTERED", f"{phone[0]} {phone[1]} cannot be rung")
        return phone

    def _may_ring(self, what: SupervisionAsked, phone: tuple[str, str]) -> None:
        """Refuse a phone that is another tenant's or another's, or that the supervisor could not call."""
        settings = self._board.plan.settings
        tenant = settings.seats.get(what.target, "")
        kind, number = phone
        owners = settings.seats if kind == "softphone" else settings.extensions
        if kind != "pstn" and owners.get(number) != tenant:
            raise OperationRefused("NO_SUCH_TARGET", f"there is no {kind} {number}")
        holder = self._phonebook.seat_of(kind, number)
        if holder is not None and holder != what.seat:
            raise OperationRefused("PHONE_IN_USE", f"{kind} {number} is bound to seat {holder}")
        if kind != "pstn":
            return
        if self._board.plan.outside.route(tenant, number) is None:
            raise OperationRefused("NO_SUCH_TARGET", f"no trunk leads to {number}")
        if what.seat is not None:
            route = self._board.plan.to_target(what.seat, f"number:{number}")
            if isinstance(route, Refusal):
                word = "CALL_RIGHT" if route.status == 403 else "NO_SUCH_TARGET"
                raise OperationRefused(word, f"{number}: {route.verdict}")

    def switch(self, what: ModeSwitched, now: float) -> None:
        """Be there in another way from now on; while the phone still rings, when it answers."""
        attachment = self._attachment(what.target)
        if attachment.mode != what.mode:
            attachment.mode = what.mode
            self._refresh(attachment, now)
            self._tell(attachment, "switched")

    def take_over(self, what: TakeoverAsked, now: float) -> None:
        """Put the supervisor into the seat's place; the seat is let go, its call goes on."""
        board = self._board
        attachment = self._attachment(what.target)
        seat = self.conversation(what.target)
        call = None if seat is None else seat.call
        if not attachment.is_attached or seat is None or call is None:
            raise OperationRefused("NOT_ATTACHED", f"nobody listens to a conversation of {what.target}")
        if call.state is not CallState.TALKING or board.transfers.is_moving(call):
            why = "has not been answered, is being transferred, or is about another"
            raise OperationRefused("BAD_STATE", f"call {call.id} {why}")
        own = attachment.call
        leg = own.callee
        assert leg is not None
        attachment.reason = "taken_over"
        self._forget(attachment, now)
        board.transfers.take_place(own, leg, call, seat, now, cause="taken_over")
        board.end(own, now, ended_by="switch", verdict=TAKEN_OVER, status=200)
        board.transfers.meet(call, leg, now)

    def _attachment(self, target: SeatId) -> Attachment:
        attachment = self.by_seat.get(target)
        if attachment is None:
            raise OperationRefused("NOT_ATTACHED", f"nobody supervises seat {target}")
        return attachment

    # What the calls tell.

    def answered(self, call: Call, leg: Leg, now: float) -> None:
        """The supervisor's phone has answered."""
        board, attachment = self._board, self.by_call[call.id]
        call.rings.remove(leg)
        call.callee, call.seat, call.answered_at = leg, leg.seat, now
        call.transferee = None
        call.move(CallInput.BRIDGED)
        self._timers.disarm(call.timer)
        call.timer = None
        if leg.seat is not None:
            board.events.put(SeatTaken(leg.seat, call.id, "talking"))
        board.events.put(CallChanged(call.id, "talking"))
        self.moved[attachment.target] = None

    def touch(self, leg: Leg | None) -> None:
        """Note that whom ``leg`` hears may have changed."""
        if self.by_seat and leg is not None and leg.seat is not None and leg.seat in self.by_seat:
            self.moved[leg.seat] = None

    def touch_call(self, call: Call) -> None:
        """Note that those in ``call`` may hear others than before."""
        self._board.recordings.touch(call)
        if self.by_seat:
            for leg in call.legs():
                self.touch(leg)

    def call_ended(self, call: Call, verdict: str, now: float) -> None:
        """A call ends; if it is a supervisor's, it is attached no longer."""
        attachment = self.by_call.get(call.id)
        if attachment is not None:
            known = _REASONS.get(verdict) or verdict.partition(":")[2]
            attachment.reason = attachment.reason or known
            self._forget(attachment, now)

    def settle(self, now: float) -> None:
        """Look at the seats whose conversation may have changed."""
        while self.moved:
            target = next(iter(self.moved))
            del self.moved[target]
            attachment = self.by_seat.get(target)
            if attachment is not None:
                self._follow(attachment, now)

    def look(self, now: float) -> None:
        """Seats have changed: who waits for the next conversation of one that is signed out waits in vain."""
        for target, attachment in list(self.waiting.items()):
            if self._phonebook.phone_of(target) is None:
                self._leave(attachment, "target_signed_out", now)

    def stop_following(self, now: float) -> None:
        """No new calls will come: nobody waits for the next one."""
        for attachment in self.by_call.values():
            attachment.follows = False
        for attachment in list(self.waiting.values()):
            self._leave(attachment, "draining", now)

    # Whom the seat talks to.

    def conversation(self, seat: SeatId) -> Leg | None:
        """Return the leg in which ``seat`` talks, of several the latest that is not on hold."""
        found: Leg | None = None
        for leg in reversed(self._board.legs_at(seat)):
            call = leg.call
            if call is None or call.is_supervision or leg.state is not LegState.ANSWERED:
                continue
            dials = call.is_callback and leg is call.caller_leg
            if call.state is CallState.TALKING or dials:
                if not call.held:
                    return leg
                found = found or leg
        return found

    def partners(self, leg: Leg) -> tuple[Leg, ...]:
        """Return whom ``leg`` hears now: who is consulted, the other side if that is not on hold, or both."""
        call = leg.call
        assert call is not None
        asked = self._board.consults.partners(leg)
        if asked is not None:
            return asked
        if call.is_parked or call.state is not CallState.TALKING or self._board.scripts.interacts(call):
            return ()
        other = call.other(leg)
        return () if other is None else (other,)

    def _wanted(self, attachment: Attachment, leg: Leg) -> Hearing:
        """Return who is to hear whom, the seat being in conversation with its ``leg``."""
        own = attachment.call.callee
        assert own is not None
        partners = self.partners(leg)
        hearing: Hearing = {own.stream: _streams(*partners, leg)}
        if attachment.mode != "monitor":
            hearing[leg.stream] = _streams(*partners, own)
        if attachment.mode == "barge":
            is_muted = leg.call is not None and leg.call.is_muted
            for partner in partners:
                hearing[partner.stream] = _streams(None if is_muted else leg, own)
        return hearing

    # How it is done.

    def _follow(self, attachment: Attachment, now: float) -> None:
        """Do as the seat's conversation asks: go along with it, wait for the next one, or leave."""
        leg = self.conversation(attachment.target)
        if leg is None and not attachment.follows:
            self._leave(attachment, "target_gone", now)
        elif leg is None and self._phonebook.phone_of(attachment.target) is None:
            self._leave(attachment, "target_signed_out", now)
        else:
            self._refresh(attachment, now)

    def _refresh(self, attachment: Attachment, now: float) -> None:
        """Tell the media plane who is to hear whom, and everybody whom the supervisor hears."""
        leg = self.conversation(attachment.target)
        if not attachment.is_attached:
            attachment.call.transferee = leg
            return
        wanted = {} if leg is None else self._wanted(attachment, leg)
        self._mix(attachment, wanted, now)
        self._lift_silence(attachment, leg, now)
        before = attachment.hears
        attachment.hears = None if leg is None or leg.call is None else leg.call.id
        if leg is None:
            self.waiting[attachment.target] = attachment
        else:
            self.waiting.pop(attachment.target, None)
        if before != attachment.hears:
            self._tell(attachment, "waiting" if leg is None else "attached")

    def _mix(self, attachment: Attachment, wanted: Hearing, now: float) -> None:
        hearing, own = self._board.hearing, attachment.call.id
        for stream in attachment.told:
            if stream not in wanted:
                hearing.want(own, stream, (), now)
        for stream, hears in wanted.items():
            hearing.want(own, stream, hears, now)
        heard = self._board.calls.get(attachment.hears) if attachment.hears is not None else None
        if heard is not None:
            self._board.recordings.touch(heard)  # who barges in is heard, or is so no longer
        attachment.told = wanted

    def _lift_silence(self, attachment: Attachment, leg: Leg | None, now: float) -> None:
        """Let a supervisor who barges in be heard by whom a muted seat has silence played to."""
        call = None if leg is None else leg.call
        is_open = attachment.mode == "barge" and call is not None and self._is_silenced(call)
        partner = next(iter(self.partners(leg)), None) if is_open and leg is not None else None
        before, attachment.unsilenced = attachment.unsilenced, partner
        if partner is not None:
            self._plane.stop(partner.stream, now)
        if before is None or before is partner or before.call is None:
            return
        if self._is_silenced(before.call):
            self._plane.play(before.stream, (SILENCE,), now)

    def _is_silenced(self, call: Call) -> bool:
        """Return whether silence is played to whom the seat of ``call`` talks to."""
        if call.is_parked or self._board.scripts.interacts(call):
            return False
        return call.is_muted and not self._board.consults.is_joined(call)

    def _leave(self, attachment: Attachment, reason: str, now: float) -> None:
        """Hang the supervisor's phone up."""
        attachment.reason = reason
        verdict, status = ("success", 200) if attachment.is_attached else ("caller:abandoned", 487)
        self._board.end(attachment.call, now, ended_by="switch", verdict=verdict, status=status)

    def _forget(self, attachment: Attachment, now: float) -> None:
        """The one way out: nobody hears the supervisor, and it hears nobody."""
        self._mix(attachment, {}, now)
        self._lift_silence(attachment, None, now)
        del self.by_seat[attachment.target]
        del self.by_call[attachment.call.id]
        self.waiting.pop(attachment.target, None)
        self._tell(attachment, "detached")

    def _tell(self, attachment: Attachment, what: str) -> None:
        self._board.events.put(
            SupervisionChanged(
                what,
                attachment.target,
                attachment.by,
                attachment.seat,
                attachment.call.tenant,
                attachment.mode,
                attachment.hears,
                attachment.reason,
            )
        )

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert not self.moved, "a seat's conversation has changed and nobody has looked"
        assert len(self.by_seat) == len(self.by_call), "a seat is supervised twice"
        living = {call.id for call in self._board.calls.values() if call.is_supervision}
        assert set(self.by_call) <= living, "an attachment has outlived its call"
        for attachment in self.by_seat.values():
            call, target = attachment.call, attachment.target
            assert self.by_call.get(call.id) is attachment, f"{call.id} supervises nobody"
            leg = self.conversation(target)
            assert leg is not None or attachment.follows, f"{target} is supervised and does not talk"
            waits = leg is None and attachment.is_attached
            assert (target in self.waiting) == waits, f"{target} is, or is not, waited for"
            if attachment.is_attached:
                wanted = {} if leg is None else self._wanted(attachment, leg)
                assert attachment.told == wanted, f"{target} is not heard as it talks"
                assert attachment.hears == (None if leg is None or leg.call is None else leg.call.id)


def _streams(*legs: Leg | None) -> tuple[StreamId, ...]:
    return tuple(leg.stream for leg in legs if leg is not None)
