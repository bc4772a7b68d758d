"""``list.*``: numbers of callers who are kept out of queues, or let through and credited."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acd.inputs import ListEntryAdded, ListEntryRemoved
from kernel.errors import OperationRefused
from kernel.walltime import epoch_text
from queues.callers import ListEntry
from seatswitch.api.method import SUPERVISOR, Method, Nothing, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import Done, Instant, Moment, Name, Seconds, Text

ENTRIES_MAX = 1_000  # of one answer

Listed = Annotated[
    str,
    Meta(
        pattern=r"^[+0-9A-Za-z._ ()/-]{1,48}\*?$(?!\n)",
        description="A caller's number, 138* for all that begin so, or anonymous for withheld ones",
    ),
]


class Entries(Params, frozen=True):
    """A list: the entry that speaks of ``number``, or the next ``most`` behind the number ``after``."""

    list: Name
    number: Listed | None = None
    after: Listed | None = None
    most: Annotated[int, Meta(ge=1, le=ENTRIES_MAX)] = 100


class Add(Params, frozen=True):
    """A number, until when it counts (for ever, if left out), and why."""

    list: Name
    number: Listed
    until: Moment | None = None
    note: Text = ""


class Remove(Params, frozen=True):
    """A number that is on a list, and why it shall be on it no longer."""

    list: Name
    number: Listed
    note: Text = ""


class ListObject(msgspec.Struct, frozen=True):
    """A list of callers."""

    list: str
    tenant: str
    kind: Literal["black", "white"]
    queues: Annotated[tuple[str, ...] | None, Meta(description="null: every number of the tenant")]
    only: Annotated[bool, Meta(description="Of a white list: nobody else gets in")]
    credit: Annotated[Seconds, Meta(description="Of a white list: waiting its callers are credited with")]
    numbers: int


class EntryObject(msgspec.Struct, frozen=True):
    """A number on a list."""

    list: str
    number: Annotated[str, Meta(description="As callers are compared: in E.164 where it has such a form")]
    until: Instant | None
    note: str
    added_by: Annotated[str | None, Meta(description="null: the configuration")]
    added_at: Instant | None


def _checked(scope: Scope, name: str) -> str:
    tenant = scope.node.engine.lists.tenant_of(name)
    if tenant is None or not scope.sees(tenant):
        raise OperationRefused("NO_SUCH_LIST", f"there is no list {name}")
    return name


def _view(name: str, entry: ListEntry) -> dict[str, Any]:
    return {
        "list": name,
        "number": entry.number,
        "until": None if entry.until is None else epoch_text(entry.until),
        "note": entry.note,
        "added_by": entry.added_by or None,
        "added_at": None if entry.added_at is None else epoch_text(entry.added_at),
    }


def list_lists(scope: Scope, params: Nothing) -> list[dict[str, Any]]:
    """Return the lists that may be seen."""
    return [view for view in scope.node.engine.lists.views() if scope.sees(view["tenant"])]


def entries(scope: Scope, params: Entries) -> list[dict[str, Any]]:
    """Return numbers of a list, in their order."""
    name = _checked(scope, params.list)
    found = scope.node.engine.lists.entries(
        name, params.number, params.after or "", params.most, scope.now
    )
    return [_view(name, entry) for entry in found]


def add(scope: Scope, params: Add) -> dict[str, Any]:
    """Put a number on a list."""
    name = _checked(scope, params.list)
    until = None if params.until is None else params.until.timestamp()
    scope.node.handle(ListEntryAdded(name, params.number, until, params.note, scope.who()), scope.now)
    scope.audit("number listed", list=name, number=params.number, note=params.note)
    (entry,) = scope.node.engine.lists.entries(name, params.number, "", 1, scope.now)
    return _view(name, entry)


def remove(scope: Scope, params: Remove) -> dict[str, Any]:
    """Take a number off a list."""
    name = _checked(scope, params.list)
    scope.node.handle(ListEntryRemoved(name, params.number, params.note, scope.who()), scope.now)
    scope.audit("number taken off a list", list=name, number=params.number, note=params.note)
    return {"done": True}


METHODS = (
    Method("list.list", SUPERVISOR, "The lists of callers.", Nothing, list[ListObject], list_lists),
    Method(
        "list.entries",
        SUPERVISOR,
        "The numbers on a list, page by page, or the entry that speaks of one number.",
        Entries,
        list[EntryObject],
        entries,
        ("NO_SUCH_LIST",),
    ),
    Method(
        "list.add",
        SUPERVISOR,
        "Put a number on a list, or change what is said of it there. Counts from the next call on, before "
        "what the configuration says of the number, and over a restart.",
        Add,
        EntryObject,
        add,
        ("NO_SUCH_LIST", "BAD_NUMBER", "LIST_FULL"),
    ),
    Method(
        "list.remove",
        SUPERVISOR,
        "Take a number off a list, whoever put it there.",
        Remove,
        Done,
        remove,
        ("NO_SUCH_LIST", "BAD_NUMBER", "NOT_LISTED"),
    ),
)
