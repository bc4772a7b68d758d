"""TOML documents into the tables of :mod:`config.tables`, collecting every error instead of the first.

Rule: an error names file, key and what is allowed. A key in error counts as not given, so that one slip gives
one message and the rest is still looked at.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from config.tables import DURATION_MAX, SECONDS_BY_UNIT, Duration, SecretText, Table
from kernel.errors import OperatorError

T = TypeVar("T", bound=Table)


class ConfigErrors(OperatorError):
    """Everything that is wrong with a configuration, one error per line."""

    def __init__(self, errors: Sequence[OperatorError]) -> None:
        first = errors[0]
        more = f" (and {len(errors) - 1} more: seatswitch check tells them all)" if len(errors) > 1 else ""
        super().__init__(first.where, first.why + more)
        self.errors = list(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class Read(NamedTuple):
    """One table and the place it was read from, as errors name it."""

    where: str
    table: Any


class Reader:
    """Turns documents into tables; keeps what was wrong in :attr:`errors`."""

    def __init__(self, environment: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self.errors: list[OperatorError] = []
        self._bad: set[str] = set()
        self._environment = environment
        self._secrets = secrets

    def refuse(self, where: str, why: str) -> None:
        """Note an error; of several at one place only the first is told."""
        if where not in self._bad:
            self._bad.add(where)
            self.errors.append(OperatorError(where, why))

    def is_bad(self, where: str) -> bool:
        """Return whether something is wrong at exactly this place."""
        return where in self._bad

    def table(self, kind: type[T], document: object, where: str) -> T | None:
        """Read one table; None (and an error) when it is none or lacks a key that it must have."""
        if not isinstance(document, dict):
            self.refuse(where, f"{show(document)} is not a table")
            return None
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in document:
            if key not in fields:
                self.refuse(f"{where}.{key}", f"unknown key{suggest(key, list(fields))}")
        given: dict[str, Any] = {}
        missing = False
        for key, field in fields.items():
            place = f"{where}.{key}"
            if key in document:
                value = self._value(field.type, document[key], place)
                if place not in self._bad:
                    given[field.name] = value
            if field.required and field.name not in given:
                if key not in document:
                    self.refuse(place, "is missing")
                missing = True
        return None if missing else kind(**given)

    def many(self, kind: type[T], documents: object, where: str) -> Iterator[tuple[str, T]]:
        """Read a list of tables; yields ``queue[2] "complaint"`` and the table."""
        if not isinstance(documents, list):
            self.refuse(where, f"{show(documents)} is not a list of tables")
            return
        for index, document in enumerate(documents, 1):
            place = f"{where}[{index}]"
            if isinstance(document, dict):
                label = next(
                    (document[key] for key in ("name", "number", "numbers") if key in document), None
                )
                if isinstance(label, str):
                    place += f" {json.dumps(label, ensure_ascii=False)}"
            table = self.table(kind, document, place)
            if table is not None:
                yield place, table

    def _value(self, kind: Any, value: object, where: str) -> Any:
        if kind is SecretText:
            return self._secret(value, where)
        tables = [it for it in (kind, *get_args(kind)) if isinstance(it, type) and issubclass(it, Table)]
        if tables and get_origin(kind) is tuple:
            return tuple(table for _, table in self.many(tables[0], value, where))
        for choice in get_args(kind):
            # "sip:a" or [{uri = "sip:a"}, ...]: a list of tables is read as such, all else as the others.
            if get_origin(choice) is tuple and isinstance(get_args(choice)[0], type):
                of = get_args(choice)[0]
                if issubclass(of, Table):
                    if isinstance(value, list) and value and all(isinstance(it, dict) for it in value):
                        return tuple(table for _, table in self.many(of, value, where))
                    return self._plain(next(it for it in get_args(kind) if it is not choice), value, where)
        if tables and isinstance(value, dict):
            table = self.table(tables[0], value, where)
            if table is None and not self.is_bad(where):
                self._bad.add(where)  # the key below it has been told
            return table
        mapping = next((it for it in (kind, *get_args(kind)) if get_origin(it) is dict), None)
        if mapping is not None and isinstance(value, dict):
            of = get_args(mapping)[1]
            return {key: self._plain(of, one, f"{where}.{key}") for key, one in value.items()}
        return self._plain(kind, value, where)

    def _plain(self, kind: Any, value: object, where: str) -> Any:
        try:
            return msgspec.convert(value, kind, dec_hook=_decode)
        except msgspec.ValidationError:
            self.refuse(where, f"{show(value)} is not {describe(kind)}")
            return None

    def _secret(self, value: object, where: str) -> SecretText:
        if isinstance(value, str):
            return SecretText(value)
        if isinstance(value, dict) and len(value) == 1:
            ((kind, name),) = value.items()
            known = {"env": self._environment, "file": self._secrets}.get(kind)
            if known is not None and isinstance(name, str):
                if name in known:
                    return SecretText(known[name].rstrip("\r\n"))
                what = "environment variable {} is not set" if kind == "env" else "file {} cannot be read"
                self.refuse(where, what.format(name))
                return SecretText("")
        self.refuse(where, 'is not a text, {env = "NAME"} or {file = "PATH"}')
        return SecretText("")


LISTED_MAX = 20  # words that are listed beside the one that was probably meant


def parse_duration(value: object) -> float:
    """Return seconds of ``20``, ``"20s"``, ``"3m"``, ``"4h"``, ``"500ms"``; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a duration")
    if isinstance(value, str):
        digits = value.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = value[len(digits) :]
        if unit not in SECONDS_BY_UNIT or not digits.replace(".", "", 1).isdigit() or not digits.isascii():
            raise ValueError("not a duration")
        seconds = float(digits) * SECONDS_BY_UNIT[unit]
    else:
        seconds = float(value)
    if not 0 <= seconds <= DURATION_MAX:
        raise ValueError("not a duration")
    return seconds


