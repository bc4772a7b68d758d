"""Recordings as the plane knows them: which streams are heard in which file, and what workers were told.

A recording has one file and lives in the worker of its left stream. It may be begun before that stream has
talked to anybody, or while its worker is being replaced: it is told as soon as the worker can be.

What a worker was writing when it died only the file itself says: whoever can read it is asked to (``looks``)
and answers with :meth:`Recordings.measured`.

Rule: every :meth:`Recordings.begin` is followed by exactly one RecordingEnded or RecordingFailed.
"""

from collections.abc import Callable

from kernel.ids import RecordingId, StreamId
from kernel.outbox import Outbox
from media import messages
from media.events import MediaEvent, RecordingEnded, RecordingFailed, Written
from media.known import CommandBox, Stream
from media.messages import NEVER_BEGUN, EndRecording, PauseRecording, PointRecording, Record, RightSide
from media.settings import MediaSettings

LIMIT = 14_400.0  # seconds


class Kept:
    """One recording as the plane knows it."""

    __slots__ = ("id", "is_paused", "is_told", "left", "limit", "right", "silence")

    def __init__(
        self,
        recording: RecordingId,
        left: Stream,
        right: tuple[StreamId, ...] | None,
        limit: float,
        silence: float,
    ) -> None:
        self.id = recording
        self.left = left
        self.right = right  # None: one channel
        self.limit = limit
        self.silence = silence
        self.is_paused = False
        self.is_told = False  # its worker knows of it


