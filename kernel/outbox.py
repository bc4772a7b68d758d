"""The output queue of a part: filled during a turn, drained before the next."""

from typing import TYPE_CHECKING, TypeVar

Output = TypeVar("Output")


class Outbox(list[Output]):
    """What a part has to say: a list itself, not one in a field, because it is on the hot path."""

    __slots__ = ()

    if TYPE_CHECKING:

        def put(self, output: Output) -> None:
            """Say ``output`` after everything that waits."""
    else:
        put = list.append

    def take(self) -> list[Output]:
        """Return everything put since the last call, in order, and start anew."""
        if not self:
            return []
        taken = self.copy()
        self.clear()
        return taken