def _decode(kind: type, value: object) -> object:
    if kind is Duration:
        return Duration(parse_duration(value))
    raise NotImplementedError(kind)


def suggest(word: str, allowed: Sequence[str]) -> str:
    """Return `` (did you mean b?); there are a, b`` for a word that is none of ``allowed``.

    Where there are many, and one is close, that one is enough.
    """
    if not allowed:
        return "; there are none"
    close = get_close_matches(word, allowed, n=1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    if close and len(allowed) > LISTED_MAX:
        return meant
    return f"{meant}; there are {', '.join(allowed)}"


def show(value: object) -> str:
    """Return a value much as TOML writes it, shortened."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool | int | float | str | list):
        try:
            text = json.dumps(value, ensure_ascii=False)
        except TypeError:
            return "a list"
        return text if len(text) <= 60 else text[:57] + "..."
    return str(value)


_PLAIN_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    Duration: 'a duration such as 20, "20s", "3m" or "4h"',
}


def describe(kind: Any) -> str:
    """Return what a key of this type takes, in words."""
    if kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _PLAIN_WORDS[args[0]] + _bounds(args[1])
    if origin is Literal:
        words = [show(arg) for arg in args if isinstance(arg, str)]
        return words[0] if len(words) == 1 else "one of " + ", ".join(words)
    if origin in (Union, UnionType):
        return " or ".join(describe(arg) for arg in args if arg is not type(None))
    if origin is tuple:
        if args[-1] is Ellipsis:
            return (
                "a list of texts" if get_origin(args[0]) is not Literal else f"a list of {describe(args[0])}"
            )
        return f"a list of {len(args)}, each {describe(args[0])}"
    return "a table"


def _bounds(meta: msgspec.Meta) -> str:
    if meta.ge is not None and meta.le is not None:
        return f" from {meta.ge} to {meta.le}"
    return f" of at least {meta.ge}"
