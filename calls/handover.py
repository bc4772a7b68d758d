"""Handover: what comes between a phone's answer and the bridge.

An outside phone of a seat may be answered by a mailbox or by a pocket: whoever takes the call there presses a
key, and until then the call rings on and the caller hears its music. Then the seat may be given a moment, and
be told what call it is and how long it has waited, and the caller to which seat it will talk. A phone that
hangs up before the bridge has not taken the call.

On a line that is kept open (:mod:`calls.standing`) the phone has answered long ago: a call is a beep, or the
question for the key, and the same follows.

Rule: a leg in handover has answered and is still one of its call's rings.
"""

from typing import TYPE_CHECKING

from calls import phrases
from calls.call import Call
from calls.events import SeatMissed, SeatPickedUp, SeatTook
from calls.leading import NO_ANSWER
from calls.leg import Leg
from calls.settings import QueueMedia
from kernel.ids import StreamId
from kernel.timers import Timer, TimerQueue
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

BEEP = "builtin:reminder"
SAY_FOR = 300.0  # seconds; what is said before the bridge is shorter, whatever the media workers say


class Step:
    """One leg that has answered and is not bridged yet."""

    __slots__ = ("is_beep", "left", "leg", "timer", "wants_key")

    def __init__(
        self, leg: Leg, left: dict[StreamId, int], *, wants_key: bool, is_beep: bool = False
    ) -> None:
        self.leg = leg
        self.left = left  # sounds that are not over yet, by the stream that hears them
        self.wants_key = wants_key
        self.is_beep = is_beep  # on an open line: the call is taken when it is over
        self.timer: Timer | None = None  # armed while the seat hears silence