class Recordings:
    """The recordings of one plane."""

    def __init__(
        self,
        settings: MediaSettings,
        streams: dict[StreamId, Stream],
        commands: CommandBox,
        events: Outbox[MediaEvent],
        can_tell: Callable[[Stream], bool],
    ) -> None:
        """``can_tell`` says whether a stream's worker is there and knows of it."""
        self._settings = settings
        self.folder = settings.recordings  # whatever a reload says: workers write there until a restart
        self._streams = streams
        self._commands = commands
        self._events = events
        self._can_tell = can_tell
        self.living: dict[RecordingId, Kept] = {}
        self.looks: Outbox[RecordingId] = Outbox()  # whose files shall be looked at
        self.unmeasured: dict[RecordingId, None] = {}  # whose files are being looked at
        self._by_stream: dict[StreamId, dict[RecordingId, None]] = {}  # of either channel

    # Verbs of calls.

    def begin(
        self,
        recording: RecordingId,
        left: StreamId,
        right: tuple[StreamId, ...] | None,
        now: float,
        limit: float = LIMIT,
        silence: float = 0.0,
    ) -> None:
        """Write what is received from ``left`` and, added up, from ``right`` into ``recording``.wav from now
        on. ``right`` None: a file of one channel, () nobody yet. It ends by :meth:`end`, with the stream
        ``left``, after ``limit`` seconds, when its worker dies, or, with ``silence``, a second or so after
        nothing was said on the left for so many seconds.
        """
        assert recording not in self.living, f"recording {recording} is begun already"
        kept = self.living[recording] = Kept(recording, self._streams[left], right, limit, silence)
        for stream in (left, *(right or ())):
            self._by_stream.setdefault(stream, {})[recording] = None
        self._tell_begin(kept)

    def point(self, recording: RecordingId, right: tuple[StreamId, ...], now: float) -> None:
        """Let the right channel be ``right`` from now on; nothing for a recording that is over."""
        kept = self.living.get(recording)
        if kept is None or kept.right == right:
            return
        assert kept.right is not None, f"recording {recording} has one channel"
        for stream in kept.right:
            self._unlink(stream, kept)
        kept.right = right
        for stream in right:
            self._by_stream.setdefault(stream, {})[recording] = None
        self._tell_right(kept)

    def pause(self, recording: RecordingId, now: float) -> None:
        """Write silence until :meth:`resume`; nothing for a recording that is over."""
        self._pause(recording, paused=True)

    def resume(self, recording: RecordingId, now: float) -> None:
        """Write again what is heard."""
        self._pause(recording, paused=False)

    def end(self, recording: RecordingId, now: float) -> None:
        """End it: RecordingEnded follows when the file is complete; nothing for one that is over."""
        kept = self.living.get(recording)
        if kept is None:
            return
        if kept.is_told:
            self._commands.tell(kept.left.worker, EndRecording(recording))
        else:
            self._over(kept, RecordingEnded(recording, 0.0, 0, NEVER_BEGUN))

    def is_told(self, recording: RecordingId) -> bool:
        """Say whether a worker was told to write it: what waits for one is not written yet."""
        kept = self.living.get(recording)
        return kept is None or kept.is_told

    # Told by the plane.

    def known(self, stream: Stream) -> None:
        """A worker has been told of ``stream``, for the first time or anew."""
        for recording in list(self._by_stream.get(stream.id, ())):
            kept = self.living[recording]
            if kept.left is stream:
                self._tell_begin(kept)
            else:
                self._tell_right(kept)

    def forget(self, stream: Stream) -> None:
        """A stream closes; its worker ends what it is the left channel of, and reports that."""
        for recording in list(self._by_stream.get(stream.id, ())):
            kept = self.living[recording]
            if kept.left is not stream:
                self._unlink(stream.id, kept)
                assert kept.right is not None
                kept.right = tuple(one for one in kept.right if one != stream.id)
                if kept.left.worker != stream.worker:
                    self._tell_right(kept)
            elif not kept.is_told:
                self._over(kept, RecordingEnded(recording, 0.0, 0, NEVER_BEGUN))

    def worker_lost(self, worker: int, now: float) -> None:
        """A worker died: what it was writing ends where it was written last, wherever that is."""
        for kept in list(self.living.values()):
            if kept.is_told and kept.left.worker == worker:
                self._forget(kept)
                self.unmeasured[kept.id] = None
                self.looks.put(kept.id)

    def measured(self, recording: RecordingId, written: Written) -> None:
        """Somebody has looked at the file of a recording whose worker died."""
        del self.unmeasured[recording]
        self._events.put(RecordingEnded(recording, written.seconds, written.size, "worker_lost"))

    def ended(self, worker: int, report: messages.Recorded, now: float) -> None:
        """A worker has closed a file."""
        kept = self.living.get(report.recording)
        if kept is not None:
            self._over(kept, RecordingEnded(kept.id, report.seconds, report.size, report.cause))

    def failed(self, worker: int, report: messages.RecordingLost, now: float) -> None:
        """A worker cannot write a file."""
        kept = self.living.get(report.recording)
        if kept is not None:
            self._over(kept, RecordingFailed(kept.id, report.seconds, report.size, report.reason))

    def check(self) -> None:
        """Assert what must hold between turns."""
        linked: dict[StreamId, dict[RecordingId, None]] = {}
        for kept in self.living.values():
            for stream in (kept.left.id, *(kept.right or ())):
                linked.setdefault(stream, {})[kept.id] = None
            assert all(one in self._streams for one in kept.right or ()), f"{kept.id} hears who is over"
        assert linked == self._by_stream, "streams and recordings do not know each other"
        assert not self.living.keys() & self.unmeasured.keys(), "a recording is over and is written"

    def is_quiet(self) -> bool:
        """Return whether every recording has been told to be over."""
        return not self.living and not self.unmeasured

    # How it is done.

    def _tell_begin(self, kept: Kept) -> None:
        if kept.is_told or not self._can_tell(kept.left):
            return
        kept.is_told = True
        right = None if kept.right is None else self._right(kept)
        told = Record(kept.id, self.folder, kept.left.id, right, kept.limit, kept.silence)
        self._commands.tell(kept.left.worker, told)
        if kept.is_paused:
            self._commands.tell(kept.left.worker, PauseRecording(kept.id, True))

    def _tell_right(self, kept: Kept) -> None:
        if kept.is_told:
            self._commands.tell(kept.left.worker, PointRecording(kept.id, self._right(kept)))

    def _right(self, kept: Kept) -> RightSide:
        streams = [self._streams[one] for one in kept.right or ()]
        near = tuple(one.id for one in streams if one.worker == kept.left.worker)
        far = tuple(one.port for one in streams if one.worker != kept.left.worker and one.worker >= 0)
        return RightSide(near, self._settings.address, far)

    def _pause(self, recording: RecordingId, *, paused: bool) -> None:
        kept = self.living.get(recording)
        if kept is None or kept.is_paused == paused:
            return
        kept.is_paused = paused
        if kept.is_told:
            self._commands.tell(kept.left.worker, PauseRecording(recording, paused))

    def _over(self, kept: Kept, event: RecordingEnded | RecordingFailed) -> None:
        self._forget(kept)
        self._events.put(event)

    def _forget(self, kept: Kept) -> None:
        del self.living[kept.id]
        for stream in (kept.left.id, *(kept.right or ())):
            self._unlink(stream, kept)

    def _unlink(self, stream: StreamId, kept: Kept) -> None:
        linked = self._by_stream[stream]
        linked.pop(kept.id, None)
        if not linked:
            del self._by_stream[stream]
