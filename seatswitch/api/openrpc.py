"""The OpenRPC document and docs/rpc.md, generated from the tables that check requests.

Extensions: ``x-right`` (the least role), ``x-available``, ``x-words`` and ``x-notifications``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from seatswitch.api.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    WORDS,
)
from seatswitch.api.method import Method
from seatswitch.api.shapes import Instant, SeatNumber
from seatswitch.api.subscriptions import TOPICS

VERSION = "1.0"  # of the methods, not of the program

PROTOCOL_ERRORS = (
    (PARSE_ERROR, "the text is no JSON: also NaN, bytes that are not UTF-8, half a surrogate pair"),
    (INVALID_REQUEST, "no request: also too long, nested too deep, an empty or too large batch"),
    (METHOD_NOT_FOUND, "there is no such method"),
    (INVALID_PARAMS, "wrong parameters: by position, of a wrong type, unknown, missing, out of range"),
    (INTERNAL_ERROR, "a bug of the switch, which has logged it"),
)


class Event(msgspec.Struct, frozen=True):
    """A change. Nothing was lost iff ``prev`` is the ``seq`` of the event (or answer) before."""

    seq: int
    prev: int
    at: Instant
    topic: str
    data: dict[str, Any]


class SeatLost(msgspec.Struct, frozen=True):
    """The seat this connection was signed in at."""

    seat: SeatNumber


NOTIFICATIONS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("event", "Something has changed that the connection subscribed to.", Event),
    (
        "session.kicked",
        "Somebody else has signed in at the seat or resumed its session. The connection stays open without "
        "the seat; a subscription that hung on it is over.",
        SeatLost,
    ),
    (
        "session.ended",
        "The seat was signed out, by a supervisor or because its work was over. The connection stays open "
        "without the seat; a subscription that hung on it is over. It comes at once behind the event that "
        "says so; while nobody at all subscribes, before the answer to the next request.",
        SeatLost,
    ),
)

INTRODUCTION = """\
One JSON text per line over the Unix and TCP sockets of `[rpc] listen`: JSON-RPC 2.0 requests, notifications
and batches. Parameters are by name. An id is a string, a number or null and comes back as it was written. Of
equal keys in an object the last one counts. Answers come in the order of the requests, but for those with
audio, which come when the disk has been read.

The Unix socket gives the role `admin`. A TCP connection has no role until it signs in at a seat
(`session.login`, `session.resume`) or presents a token (`session.token`). Each role may do what the ones
before it may: none, `agent`, `supervisor`, `admin`. A seat's role holds for its tenant, and what belongs to
another tenant does not exist for it; roles of sockets and tokens hold for all tenants. Rights are checked
before parameters. A refusal never closes the connection.

Ten failed sign-ins of one connection, or for one seat, within 60 s make every further one `TRY_LATER` until
that minute is over, right or wrong (for the seat not on the Unix socket); `data.retry_after` says how many
seconds are left.

A text has at most 1,048,576 bytes (16,384 while the connection has no role) and is nested at most 32 deep, a
batch has at most 100 requests; what is refused for that is answered with -32600.

Times are RFC 3339 in UTC, durations are seconds, unknown values are null.
"""


def build_document(methods: Mapping[str, Method]) -> dict[str, Any]:
    """Return the OpenRPC 1.3 document."""
    types: dict[Any, dict[str, Any]] = {}
    shapes = [
        *(method.params for method in methods.values()),
        *(method.result for method in methods.values()),
        *(shape for _, _, shape in NOTIFICATIONS),
    ]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    count = len(methods)
    entries = []
    for method, params, result in zip(
        methods.values(), schemas[:count], schemas[count : 2 * count], strict=True
    ):
        entries.append(_build_method(method, _resolve(params, components), result))
    for method in methods.values():
        types.setdefault(method.params.__name__, components.get(method.params.__name__, {}))
    notifications = [
        {"name": name, "description": text, "params": _descriptors(_resolve(schema, components))}
        for (name, text, _), schema in zip(NOTIFICATIONS, schemas[2 * count :], strict=True)
    ]
    used = {name: schema for name, schema in components.items() if name not in types}
    return {
        "openrpc": "1.3.2",
        "info": {"title": "seatswitch", "version": VERSION, "description": INTRODUCTION},
        "methods": entries,
        "components": {"schemas": used},
        "x-notifications": notifications,
        "x-topics": list(TOPICS),
    }


def _resolve(schema: dict[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object schema that a reference to a component names."""
    name = str(schema["$ref"]).rpartition("/")[2]
    resolved: dict[str, Any] = components[name]
    return resolved


