"""Every method, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from seatswitch.api import (
    admin,
    call,
    callback,
    events,
    explain,
    lists,
    quality,
    queue,
    recording,
    seat,
    session,
    statistics,
    supervisor,
    voicemail,
)
from seatswitch.api.method import ANYBODY, Method, Nothing
from seatswitch.api.scope import Scope


def discover(scope: Scope, params: Nothing) -> Any:
    """Return the OpenRPC document."""
    return scope.document


DISCOVER = Method("rpc.discover", ANYBODY, "This document, in OpenRPC.", Nothing, dict[str, Any], discover)

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for table in (
            session.METHODS,
            seat.METHODS,
            call.METHODS,
            supervisor.METHODS,
            queue.METHODS,
            statistics.METHODS,
            callback.METHODS,
            voicemail.METHODS,
            recording.METHODS,
            quality.METHODS,
            lists.METHODS,
            explain.METHODS,
            events.METHODS,
            admin.METHODS,
            (DISCOVER,),
        )
        for method in table
    }
)
