"""The OpenRPC document is what the switch checks, and docs/rpc.md is the document."""

import re
from pathlib import Path
from typing import Any

from kernel.limits import (
    RPC_BATCH_MAX,
    RPC_LINE_MAX,
    RPC_NESTING_MAX,
    SESSION_RESUME_AFTER,
    STRANGER_LINE_MAX,
)
from seatswitch.api.errors import WORDS
from seatswitch.api.methods import METHODS
from seatswitch.api.openrpc import build_document, build_markdown
from tests.seatswitch.api.stub import Office

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_page_is_the_generated_one() -> None:
    """If this fails: python -m docs.build_rpc."""
    committed = (ROOT / "docs" / "rpc.md").read_text(encoding="utf-8")
    assert committed == build_markdown(build_document(METHODS))


def test_every_reference_leads_somewhere() -> None:
    document = build_document(METHODS)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    schemas = document["components"]["schemas"]
    named = references(document)
    assert len(named) > 20
    for reference in named:
        assert reference.removeprefix("#/components/schemas/") in schemas
    page = build_markdown(document)
    headings = {
        line.lstrip("# ").lower().replace(".", "") for line in page.splitlines() if line.startswith("#")
    }
    anchors = re.findall(r"\]\(#([^)]*)\)", page)
    assert len(anchors) > 20
    for anchor in anchors:
        assert anchor in headings


def test_what_it_says_of_a_method() -> None:
    methods = {method["name"]: method for method in build_document(METHODS)["methods"]}
    extend = methods["seat.wrapup_extend"]
    assert [param["name"] for param in extend["params"]] == ["seconds", "seat"]
    assert extend["params"][0]["schema"] | {"description": ""} == {
        "type": "number",
        "minimum": 30,
        "maximum": 600,
        "description": "",
    }
    assert (extend["x-right"], extend["x-available"], extend["paramStructure"]) == ("agent", True, "by-name")
    for method in methods.values():
        words = [error["data"]["word"] for error in method["errors"]]
        assert method["x-available"] is ("NOT_AVAILABLE" not in words)
    of_queue = [param["name"] for param in methods["queue.statistics"]["params"]]
    assert of_queue == ["queue", "from", "to", "by_interval"]
    for method in methods.values():
        for error in method["errors"]:
            assert WORDS[error["data"]["word"]][0] == error["code"]
        required = [param["required"] for param in method["params"]]
        assert required == sorted(required, reverse=True)


def test_the_bounds_it_names_are_those_in_force() -> None:
    page = build_markdown(build_document(METHODS))
    for bound in (RPC_LINE_MAX, STRANGER_LINE_MAX, RPC_BATCH_MAX, RPC_NESTING_MAX, SESSION_RESUME_AFTER):
        assert f"{bound:,.0f}" in page
    assert "| `offset` | optional | integer 0..4294967296 (bytes) |" in page, "to the last digit"


def test_anybody_may_ask_for_it() -> None:
    assert Office().desk().ask("rpc.discover") == build_document(METHODS)
