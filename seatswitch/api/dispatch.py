"""JSON-RPC 2.0: one text in, at most one text out.

The specification (jsonrpc.org) to the letter: requests, notifications, batches, an id is a string, a number
or null and comes back byte by byte. Stricter where it is silent: parameters are by name, one text is
UTF-8 without NaN, and is bounded in length, nesting and batch size before anything of it is built. Of equal
keys the last one counts; unknown members of a request are ignored, unknown parameters are not.

What a method answers with may be yet to come (:class:`Later`): the text follows when all of it is there.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from kernel.errors import OperationRefused
from kernel.limits import RPC_BACKLOG_MAX, RPC_BATCH_MAX, RPC_LINE_MAX, RPC_NESTING_MAX
from kernel.texts import to_json
from seatswitch.api.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Refusal,
    error_object,
)

MESSAGE_MAX = 300  # characters of an error message, which may quote the peer

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_TOO_DEEP = b"[" * (RPC_NESTING_MAX + 1)
_ANY = msgspec.json.Decoder(Raw)
_BATCH = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_STRING = msgspec.json.Decoder(str)
_NULL = b"null"
_VERSION = b'"2.0"'

Call = Callable[[str, bytes], Any]  # (method, params as JSON object) -> result; KeyError: no such method


class BadRequest(Exception):
    """What was sent is no request; ``code`` says how."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Later:
    """What a method returns whose result is not there yet.

    ``wants`` says to the shell what it waits for; ``finish(found, now)`` returns the result, or refuses.
    ``length`` is how many bytes the result will have, about.
    """

    __slots__ = ("finish", "length", "wants")

    def __init__(self, wants: Any, finish: Callable[[Any, float], Any], length: int) -> None:
        self.wants = wants
        self.finish = finish
        self.length = length


class Reply:
    """The answer to one text; ``bug`` is ours, to be raised."""

    __slots__ = ("bug", "is_batch", "texts", "waiting")

    def __init__(self) -> None:
        self.bug: Exception | None = None
        self.is_batch = False
        self.texts: list[bytes] = []
        self.waiting: list[tuple[int, bytes, Later]] = []  # where among the texts, id, what is yet to come

    @property
    def text(self) -> bytes | None:
        """What is to be sent; None: nothing, or not yet."""
        if self.waiting or not self.texts:
            return None
        return b"[" + b",".join(self.texts) + b"]" if self.is_batch else self.texts[0]

    def come(self, later: Later, found: Any, now: float) -> None:
        """What ``later`` waits for is there."""
        (waited,) = [one for one in self.waiting if one[2] is later]
        self.waiting.remove(waited)
        place, number, _ = waited
        self.texts[place] = _outcome(number, lambda: later.finish(found, now), self)


def nests_too_deep(text: bytes) -> bool:
    """Say whether arrays and objects stand more than ``RPC_NESTING_MAX`` deep in each other.

    Each round takes the innermost pairs away, so the work is linear in the length whatever was sent.
    """
    if text.count(b"[") + text.count(b"{") <= RPC_NESTING_MAX:
        return False
    outside = b"".join(text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NO_BRACKETS)
    if _TOO_DEEP in brackets:
        return True
    for _ in range(RPC_NESTING_MAX):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):
            break
        brackets = inner
    return brackets.count(b"[") > 0


def answer(text: bytes, call: Call, length_max: int = RPC_LINE_MAX) -> Reply:
    """Do what ``text`` asks through ``call`` and return what is to be sent."""
    reply = Reply()
    try:
        requests = _split(text, length_max)
    except BadRequest as error:
        reply.texts.append(_failure(_NULL, error.code, error.message))
        return reply
    if isinstance(requests, bytes):
        _answer_one(requests, call, reply)
        return reply
    reply.is_batch = True
    length = 0
    for request in requests:
        length += _answer_one(request, call if length < RPC_BACKLOG_MAX else _refuse_rest, reply)
    return reply


def _split(text: bytes, length_max: int) -> bytes | list[bytes]:
    """Return the one request or the batch that ``text`` is."""
    if len(text) > length_max:
        raise BadRequest(INVALID_REQUEST, f"longer than {length_max} bytes")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(PARSE_ERROR, "not UTF-8") from error
    if nests_too_deep(text):
        raise BadRequest(INVALID_REQUEST, f"nested deeper than {RPC_NESTING_MAX}, or brackets left open")
    try:
        _ANY.decode(text)
        if not text.lstrip().startswith(b"["):
            return text
        batch = _BATCH.decode(text)
    except msgspec.DecodeError as error:
        raise BadRequest(PARSE_ERROR, str(error)) from error
    if not batch:
        raise BadRequest(INVALID_REQUEST, "an empty batch")
    if len(batch) > RPC_BATCH_MAX:
        raise BadRequest(INVALID_REQUEST, f"more than {RPC_BATCH_MAX} requests in a batch")
    return [bytes(request) for request in batch]


