"""Sounds of a configuration: names and the audio of their files, which the shell has read."""

from collections.abc import Mapping, Sequence

from calls.phrases import NAMES
from config.network import check_name
from config.reading import Read, Reader
from kernel.errors import OperatorError
from media.prompts import read_audio

BUILTIN = ("builtin:music", "builtin:welcome")
SOUND_MAX = 2_000_000  # bytes of u-law: 250 s, shorter than any farewell may be
PHRASE_MAX = 80_000  # of a phrase of the voice: 10 s
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


def voice_files(folder: str) -> dict[str, str]:
    """Return the files that a folder of phrases may hold, by the names of their sounds."""
    return {
        f"voice:{language}/{name}": f"{folder}/{language}/{name}.wav"
        for language, names in NAMES.items()
        for name in names
    }


def build_voice(reader: Reader, where: str, folder: str, audio: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the phrases of an operator's own voice, u-law by name; the others are those shipped."""
    found: dict[str, bytes] = {}
    for name, file in voice_files(folder).items() if folder else ():
        data = audio.get(file)
        if data is None:
            continue
        try:
            ulaw = read_audio(name, data)
        except OperatorError as error:
            reader.refuse(f"{where}.voice", f"{file}: {error.why}")
            continue
        if not 0 < len(ulaw) <= PHRASE_MAX:
            why = "is empty" if not ulaw else f"is longer than {PHRASE_MAX / 8000:g} s"
            reader.refuse(f"{where}.voice", f"{file} {why}")
        found[name] = ulaw
    if folder and not found:
        reader.refuse(f"{where}.voice", f"folder {folder} holds no phrase, such as en/0.wav")
    return found
