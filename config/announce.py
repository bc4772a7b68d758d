"""What a queue says to those who wait, as a configuration gives it."""

from collections.abc import Sequence

from calls.phrases import NUMBER_MAX
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
    has_limit = table.position in ("up-to", "more-than")
    if has_limit and not 1 <= table.position_limit <= NUMBER_MAX:
        reader.refuse(f"{place}.position_limit", f"{table.position_limit} is not between 1 and {NUMBER_MAX}")
    elif table.position_limit and not has_limit:
        reader.refuse(f"{place}.position_limit", 'never matters: give position = "up-to" or "more-than"')
    announce = Announce(
        every=float(table.every),
        after=float(table.after),
        sounds=table.sounds,
        order=table.order,
        position=table.position,
        position_limit=table.position_limit,
        only_improved=table.only_improved,
        wait=table.wait,
    )
    if announce.says_something and not table.every:
        reader.refuse(f"{place}.every", "is missing: how long after one announcement the next begins")
    elif table.every and not announce.says_something:
        reader.refuse(f"{place}.sounds", "is missing, and so are position and wait: nothing is announced")
    elif table.every and table.every < EVERY_MIN:
        reader.refuse(f"{place}.every", f"{table.every:g} s is shorter than {EVERY_MIN:g} s")
    return announce