def _answer_one(text: bytes, call: Call, reply: Reply) -> int:
    """Do one request; return how long its response is or will be, 0 for a notification."""
    number = _NULL
    try:
        members = _members(text)
        sent = members.get("id")
        if sent is not None:
            number = _identity(bytes(sent))
        method, params = _request(members)
    except BadRequest as error:
        response: Any = _failure(number, error.code, error.message)
        reply.texts.append(response)  # whether it was a notification nobody knows
        return len(response)
    response = _outcome(number, lambda: call(method, params), reply)
    if sent is None:
        return 0  # nobody waits for what is yet to come
    if isinstance(response, Later):
        reply.waiting.append((len(reply.texts), number, response))
        reply.texts.append(b"")
        return response.length
    reply.texts.append(response)
    return len(response)


def _outcome(number: bytes, act: Callable[[], Any], reply: Reply) -> Any:
    """Return the response that says what has come of ``act()``, or what is yet to come."""
    try:
        result = act()
        return result if isinstance(result, Later) else _success(number, result)
    except OperationRefused as refused:
        return _build(number, b"error", error_object(refused))
    except BadRequest as error:
        return _failure(number, error.code, error.message)
    except Exception as bug:
        # The client must not wait for ever for what we broke; the shell gets the bug all the same.
        reply.bug = reply.bug or bug
        return _failure(number, INTERNAL_ERROR, "Internal error; the switch has logged it")


def _members(text: bytes) -> Mapping[str, Raw]:
    try:
        return _MEMBERS.decode(text)
    except msgspec.ValidationError as error:
        raise BadRequest(INVALID_REQUEST, f"a request is an object: {error}") from error
    except msgspec.DecodeError as error:
        raise BadRequest(PARSE_ERROR, str(error)) from error


def _identity(sent: bytes) -> bytes:
    """Return the id to answer with; raise if it is no string, number or null."""
    sent = sent.strip()
    if sent[:1] == b'"':
        try:
            _STRING.decode(sent)
        except msgspec.DecodeError as error:
            raise BadRequest(PARSE_ERROR, str(error)) from error
        return sent
    if sent == _NULL or sent[:1] in b"-0123456789":
        return sent
    raise BadRequest(INVALID_REQUEST, "an id is a string, a number or null")


def _request(members: Mapping[str, Raw]) -> tuple[str, bytes]:
    """Return method and params of a request; raise if it is none."""
    version = members.get("jsonrpc")
    if version is None or bytes(version).strip() != _VERSION:
        raise BadRequest(INVALID_REQUEST, 'jsonrpc must be "2.0"')
    name = members.get("method")
    try:
        method = _STRING.decode(b"null" if name is None else name)
    except msgspec.DecodeError as error:
        raise BadRequest(INVALID_REQUEST, "method must be a string") from error
    given = members.get("params")
    params = b"{}" if given is None else bytes(given).strip()
    if params[:1] not in (b"{", b"["):
        raise BadRequest(INVALID_REQUEST, "params must be an object")
    return method, params


def decode_params(decoder: msgspec.json.Decoder[Any], params: bytes) -> Any:
    """Return the parameters as their type; raise INVALID_PARAMS naming what is wrong."""
    if params[:1] == b"[":
        raise BadRequest(INVALID_PARAMS, "parameters are by name: params must be an object")
    try:
        return decoder.decode(params)
    except msgspec.DecodeError as error:
        raise BadRequest(INVALID_PARAMS, str(error)) from error


def no_such_method(method: str) -> BadRequest:
    """Return the error of an unknown method."""
    return BadRequest(METHOD_NOT_FOUND, f"there is no method {method}; rpc.discover lists them")


def _refuse_rest(method: str, params: bytes) -> Any:
    raise Refusal("TOO_LARGE", "the answers before this one are too long already; ask again by itself")


def _success(number: bytes, result: Any) -> bytes:
    return _build(number, b"result", result)


def _failure(number: bytes, code: int, message: str) -> bytes:
    return _build(number, b"error", {"code": code, "message": message[:MESSAGE_MAX]})


def _build(number: bytes, what: bytes, value: Any) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"%b":%b}' % (number, what, to_json(value))
