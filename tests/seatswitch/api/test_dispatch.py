"""JSON-RPC 2.0 to the letter, and what a stranger may throw at it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import OperationRefused
from kernel.limits import RPC_BACKLOG_MAX, RPC_BATCH_MAX, RPC_LINE_MAX, RPC_NESTING_MAX
from seatswitch.api.dispatch import Later, Reply, answer, nests_too_deep, no_such_method
from tests.seatswitch.api.stub import Office


def echo(method: str, params: bytes) -> Any:
    """A switch of three methods."""
    if method == "echo":
        return json.loads(params)
    if method == "refuse":
        raise OperationRefused("QUOTA", "all 3 seats are in use")
    if method == "break":
        raise ZeroDivisionError
    if method == "long":
        return "x" * 1_000_000
    raise no_such_method(method)


def ask(text: bytes | str) -> Any:
    reply = answer(text.encode() if isinstance(text, str) else text, echo)
    assert reply.bug is None
    return None if reply.text is None else json.loads(reply.text)


def error(code: int, number: Any = None) -> Any:
    """What a response must be, whatever its message."""

    class Like(dict[str, Any]):
        def __eq__(self, other: object) -> bool:
            assert isinstance(other, dict)
            return (
                other.keys() == {"jsonrpc", "id", "error"}
                and other["jsonrpc"] == "2.0"
                and other["id"] == number
                and other["error"]["code"] == code
                and isinstance(other["error"]["message"], str)
            )

        __hash__ = None  # type: ignore[assignment]

    return Like()


@pytest.mark.parametrize(
    "number", ['"a"', "1", "-7", "1.5", "1e400", "null", "9" * 60, '"\\u00e9 \\" é"', '""']
)
def test_an_id_is_a_string_a_number_or_null_and_comes_back_as_it_was(number: str) -> None:
    """JSON-RPC 2.0, 4: the value MUST be the same, also where no float can hold it."""
    reply = answer(f'{{"jsonrpc":"2.0","method":"echo","params":{{"a":1}},"id":{number}}}'.encode(), echo)
    assert reply.text == f'{{"jsonrpc":"2.0","id":{number},"result":{{"a":1}}}}'.encode()


@pytest.mark.parametrize("number", ["true", "{}", "[]", "[1]", "false"])
def test_any_other_id_is_no_request(number: str) -> None:
    assert ask(f'{{"jsonrpc":"2.0","method":"echo","id":{number}}}') == error(-32600)


def test_a_notification_is_never_answered() -> None:
    """JSON-RPC 2.0, 4.1: not even with an error."""
    for method in ("echo", "refuse", "no.such"):
        assert ask(f'{{"jsonrpc":"2.0","method":"{method}"}}') is None
    assert ask('{"jsonrpc":"2.0","method":"echo","params":{"a":1}}') is None


def test_the_examples_of_the_specification() -> None:
    """JSON-RPC 2.0, 7."""
    assert ask('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}') == error(-32601, "1")
    assert ask('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]') == error(-32700)
    assert ask('{"jsonrpc": "2.0", "method": 1, "params": "bar"}') == error(-32600)
    assert ask('[{"jsonrpc": "2.0", "method": "sum", "id": "1"}, {"jsonrpc": "2.0", "method"]') == error(
        -32700
    )
    assert ask("[]") == error(-32600)
    assert ask("[1]") == [error(-32600)]
    assert ask("[1,2,3]") == [error(-32600)] * 3
    assert ask('[{"jsonrpc": "2.0", "method": "echo"}, {"jsonrpc": "2.0", "method": "echo"}]') is None
    batch = """[
        {"jsonrpc": "2.0", "method": "echo", "params": {"a": [1, 2, 4]}, "id": "1"},
        {"jsonrpc": "2.0", "method": "echo", "params": {"a": 7}},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"}
    ]"""
    assert ask(batch) == [
        {"jsonrpc": "2.0", "id": "1", "result": {"a": [1, 2, 4]}},
        error(-32600),
        error(-32601, "5"),
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "nul", "{'a':1}", '{"a":NaN}', '{"a":Infinity}', '{"a":1}x', "\ufeff{}"]
)
def test_what_is_no_json(text: str) -> None:
    assert ask(text) == error(-32700)


@pytest.mark.parametrize("text", [b'{"id":"\xff"}', b'{"\xc0\xaf":1}', b"\xed\xa0\x80", b'{"id":"\x00"}'])
def test_bytes_that_are_no_text(text: bytes) -> None:
    assert ask(text) == error(-32700)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        '"a"',
        "null",
        "true",
        "{}",
        '{"jsonrpc":"1.0","method":"echo"}',
        '{"jsonrpc":2.0,"method":"echo"}',
        '{"method":"echo"}',
        '{"jsonrpc":"2.0"}',
        '{"jsonrpc":"2.0","method":null}',
        '{"jsonrpc":"2.0","method":"echo","params":null}',
        '{"jsonrpc":"2.0","method":"echo","params":1}',
        '{"jsonrpc":"2.0","method":"echo","params":"a"}',
    ],
)
def test_what_is_no_request(text: str) -> None:
    assert ask(text) == error(-32600)


def test_an_invalid_request_with_an_id_is_answered_under_it() -> None:
    assert ask('{"jsonrpc":"1.0","method":"echo","id":5}') == error(-32600, 5)


def test_of_equal_keys_the_last_one_counts() -> None:
    text = (
        '{"jsonrpc":"2.0","method":"no","method":"echo",'
        '"id":1,"id":2,"params":{"a":1},"x":0,"params":{"b":2}}'
    )
    assert ask(text) == {"jsonrpc": "2.0", "id": 2, "result": {"b": 2}}


def test_a_refusal_carries_its_code_and_its_word() -> None:
    assert ask('{"jsonrpc":"2.0","method":"refuse","id":1}') == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32011, "message": "all 3 seats are in use", "data": {"word": "QUOTA"}},
    }


def test_a_bug_of_ours_is_answered_and_handed_on() -> None:
    """The client does not wait for ever, the rest of the batch is done, and the shell gets the exception."""
    reply = answer(
        b'[{"jsonrpc":"2.0","method":"break","id":1},{"jsonrpc":"2.0","method":"echo","id":2}]', echo
    )
    assert isinstance(reply.bug, ZeroDivisionError)
    assert reply.text is not None
    assert json.loads(reply.text) == [error(-32603, 1), {"jsonrpc": "2.0", "id": 2, "result": {}}]


def test_a_batch_is_bounded_in_requests_and_in_answers() -> None:
    one = '{"jsonrpc":"2.0","method":"echo","id":1}'
    assert len(ask("[" + ",".join([one] * RPC_BATCH_MAX) + "]")) == RPC_BATCH_MAX
    assert ask("[" + ",".join([one] * (RPC_BATCH_MAX + 1)) + "]") == error(-32600)
    long = '{"jsonrpc":"2.0","method":"long","id":1}'
    answers = ask("[" + ",".join([long] * 9) + "]")
    words = [each.get("error", {}).get("data", {}).get("word") for each in answers]
    full = RPC_BACKLOG_MAX // 1_000_000 + 1
    assert words == [None] * full + ["TOO_LARGE"] * (9 - full)


def test_a_text_is_bounded_in_length() -> None:
    assert ask(b" " * (RPC_LINE_MAX + 1)) == error(-32600)


def test_an_error_does_not_quote_without_end() -> None:
    desk = Office().desk("admin")
    response = desk.response("seat.get", **{"x" * 100_000: 1})
    assert response["error"]["code"] == -32602
    assert len(response["error"]["message"]) <= 300


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b"[" * RPC_NESTING_MAX + b"]" * RPC_NESTING_MAX, False),
        (b"[" * (RPC_NESTING_MAX + 1) + b"]" * (RPC_NESTING_MAX + 1), True),
        (b'{"a":' * 33 + b"1" + b"}" * 33, True),
        (b"[" * 10_000, True),
        (b'["' + b"[" * 100 + b'"]', False),  # brackets in a string
        (b'["\\"' + b"[" * 100 + b'"]', False),
        (b'["\\\\",' + b"[" * 40 + b"]" * 40 + b"]", True),
        (b"[" + b"[]," * 1000 + b"[]]", False),  # wide, not deep
    ],
)
def test_nesting_is_measured_without_recursion(text: bytes, deep: bool) -> None:
    """A-JSON: 10,000 deep."""
    assert nests_too_deep(text) is deep


def test_deep_nesting_is_one_refusal() -> None:
    for text in (b"[" * 10_000 + b"]" * 10_000, b"[" * 1_000_000, b'{"a":' * 100_000):
        assert ask(text) == error(-32600)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": st.integers() | st.text() | JSON,
        "method": st.sampled_from(
            ["session.login", "seat.get", "events.subscribe", "admin.status", "call.hangup"]
        )
        | JSON,
        "params": st.dictionaries(
            st.sampled_from(["seat", "call", "topics", "since", "hotline", "password", "reason"]),
            JSON,
            max_size=4,
        )
        | JSON,
    },
)


def must_be_answers(heard: list[Any]) -> None:
    for text in heard:
        for response in text if isinstance(text, list) else [text]:
            assert response["jsonrpc"] == "2.0"
            if "method" not in response:
                assert ("result" in response) != ("error" in response)
                assert response["id"] is None or isinstance(response["id"], str | int | float)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=3), st.sampled_from(["", "admin"]))
def test_any_bytes_are_answered_and_raise_nothing(texts: list[bytes], role: str) -> None:
    desk = Office().desk(role)
    for text in texts:
        heard = desk.say(text)
        must_be_answers(heard)
        assert len(heard) <= 1


@settings(max_examples=500, deadline=None)
@given(st.lists(LIKELY | st.lists(LIKELY, max_size=4) | JSON, max_size=4), st.sampled_from(["", "admin"]))
def test_any_json_is_answered_and_raises_nothing(texts: list[Any], role: str) -> None:
    office = Office()
    desk = office.desk(role)
    for text in texts:
        must_be_answers(desk.say(json.dumps(text)))
    office.wait(100)


def test_a_request_decodes_once_whatever_its_spaces() -> None:
    assert ask(' {"jsonrpc" : "2.0" , "id" : 1 , "method" : "echo" , "params" : { } } \r') == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {},
    }


# What is yet to come.


def waits(text: str) -> tuple[Reply, list[Later]]:
    """Ask a switch whose method ``wait`` is answered later, twice as loud as what is found."""

    def call(method: str, params: bytes) -> Any:
        return Later(method, twice, 1_000) if method == "wait" else echo(method, params)

    reply = answer(text.encode(), call)
    return reply, [later for _, _, later in reply.waiting]


def twice(found: Any, now: float) -> Any:
    if found == "gone":
        raise OperationRefused("NO_AUDIO", "it is not there")
    if found == "bug":
        raise ZeroDivisionError
    return [found, found, now]


def asked(number: int | None, method: str = "wait") -> str:
    identity = "" if number is None else f', "id": {number}'
    return f'{{"jsonrpc": "2.0", "method": "{method}", "params": {{}}{identity}}}'


def test_a_text_follows_when_what_it_waits_for_is_there() -> None:
    reply, (later,) = waits(asked(7))
    assert reply.text is None
    reply.come(later, "a", 5.0)
    assert reply.text == b'{"jsonrpc":"2.0","id":7,"result":["a","a",5.0]}'


def test_what_comes_may_be_a_refusal_or_a_bug_of_ours() -> None:
    reply, (later,) = waits(asked(7))
    reply.come(later, "gone", 5.0)
    assert json.loads(reply.text or b"")["error"]["data"] == {"word": "NO_AUDIO"}
    reply, (later,) = waits(asked(7))
    reply.come(later, "bug", 5.0)
    assert json.loads(reply.text or b"") == error(-32603, 7)
    assert isinstance(reply.bug, ZeroDivisionError)


def test_a_batch_is_answered_when_all_of_it_is_there_in_its_order() -> None:
    batch = f"[{asked(1)}, {asked(2, 'echo')}, {asked(None)}, {asked(3)}]"
    reply, (first, second) = waits(batch)
    assert reply.text is None
    reply.come(second, "b", 5.0)
    assert reply.text is None
    reply.come(first, "a", 6.0)
    told = json.loads(reply.text or b"")
    assert [(one["id"], one["result"]) for one in told] == [
        (1, ["a", "a", 6.0]),
        (2, {}),
        (3, ["b", "b", 5.0]),
    ]


def test_a_notification_waits_for_nothing() -> None:
    reply, later = waits(asked(None))
    assert (reply.text, later) == (None, [])


def test_what_is_yet_to_come_counts_among_what_a_batch_may_bring() -> None:
    def call(method: str, params: bytes) -> Any:
        return Later(method, twice, RPC_BACKLOG_MAX // 3)

    reply = answer(f"[{','.join(asked(number) for number in range(6))}]".encode(), call)
    assert len(reply.waiting) == 4
    for _, _, later in list(reply.waiting):
        reply.come(later, "a", 1.0)
    words = [one.get("error", {}).get("data", {}).get("word") for one in json.loads(reply.text or b"")]
    assert words == [None] * 4 + ["TOO_LARGE"] * 2
