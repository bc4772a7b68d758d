"""Caller lists: numbers and beginnings of numbers, each for ever or until a moment.

A look-up costs one step for the number itself and one for each length that some beginning on the list has
(32 at most), however long the list is. Moments are epoch seconds.
"""

import msgspec

NUMBER_MAX = 32  # characters of a number on a list


class ListEntry(msgspec.Struct, frozen=True):
    """One number on a list; ``138*`` is every number that begins so."""

    number: str
    until: float | None = None  # None: for ever
    note: str = ""
    added_by: str = ""  # "": the configuration
    added_at: float | None = None

    def is_over(self, epoch: float) -> bool:
        """Say whether it counts no longer."""
        return self.until is not None and self.until <= epoch


class CallerList:
    """The entries of one list, by number, in the form in which callers are compared."""

    __slots__ = ("_counts", "_exact", "_lengths", "_prefixes")

    def __init__(self) -> None:
        self._exact: dict[str, ListEntry] = {}
        self._prefixes: dict[str, ListEntry] = {}
        self._counts: dict[int, int] = {}  # of beginnings, by length
        self._lengths: tuple[int, ...] = ()  # longest first

    def put(self, number: str, entry: ListEntry) -> None:
        """Let ``number``, or all that begin so where it ends in ``*``, be on the list as ``entry`` says."""
        if not number.endswith("*"):
            self._exact[number] = entry
            return
        begin = number[:-1]
        if begin not in self._prefixes:
            self._count(len(begin), 1)
        self._prefixes[begin] = entry

    def drop(self, number: str) -> None:
        """Take ``number`` off the list, if it is there."""
        if not number.endswith("*"):
            self._exact.pop(number, None)
            return
        begin = number[:-1]
        if self._prefixes.pop(begin, None) is not None:
            self._count(len(begin), -1)

    def _count(self, length: int, more: int) -> None:
        left = self._counts.get(length, 0) + more
        if left:
            self._counts[length] = left
        else:
            del self._counts[length]
        self._lengths = tuple(sorted(self._counts, reverse=True))

    def find(self, number: str, epoch: float) -> ListEntry | None:
        """Return the entry that speaks of ``number``: itself before its beginnings, longest first."""
        found = self._exact.get(number)
        if found is not None and not found.is_over(epoch):
            return found
        for length in self._lengths:
            found = self._prefixes.get(number[:length]) if length <= len(number) else None
            if found is not None and not found.is_over(epoch):
                return found
        return None
