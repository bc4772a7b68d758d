"""Overflow: where a call goes when it has waited too long."""

from kernel.ids import QueueName


def overflow_queue(on_timeout: str) -> QueueName | None:
    """Return the queue named by ``queue:NAME``, or None for what call control does (hang up, IVR, ...)."""
    kind, _, name = on_timeout.partition(":")
    return QueueName(name) if kind == "queue" and name else None


def release_target(on_timeout: str) -> str:
    """Return what call control is told to do with the call: "" is hang up."""
    return "" if on_timeout == "hangup" or overflow_queue(on_timeout) is not None else on_timeout