def _descriptors(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return OpenRPC content descriptors, the required ones first (OpenRPC 1.3: required before optional)."""
    required = schema.get("required", [])
    found = [
        {"name": name, "required": name in required, "schema": each}
        for name, each in schema.get("properties", {}).items()
    ]
    return sorted(found, key=lambda each: not each["required"])


def _build_method(method: Method, params: Mapping[str, Any], result: Any) -> dict[str, Any]:
    words = _words(method)
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": _descriptors(params),
        "result": {"name": "result", "schema": result},
        "errors": [
            {"code": WORDS[word][0], "message": WORDS[word][1], "data": {"word": word}} for word in words
        ],
        "x-right": method.right or "none",
        "x-available": method.run is not None,
    }


def _words(method: Method) -> list[str]:
    words = list(method.words)
    if method.right:
        words.insert(0, "NO_RIGHT")
    if method.run is None:
        words.insert(0, "NOT_AVAILABLE")
    return words


# docs/rpc.md


def build_markdown(document: Mapping[str, Any]) -> str:
    """Return the same document for people."""
    made = "Generated from the tables of `seatswitch/api` by `python -m docs.build_rpc`."
    lines = ["# JSON-RPC", "", made, ""]
    lines += [INTRODUCTION]
    lines += _contents(document["methods"])
    for method in document["methods"]:
        lines += _method_lines(method)
    lines += ["## Notifications", "", "The switch sends these without having been asked.", ""]
    for notification in document["x-notifications"]:
        lines += [f"### {notification['name']}", "", notification["description"], ""]
        lines += _parameter_lines(notification["params"])
    lines += [f"Topics of events: {', '.join(f'`{topic}`' for topic in document['x-topics'])}.", ""]
    lines += ["## Objects", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += [f"### {name}", "", schema.get("description", ""), ""]
        lines += _parameter_lines(_descriptors(schema))
    lines += _error_lines()
    return "\n".join(lines).rstrip() + "\n"


def _contents(methods: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = ["## Methods", "", "| method | least role | |", "|---|---|---|"]
    for method in methods:
        name = method["name"]
        anchor = name.replace(".", "")
        text = method["summary"].partition(". ")[0].rstrip(".")
        if not method["x-available"]:
            text += " (not available yet)"
        lines.append(f"| [{name}](#{anchor}) | {method['x-right']} | {text} |")
    return [*lines, ""]


def _method_lines(method: Mapping[str, Any]) -> list[str]:
    if not method["x-available"]:
        lines = [f"### {method['name']}", "", f"{method['summary']} Not available yet.", ""]
    else:
        lines = [f"### {method['name']}", "", method["summary"], ""]
    lines += [f"Role: {method['x-right']}.", ""]
    lines += _parameter_lines(method["params"])
    lines += [f"Result: {_type_text(method['result']['schema'])}.", ""]
    words = ", ".join(f"`{error['data']['word']}`" for error in method["errors"])
    return [*lines, f"Refusals: {words}.", ""] if words else lines


def _parameter_lines(params: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = ["| name | | type |", "|---|---|---|"]
    for param in params:
        need = "" if param["required"] else "optional"
        lines.append(f"| `{param['name']}` | {need} | {_type_text(param['schema'])} |")
    return [*lines, ""] if len(lines) > 2 else []


def _error_lines() -> list[str]:
    lines = ["## Errors", "", "| code | word (`data.word`) | meaning |", "|---|---|---|"]
    lines += [f"| {code} | | {meaning} |" for code, meaning in PROTOCOL_ERRORS]
    lines += [f"| {code} | `{word}` | {meaning} |" for word, (code, meaning) in WORDS.items()]
    return lines


def _type_text(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type_text(each) for each in schema["anyOf"])
    if "enum" in schema:
        text = ", ".join("none" if each == "" else f"`{each}`" for each in schema["enum"])
    elif schema.get("type") == "array":
        text = f"list of {_type_text(schema.get('items', {}))}"
    else:
        text = str(schema.get("type", "any"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        text += f" {'' if low is None else f'{low:.12g}'}..{'' if high is None else f'{high:.12g}'}"
    description = schema.get("description")
    return f"{text} ({description})" if description else text
