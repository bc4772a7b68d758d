"""The recorder of one worker: what streams receive goes into WAV files of one or two channels.

A recording is a line of time that begins at its first moment: a packet has its place by its RTP timestamp,
anchored at the arrival of the first one of a talkspurt, so what was lost, muted or paused is silence and both
channels stay in step for hours. G.711 u-law as it comes (WAV format 7): half the size of linear samples,
nothing is decoded, and what we have recorded we can play (:mod:`media.prompts`). A-law becomes u-law.

Rules: a recording holds no more than :data:`FLUSH_EVERY` and :data:`LATE` of audio. After each write the
header says what is in the file, so that one whose writer is killed can be played up to there. Whoever is
recorded pays for it alone: a stream without a recording is not asked. Each recording ends with exactly one
report.
"""

from math import inf
from struct import Struct
from typing import Protocol, TypeAlias

from kernel.ids import RecordingId, StreamId
from media.codecs.g711 import ALAW_TO_ULAW, ULAW_SILENCE
from media.codecs.linear import DECODE, ENCODE, WIDTH, add, loudness
from media.events import NOTHING, Written
from media.latch import Address
from media.messages import NEVER_BEGUN, Record, Recorded, RecordingLost, Report
from media.mixer import Mix
from media.relay import Desk, Stream, Tap
from media.rtp import CLOCK, HEADER, LONG

FLUSH_EVERY = 1.0  # seconds between two writes
LATE = 0.2  # seconds that a packet may come too late, and still be written
_LATE_SAMPLES = round(LATE * CLOCK)
_STRAY_MAX = round(0.4 * CLOCK)  # samples off its arrival: beyond it the sender has begun a new clock
_OLD_MAX = 2 * CLOCK  # samples older than what came last: late, not a new clock
QUIET = 250  # root mean square of a second in which nobody speaks; speech has 1,000 and more
_CLOSE_LOOK = 0.02  # seconds between looks whether a file is closed
_SILENCE = bytes((ULAW_SILENCE,))
_ULAW = 7  # WAVE_FORMAT_MULAW
# RIFF, size, WAVE; fmt of 18 bytes; fact, samples of a channel; data, size.
_WAV = Struct("<4sI4s4sIHHIIHHH4sII4sI")
_CHANNELS, _SAMPLES = 6, 14  # among its fields
HEADER_BYTES = _WAV.size


def wav_header(channels: int, samples: int) -> bytes:
    """Return the header of a WAV file of u-law with ``samples`` in each channel."""
    size = samples * channels
    return _WAV.pack(
        *(b"RIFF", HEADER_BYTES - 8 + size + size % 2, b"WAVE", b"fmt ", 18, _ULAW, channels),
        *(CLOCK, CLOCK * channels, channels, 8, 0, b"fact", 4, samples, b"data", size),
    )


