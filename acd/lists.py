"""Lists of callers: who is kept out of queues (black), who gets past that and may be credited (white).

Numbers come from the configuration and from operators while the switch runs. What an operator has added or
taken away wins over the configuration until it expires, outlives a reload and, by its row, a restart.

Rules: a list never has more than :data:`~kernel.limits.LIST_ENTRIES_MAX` numbers; an entry whose moment has
come counts no longer from that moment on, by a deadline that frees its place and by the look-up itself.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple, Protocol

from acd.board import Board
from acd.inputs import ListEntryAdded, ListEntryRemoved, ListEntryRestored
from acd.memory import UNKNOWN
from acd.settings import ListSettings
from kernel.errors import OperationRefused
from kernel.limits import LIST_ENTRIES_MAX
from kernel.rows import ListEntryRow
from kernel.timers import Timer
from queues.callers import NUMBER_MAX, CallerList, ListEntry
from queues.settings import QueueSettings

WITHHELD = "anonymous"  # on a list: every caller whose number is withheld
LOOK_AGAIN_AFTER = 3600.0  # seconds at most between two looks at the clock, which may have been set

_SPARE = 64  # ends of entries that are no more, which are kept before they are swept

Key = tuple[str, str]  # list and number, in the form in which numbers are compared


class NumberReader(Protocol):
    """What brings numbers into one form."""

    @property
    def country(self) -> str:
        """Whose numbers they are; another one, and all are read again."""

    def e164(self, text: str) -> str:
        """Return a number as it is compared."""

    def prefix(self, text: str) -> str:
        """Return the beginning of a number as it is compared."""


class AsWritten:
    """Reads numbers as they are written."""

    country = ""

    def e164(self, text: str) -> str:
        """Return ``text``."""
        return text

    def prefix(self, text: str) -> str:
        """Return ``text``."""
        return text


class _Configured(NamedTuple):
    """The numbers of one list of the configuration."""

    given: tuple[ListEntry, ...]
    country: str
    entries: dict[str, ListEntry]  # in their compared form


class CallerLists:
    """All lists of one engine."""

    def __init__(self, board: Board, numbers: NumberReader) -> None:
        self._board = board
        self._numbers = numbers
        self._settings: dict[str, ListSettings] = {}
        self._lists: dict[str, CallerList] = {}
        self._entries: dict[str, dict[str, ListEntry]] = {}  # what counts, by list and number
        self._configured: dict[str, _Configured] = {}
        self._changes: dict[Key, ListEntry | None] = {}  # by operators; None: taken off
        self._of_queue: dict[str, tuple[list[ListSettings], list[ListSettings]]] = {}  # black, white
        self._of_tenant: dict[str, tuple[list[ListSettings], list[ListSettings]]] = {}
        self._ends: list[tuple[float, str, str]] = []  # heap of (until, list, number)
        self._timer: Timer | None = None

    # What is asked of them.

    def bars(self, queue: QueueSettings, caller: str, epoch: float) -> str:
        """Return the list that keeps ``caller`` out of ``queue``, "" if none does."""
        which = self._of_queue.get(queue.name)
        return "" if which is None else self._bars(which, caller, epoch)

    def bars_from(self, tenant: str, caller: str, epoch: float) -> str:
        """Return the list that keeps ``caller`` off all of ``tenant``'s numbers, "" if none does."""
        which = self._of_tenant.get(tenant)
        return "" if which is None else self._bars(which, caller, epoch)

    def forbids(self, tenant: str, number: str, epoch: float) -> bool:
        """Return whether ``number`` is on a black list of all of ``tenant``: nobody dials it."""
        which = self._of_tenant.get(tenant)
        form = self._form(number)
        return which is not None and any(self._finds(each, form, epoch) for each in which[0])

    def holds(self, tenant: str, name: str, number: str, epoch: float) -> bool:
        """Return whether ``number`` is on a list of ``tenant``; nobody is on one that there is not."""
        which = self._settings.get(name)
        return which is not None and which.tenant == tenant and self._finds(which, self._form(number), epoch)

    def credit(self, queue: QueueSettings, caller: str, epoch: float) -> tuple[float, str]:
        """Return the seconds that ``caller`` is credited with in ``queue``, and by which list."""
        which = self._of_queue.get(queue.name)
        best, why = 0.0, ""
        for each in () if which is None else which[1]:
            if each.credit > best and self._finds(each, self._form(caller), epoch):
                best, why = each.credit, each.name
        return best, why

    def _bars(
        self, which: tuple[list[ListSettings], list[ListSettings]], caller: str, epoch: float
    ) -> str:
        black, white = which
        number = self._form(caller)
        if any(self._finds(each, number, epoch) for each in white):
            return ""
        for each in white:
            if each.only:
                return each.name
        return next((each.name for each in black if self._finds(each, number, epoch)), "")

    def _finds(self, which: ListSettings, number: str, epoch: float) -> bool:
        return self._lists[which.name].find(number, epoch) is not None

    def _form(self, number: str) -> str:
        """Return a number as lists have it; every withheld one is the same."""
        return WITHHELD if number.lower() in UNKNOWN else self._numbers.e164(number)

    # Changes by operators.

    def add(self, what: ListEntryAdded, now: float) -> None:
        """Put a number on a list, or change what is said of it there."""
        board = self._board
        epoch = board.walltime.epoch(now)
        key = self._key(what.list, what.number)
        entry = ListEntry(key[1], what.until, what.note, what.added_by, epoch)
        if entry.is_over(epoch):
            raise OperationRefused("BAD_NUMBER", "the moment until which it should count is past")
        entries = self._entries[what.list]
        if key[1] not in entries and len(entries) >= LIST_ENTRIES_MAX:
            raise OperationRefused("LIST_FULL", f"list {what.list} has {LIST_ENTRIES_MAX} numbers")
        self._changes[key] = entry
        self._put(what.list, entry)
        self._arm(now)
        self._write(what.list, entry, epoch)

    def remove(self, what: ListEntryRemoved, now: float) -> None:
        """Take a number off a list, whoever put it there."""
        key = self._key(what.list, what.number)
        known = self._entries[what.list].get(key[1])
        epoch = self._board.walltime.epoch(now)
        if known is None or known.is_over(epoch):
            raise OperationRefused("NOT_LISTED", f"{what.number} is not on list {what.list}")
        self._drop(*key)
        if key[1] in self._configured[what.list].entries:
            self._changes[key] = None
        else:
            self._changes.pop(key, None)
        self._write(what.list, ListEntry(key[1], None, what.note, what.removed_by), epoch, is_removed=True)

    def restore(self, what: ListEntryRestored, now: float) -> None:
        """Take back what an operator said before a restart."""
        row = what.row
        entry = ListEntry(row.number, row.until, row.note, row.added_by, row.changed_at)
        if entry.is_over(self._board.walltime.epoch(now)):
            return
        key = (row.list, row.number)
        self._changes[key] = None if row.is_removed else entry
        if row.list not in self._settings:
            return
        if row.is_removed:
            self._drop(*key)
        elif len(self._entries[row.list]) < LIST_ENTRIES_MAX:
            self._put(row.list, entry)
            self._arm(now)

    def _key(self, name: str, number: str) -> Key:
        if name not in self._settings:
            raise OperationRefused("NO_SUCH_LIST", f"there is no list {name}")
        form = self.form_of(number)
        if form is None:
            raise OperationRefused("BAD_NUMBER", f"{number!r} is no number, nor the beginning of one as 138*")
        return name, form

    def form_of(self, text: str) -> str | None:
        """Return a number of a list, or a beginning with its ``*``, as callers are compared; None if it is
        neither.
        """
        begin = text.removesuffix("*")
        if text == WITHHELD:
            return text
        digits = "".join(each for each in begin if each not in " -.()/")
        bare = digits.removeprefix("+")
        if not bare or not bare.isascii() or not bare.isalnum() or len(digits) > NUMBER_MAX:
            return None
        return self._numbers.prefix(digits) + "*" if begin != text else self._numbers.e164(digits)

    def _write(self, name: str, entry: ListEntry, epoch: float, *, is_removed: bool = False) -> None:
        self._board.rows.put(
            ListEntryRow(
                f"{name} {entry.number}",
                name,
                entry.number,
                entry.until,
                entry.note,
                entry.added_by,
                epoch,
                is_removed,
            )
        )

    # The configuration, and the end of entries.

    def configure(self, lists: Sequence[ListSettings], now: float) -> None:
        """Take the configured lists; what operators have changed stays."""
        board = self._board
        self._settings = {each.name: each for each in lists}
        self._lists = {each.name: CallerList() for each in lists}
        self._entries = {each.name: {} for each in lists}
        self._ends = []
        epoch = board.walltime.epoch(now)
        self._configured = {each.name: self._read(each) for each in lists}
        for name, configured in self._configured.items():
            for entry in configured.entries.values():
                if not entry.is_over(epoch):
                    self._put(name, entry)
        for (name, number), change in self._changes.items():
            if name in self._settings:
                self._drop(name, number)
                if change is not None:
                    self._put(name, change)
        self._of_queue = {
            queue: found
            for queue, each in board.queues.items()
            if any(found := _apart([it for it in lists if it.tenant == each.settings.tenant], queue))
        }
        self._of_tenant = {
            tenant: found
            for tenant in board.tenants
            if any(found := _apart([it for it in lists if it.tenant == tenant and not it.queues]))
        }
        self._arm(now)

    def _read(self, settings: ListSettings) -> "_Configured":
        """Return the numbers of a list in their compared form; what has not changed is not read again."""
        known = self._configured.get(settings.name)
        country = self._numbers.country
        if known is not None and known.country == country and known.given == settings.entries:
            return known
        entries: dict[str, ListEntry] = {}
        for entry in settings.entries:
            form = self.form_of(entry.number)
            if form is not None:
                entries[form] = ListEntry(form, entry.until, entry.note)
        return _Configured(settings.entries, country, entries)

    def _put(self, name: str, entry: ListEntry) -> None:
        self._entries[name][entry.number] = entry
        self._lists[name].put(entry.number, entry)
        if entry.until is not None:
            heappush(self._ends, (entry.until, name, entry.number))
        if len(self._ends) > 2 * sum(map(len, self._entries.values())) + _SPARE:
            self._ends = [
                (it.until, listed, it.number)
                for listed, entries in self._entries.items()
                for it in entries.values()
                if it.until is not None
            ]
            heapify(self._ends)

    def _drop(self, name: str, number: str) -> None:
        if self._entries[name].pop(number, None) is not None:
            self._lists[name].drop(number)

    def _arm(self, now: float) -> None:
        board = self._board
        board.timers.disarm(self._timer)
        self._timer = None
        if self._ends:
            due = min(board.walltime.monotonic(self._ends[0][0]), now + LOOK_AGAIN_AFTER)
            self._timer = board.timers.arm(self, "list", max(due, now))

    def on_timer(self, name: str, now: float) -> None:
        """The time of an entry may be over."""
        self._timer = None
        epoch = self._board.walltime.epoch(now)
        while self._ends and self._ends[0][0] <= epoch:
            _, listed, number = heappop(self._ends)
            entry = self._entries.get(listed, {}).get(number)
            if entry is None or not entry.is_over(epoch):
                continue  # it was taken off, or given more time
            self._drop(listed, number)
            if self._changes.pop((listed, number), None) is not None:
                configured = self._configured[listed].entries.get(number)
                if configured is not None and not configured.is_over(epoch):
                    self._put(listed, configured)
        self._arm(now)

    # What is seen.

    def views(self) -> Iterator[dict[str, Any]]:
        """Yield every list."""
        for each in self._settings.values():
            yield {
                "list": each.name,
                "tenant": each.tenant,
                "kind": each.kind,
                "queues": list(each.queues) or None,
                "only": each.only,
                "credit": each.credit,
                "numbers": len(self._entries[each.name]),
            }

    def tenant_of(self, name: str) -> str | None:
        """Return whose list it is, None if there is no such list."""
        known = self._settings.get(name)
        return None if known is None else known.tenant

    def entries(self, name: str, number: str | None, after: str, most: int, now: float) -> list[ListEntry]:
        """Return up to ``most`` entries of a list behind ``after``, by number; or those about ``number``."""
        epoch = self._board.walltime.epoch(now)
        known = self._entries[name]
        if number is not None:
            form = self.form_of(number) or ""
            found = known.get(form) or self._lists[name].find(form, epoch)
            return [] if found is None or found.is_over(epoch) else [found]
        names = sorted(each for each in known if each > after)
        return [known[each] for each in names if not known[each].is_over(epoch)][:most]

    def check(self) -> None:
        """Assert what must hold between turns."""
        for name, entries in self._entries.items():
            assert len(entries) <= LIST_ENTRIES_MAX, f"list {name} has {len(entries)} numbers"
            for number, entry in entries.items():
                assert entry.number == number, f"{entry.number} stands at {number}"
                assert entry.until is None or self._timer is not None, f"{number} never ends"


def _apart(lists: list[ListSettings], queue: str = "") -> tuple[list[ListSettings], list[ListSettings]]:
    """Return the black and the white of ``lists``; those of ``queue`` and of every queue."""
    about = [each for each in lists if not each.queues or queue in each.queues]
    return [it for it in about if it.kind == "black"], [it for it in about if it.kind == "white"]
