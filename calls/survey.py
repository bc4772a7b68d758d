"""Surveys: a caller rates its call by a key, when its seat asks for it or hangs up first.

The seat is let go, with its wrap-up, and the call goes on with the caller alone until it has pressed a key,
has not for a while, or has hung up. Rule: a call is asked at most once, and whoever was asked leaves one row.
"""

from typing import TYPE_CHECKING

from calls import phrases
from calls.call import Call, CallInput
from calls.controls import SurveyAsked
from calls.events import CallChanged, SeatFreed, SurveyEnded
from calls.leg import Leg
from calls.settings import QueueMedia
from kernel.announce import SurveySettings
from kernel.errors import OperationRefused
from kernel.ids import CallId
from kernel.rows import SurveyRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

ASK_FOR = 300.0  # seconds that the question and its answer last at most, whatever the media workers say
THANK_FOR = 10.0  # and the thanks


class Survey:
    """One caller who was asked."""

    __slots__ = ("answered_at", "invited_at", "key", "left", "media", "queue", "result", "seat")

    def __init__(self, queue: str, seat: str, media: QueueMedia, now: float, left: int) -> None:
        self.queue = queue
        self.seat = seat
        self.media = media
        self.invited_at = now
        self.left = left  # sounds that are not over yet
        self.answered_at: float | None = None
        self.key = ""
        self.result: str | None = None


class Surveys:
    """The surveys of one switchboard that are going on."""

    def __init__(self, board: "Switchboard", plane: Plane, timers: TimerQueue, walltime: WallTime) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._walltime = walltime
        self.asked: dict[CallId, Survey] = {}

    def ask(self, what: SurveyAsked, now: float) -> None:
        """The seat hands its caller to the survey."""
        call, leg, _ = self._board.desk.talking(what.call, what.seat)
        media = self._media(call, leg)
        if call.held or self._board.transfers.is_moving(call) or call.id in self._board.consults.pending:
            raise OperationRefused("NO_BRIDGE", f"the two sides of call {call.id} do not hear each other")
        if media is None:
            raise OperationRefused("NO_BRIDGE", f"call {call.id} did not come to seat {what.seat} by a queue")
        self._begin(call, leg, media, now)

    def left(self, call: Call, leg: Leg, now: float) -> bool:
        """A phone has hung up: return whether the caller stays, to be asked as its queue says."""
        media = self._media(call, leg)
        if media is None or not media.survey.is_automatic or call.held:
            return False
        if self._board.transfers.is_moving(call) or call.id in self._board.consults.pending:
            return False
        self._begin(call, leg, media, now)
        return True

    def key_pressed(self, leg: Leg, key: str, now: float) -> bool:
        """Take the key of who is asked; return whether it was."""
        call = leg.call
        survey = None if call is None else self.asked.get(call.id)
        if call is None or survey is None:
            return False
        result = dict(survey.media.survey.results).get(key)
        if result is not None and survey.answered_at is None:
            survey.answered_at, survey.key, survey.result = now, key, result
            survey.left = 1
            self._arm(call, THANK_FOR, now)
            self._plane.play(leg.stream, phrases.sounds(survey.media.language, "thank-you"), now, False)
        return True

    def ended(self, leg: Leg | None, now: float) -> None:
        """A sound is over: after the question the time for the key begins, after the thanks the call ends."""
        call = None if leg is None else leg.call
        survey = None if call is None else self.asked.get(call.id)
        if call is None or survey is None or not survey.left:
            return
        survey.left -= 1
        if not survey.left and survey.answered_at is not None:
            self._hang_up(call, now)
        elif not survey.left:
            self._arm(call, survey.media.survey.answer_for, now)

    def on_timer(self, name: str, now: float) -> None:
        """The caller has had its time."""
        call = self._board.calls.get(CallId(name.partition(" ")[2]))
        if call is not None and call.id in self.asked:
            self._hang_up(call, now)

    def call_ended(self, call: Call, now: float) -> None:
        """A call is over: if its caller was asked, there is a row of it, answered or not."""
        survey = self.asked.pop(call.id, None)
        if survey is None:
            return
        epoch = self._walltime.epoch
        answered_at = None if survey.answered_at is None else epoch(survey.answered_at)
        invited_at = epoch(survey.invited_at)
        self._board.rows.put(
            SurveyRow(
                call.id,
                call.tenant,
                survey.queue,
                survey.seat,
                invited_at,
                answered_at,
                survey.key,
                survey.result,
            )
        )
        self._board.events.put(
            SurveyEnded(call.id, call.tenant, survey.queue, survey.seat, survey.key, survey.result)
        )

    def _media(self, call: Call, leg: Leg) -> QueueMedia | None:
        """Return what the queue of a call says, if ``leg`` is its seat's and an outsider is the caller."""
        caller = call.caller_leg
        is_seat = leg is call.callee and leg.offer is not None and not call.is_callback
        if not is_seat or caller is None or caller.session is None or caller.seat is not None:
            return None
        return self._board.plan.queues.get(call.queue or "")

    def _begin(self, call: Call, leg: Leg, media: QueueMedia, now: float) -> None:
        board, caller = self._board, call.caller_leg
        assert caller is not None
        seat = leg.seat or ""
        asked = self._question(media.survey, media.language)
        self.asked[call.id] = Survey(call.queue or "", seat, media, now, len(asked))
        board.supervision.touch_call(call)
        if leg.seat is not None:
            board.events.put(SeatFreed(leg.seat, call.id, bridged=True))
        call.move(CallInput.SURVEYED)
        call.callee, call.talked_until, call.joined_at = None, now, None
        call.is_muted = False
        board.drop(leg, now)
        self._plane.collect(caller.stream, True, now)
        self._plane.play(caller.stream, asked, now, False)
        self._arm(call, ASK_FOR, now)
        board.events.put(CallChanged(call.id, "survey"))

    def _question(self, survey: SurveySettings, language: str) -> tuple[str, ...]:
        return (survey.sound,) if survey.sound else phrases.sounds(language, "rate-us")

    def _hang_up(self, call: Call, now: float) -> None:
        self._board.end(call, now, ended_by="seat", verdict="success", status=200)

    def _arm(self, call: Call, after: float, now: float) -> None:
        self._timers.disarm(call.timer)
        call.timer = self._timers.arm_after(self, f"survey {call.id}", after, now)
