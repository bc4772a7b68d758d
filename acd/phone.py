"""Phones: what a seat may ring on, which one is bound, which can be reached.

Rule: a phone is bound to at most one signed-in seat.
"""

from typing import NewType

from acd.settings import PhoneSettings, SeatSettings
from kernel.ids import SeatId

PhoneKey = NewType("PhoneKey", tuple[str, str])  # (kind, number)

OUTSIDE = "pstn"  # an outside number always counts as reachable: nobody registers it


class Phone:
    """The phone bound to a seat: kind, number, and whether it can be rung."""

    __slots__ = ("key", "kind", "number", "reachable", "text")

    def __init__(self, kind: str, number: str, *, reachable: bool) -> None:
        self.kind = kind
        self.number = number
        self.reachable = reachable
        self.key = PhoneKey((kind, number))
        self.text = f"{kind}:{number}"  # as rows have it

    def __str__(self) -> str:
        return self.text


def choose_phone(settings: SeatSettings, kind: str, number: str) -> PhoneSettings | None:
    """Return the first of the seat's phones that fits ``kind`` and ``number`` ("" fits all), or None.

    A seat without phones has a softphone of its own number.
    """
    phones = settings.phones or (PhoneSettings("softphone", settings.number),)
    for phone in phones:
        own = phone.number or settings.number
        if (not kind or kind == phone.kind) and (not number or number == own):
            return PhoneSettings(phone.kind, own)
    return None


class Phones:
    """What is known of all phones: which are reachable, which seat has bound which."""

    __slots__ = ("_bound", "_reachable")

    def __init__(self) -> None:
        self._reachable: dict[PhoneKey, bool] = {}
        self._bound: dict[PhoneKey, SeatId] = {}

    def build(self, settings: PhoneSettings) -> Phone:
        """Return the phone of these settings as it is now."""
        key = PhoneKey((settings.kind, settings.number))
        reachable = self._reachable.get(key, settings.kind == OUTSIDE)
        return Phone(settings.kind, settings.number, reachable=reachable)

    def note(self, kind: str, number: str, *, reachable: bool) -> None:
        """Remember that a phone can, or can no longer, be rung."""
        self._reachable[PhoneKey((kind, number))] = reachable

    def holder(self, key: PhoneKey) -> SeatId | None:
        """Return the signed-in seat that has bound the phone."""
        return self._bound.get(key)

    def bind(self, key: PhoneKey, seat: SeatId) -> None:
        """Give the phone to ``seat``."""
        holder = self._bound.setdefault(key, seat)
        assert holder == seat, f"{key} is bound to {holder} already"

    def unbind(self, key: PhoneKey, seat: SeatId) -> None:
        """Take the phone from ``seat`` if it has it."""
        if self._bound.get(key) == seat:
            del self._bound[key]
