"""The JSON-RPC side of a switch (docs/rpc.md): pure, a text in, texts out."""

from seatswitch.api.api import Api

__all__ = ["Api"]
