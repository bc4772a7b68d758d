"""Sounds of a configuration: names and the audio of their files, which the shell has read."""

from collections.abc import Mapping, Sequence

from config.network import check_name
from config.reading import Read, Reader
from kernel.errors import OperatorError
from media.prompts import read_audio

BUILTIN = ("builtin:music", "builtin:welcome")
SOUND_MAX = 2_000_000  # bytes of u-law: 250 s, shorter than any farewell may be
SOUNDS_MAX = 100  # tell them to a media worker in one message


def build_sounds(reader: Reader, sounds: Sequence[Read], audio: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return u-law audio by name; ``audio`` is what the files hold."""
    names: dict[str, str] = {}
    found: dict[str, bytes] = {}
    for where, table in sounds[:SOUNDS_MAX]:
        check_name(reader, f"{where}.name", table.name, names)
        data = audio.get(table.file)
        if data is None:
            why = f"file {table.file} cannot be read" if table.file else "is missing"
            reader.refuse(f"{where}.file", why)
            continue
        try:
            ulaw = read_audio(table.name, data)
        except OperatorError as error:
            reader.refuse(f"{where}.file", error.why)
            continue
        if not ulaw or len(ulaw) > SOUND_MAX:
            why = "is empty" if not ulaw else f"is longer than {SOUND_MAX / 8000:g} s"
            reader.refuse(f"{where}.file", why)
        found.setdefault(table.name, ulaw)
    if len(sounds) > SOUNDS_MAX:
        where = sounds[SOUNDS_MAX].where
        reader.refuse(f"{where}.name", f"is one more than the {SOUNDS_MAX} sounds there may be")
    return found
