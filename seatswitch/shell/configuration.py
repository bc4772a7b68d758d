"""The configuration's texts: the file, what it includes, the environment and the secrets it names.

Only files are read here; what the texts mean is decided by config/load.py.
"""

import os
import tomllib
from collections.abc import Iterator
from datetime import tzinfo
from glob import glob
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.load import load_settings
from config.reading import ConfigErrors
from config.schema import Settings
from config.sounds import voice_files
from kernel.errors import OperatorError
from seatswitch.shell.tls import read_certificates

INCLUDES_MAX = 256  # files; a pattern that matches more is a mistake
SOUND_FILE_MAX = 8 * 1024 * 1024  # bytes read of one; more is longer than a sound may be
TEXT_MAX = 4 * 1024 * 1024  # bytes of one file


def read_configuration(path: str) -> Settings:
    """Return the settings that the file at ``path`` describes.

    Paths in it are relative to the working directory. Raises OperatorError naming file, key and reason.
    """
    if not Path(path).exists() or Path(path).is_dir():
        what = "is a folder" if Path(path).is_dir() else "there is no such file"
        raise OperatorError(path, f"{what}; -c FILE names the configuration")
    text = _read(path)
    if not text.strip():  # being written, or written in vain: a reload must not take everything away
        raise OperatorError(path, "is empty")
    documents = [_parse(text)]
    includes: dict[str, str] = {}
    for name in _included(path, documents[0].get("include")):
        includes[name] = _read(name)
        documents.append(_parse(includes[name]))
    names = [name for document in documents for name in _secret_files(document)]
    secrets, unread = _read_secrets(names)
    sounds = {name: _read_sound(name) for document in documents for name in _sound_files(document)}
    try:
        settings = load_settings(
            text,
            file=path,
            includes=includes,
            environment=os.environ,
            secrets=secrets,
            sounds={name: audio for name, audio in sounds.items() if audio is not None},
            cpus=len(os.sched_getaffinity(0)),  # those this process may use, not those there are
            find_zone=find_zone,
        )
    except ConfigErrors as found:
        told = [OperatorError(it.where, unread.get(it.why, it.why)) for it in found.errors]
        raise ConfigErrors(told) from None
    try:
        read_certificates(settings)
    except OperatorError as error:
        raise ConfigErrors([OperatorError(f"{path}: {error.where}", error.why)]) from error
    return settings


def find_zone(name: str) -> tzinfo | None:
    """Return the IANA time zone ``name`` from the system's database, None if it has none such."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # no name of a zone, a folder of zones, not there
        return None


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(TEXT_MAX + 1)
        if len(data) > TEXT_MAX:
            raise OperatorError(path, f"is larger than the {TEXT_MAX} bytes a configuration may have")
        return data.decode("utf-8")
    except OSError as error:
        raise OperatorError(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise OperatorError(path, f"is not UTF-8 text (byte {error.start})") from error


def _read_secrets(names: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the files hold, and for those that cannot be read, which load_settings names with their
    keys, the words that say why by the words that do not.
    """
    secrets, unread = {}, {}
    for name in names:
        try:
            secrets[name] = _read(name).rstrip("\r\n")
        except OperatorError as error:
            unread[f"file {name} cannot be read"] = f"file {name} {error.why}"
    return secrets, unread


def _read_sound(name: str) -> bytes | None:
    """Return what a file of sound holds, None if it cannot be read: load_settings says so, with the key."""
    try:
        with Path(name).open("rb") as file:
            return file.read(SOUND_FILE_MAX + 1)
    except (OSError, ValueError):
        return None


def _sound_files(document: dict[str, Any]) -> Iterator[str]:
    """Yield the file of every ``[[sound]]``, and those that the folder ``media.voice`` may hold."""
    tables = document.get("sound")
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict) and isinstance(table.get("file"), str):
            yield table["file"]
    media = document.get("media")
    if isinstance(media, dict) and isinstance(folder := media.get("voice"), str) and folder:
        yield from voice_files(folder).values()


def _parse(text: str) -> dict[str, Any]:
    """Return the document; an empty one where it is no TOML, which ``load_settings`` says best."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _included(path: str, patterns: Any) -> list[str]:
    """Return the files that ``patterns`` name, in the order of patterns and then of names."""
    found: list[str] = []
    for pattern in patterns if isinstance(patterns, list) else []:
        if not isinstance(pattern, str):
            continue  # load_settings says so
        names = sorted(glob(pattern))
        if not names and not any(mark in pattern for mark in "*?["):
            names = [pattern]  # reading it says what is wrong
        found += [name for name in names if name not in found]
    if len(found) > INCLUDES_MAX:
        raise OperatorError(f"{path}: include", f"names {len(found)} files; {INCLUDES_MAX} is the most")
    return found


def _secret_files(value: Any) -> Iterator[str]:
    """Yield the path of every ``{file = "PATH"}`` in a TOML value."""
    if isinstance(value, dict):
        if value.keys() == {"file"} and isinstance(value["file"], str):
            yield value["file"]
        for inside in value.values():
            yield from _secret_files(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _secret_files(inside)
