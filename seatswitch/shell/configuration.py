"""The configuration's texts: the file, what it includes, the environment and the secrets it names.

Only files are read here; what the texts mean is decided by config/load.py.
"""

import os
import tomllib
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

from config.load import load_settings

from config.schema import Settings
from kernel.errors import OperatorError

INCLUDES_MAX = 256  # files; a pattern that matches more is a mistake
SECRET_MAX = 4_096  # bytes of a secret's file


def read_configuration(path: str) -> Settings:
    """Return the settings that the file at ``path`` describes.

    Paths in it are relative to the working directory. Raises OperatorError naming file, key and reason.
    """
    text = _read(path)
    includes = {name: _read(name) for name in _included(path, text)}
    secrets: dict[str, str] = {}
    for source, content in ((path, text), *includes.items()):
        for name in _secret_files(_parse(source, content)):
            secrets[name] = _read(name)[:SECRET_MAX].rstrip("\r\n")
    return load_settings(text, file=path, includes=includes, environment=os.environ, secrets=secrets)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise OperatorError(path, f"is not UTF-8 text (byte {error.start})") from error


def _parse(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(path, f"is not TOML: {error}") from error


def _included(path: str, text: str) -> list[str]:
    """Return the files that the ``include`` patterns name, in the order of patterns and names."""
    patterns = _parse(path, text).get("include", [])
    found: list[str] = []
    for pattern in patterns if isinstance(patterns, list) else []:
        names = sorted(glob(str(pattern)))
        if not names and not any(mark in str(pattern) for mark in "*?["):
            names = [str(pattern)]  # reading it says what is wrong
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
