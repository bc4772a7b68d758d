"""The output queue of a part: filled during a turn, drained before the next."""

from typing import Generic, TypeVar

Output = TypeVar("Output")


class Outbox(Generic[Output]):
    """What a part has to say. A list under two verbs, because it is on the hot path."""

    __slots__ = ("_items", "put")

    def __init__(self) -> None:
        self._items: list[Output] = []
        self.put = self._items.append

    def take(self) -> list[Output]:
        """Return everything put since the last call, in order, and start anew."""
        if not self._items:
            return []
        taken = self._items.copy()
        self._items.clear()
        return taken

    def __len__(self) -> int:
        return len(self._items)
