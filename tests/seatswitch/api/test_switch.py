"""The node, and the tests' stub of it, have what the JSON-RPC side asks of them."""

import ast
from pathlib import Path

from seatswitch.api.switch import Switch
from tests.seatswitch.api.stub import StubNode

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
