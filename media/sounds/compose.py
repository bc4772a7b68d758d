"""Composes the shipped sounds, so that they belong to nobody else.

``python -m media.sounds.compose music > media/sounds/music.ulaw`` writes one of them (``music``,
``welcome``, ``reminder``, ``beep``).

Music: a music box over slow chords, 32 s, without a seam when it is repeated. It holds no steady tone: notes
are struck every 0.25 s and fade at once, chords change every 2 s, and everything is tuned so that nothing
stands near the tones that tests and exchanges use (440 and 1,000 Hz).
"""

import sys
from array import array
from math import exp, pi, sin

from media.codecs.g711 import linear_to_ulaw_bytes
from media.rtp import CLOCK

BEAT = CLOCK // 4  # samples between two notes: 0.25 s
BAR = 8  # beats a chord lasts
TUNING = 269.5  # Hz of the note 0: a quarter tone above C4, so that its A's are not at 440 Hz
_LOUD = 9_000.0  # of 32,767: -11 dBm0 at the peaks
_FADE = 1.0 / (CLOCK * 0.35)  # of a struck note, per sample
_PAD_FADE = 1.0 / (CLOCK * 0.9)
_PARTIALS = ((1.0, 1.0), (2.0, 0.22), (3.01, 0.08))  # of a struck bar: (times the pitch, loudness)

# Semitones above the note 0: sixteen chords of four notes each.
CHORDS = (
    *((0, 4, 7, 14), (-3, 0, 4, 7), (-7, 0, 5, 8), (-5, 2, 7, 11)),
    *((0, 4, 7, 12), (-8, -1, 4, 8), (-7, 0, 5, 12), (-5, 2, 5, 11)),
    *((-3, 4, 7, 12), (-10, 2, 5, 8), (-5, 2, 7, 14), (0, 4, 7, 16)),
    *((-7, 0, 5, 8), (-8, 0, 4, 7), (-10, 2, 5, 12), (-5, 2, 7, 11)),
)
_FIGURES = (
    (0, 2, 3, 1, 2, 3, 1, 2),
    (0, 1, 2, 3, 2, 1, 3, 2),
    (0, 3, 2, 1, 3, 1, 2, 3),
    (0, 2, 1, 3, 1, 2, 3, 0),
)


def pitch(semitones: int) -> float:
    """Return the frequency in Hz of a note above (below) the note 0."""
    return float(TUNING * 2.0 ** (semitones / 12.0))


def strike(track: "array[float]", at: int, semitones: int, loudness: float, fade: float = _FADE) -> None:
    """Add a struck note that begins at the sample ``at`` and wraps round the end of the track."""
    length = len(track)
    for times, part in _PARTIALS:
        step = 2.0 * pi * pitch(semitones) * times / CLOCK
        level = loudness * part
        decay = exp(-fade * times)
        for index in range(int(3.5 / (fade * times))):
            attack = index / 40 if index < 40 else 1.0
            track[(at + index) % length] += level * attack * sin(step * index)
            level *= decay


def finish(track: "array[float]") -> bytes:
    """Return the track as u-law, its loudest sample at the level of the house."""
    factor = _LOUD / max(abs(sample) for sample in track)
    return linear_to_ulaw_bytes(round(sample * factor) for sample in track)


def music() -> bytes:
    """Return the music on hold: 32 s."""
    track = array("d", bytes(8 * BEAT * BAR * len(CHORDS)))
    for bar, chord in enumerate(CHORDS):
        figure = _FIGURES[bar % len(_FIGURES)]
        begin = bar * BAR * BEAT
        strike(track, begin, chord[0] - 12, 0.7, _PAD_FADE)
        for beat, note in enumerate(figure):
            strike(track, begin + beat * BEAT, chord[note], 1.0 if beat % 4 == 0 else 0.7)
    return finish(track)


def welcome() -> bytes:
    """Return the welcome chime: four bells and their echo, 3 s."""
    track = array("d", bytes(8 * int(CLOCK * 3.0)))
    for index, note in enumerate((7, 4, 0, 12)):
        strike(track, int(index * 0.42 * CLOCK), note, 1.0 - 0.1 * index, _FADE / 1.4)
    return finish(track)


def reminder() -> bytes:
    """Return the reminder of a call on hold: two bells, falling, half a second."""
    track = array("d", bytes(8 * int(CLOCK * 0.6)))
    for index, note in enumerate((12, 7)):
        strike(track, int(index * 0.18 * CLOCK), note, 1.0, _FADE * 6.0)
    return finish(track)


def beep() -> bytes:
    """Return the tone after which a caller speaks: 0.35 s of half a second, in a pitch that no exchange and
    no test uses.
    """
    length = int(CLOCK * 0.35)
    edge = CLOCK // 100
    step = 2.0 * pi * 1_330.0 / CLOCK
    track = array("d", bytes(8 * CLOCK // 2))
    for index in range(length):
        track[index] = min(1.0, index / edge, (length - 1 - index) / edge) * sin(step * index)
    return finish(track)


SOUNDS = {"music": music, "welcome": welcome, "reminder": reminder, "beep": beep}

if __name__ == "__main__":
    sys.stdout.buffer.write(SOUNDS[sys.argv[1]]())
