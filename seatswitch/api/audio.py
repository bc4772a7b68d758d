"""Audio: pieces of the files that recordings and voicemails are in, and who begins to listen to which.

A disk may be slow, or a network disk gone: the shell reads a piece by a thread, and answers with an input of
its own.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from kernel.errors import OperationRefused
from seatswitch.api.dispatch import Later
from seatswitch.api.scope import Scope

CHUNK_MAX = 65_536  # bytes of audio in one answer
_REST = 1_000  # bytes of an answer besides its audio, about
_FILE_MAX = 2**32  # bytes, as many as a WAV file may have

Offset = Annotated[int, Meta(ge=0, le=_FILE_MAX, description="bytes")]
Length = Annotated[int, Meta(ge=0, le=CHUNK_MAX, description="bytes; 0: no audio")]
Size = Annotated[int | None, Meta(description="bytes of the file; null: none were asked for")]
Audio = Annotated[str | None, Meta(description="base64; null: none were asked for")]


def no_piece(offset: int) -> dict[str, Any]:
    """Return what an answer says of audio where none is asked for."""
    return {"size": None, "offset": offset, "audio": None}


class Wanted(NamedTuple):
    """A piece of a file in the folder of recordings."""

    file: str
    offset: int
    length: int


class Found(NamedTuple):
    """What there is of it; ``why`` there is nothing: NO_AUDIO, AUDIO_LATE."""

    data: bytes = b""
    size: int = 0  # of the file
    why: str = ""


_WHY = {"NO_AUDIO": "cannot be read", "AUDIO_LATE": "cannot be read now: the disk does not answer"}


def read_piece(
    scope: Scope, wanted: Wanted, answer: Callable[[dict[str, Any]], dict[str, Any]]
) -> Later:
    """Return what is wanted of a file, which is yet to come: ``answer`` makes the result of it. NO_AUDIO if
    the file is not there, AUDIO_LATE if the disk does not say.
    """

    def finish(found: Found, now: float) -> dict[str, Any]:
        if found.why:
            raise OperationRefused(found.why, f"file {wanted.file} {_WHY[found.why]}")
        scope.now = now
        audio = b64encode(found.data).decode()
        return answer({"size": found.size, "offset": wanted.offset, "audio": audio})

    return Later(wanted, finish, wanted.length * 4 // 3 + _REST)


def begins(scope: Scope, file: str, offset: int) -> bool:
    """Say whether the connection begins to listen to ``file``, rather than goes on with it: wherever in it,
    or nobody would know of who leaves out the first byte.
    """
    connection = scope.connection
    is_other = connection.listens_to != file
    connection.listens_to = file
    return is_other or not offset
