"""Choices: an order by priority, and among equals by chance in proportion to their weights (RFC 2782)."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from kernel.chance import Chance


class Choice(Protocol):
    """What can be put in order by priority and weight."""

    @property
    def priority(self) -> int: ...
    @property
    def weight(self) -> int: ...


C = TypeVar("C", bound=Choice)


def in_order(choices: Sequence[C], chance: Chance) -> list[C]:
    """Return ``choices`` by rising priority; equal ones drawn in proportion to their weights (RFC 2782)."""
    if len(choices) < 2:
        return list(choices)
    ordered: list[C] = []
    for priority in sorted({choice.priority for choice in choices}):
        left = [choice for choice in choices if choice.priority == priority]
        while len(left) > 1:
            drawn = chance.number(max(1, sum(choice.weight for choice in left)))
            for choice in left:
                drawn -= choice.weight
                if drawn < 0:
                    break
            ordered.append(choice)
            left.remove(choice)
        ordered += left
    return ordered