def look_at(head: bytes, size: int) -> Written:
    """Return what can be played of a file of ours of ``size`` bytes that begins with ``head``: as much as its
    header says, written after each second, and no more than is there.
    """
    fields = _WAV.unpack(head[:HEADER_BYTES]) if len(head) >= HEADER_BYTES else ()
    channels, samples = (fields[_CHANNELS], fields[_SAMPLES]) if fields else (0, 0)
    if channels not in (1, 2) or head[:HEADER_BYTES] != wav_header(channels, samples):
        return NOTHING
    samples = min(samples, (size - HEADER_BYTES) // channels)
    return Written(round(samples / CLOCK, 3), size)


Key: TypeAlias = StreamId | Address  # of a voice: a stream of this worker, or where another's comes from


class Sink(Protocol):
    """One file. It may write later than it is told, and says then how that went."""

    error: str  # why it cannot be written; "" all is well
    size: int  # bytes of the file as far as it can be played; 0: there is none

    def write(self, data: bytes, header: bytes) -> None:
        """Append ``data``, then put ``header`` in the place of the first bytes."""

    def close(self) -> None:
        """Write nothing more."""

    @property
    def is_closed(self) -> bool:
        """Say whether all has been written, or never will be."""


class Files(Protocol):
    """Where recordings go."""

    def create(self, folder: str, name: str) -> Sink:
        """Return a new file; what is wrong with it is told as its ``error``."""


class Track:
    """One channel between two writes: u-law from the sample ``begin`` on."""

    __slots__ = ("audio", "begin", "voices")

    def __init__(self) -> None:
        self.audio = bytearray()
        self.begin = 0
        self.voices: dict[Key, Voice] = {}

    def put(self, at: int, payload: bytes) -> None:
        """Put ``payload`` where sample ``at`` is; what of it is for a place that was written is dropped."""
        start = at - self.begin
        if start < 0:
            payload = payload[-start:]
            start = 0
        audio = self.audio
        missing = start - len(audio)
        if missing > 0:
            audio += _SILENCE * missing
        if len(self.voices) > 1:
            there = bytes(audio[start : start + len(payload)])
            there += _SILENCE * (len(payload) - len(there))
            total = add(DECODE["PCMU"](there, WIDTH), DECODE["PCMU"](payload, WIDTH), WIDTH)
            payload = ENCODE["PCMU"](total, WIDTH)
        audio[start : start + len(payload)] = payload

    def take(self, end: int) -> bytes:
        """Return what there is up to sample ``end``."""
        count = max(0, end - self.begin)
        taken = bytes(self.audio[:count])
        del self.audio[:count]
        self.begin += count
        return taken + _SILENCE * (count - len(taken))


class Heard(Protocol):
    """Who can be recorded: a stream, or what stands in a mix for one of another worker."""

    taps: tuple[Tap, ...]

    def tap(self, taps: tuple[Tap, ...]) -> None:
        """Let exactly these hear what is received."""


class Voice:
    """One stream that is heard in a track: a :class:`media.relay.Tap`."""

    __slots__ = ("_desk", "_position", "_ssrc", "_timestamp", "_track", "heard", "recording")

    def __init__(self, recording: "Recording", track: Track, desk: Desk) -> None:
        self.recording = recording
        self._track = track
        self._desk = desk
        self._ssrc = -1
        self._timestamp = 0  # of the packet that was placed last
        self._position = 0  # its place
        self.heard: Heard | None = None  # whose tap this is

    @property
    def is_left(self) -> bool:
        """Say whether it is the stream that the recording lives and ends with."""
        return self._track is self.recording.left

    def hear(self, size: int, start: int, end: int, codec: str, now: float) -> None:
        """Take the packet in the desk's buffer; a telephone event (``codec`` "") is silence."""
        recording = self.recording
        if not codec or recording.is_paused:
            return
        packet = self._desk.buffer
        _, _, timestamp, ssrc = HEADER.unpack_from(packet)
        arrival = round((now - recording.began_at) * CLOCK)
        ahead = (timestamp - self._timestamp) & LONG
        is_old = ahead > LONG - _OLD_MAX or ahead == 0
        position = self._position + (ahead - LONG - 1 if ahead > LONG // 2 else ahead)
        if ssrc != self._ssrc or (not is_old and abs(position - arrival) > _STRAY_MAX):
            self._ssrc = ssrc
            is_old = False
            position = arrival
        track = self._track
        if not is_old:
            self._timestamp, self._position = timestamp, position
        elif len(track.voices) > 1:
            return  # a duplicate would be heard twice, and of two voices it cannot be told which is there
        payload = bytes(packet[start:end])
        track.put(position, payload.translate(ALAW_TO_ULAW) if codec == "PCMA" else payload)

    def attach(self, heard: Heard | None) -> None:
        """Hear what ``heard`` receives, and nobody else."""
        if heard is self.heard:
            return
        self.detach()
        self.heard = heard
        if heard is not None:
            heard.tap((*heard.taps, self))

    def detach(self) -> None:
        """Hear nobody."""
        heard, self.heard = self.heard, None
        if heard is not None:
            heard.tap(tuple(tap for tap in heard.taps if tap is not self))


class Recording:
    """One file that is being written."""

    __slots__ = (
        *("began_at", "due_at", "id", "is_paused", "left", "limit", "quiet", "right", "silence", "sink"),
        "written",
    )

    def __init__(
        self, recording: RecordingId, sink: Sink, limit: float, now: float, silence: float = 0.0
    ) -> None:
        self.id = recording
        self.sink = sink
        self.began_at = now
        self.due_at = now + FLUSH_EVERY
        self.limit = round(limit * CLOCK)  # samples
        self.silence = round(silence * CLOCK)  # samples; 0: silence ends nothing
        self.quiet = 0  # samples since somebody spoke
        self.is_paused = False
        self.left = Track()
        self.right: Track | None = None
        self.written = 0  # samples of each channel

    def tracks(self) -> tuple[Track, ...]:
        """Return the channels."""
        return (self.left,) if self.right is None else (self.left, self.right)

    @property
    def size(self) -> int:
        """Return the bytes of the file."""
        data = self.written * len(self.tracks())
        return HEADER_BYTES + data + data % 2

    def flush(self, end: int, *, is_last: bool = False) -> None:
        """Write what there is up to sample ``end``."""
        end = max(min(end, self.limit), self.written)
        tracks = [track.take(end) for track in self.tracks()]
        self.written = end
        if self.silence:
            is_quiet = loudness(DECODE["PCMU"](tracks[0], WIDTH), WIDTH) < QUIET
            self.quiet = self.quiet + len(tracks[0]) if is_quiet else 0
        if len(tracks) == 1:
            data = tracks[0]
            if is_last and end % 2:
                data += b"\0"  # a chunk of RIFF has an even length
        else:
            frames = bytearray(2 * len(tracks[0]))
            frames[0::2], frames[1::2] = tracks
            data = bytes(frames)
        self.sink.write(data, wav_header(len(tracks), end))


class Recorder:
    """All recordings of one worker."""

    def __init__(self, desk: Desk, files: Files, reports: list[Report]) -> None:
        self.due_at = inf
        self.recordings: dict[RecordingId, Recording] = {}  # in the order of their next writes
        self._closing: list[tuple[Recording, str]] = []
        self._look_at = inf
        self._desk = desk
        self._files = files
        self._reports = reports

    # Told by the host.

    def begin(self, command: Record, left: Stream | None, now: float) -> None:
        """Record ``left``, on the left; :meth:`point` says who is on the right."""
        if left is None:
            self._reports.append(Recorded(command.recording, 0.0, 0, NEVER_BEGUN))
            return
        sink = self._files.create(command.folder, command.recording)
        recording = Recording(command.recording, sink, command.limit, now, command.silence)
        if command.right is not None:
            recording.right = Track()
        voice = recording.left.voices[left.id] = Voice(recording, recording.left, self._desk)
        voice.attach(left)
        self.recordings[recording.id] = recording
        recording.flush(0)
        self._rearm()

    def point(self, recording: RecordingId, near: list[Stream], far: list[Address]) -> None:
        """Let the right channel be exactly these: streams of this worker, and where others' come from."""
        told = self.recordings.get(recording)
        if told is None or told.right is None:
            return
        wanted: dict[Key, Stream | None] = {stream.id: stream for stream in near}
        wanted.update((address, None) for address in far)
        voices = told.right.voices
        for key in list(voices):
            if key not in wanted:
                voices.pop(key).detach()
        for key, stream in wanted.items():
            if key not in voices:
                voices[key] = Voice(told, told.right, self._desk)
            if stream is not None:
                voices[key].attach(stream)
        for voice in told.left.voices.values():
            assert isinstance(voice.heard, Stream)
            _seek_far(told.right, voice.heard)

    def rewire(self, left: Stream) -> None:
        """Another stands for a stream of another worker now, where ``left`` hears such."""
        for tap in left.taps:
            if isinstance(tap, Voice) and tap.is_left and tap.recording.right is not None:
                _seek_far(tap.recording.right, left)

    def pause(self, recording: RecordingId, paused: bool) -> None:
        """Write silence while ``paused``."""
        told = self.recordings.get(recording)
        if told is not None:
            told.is_paused = paused

    def end(self, recording: RecordingId, now: float, cause: str = "asked") -> None:
        """Write what is left and close the file; does nothing for one that has ended."""
        told = self.recordings.pop(recording, None)
        if told is None:
            return
        for track in told.tracks():
            for voice in track.voices.values():
                voice.detach()
        told.flush(round((now - told.began_at) * CLOCK), is_last=True)
        told.sink.close()
        self._closing.append((told, cause))
        self._look(now)
        self._rearm()

    def forget(self, stream: Stream, now: float) -> None:
        """A stream ends: so do the recordings that it is the left channel of."""
        for tap in stream.taps:
            if not isinstance(tap, Voice):
                continue
            if tap.is_left:
                self.end(tap.recording.id, now, "closed")
            else:
                tap.detach()
                assert tap.recording.right is not None
                del tap.recording.right.voices[stream.id]

    def end_all(self, now: float) -> None:
        """The worker ends."""
        for recording in list(self.recordings):
            self.end(recording, now, "closed")

    def tick(self, now: float) -> None:
        """Write what is due; report what has been written."""
        if self._look_at <= now:
            self._look(now)
        for recording in list(self.recordings.values()):
            if recording.due_at > now:
                break
            del self.recordings[recording.id]
            self.recordings[recording.id] = recording
            recording.due_at = now + FLUSH_EVERY
            heard = round((now - recording.began_at) * CLOCK)
            if recording.sink.error or heard >= recording.limit:
                self.end(recording.id, now, "limit")
            else:
                recording.flush(heard - _LATE_SAMPLES)
                if recording.silence and recording.quiet >= recording.silence:
                    self.end(recording.id, now, "silence")
        self._rearm()

    def check(self, streams: dict[StreamId, Stream]) -> None:
        """Assert what must hold between two inputs."""
        heard = 0
        for identity, recording in self.recordings.items():
            assert recording.id == identity, f"recording {identity} is another"
            assert all(one in streams for one in recording.left.voices), f"{identity} has lost its stream"
            for track in recording.tracks():
                for key, voice in track.voices.items():
                    assert voice.heard is None or voice in voice.heard.taps, f"{identity} does not hear"
                    assert isinstance(key, tuple) or voice.heard is streams[key], f"{identity} hears another"
                    heard += isinstance(voice.heard, Stream)
        taps = [*streams.values(), *(one.inner for one in streams.values() if one.inner is not None)]
        told = sum(isinstance(tap, Voice) for stream in taps for tap in stream.taps)
        assert told == heard, "a stream is heard by a recording that is over"
        dues = [recording.due_at for recording in self.recordings.values()]
        assert dues == sorted(dues), "recordings are not in the order of their writes"
        assert self.due_at == min([self._look_at, *dues[:1]]), "the recorder ticks at another time"

    def _look(self, now: float) -> None:
        """Report the recordings whose files are closed."""
        waiting: list[tuple[Recording, str]] = []
        for recording, cause in self._closing:
            sink = recording.sink
            seconds = round(recording.written / CLOCK, 3)
            if not sink.is_closed:
                waiting.append((recording, cause))
            elif sink.error:
                data = max(0, sink.size - HEADER_BYTES)  # not all that was to be written
                seconds = min(seconds, round(data / len(recording.tracks()) / CLOCK, 3))
                self._reports.append(RecordingLost(recording.id, seconds, sink.size, sink.error))
            else:
                self._reports.append(Recorded(recording.id, seconds, recording.size, cause))
        self._closing = waiting
        self._look_at = now + _CLOSE_LOOK if waiting else inf

    def _rearm(self) -> None:
        due_at = self._look_at
        for recording in self.recordings.values():
            due_at = min(due_at, recording.due_at)
            break
        self.due_at = due_at


def _seek_far(track: Track, left: Stream) -> None:
    """Hear streams of other workers where ``left`` does: in its mix, else as its peer."""
    for key, voice in track.voices.items():
        if isinstance(key, tuple):
            source = left.mix.sources.get(key) if isinstance(left.mix, Mix) else None
            inner = left.inner if left.inner is not None and left.inner.source == key else None
            voice.attach(source or inner)
