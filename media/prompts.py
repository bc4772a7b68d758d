"""Prompts: audio that is played to streams, cut into 20 ms payloads of both G.711 laws in advance."""

from struct import unpack_from

from kernel.errors import OperatorError
from media.codecs.g711 import ALAW_TO_ULAW, ULAW_SILENCE, ULAW_TO_ALAW, linear_to_ulaw_bytes
from media.rtp import CLOCK, FRAME

_WAV_PCM, _WAV_ALAW, _WAV_ULAW = 1, 6, 7


class Prompt:
    """One prompt; ``frames`` by codec name, each payload :data:`media.rtp.FRAME` bytes."""

    __slots__ = ("frames", "name")

    def __init__(self, name: str, ulaw: bytes) -> None:
        self.name = name
        ulaw += bytes((ULAW_SILENCE,)) * (-len(ulaw) % FRAME)
        self.frames = {"PCMU": cut(ulaw), "PCMA": cut(ulaw.translate(ULAW_TO_ALAW))}


def cut(audio: bytes) -> tuple[bytes, ...]:
    """Return ``audio`` as frames; its length is a multiple of a frame's."""
    return tuple(audio[at : at + FRAME] for at in range(0, len(audio), FRAME))


def read_audio(name: str, audio: bytes) -> bytes:
    """Return u-law for a WAV file (16-bit PCM, u-law or A-law; 8 kHz, one channel) or bare u-law.

    Raises OperatorError with the prompt's name for a WAV file that we cannot play.
    """
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return audio
    kind, at = None, 12
    while at + 8 <= len(audio):
        chunk, size = audio[at : at + 4], int.from_bytes(audio[at + 4 : at + 8], "little")
        at += 8
        if chunk == b"fmt " and size >= 16 and at + 16 <= len(audio):
            kind, channels, rate, _, _, bits = unpack_from("<HHIIHH", audio, at)
            if channels != 1 or rate != CLOCK or (kind, bits) not in _PLAYABLE:
                raise OperatorError(
                    name, f"format {kind} with {bits} bits, {rate} Hz, {channels} channels: {_ADVICE}"
                )
        elif chunk == b"data" and kind is not None:
            return _to_ulaw(kind, audio[at : at + size])
        at += size + size % 2
    raise OperatorError(name, f"a WAV file without audio: {_ADVICE}")


def _to_ulaw(kind: int, data: bytes) -> bytes:
    if kind == _WAV_ULAW:
        return data
    if kind == _WAV_ALAW:
        return data.translate(ALAW_TO_ULAW)
    data = data[: len(data) // 2 * 2]
    samples = unpack_from(f"<{len(data) // 2}h", data)
    return linear_to_ulaw_bytes(samples)


_PLAYABLE = frozenset({(_WAV_PCM, 16), (_WAV_ALAW, 8), (_WAV_ULAW, 8)})
_ADVICE = "convert it with: sox in.wav -r 8000 -c 1 -b 16 out.wav"
