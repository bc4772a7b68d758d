"""Voicemail: a caller whom no seat serves hears a greeting and a tone, and leaves a message.

The message ends with the call, by a key (#), after the tenant's longest time, or when nothing has been said
for long; who has not hung up is thanked. Keys in the greeting lead to the tone at once.

Rules: of each message that was begun there is exactly one row, whatever ends it; until then the journal knows
that it is being written. One that is shorter than the tenant's minimum is discarded, and its call's verdict
says that nothing was left; so does that of a caller whose message nobody could write.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from calls import phrases
from calls.call import Call, CallInput
from calls.events import CallChanged, VoicemailLeft
from calls.leg import Leg
from calls.settings import VoicemailSettings
from kernel.chance import Chance
from kernel.ids import CallId, RecordingId
from kernel.rows import VoicemailRow
from kernel.staterows import VoicemailStateRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from media.events import NOTHING, RecordingEnded, RecordingFailed, Written
from media.messages import NEVER_BEGUN
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

VOICEMAIL = "voicemail"  # the kind of a target
PUBLIC = "public"  # the mailbox of a tenant
TONE = "builtin:beep"
END_KEY = "#"
GREET_FOR = 300.0  # seconds that greeting and tone last at most, whatever the media workers say
THANK_FOR = 10.0  # and the thanks
GRACE = 5.0  # seconds after the longest time within which the media worker has to say that it is over
QUIET_SEEN = 1.2  # seconds after which a media worker sees at the latest that nobody speaks
INTERRUPTED = "switch_killed"


class State(StrEnum):
    """How far a caller has come."""

    GREETING = "greeting"
    SPEAKING = "speaking"
    THANKED = "thanked"
    OVER = "over"


class Input(StrEnum):
    """What can happen to it."""

    PLAYED = "played"  # all that was to be heard
    KEY = "key"
    ENOUGH = "enough"  # the file is complete: it is long enough, or nothing is said any more
    LATE = "late"  # the media worker has not said what it should have
    ENDED = "ended"  # the call is over


# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[State, Input], State] = {
    (State.GREETING, Input.PLAYED): State.SPEAKING,
    (State.GREETING, Input.LATE): State.SPEAKING,
    (State.GREETING, Input.ENDED): State.OVER,
    (State.SPEAKING, Input.KEY): State.THANKED,
    (State.SPEAKING, Input.ENOUGH): State.THANKED,
    (State.SPEAKING, Input.LATE): State.THANKED,
    (State.SPEAKING, Input.ENDED): State.OVER,
    (State.THANKED, Input.ENDED): State.OVER,
}

DROPPED: frozenset[tuple[State, Input]] = frozenset(
    {
        (State.GREETING, Input.KEY),  # it cuts the greeting short, and the tone is played
        (State.GREETING, Input.ENOUGH),
        (State.SPEAKING, Input.PLAYED),
        (State.THANKED, Input.PLAYED),  # the call ends
        (State.THANKED, Input.LATE),  # likewise
        (State.THANKED, Input.KEY),
        (State.THANKED, Input.ENOUGH),
        *((State.OVER, each) for each in Input),
    }
)


class Message:
    """What one caller leaves."""

    __slots__ = (
        "began_at",
        "call",
        "cause",
        "ended_at",
        "id",
        "is_lost",
        "left",
        "mailbox",
        "queue",
        "settings",
        "state",
        "who",
    )

    def __init__(self, call: Call, mailbox: str, settings: VoicemailSettings) -> None:
        self.id = RecordingId("")
        self.call = call.id
        self.mailbox = mailbox
        self.queue = str(call.queue or "")
        self.settings = settings
        self.who = (call.tenant, call.caller, call.caller_name, call.called)
        self.state = State.GREETING
        self.left = 0  # sounds that are not over yet
        self.began_at = 0.0
        self.ended_at: float | None = None
        self.cause = ""
        self.is_lost = False  # its file is complete, and nothing that is kept is in it

    def move(self, cause: Input) -> bool:
        """Take ``cause``; return whether it counted."""
        after = MOVES.get((self.state, cause))
        if after is None:
            return False
        self.state = after
        return True

    def is_long_enough(self) -> bool:
        """Say whether a message that has ended is kept: what was said, without the silence that ended it."""
        assert self.ended_at is not None, f"{self.id} is being spoken"
        silent = self.settings.silence + QUIET_SEEN if self.cause == "silence" else 0.0
        return self.ended_at - self.began_at - silent >= self.settings.minimum


class Voicemails:
    """The messages that callers of one switchboard leave.

    ``by_call`` are those whose callers are there, ``living`` those whose files are not complete.
    """

    def __init__(
        self, board: "Switchboard", plane: Plane, timers: TimerQueue, chance: Chance, walltime: WallTime
    ) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._chance = chance
        self._walltime = walltime
        self.by_call: dict[CallId, Message] = {}
        self.living: dict[RecordingId, Message] = {}
        self._is_failing = False  # which the operator knows

    def begin(self, call: Call, target: str, now: float) -> None:
        """Greet the caller of ``call``, whom its queue or script sends to ``target``: the queue's own mailbox
        (``voicemail``), the tenant's (``voicemail:public``) or that of a seat (``voicemail:8001``).
        """
        board, leg = self._board, call.caller_leg
        settings = board.plan.settings.voicemail.get(call.tenant, VoicemailSettings())
        if leg is None or leg.session is None or not call.move(CallInput.GREETED):
            board.end(call, now, ended_by="switch", verdict="us:no_voicemail", status=480)
            return
        board.answer_caller(leg, now)
        message = self.by_call[call.id] = Message(call, mailbox_of(target, str(call.queue or "")), settings)
        greeting = (settings.greeting,) if settings.greeting else self._say(message, "leave-message")
        self._plane.collect(leg.stream, True, now)
        self._play(call, message, leg, (*greeting, TONE), GREET_FOR, now)
        board.events.put(CallChanged(call.id, "voicemail"))

    def key_pressed(self, leg: Leg, key: str, now: float) -> bool:
        """Take the key of who leaves a message; return whether it was."""
        call = leg.call
        message = None if call is None else self.by_call.get(call.id)
        if call is None or message is None:
            return False
        if message.state is State.GREETING and message.left > 1:
            self._play(call, message, leg, (TONE,), GREET_FOR, now)
        elif key == END_KEY and message.move(Input.KEY):
            self._thank(call, message, "key", now)
        return True

    def played(self, leg: Leg | None, now: float) -> None:
        """A sound is over: behind the tone it is the caller's turn, behind the thanks the call ends."""
        call = None if leg is None else leg.call
        message = None if call is None else self.by_call.get(call.id)
        if call is None or message is None or not message.left:
            return
        message.left -= 1
        if message.left:
            return
        if message.move(Input.PLAYED):
            self._record(call, message, now)
        else:
            self._hang_up(call, now)

    def on_timer(self, name: str, now: float) -> None:
        """The media workers have not told what they should have."""
        call = self._board.calls.get(CallId(name.partition(" ")[2]))
        message = None if call is None else self.by_call.get(call.id)
        if call is None or message is None:
            return
        call.timer = None
        before = message.state
        if not message.move(Input.LATE):
            self._hang_up(call, now)
        elif before is State.GREETING:
            self._record(call, message, now)
        else:
            self._thank(call, message, "limit", now)

    def over(self, event: RecordingEnded | RecordingFailed, now: float) -> bool:
        """A file is complete: leave the row of the message; return whether it was one."""
        message = self.living.pop(event.recording, None)
        if message is None:
            return False
        call = self._board.calls.get(message.call) if message.ended_at is None else None
        if isinstance(event, RecordingFailed):
            self._note_trouble(event, message)
            cause = "failed"
        else:
            cause = "failed" if event.cause == NEVER_BEGUN else event.cause
            self._is_failing = self._is_failing and not event.size
        self._end(message, cause, now)
        if not event.size:
            message.cause = cause  # whatever the caller thinks
        self._write(message, event.seconds, event.size, is_cut=cause in ("failed", "worker_lost"))
        if call is not None and message.cause in ("failed", "worker_lost"):
            why = "recording_failed" if message.cause == "failed" else "media_worker_lost"
            self._board.end(call, now, ended_by="switch", verdict=f"us:{why}", status=200)
        elif call is not None and message.move(Input.ENOUGH):
            self._thank(call, message, message.cause, now)
        return True

    def verdict(self, call: Call, now: float) -> str:
        """Return the verdict of a call whose caller hangs up, or is hung up."""
        message = self.by_call[call.id]
        if message.state is State.GREETING:
            return "caller:no_message"
        self._end(message, "hung_up", now)
        if not message.is_long_enough():
            return "caller:no_message"
        recordings = self._plane.recordings
        if message.id in recordings.unmeasured:
            return "us:media_worker_lost"  # what there is of it nobody knows yet
        is_written = recordings.is_told(message.id)
        return "us:recording_failed" if message.is_lost or not is_written else "success:voicemail"

    def call_ended(self, call: Call, now: float) -> None:
        """A call is over, and with it its message."""
        message = self.by_call.pop(call.id, None)
        if message is None:
            return
        if message.state is not State.GREETING:
            self._end(message, "hung_up", now)
            self._plane.recordings.end(message.id, now)
        message.move(Input.ENDED)

    # How it is done.

    def _say(self, message: Message, name: str) -> tuple[str, ...]:
        return phrases.sounds(message.settings.language, name)

    def _play(
        self, call: Call, message: Message, leg: Leg, sounds: tuple[str, ...], within: float, now: float
    ) -> None:
        message.left = len(sounds)
        self._plane.play(leg.stream, sounds, now, False)
        self._arm(call, within, now)

    def _record(self, call: Call, message: Message, now: float) -> None:
        leg, settings = call.caller_leg, message.settings
        assert leg is not None, f"nobody speaks in call {call.id}"
        message.id = RecordingId(f"{call.id}-{self._chance.token()}")
        message.began_at = now
        self.living[message.id] = message
        self._board.rows.put(self._state_row(message))
        self._plane.recordings.begin(
            message.id, leg.stream, None, now, settings.limit, silence=settings.silence
        )
        self._arm(call, settings.limit + GRACE, now)

    def _thank(self, call: Call, message: Message, cause: str, now: float) -> None:
        leg = call.caller_leg
        assert leg is not None, f"nobody is thanked in call {call.id}"
        self._end(message, cause, now)
        self._plane.recordings.end(message.id, now)
        self._play(call, message, leg, self._say(message, "message-thanks"), THANK_FOR, now)

    def _hang_up(self, call: Call, now: float) -> None:
        verdict = self.verdict(call, now)
        self._board.end(call, now, ended_by="switch", verdict=verdict, status=200)

    def _end(self, message: Message, cause: str, now: float) -> None:
        """Note when and why the caller's turn was over; what comes first counts."""
        if message.ended_at is None:
            message.ended_at, message.cause = now, cause

    def _note_trouble(self, event: RecordingFailed, message: Message) -> None:
        if not self._is_failing:  # told once, until one can be written again
            self._is_failing = True
            about = {"voicemail": message.id, "call": message.call, "why": event.reason}
            self._board.log.put(("a voicemail cannot be written", about))

    def _arm(self, call: Call, after: float, now: float) -> None:
        self._timers.disarm(call.timer)
        call.timer = self._timers.arm_after(self, f"voicemail {call.id}", after, now)

    # Rows.

    def _write(self, message: Message, seconds: float, size: int, *, is_cut: bool) -> None:
        assert message.ended_at is not None, f"{message.id} is being spoken"
        is_kept = size > 0 and message.is_long_enough()
        if is_cut:
            is_kept = size > 0 and seconds >= message.settings.minimum  # by what is on the disk
        message.is_lost = not is_kept
        ended_at = self._walltime.epoch(message.ended_at)
        about = (ended_at, round(seconds, 3), size, message.cause)
        row = voicemail_row(self._state_row(message), *about, is_kept=is_kept)
        self._board.events.put(VoicemailLeft(row))

    def state_rows(self) -> list[VoicemailStateRow]:
        """Return the state rows of all that is being written."""
        return [self._state_row(message) for message in self.living.values()]

    def _state_row(self, message: Message) -> VoicemailStateRow:
        tenant, caller, caller_name, called = message.who
        return VoicemailStateRow(
            *(message.id, tenant, message.mailbox, message.call, message.queue),
            *(caller, caller_name, called, self._walltime.epoch(message.began_at), message.settings.minimum),
        )

    def restore(
        self, rows: list[VoicemailStateRow], died_at: float, files: Mapping[str, Written]
    ) -> None:
        """What the switch before was writing when it died at ``died_at`` (epoch) is a message as long as its
        file.
        """
        for row in rows:
            written = files.get(row.voicemail, NOTHING)
            is_kept = written.size > 0 and written.seconds >= row.minimum
            ended_at = max(died_at, row.began_at + written.seconds)
            about = (ended_at, written.seconds, written.size, INTERRUPTED)
            left = voicemail_row(row, *about, is_kept=is_kept)
            self._board.events.put(VoicemailLeft(left))

    def check(self) -> None:
        """Assert what must hold between turns."""
        for call, message in self.by_call.items():
            assert call in self._board.calls, f"{call} is over and leaves a message"
            assert message.state is not State.OVER, f"{call} leaves a message that is over"
            if message.state is State.SPEAKING:
                assert self.living.get(message.id) is message, f"{call} speaks and nothing is written"
        for message in self.living.values():
            is_there = self.by_call.get(message.call) is message
            assert is_there or message.ended_at is not None, f"{message.id} is spoken by nobody"


def mailbox_of(target: str, queue: str) -> str:
    """Return the mailbox that a target means: ``public``, ``queue:NAME`` or ``seat:NUMBER``; of who comes
    from no ``queue`` it is the tenant's.
    """
    name = target.partition(":")[2]
    if not name and queue:
        return f"queue:{queue}"
    return PUBLIC if name in ("", PUBLIC) else f"seat:{name}"


def voicemail_row(
    row: VoicemailStateRow, ended_at: float, seconds: float, size: int, cause: str, *, is_kept: bool
) -> VoicemailRow:
    """Return the row of a message that has ended."""
    return VoicemailRow(
        row.voicemail,
        row.tenant,
        row.mailbox,
        row.call,
        row.queue,
        row.caller,
        row.caller_name,
        row.called,
        row.began_at,
        ended_at,
        seconds,
        size,
        f"{row.voicemail}.wav",
        cause,
        "new" if is_kept else "discarded",
        changed_at=ended_at,
    )
