"""A method of the JSON-RPC side: its name, who may call it, what it takes, what it gives, what it does.

One table per group (``METHODS`` in session.py, seat.py, ...); the same entries check requests and generate
the OpenRPC document.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from seatswitch.api.scope import Scope

ANYBODY = ""
AGENT = "agent"
SUPERVISOR = "supervisor"
ADMIN = "admin"


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters by name."""


class Nothing(Params, frozen=True):
    """No parameters."""


class Method(msgspec.Struct, frozen=True):
    """One method. Without ``run`` it is promised and not built yet (NOT_AVAILABLE)."""

    name: str
    right: str  # the least role that may call it: "", agent, supervisor, admin
    summary: str
    params: type[Params]
    result: Any  # a type; its schema is in the OpenRPC document
    run: Callable[[Scope, Any], Any] | None = None
    words: tuple[str, ...] = ()  # of the refusals to be expected, beside NO_RIGHT
