"""What a queue says to those who wait, as a configuration gives it."""

from collections.abc import Sequence

from config.reading import Reader, show, suggest
from config.tables import AnnounceTable
from kernel.announce import Announce

EVERY_MIN = 5.0  # seconds: more often nobody hears the music
SOUNDS_MAX = 20


def build_announce(reader: Reader, where: str, table: AnnounceTable, sounds: Sequence[str]) -> Announce:
    """Return what a queue announces; ``sounds`` are those there are, ``where`` is the queue."""
    place = f"{where}.announce"
    for index, sound in enumerate(table.sounds, 1):
        if sound not in sounds:
            reader.refuse(f"{place}.sounds[{index}]", f"unknown sound {show(sound)}{suggest(sound, sounds)}")
    if len(table.sounds) > SOUNDS_MAX:
        reader.refuse(f"{place}.sounds", f"are more than {SOUNDS_MAX}")
    says_something = bool(table.sounds)
    if says_something and not table.every:
        reader.refuse(f"{place}.every", "is missing: how long after one announcement the next begins")
    elif table.every and not says_something:
        reader.refuse(f"{place}.sounds", "is missing: nothing is announced")
    elif table.every and table.every < EVERY_MIN:
        reader.refuse(f"{place}.every", f"{table.every:g} s is shorter than {EVERY_MIN:g} s")
    return Announce(
        every=float(table.every), after=float(table.after), sounds=table.sounds, order=table.order
    )
