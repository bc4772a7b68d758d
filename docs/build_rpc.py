"""Writes docs/rpc.md anew; run ``python -m docs.build_rpc`` after a change of the JSON-RPC methods."""

from pathlib import Path

from seatswitch.api.methods import METHODS
from seatswitch.api.openrpc import build_document, build_markdown

if __name__ == "__main__":
    text = build_markdown(build_document(METHODS))
    Path(__file__).with_name("rpc.md").write_text(text, encoding="utf-8")
