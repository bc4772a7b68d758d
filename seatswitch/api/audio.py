"""Audio: pieces of the files that recordings and voicemails are in, and who begins to listen to which."""

from base64 import b64encode
from typing import Annotated, Any

from msgspec import Meta

from kernel.errors import OperationRefused
from seatswitch.api.scope import Scope

CHUNK_MAX = 65_536  # bytes of audio in one answer
_FILE_MAX = 2**32  # bytes, as many as a WAV file may have

Offset = Annotated[int, Meta(ge=0, le=_FILE_MAX, description="bytes")]
Length = Annotated[int, Meta(ge=0, le=CHUNK_MAX, description="bytes; 0: no audio")]
Size = Annotated[int | None, Meta(description="bytes of the file; null: none were asked for")]
Audio = Annotated[str | None, Meta(description="base64; null: none were asked for")]


def no_piece(offset: int) -> dict[str, Any]:
    """Return what an answer says of audio where none is asked for."""
    return {"size": None, "offset": offset, "audio": None}


def read_piece(scope: Scope, file: str, offset: int, length: int) -> dict[str, Any]:
    """Return ``length`` bytes of a file from ``offset`` on, fewer at its end; NO_AUDIO if it is not there."""
    found = None if scope.read_file is None else scope.read_file(file, offset, length)
    if found is None:
        raise OperationRefused("NO_AUDIO", f"file {file} cannot be read")
    data, size = found
    return {"size": size, "offset": offset, "audio": b64encode(data).decode()}


def begins(scope: Scope, file: str, offset: int) -> bool:
    """Say whether the connection begins to listen to ``file``, rather than goes on with it: wherever in it,
    or nobody would know of who leaves out the first byte.
    """
    connection = scope.connection
    is_other = connection.listens_to != file
    connection.listens_to = file
    return is_other or not offset
