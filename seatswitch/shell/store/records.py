"""Records and files of the journal, and how they are read.

A record is ``SWJ1``, the payload's length and CRC-32 (big-endian), and a msgpack array of rows: whole, or not
there. What stands behind a damaged record is found by its mark. What is damaged is kept beside the journal,
in a file that names it (:func:`put_aside`), and told; the rest is read.
"""

import os
import struct
import zlib
from functools import reduce
from operator import or_
from pathlib import Path
from types import GenericAlias
from typing import NamedTuple, get_args

import msgspec
import structlog

from kernel.rows import AnyRow
from kernel.staterows import JournalRow, StateRow
from kernel.texts import readable

SUFFIX = ".journal"
DAMAGED = ".damaged"

_MARK = b"SWJ1"
_HEAD = struct.Struct(">4sII")
_PACK = _HEAD.pack
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[JournalRow]).decode


class _PassedOver(msgspec.Struct, array_like=True, tag_field="table"):
    """A state row, unread: they are two thirds of a journal, and of no use but to the next switch."""


_PASSED_OVER = tuple(
    msgspec.defstruct(row_type.__name__, [], bases=(_PassedOver,), tag=row_type.__struct_config__.tag)
    for row_type in get_args(StateRow)
)
_DECODE_OTHERS = msgspec.msgpack.Decoder(GenericAlias(list, reduce(or_, (AnyRow, *_PASSED_OVER)))).decode
_CRC = zlib.crc32

log = structlog.get_logger()


class Position(NamedTuple):
    """A place in the journal: the number of a file and the bytes of it that are behind."""

    file: int
    offset: int


def journal_files(folder: Path) -> list[int]:
    """Return the numbers of the files in ``folder``, oldest first."""
    names = (path.name.removesuffix(SUFFIX) for path in folder.glob("*" + SUFFIX))
    return sorted(int(name) for name in names if name.isdigit())


def journal_path(folder: Path, file: int) -> Path:
    """Return the path of file number ``file``."""
    return folder / f"{file:010d}{SUFFIX}"


def build_record(rows: list[JournalRow]) -> bytes:
    """Return one record. Bytes of somebody's message that are no UTF-8 become question marks."""
    try:
        payload = _ENCODE(rows)
    except UnicodeEncodeError:
        payload = _ENCODE(readable(rows))
    return _PACK(_MARK, len(payload), _CRC(payload)) + payload


def forget_before(folder: Path, file: int) -> None:
    """Delete the files before number ``file``, which is on the disk itself when this returns."""
    old = [number for number in journal_files(folder) if number < file]
    if not old or not journal_path(folder, file).exists():
        return
    # It opens with the state rows of all that lives: only when it is safe are older ones worth nothing.
    for path, flags in ((journal_path(folder, file), os.O_RDWR), (folder, os.O_RDONLY)):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for number in old:
        journal_path(folder, number).unlink(missing_ok=True)


def put_aside(folder: Path, file: int, offset: int, data: bytes) -> None:
    """Keep damaged bytes for whoever wants to look at them, and say so."""
    name = f"{file:010d}-{offset}{DAMAGED}"
    try:
        (folder / name).write_bytes(data)
    except OSError as error:
        name = f"not kept: {error.strerror}"
    log.error(
        "! the journal is damaged: what can be read is used, the rest is put aside",
        file=journal_path(folder, file).name,
        offset=offset,
        bytes=len(data),
        kept_in=name,
    )


def cut_torn_tail(path: Path) -> int:
    """Cut what a crash left behind the last whole record, and return how many bytes that were."""
    data = path.read_bytes()
    whole = _records(data, 0)
    end = whole[-1][1] if whole else 0
    if end < len(data):
        os.truncate(path, end)
        log.warning("the journal's torn last record is dropped", file=path.name, bytes=len(data) - end)
    return len(data) - end


def read_last(folder: Path, file: int) -> list[JournalRow]:
    """Return every row of the last file, with its torn tail cut off and damage put aside."""
    path = journal_path(folder, file)
    cut_torn_tail(path)
    follower = Follower(folder, Position(file, 0), puts_aside=True)
    rows: list[JournalRow] = []
    while found := follower.next_rows():
        rows += found
    return rows


def _records(data: bytes, at: int) -> "list[tuple[memoryview, int]]":
    """Return (payload, end) of every whole record from ``at``, passing over what is damaged between them."""
    found = []
    view = memoryview(data)  # of which a payload is a part: each is looked at, none is copied
    while (at := data.find(_MARK, at)) >= 0:
        begin = at + _HEAD.size
        if begin > len(data):
            break
        _, length, checksum = _HEAD.unpack_from(data, at)
        payload = view[begin : begin + length]
        if len(payload) == length and zlib.crc32(payload) == checksum:
            at = begin + length
            found.append((payload, at))
        else:
            at += 1
    return found


def _decode_all(payload: memoryview) -> list[JournalRow]:
    return _DECODE(payload)


def _decode_rows(payload: memoryview) -> list[JournalRow]:
    return [row for row in _DECODE_OTHERS(payload) if not isinstance(row, _PassedOver)]


class Follower:
    """Reads the journal from a position onwards, file after file."""

    def __init__(
        self, folder: Path, position: Position, *, puts_aside: bool = False, with_states: bool = True
    ) -> None:
        """``with_states`` False leaves out state rows, unread."""
        self.folder = folder
        self.position = position
        self.is_behind = False  # there was more to read than the last look has taken
        self.bytes_skipped = 0  # damaged or unreadable
        self._puts_aside = puts_aside
        self._decode = _decode_all if with_states else _decode_rows

    def next_rows(self) -> list[JournalRow]:
        """Return rows that have been added, at most one file's; none when nothing is new.

        The position is behind them afterwards.
        """
        files = journal_files(self.folder)
        for number in files:
            if number < self.position.file:
                continue
            start = self.position.offset if number == self.position.file else 0
            rows, end, rest = self._read(number, start)
            if number != files[-1]:
                # Nobody appends to an older file: what is left of it is damage.
                if rest:
                    self._skip(number, end, rest)
                end += len(rest)
            self.position = Position(number, end)
            self.is_behind = number != files[-1]
            if rows:
                return rows
        return []

    def _read(self, number: int, start: int) -> tuple[list[JournalRow], int, bytes]:
        """Return new rows of one file, the end of the last whole record, and what follows it."""
        try:
            with journal_path(self.folder, number).open("rb") as file:
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return [], start, b""
        rows: list[JournalRow] = []
        behind = 0
        for payload, end in _records(data, 0):
            begin = end - len(payload) - _HEAD.size
            if begin > behind:
                self._skip(number, start + behind, data[behind:begin])
            behind = end
            try:
                rows += self._decode(payload)
            except msgspec.MsgspecError:
                self._skip(number, start + begin, data[begin:end])
        return rows, start + behind, data[behind:]

    def _skip(self, file: int, offset: int, data: bytes) -> None:
        self.bytes_skipped += len(data)
        if self._puts_aside:
            put_aside(self.folder, file, offset, data)
