"""The node, and the tests' stub of it, have what the JSON-RPC side asks of them."""

import ast
from pathlib import Path
from random import Random

import msgspec

from config.load import load_settings
from kernel.chance import Chance
from seatswitch.api import Api
from seatswitch.api.shapes import (
    GroupStatistics,
    QueueObject,
    QueueStatistics,
    SeatObject,
    SeatStatistics,
    Statistics,
    TrunkObject,
)
from seatswitch.api.switch import Switch
from seatswitch.node import Node
from tests.seatswitch.api.stub import CONFIG, EPOCH, StubNode

ROOT = Path(__file__).resolve().parents[3]


def asked() -> list[str]:
    return [name for name in vars(Switch) if not name.startswith("_")]


def test_the_node_has_it() -> None:
    tree = ast.parse((ROOT / "seatswitch" / "node.py").read_text(encoding="utf-8"))
    (node,) = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Node"]
    offered = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            offered.add(each.attr)
    assert [name for name in asked() if name not in offered] == []


def test_the_stub_has_it() -> None:
    node = StubNode()
    assert len(asked()) > 15
    assert [name for name in asked() if not hasattr(node, name)] == []


def test_the_real_node_answers_through_the_api_with_the_documented_objects() -> None:
    settings = load_settings(
        CONFIG + '[[trunk]]\nname = "carrier"\ncontact = "sip:127.0.0.1:5080"\n', file="test.toml"
    )
    node = Node(settings, Chance(Random(1).randbytes), EPOCH, 0.0)
    api = Api(node, ())
    api.opened(1, "admin", 1.0)

    def ask(method: str, **params: str) -> object:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        api.received(1, msgspec.json.encode(request), 2.0)
        ((_, text),) = api.replies.take()
        return msgspec.json.decode(text)["result"]

    login = ask("session.login", hotline="96198", seat="8001", password="demo")
    assert isinstance(login, dict)
    for answer, shapes in (
        (login["seat"], (SeatObject,)),
        (ask("queue.get", queue="junior"), (QueueObject, Statistics)),
        (ask("trunk.list")[0], (TrunkObject,)),  # type: ignore[index]
        (ask("queue.statistics", queue="junior"), (QueueStatistics,)),
        (ask("seat.statistics", seat="8001"), (SeatStatistics,)),
    ):
        for shape in shapes:
            msgspec.convert(answer, shape, strict=True)
        fields = {name for shape in shapes for name in shape.__struct_encode_fields__}
        assert fields == set(answer)
    for answer in (ask("level.statistics", level="junior"), ask("tenant.statistics", tenant="north")):
        msgspec.convert(answer, GroupStatistics, strict=True)
    ask("admin.status")
    api.check()
