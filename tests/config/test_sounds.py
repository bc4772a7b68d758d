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


VOICE = '[media]\nvoice = "voice"\n'


def test_phrases_of_an_own_voice_replace_those_shipped_one_by_one() -> None:
    sounds = {"sounds/closed.wav": wav(), "voice/en/7.wav": wav(), "voice/zh/minutes.wav": wav(samples=400)}
    settings = load_settings(VOICE + BASE, file="s", sounds=sounds)
    names = {name: len(audio) for name, audio in settings.media.sounds}
    assert names == {"closed": 800, "voice:en/7": 800, "voice:zh/minutes": 400}


@pytest.mark.parametrize(
    ("sounds", "why"),
    [
        ({}, "folder voice holds no phrase, such as en/0.wav"),
        ({"voice/en/7.wav": wav(rate=16_000)}, "voice/en/7.wav: format 1 with 16 bits, 16000 Hz"),
        ({"voice/en/7.wav": wav(samples=80_001)}, "voice/en/7.wav is longer than 10 s"),
        ({"voice/en/7.wav": wav(samples=0)}, "voice/en/7.wav is empty"),
    ],
)
def test_phrases_that_cannot_be_said_are_refused_with_their_file(sounds: dict[str, bytes], why: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(VOICE + BASE, file="s", sounds={"sounds/closed.wav": wav(), **sounds})
    assert [error.where for error in caught.value.errors] == ["s: media.voice"]
    assert why in caught.value.errors[0].why
