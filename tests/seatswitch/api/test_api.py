"""The face: every text in its turn, bugs told to both sides, strangers ignored."""

import json

import pytest

from config.load import load_settings
from config.schema import Token
from tests.seatswitch.api.stub import CONFIG, Office


def test_texts_of_unknown_connections_are_dropped() -> None:
    office = Office()
    office.api.received(99, b"{", 1.0)
    office.api.closed(99, 1.0)
    assert office.api.replies.take() == []


def test_a_bug_of_the_node_reaches_the_client_and_the_shell() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    office.node.bug = AssertionError("the queue lost its order")
    with pytest.raises(AssertionError, match="lost its order"):
        desk.say('{"jsonrpc":"2.0","id":9,"method":"seat.pause","params":{"reason":"rest"}}')
    assert desk.heard[-1]["error"]["code"] == -32603
    assert "order" not in json.dumps(desk.heard[-1])
    office.node.bug = None
    assert desk.ask("seat.pause", reason="rest")["presence"] == "paused"


def test_a_batch_is_one_answer_and_done_in_order() -> None:
    desk = Office().desk()
    batch = (
        '[{"jsonrpc":"2.0","id":1,"method":"seat.get"},'
        '{"jsonrpc":"2.0","id":2,"method":"session.login",'
        '"params":{"hotline":"96198","seat":"8001","password":"demo"}},'
        '{"jsonrpc":"2.0","method":"seat.pause","params":{"reason":"rest"}},'
        '{"jsonrpc":"2.0","id":3,"method":"seat.get"}]'
    )
    (answers,) = desk.say(batch)
    assert [each["id"] for each in answers] == [1, 2, 3]
    assert answers[0]["error"]["data"]["word"] == "NO_RIGHT"
    assert answers[2]["result"]["presence"] == "paused"


def test_a_reload_brings_its_tokens() -> None:
    office = Office((Token("old", "admin", "old-secret-0123456789"),))
    tokens = '[rpc]\ntokens = [{name = "new", role = "admin", token = "new-secret-0123456789"}]\n'
    office.node.settings = load_settings(CONFIG + tokens, file="test.toml")
    desk = office.desk()
    assert desk.refusal("session.token", token="old-secret-0123456789") == "BAD_LOGIN"
    assert desk.ask("session.token", token="new-secret-0123456789")["name"] == "new"


def test_a_refusal_never_closes_the_connection() -> None:
    office = Office()
    desk = office.desk()
    for text in ("{", "[]", "1", '{"jsonrpc":"2.0","id":1,"method":"seat.get"}', "[" * 5000):
        assert "error" in desk.say(text)[0]
    assert office.api.closes.take() == []
    desk.sign_in()


def test_a_browser_cannot_be_made_to_speak_for_its_user() -> None:
    """A-JSON: a page posts JSON lines to the port; the connection ends at the request line of HTTP."""
    office = Office()
    desk = office.desk("admin")
    assert desk.say("POST / HTTP/1.1\r") == []
    assert office.api.closes.take() == [(desk.number, "HTTP on a JSON-RPC socket")]
    assert desk.say('{"jsonrpc":"2.0","id":1,"method":"admin.drain"}') == []
    assert office.api.requests.take() == []


def test_strangers_say_short_things() -> None:
    office = Office()
    text = '{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}' + " " * 16_384
    assert office.desk().say(text)[0]["error"]["code"] == -32600
    assert "result" in office.desk("admin").say(text)[0]