class Handover:
    """The legs of one switchboard that have answered and are not bridged; ``steps`` by who hears something.
    """

    def __init__(self, board: "Switchboard", plane: Plane, timers: TimerQueue) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self.steps: dict[StreamId, Step] = {}

    def begin(self, leg: Leg, now: float) -> None:
        """A phone has answered: ask for the key, say what is to be said, or bridge at once."""
        settings = self._board.plan.settings
        self._board.recovery.note(leg.call)  # the next process must know of a dialog more
        assert leg.call is not None
        is_asked = leg.seat is not None or leg.call.is_standing
        if leg.phone[0] == "pstn" and is_asked and settings.accept_key:
            if leg.offer is not None:
                self._board.events.put(SeatPickedUp(leg.offer, settings.accept_for))
            self._plane.collect(leg.stream, True, now)
            self._ask(leg, now)
        else:
            self._accepted(leg, now)

    def summon(self, leg: Leg, how: str, now: float) -> None:
        """A call for a phone that is on an open line: ask for the key (``how`` is key), or beep and go on."""
        if how == "key" and self._board.plan.settings.accept_key:
            self._plane.collect(leg.stream, True, now)
            self._ask(leg, now)
            return
        self.steps[leg.stream] = Step(leg, {leg.stream: 1}, wants_key=False, is_beep=True)
        self._plane.play(leg.stream, (BEEP,), now, loop_last=False)

    def accept(self, leg: Leg, now: float) -> bool:
        """Take a call on an open line without waiting for beep or key; return whether it could be taken."""
        step = self.steps.get(leg.stream)
        if step is None or not (step.wants_key or step.is_beep):
            return False
        self.over(leg)
        self._plane.collect(leg.stream, False, now)
        self._plane.stop(leg.stream, now)
        self._accepted(leg, now)
        return True

    def key_pressed(self, leg: Leg, key: str, now: float) -> bool:
        """Take the key of a phone that was asked for it; return whether it was."""
        step = self.steps.get(leg.stream)
        if step is None or not step.wants_key:
            return False
        if key == self._board.plan.settings.accept_key:
            self.accept(leg, now)
        return True

    def ended(self, leg: Leg | None, now: float) -> None:
        """One sound that somebody heard is over."""
        step = None if leg is None else self.steps.get(leg.stream)
        if step is None or leg is None or not step.left[leg.stream]:
            return
        step.left[leg.stream] -= 1
        if any(step.left.values()):
            return
        if step.wants_key:
            self._ask(leg, now)  # once more
        elif step.is_beep:
            self.over(step.leg)
            self._accepted(step.leg, now)
        else:
            self.over(step.leg)
            self._board.connect(step.leg, now)

    def hung_up(self, call: Call, leg: Leg, now: float) -> None:
        """A phone has hung up before the bridge: it has missed the call."""
        if leg.offer is not None:
            self._board.events.put(SeatMissed(leg.offer))
        elif call.is_callback:
            self._board.callbacks.customer_failed(call, 408, now)
        else:
            self._board.missed(call, now, NO_ANSWER, ended_by="seat", verdict="agent:no_answer", status=480)

    def over(self, leg: Leg) -> None:
        """A leg is in handover no longer."""
        step = self.steps.get(leg.stream)
        if step is not None and step.leg is leg:
            self._timers.disarm(step.timer)
            step.timer = None
            for stream in step.left:
                del self.steps[stream]

    def _ask(self, leg: Leg, now: float) -> None:
        assert leg.call is not None
        language = self._language(leg.call)
        asked = phrases.sounds(language, "call-waiting")
        asked += phrases.digits(language, self._board.plan.settings.accept_key)
        self.steps[leg.stream] = Step(leg, {leg.stream: len(asked)}, wants_key=True)
        self._plane.play(leg.stream, asked, now, loop_last=False)

    def _language(self, call: Call) -> str:
        settings = self._board.plan.settings
        media = self._board.plan.queues.get(call.queue or "")
        return settings.languages.get(call.tenant, "en") if media is None else media.language

    def _accepted(self, leg: Leg, now: float) -> None:
        """A person has the phone in hand."""
        call = leg.call
        assert call is not None
        media = self._board.plan.queues.get(call.queue or "") if leg.offer is not None else None
        if media is None or leg.offer is None or not media.has_preface:
            self._board.connect(leg, now)
            return
        self._board.events.put(SeatTook(leg.offer, SAY_FOR))
        if media.seat_delay:
            step = self.steps[leg.stream] = Step(leg, {leg.stream: 0}, wants_key=False)
            step.timer = self._timers.arm_after(self, f"delay {leg.stream}", media.seat_delay, now)
        else:
            self._tell(call, leg, media, now)

    def on_timer(self, name: str, now: float) -> None:
        """A seat has had its moment; ``name`` is that word and its stream."""
        step = self.steps.get(StreamId(int(name.partition(" ")[2])))
        call = None if step is None else step.leg.call
        if step is None or call is None:
            return
        leg = step.leg
        self.over(leg)
        media = self._board.plan.queues.get(call.queue or "")
        if media is None:  # a reload has taken the queue away
            self._board.connect(leg, now)
        else:
            self._tell(call, leg, media, now)

    def _tell(self, call: Call, leg: Leg, media: QueueMedia, now: float) -> None:
        """Say to the seat and to the caller what they are to be told, then bridge them."""
        left: dict[StreamId, int] = {}
        caller = call.caller_leg
        told: phrases.Sounds = (media.seat_hears,) if media.seat_hears else ()
        if media.seat_hears_wait and caller is not None and call.joined_at is not None:
            told += phrases.waited(media.language, now - call.joined_at)
        if told:
            left[leg.stream] = len(told)
            self._plane.play(leg.stream, told, now, loop_last=False)
        if media.say_seat and caller is not None and leg.seat is not None:
            left[caller.stream] = self._say_seat(call, caller, leg.seat, media, now)
        if not left:  # a callback: there is no caller yet to be told the seat, nor has one waited
            self._board.connect(leg, now)
            return
        step = Step(leg, left, wants_key=False)
        for stream in left:
            self.steps[stream] = step

    def _say_seat(self, call: Call, caller: Leg, seat: str, media: QueueMedia, now: float) -> int:
        """Tell the caller the seat's number, then music until the bridge; return how many sounds that is."""
        said = phrases.seat(media.language, seat)
        loop = (media.music,) if media.music else ()
        self._board.comfort.interrupt(call)
        self._plane.play(caller.stream, said + loop, now, loop_last=bool(loop))
        return len(said)
