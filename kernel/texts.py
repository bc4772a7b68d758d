"""Texts that can be written: bytes of a peer's message that are no UTF-8 are kept inside as lone surrogates,
which no encoder takes.
"""

from typing import Any

import msgspec


def readable(thing: Any) -> Any:
    """Return ``thing`` (text, struct, mapping or sequence) with question marks for what is no text."""
    if isinstance(thing, str):
        return thing.encode("utf-8", "replace").decode()
    if isinstance(thing, msgspec.Struct):
        return type(thing)(*map(readable, msgspec.structs.astuple(thing)))
    if isinstance(thing, dict):
        return {readable(key): readable(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [readable(each) for each in thing]
    return tuple(map(readable, thing)) if isinstance(thing, tuple) else thing


def to_json(thing: Any) -> bytes:
    """Return ``thing`` as JSON, whatever texts are in it."""
    try:
        return msgspec.json.encode(thing)
    except UnicodeEncodeError:
        return msgspec.json.encode(readable(thing))
