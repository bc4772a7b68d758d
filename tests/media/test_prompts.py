from struct import pack

import pytest

from kernel.errors import OperatorError
from media.codecs.g711 import ULAW_TO_ALAW
from media.prompts import Prompt, read_audio


def wav(
    kind: int, data: bytes, rate: int = 8000, channels: int = 1, bits: int = 8, extra: bytes = b""
) -> bytes:
    fmt = pack("<HHIIHH", kind, channels, rate, rate * bits // 8, bits // 8, bits)
    body = b"fmt " + pack("<I", len(fmt)) + fmt + extra + b"data" + pack("<I", len(data)) + data
    return b"RIFF" + pack("<I", 4 + len(body)) + b"WAVE" + body


def test_prompt_is_cut_into_frames_of_both_laws() -> None:
    prompt = Prompt("hello", bytes(range(200)))
    assert [len(frame) for frame in prompt.frames["PCMU"]] == [160, 160]
    assert prompt.frames["PCMU"][1] == bytes(range(160, 200)) + b"\xff" * 120
    assert prompt.frames["PCMA"][0] == bytes(range(160)).translate(ULAW_TO_ALAW)


def test_wav_files_of_telephones_are_read() -> None:
    assert read_audio("a", b"\x01\x02") == b"\x01\x02"
    assert read_audio("a", wav(7, b"\x10\x20")) == b"\x10\x20"
    assert read_audio("a", wav(6, b"\xd5")) == b"\xfe"
    assert read_audio("a", wav(1, pack("<hh", 0, -32_768), bits=16)) == b"\xff\x00"
    listed = b"LIST" + pack("<I", 3) + b"abc\0"
    assert read_audio("a", wav(7, b"\x10\x20", extra=listed)) == b"\x10\x20"


@pytest.mark.parametrize(
    "audio",
    [
        wav(1, b"", rate=44_100, bits=16),
        wav(1, b"", channels=2, bits=16),
        wav(1, b"", bits=24),
        wav(0x55, b""),
        b"RIFF\0\0\0\0WAVE",
        b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
        wav(7, b"")[:30],
    ],
)
def test_other_wav_files_are_refused_with_their_name_and_what_to_do(audio: bytes) -> None:
    with pytest.raises(OperatorError, match=r"greeting\.wav.*sox"):
        read_audio("greeting.wav", audio)
