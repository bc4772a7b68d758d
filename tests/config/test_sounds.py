"""Sounds from files: names, audio, and what is refused; what queues may play."""

import wave
from io import BytesIO

import pytest

from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from config.sounds import SOUND_MAX, SOUNDS_MAX

BASE = """
[[tenant]]
name = "demo"
[[sound]]
name = "closed"
file = "sounds/closed.wav"
[[queue]]
name = "junior"
"""


def wav(rate: int = 8000, samples: int = 800) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * samples))
    return file.getvalue()


def load(text: str = "", audio: bytes | None = None) -> Settings:
    sounds = {"sounds/closed.wav": wav() if audio is None else audio}
    return load_settings(BASE + text, file="s", sounds=sounds)


def test_a_sound_is_u_law_by_its_name_and_queues_may_play_it() -> None:
    settings = load('welcome = "closed"\nmusic = ""\non_full = "message:closed"\nmessage_answer = 200\n')
    ((name, audio),) = settings.media.sounds
    assert (name, audio) == ("closed", bytes((0xFF,)) * 800)
    (queue,) = settings.calls.queues
    assert (queue.welcome, queue.message_answer) == ("closed", "200")
    assert settings.acd.queues[0].entry.on_full == "message:closed"
    assert load().calls.queues[0].message_answer == "183"


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (wav(16000), "file: format 1 with 16 bits, 16000 Hz, 1 channels: convert it with: sox"),
        (b"", "file: is empty"),
        (bytes(SOUND_MAX + 1), "file: is longer than 250 s"),
    ],
)
def test_wrong_audio(audio: bytes, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(audio=audio)
    (error,) = [str(each).removeprefix('s: sound[1] "closed".') for each in caught.value.errors]
    assert error.startswith(message)


def test_a_file_that_is_not_there_and_too_many_sounds() -> None:
    with pytest.raises(ConfigErrors, match=r"file sounds/closed\.wav cannot be read"):
        load_settings(BASE, file="s")
    one = '[[sound]]\nname = "s{}"\nfile = "sounds/closed.wav"\n'
    many = "".join(one.format(number) for number in range(SOUNDS_MAX))
    with pytest.raises(ConfigErrors, match="is one more than the 100 sounds"):
        load(many)
