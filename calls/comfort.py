"""Comfort: what callers who wait get to hear, which is welcome, music and, between the music, announcements.

Rules: nothing that is said holds up anything else. Who answers cuts it, a key is heard in the middle of it,
and distribution does not know of it. None begins while a seat rings for the caller; what was due is said when
the ring has come to nothing. The time to the next counts from the end of one.
"""

from typing import TYPE_CHECKING

from calls import phrases
from calls.admission import PhoneBook
from calls.call import Call, CallState
from calls.leg import Leg
from calls.settings import QueueMedia
from kernel.announce import Announce
from kernel.chance import Chance
from kernel.ids import CallId, QueueName
from kernel.timers import TimerQueue
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

AFTER_RING = 1.0  # seconds from a ring in vain to what was due meanwhile: the next seat may ring at once


class Told:
    """What one waiting caller has been told."""

    __slots__ = ("has_wait", "is_due", "place", "saying", "turn")

    def __init__(self, saying: int) -> None:
        self.saying = saying  # sounds that are being said and not over yet
        self.is_due = False  # an announcement that could not begin
        self.turn = 0  # sounds of the configuration so far
        self.place = 0  # as it was said last; 0: never
        self.has_wait = False  # was told how long it is likely to be


class Comfort:
    """The waiting callers of one switchboard; ``told`` are those whose queues announce anything."""

    def __init__(
        self,
        board: "Switchboard",
        plane: Plane,
        timers: TimerQueue,
        chance: Chance,
        phonebook: PhoneBook,
    ) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._chance = chance
        self._phonebook = phonebook
        self.told: dict[CallId, Told] = {}

    def begin(self, call: Call, leg: Leg, media: QueueMedia, now: float) -> None:
        """A caller begins to wait: play welcome and music."""
        self._board.keys.listen(leg, media, now)
        if media.welcome or media.music:
            prompts = tuple(prompt for prompt in (media.welcome, media.music) if prompt)
            self._plane.play(leg.stream, prompts, now, loop_last=bool(media.music))
        if media.announce.every:
            self.told[call.id] = Told(1 if media.welcome else 0)
            self._arm(call, media.announce.after, now)

    def change_queue(self, call_id: CallId, queue: QueueName, now: float) -> None:
        """A call waits in another queue now, whose keys, music and announcements are its own."""
        call = self._board.calls.get(call_id)
        if call is None or call.queue == queue:
            return
        before = self._board.plan.queues.get(call.queue or "")
        call.queue = queue
        leg, media = call.caller_leg, self._board.plan.queues.get(queue)
        if leg is None or media is None or call.state not in (CallState.WAITING, CallState.RINGING):
            return
        told = self.told.get(call.id)
        self.over(call)
        if before is None or before.music != media.music or (told is not None and told.saying):
            if media.music:
                self._plane.play(leg.stream, (media.music,), now)
            else:
                self._plane.stop(leg.stream, now)
        self.go_on(call, leg, media, now)

    def go_on(self, call: Call, leg: Leg, media: QueueMedia, now: float) -> None:
        """A caller who has heard the welcome waits on: in another queue, or in another process than before.
        """
        self._board.keys.listen(leg, media, now)
        if media.announce.every:
            self.told[call.id] = Told(0)
            self._arm(call, media.announce.after, now)

    def on_timer(self, name: str, now: float) -> None:
        """An announcement is due; ``name`` is that word and the call."""
        call = self._board.calls.get(CallId(name.partition(" ")[2]))
        if call is None:
            return
        call.timer = None
        told = self.told.get(call.id)
        if told is None:
            return
        if told.saying or call.state is not CallState.WAITING:
            told.is_due = True
        else:
            self._say(call, told, now)

    def ended(self, leg: Leg | None, now: float) -> None:
        """One sound that was said to a caller is over."""
        call = None if leg is None else leg.call
        told = None if call is None else self.told.get(call.id)
        if call is None or told is None or leg is not call.caller_leg or not told.saying:
            return
        told.saying -= 1
        if told.saying:
            return
        if told.is_due and call.state is CallState.WAITING:
            self._say(call, told, now)
        elif call.timer is None and not told.is_due:
            self._arm_next(call, now)

    def interrupt(self, call: Call) -> None:
        """Something else is said to the caller: what was being said is due again, should it wait on."""
        told = self.told.get(call.id)
        if told is not None and told.saying:
            told.saying, told.is_due = 0, True

    def ring_ended(self, call: Call, now: float) -> None:
        """No seat rings for a waiting call any more: what was due meanwhile may begin."""
        told = self.told.get(call.id)
        if told is not None and told.is_due and not told.saying:
            told.is_due = False
            self._arm(call, AFTER_RING, now)

    def over(self, call: Call) -> None:
        """A call waits no longer."""
        if self.told.pop(call.id, None) is not None:
            self._timers.disarm(call.timer)
            call.timer = None

    def _announce(self, call: Call) -> tuple[QueueMedia, Announce] | None:
        media = self._board.plan.queues.get(call.queue or "")
        return None if media is None or not media.announce.every else (media, media.announce)

    def _say(self, call: Call, told: Told, now: float) -> None:
        told.is_due = False
        known, leg = self._announce(call), call.caller_leg
        if known is None or leg is None:  # a reload has taken them from the queue
            self.over(call)
            return
        media, announce = known
        sounds = self._place(call, told, media, now) + self._wait(call, told, media, now)
        sounds += self._choose(told, announce)
        told.saying = len(sounds)
        if not sounds:
            self._arm_next(call, now)
            return
        loop = (media.music,) if media.music else ()
        self._plane.play(leg.stream, sounds + loop, now, loop_last=bool(media.music))

    def _place(self, call: Call, told: Told, media: QueueMedia, now: float) -> phrases.Sounds:
        announce = media.announce
        place = None if announce.position == "never" else self._phonebook.position(call.id, now)
        if place is None:
            return ()
        limit = announce.position_limit if announce.position != "always" else phrases.NUMBER_MAX
        place = min(place, limit + 1)
        if announce.only_improved and told.place and place >= told.place:
            return ()
        told.place = place
        if place <= limit:
            return phrases.position(media.language, place)
        return phrases.at_least(media.language, limit) if announce.position == "more-than" else ()

    def _wait(self, call: Call, told: Told, media: QueueMedia, now: float) -> phrases.Sounds:
        wanted = media.announce.wait
        if wanted == "never" or (wanted == "once" and told.has_wait):
            return ()
        likely = self._phonebook.estimate(call.id, now)
        said = () if likely is None else phrases.wait(media.language, *likely)
        told.has_wait = told.has_wait or bool(said)
        return said

    def _choose(self, told: Told, announce: Announce) -> tuple[str, ...]:
        if not announce.sounds:
            return ()
        is_random = announce.order == "random"
        turn = self._chance.number(len(announce.sounds)) if is_random else told.turn % len(announce.sounds)
        told.turn += 1
        return (announce.sounds[turn],)

    def _arm_next(self, call: Call, now: float) -> None:
        known = self._announce(call)
        if known is None:
            self.over(call)
        else:
            self._arm(call, known[1].every, now)

    def _arm(self, call: Call, after: float, now: float) -> None:
        call.timer = self._timers.arm_after(self, f"announce {call.id}", after, now)
