from importlib.resources import files
from math import cos, pi

import pytest

from media.codecs.g711 import ulaw_to_linear
from media.rtp import CLOCK
from media.sounds.compose import SOUNDS, music, welcome

WINDOW = CLOCK // 2


def shipped(name: str) -> bytes:
    return (files("media") / "sounds" / f"{name}.ulaw").read_bytes()


def share(samples: list[int], frequency: float) -> float:
    """Return the share of the energy at one frequency (Goertzel), 0 to 1."""
    turn = 2 * cos(2 * pi * frequency / CLOCK)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    energy = sum(sample * sample for sample in samples)
    return (one * one + two * two - turn * one * two) / (energy * len(samples) / 2 + 1)


@pytest.mark.parametrize("name", SOUNDS)
def test_shipped_sounds_are_composed_here(name: str) -> None:
    """Another machine's sine may differ in its last bit, and a sample in its last step."""
    composed, there = SOUNDS[name](), shipped(name)
    assert len(composed) == len(there)
    assert sum(a != b for a, b in zip(composed, there, strict=True)) < len(there) // 1_000


def test_music_lasts_and_the_welcome_is_short() -> None:
    assert len(music()) >= 20 * CLOCK
    assert len(welcome()) == 3 * CLOCK


@pytest.mark.parametrize("name", SOUNDS)
def test_no_half_second_is_a_steady_tone(name: str) -> None:
    """Tests tell people from music by 440 and 1,000 Hz, exchanges signal with tones near 425."""
    samples = [ulaw_to_linear(code) for code in shipped(name)]
    windows = [samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW + 1, WINDOW)]
    assert max(share(window, 440) for window in windows) < 0.02
    assert max(share(window, 1000) for window in windows) < 0.02
    assert max(share(window, 425) for window in windows) < 0.2
    if name == "music":
        loud = [sum(sample * sample for sample in window) / WINDOW for window in windows]
        assert min(loud) > 200**2, "music is never silent"
