"""Who gets into a queue and where the others go, as a configuration gives it: hours, limits, targets."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from acd.memory import RESUME_MAX
from acd.settings import SeatSettings
from config.reading import Read, Reader, show, suggest
from config.tables import QueueTable
from queues.hours import HoursSettings
from queues.settings import EntrySettings, QueueSettings

Calendars = Mapping[str, tuple[str, HoursSettings]]  # by name: whose, and what

# Keys of a queue that take a target, and kinds that make no sense there.
TARGETS: dict[str, tuple[str, ...]] = {
    "on_timeout": (),
    "on_closed": (),
    "on_barred": ("seat", "callback"),
    "on_full": ("seat",),
    "on_empty": ("seat",),
    "on_estimate": (),
    "on_ratio": (),
    "on_seat_wait": ("seat",),
}
KEYS = "0123456789*#ABCD"
CALLBACK = "callback"
VOICEMAIL = ("voicemail", "voicemail:public")  # and voicemail:SEAT
KINDS = (
    "hangup, queue:NAME, level:NAME, seat:NUMBER, number:DIGITS, callback, message:SOUND, ivr:NAME, "
    "voicemail, voicemail:public, voicemail:SEAT"
)


def build_entry(
    reader: Reader, where: str, queue: QueueTable, tenant: str, calendars: Calendars, usual: str
) -> EntrySettings:
    """Return a queue's entry rules; ``usual`` is its tenant's calendar. Targets are checked later."""
    if len(set(queue.absent)) < len(queue.absent):
        reader.refuse(f"{where}.absent", "names a state twice")
    if not queue.max_wait_empty and queue.on_empty != "hangup" and queue.when_empty == "wait":
        reader.refuse(f"{where}.on_empty", 'never happens: give when_empty = "refuse" or max_wait_empty')
    if not queue.max_estimate and queue.on_estimate != "hangup":
        reader.refuse(f"{where}.on_estimate", "never happens: give max_estimate")
    if not queue.max_ratio and queue.on_ratio != "hangup":
        reader.refuse(f"{where}.on_ratio", "never happens: give max_ratio")
    if queue.resume_abandoned > RESUME_MAX:
        reader.refuse(f"{where}.resume_abandoned", f"{queue.resume_abandoned:g} s is more than an hour")
    hours = calendar_of(reader, f"{where}.hours", queue.hours or usual, tenant, calendars)
    if hours is None and queue.on_closed != "hangup":
        reader.refuse(f"{where}.on_closed", "never happens: give hours, here or at the tenant")
    return EntrySettings(
        hours=hours,
        on_closed=queue.on_closed,
        on_barred=queue.on_barred,
        on_full=queue.on_full,
        on_empty=queue.on_empty,
        absent=queue.absent,
        max_wait_empty=float(queue.max_wait_empty),
        max_estimate=float(queue.max_estimate),
        on_estimate=queue.on_estimate,
        max_ratio=queue.max_ratio,
        on_ratio=queue.on_ratio,
        sticky_for=float(queue.sticky_for),
        sticky_memory=float(queue.sticky_memory),
        resume_abandoned=float(queue.resume_abandoned),
        seat_wait=float(queue.seat_wait),
        on_seat_wait=queue.on_seat_wait,
    )


def calendar_of(
    reader: Reader, where: str, name: str, tenant: str, calendars: Calendars
) -> HoursSettings | None:
    if not name:
        return None
    known = calendars.get(name)
    if known is None:
        reader.refuse(where, f"unknown hours {show(name)}{suggest(name, list(calendars))}")
        return None
    if known[0] and known[0] != tenant:
        reader.refuse(where, f"hours {show(name)} belong to tenant {known[0]}")
    return known[1]


def build_keys(reader: Reader, where: str, queue: QueueTable) -> tuple[tuple[str, str], ...]:
    """Return the keys of a queue with their targets; ``callback.key`` is a short way to write one of them."""
    keys = dict(queue.keys)
    for key in keys:
        if len(key) != 1 or key not in KEYS:
            reader.refuse(f"{where}.keys.{key}", f"{show(key)} is no key of a telephone: {KEYS}")
    key = queue.callback.key
    if key and (len(key) != 1 or key not in KEYS):
        reader.refuse(f"{where}.callback.key", f"{show(key)} is no key of a telephone: {KEYS}")
    elif key and keys.get(key, CALLBACK) != CALLBACK:
        reader.refuse(f"{where}.callback.key", f"{key} leads to {show(keys[key])} already, by keys")
    elif key:
        keys[key] = CALLBACK
    return tuple(sorted(keys.items()))


def ways_of(queue: QueueSettings) -> Iterator[tuple[str, str]]:
    """Yield key of the configuration and target of every way out, those of the telephone's keys too."""
    yield from targets_of(queue)
    for key, target in queue.keys:
        yield f"keys.{key}", target


def targets_of(queue: QueueSettings) -> Iterator[tuple[str, str]]:
    """Yield key and target of every way out of a queue that calls take by themselves."""
    for key in TARGETS:
        yield key, queue.on_timeout if key == "on_timeout" else getattr(queue.entry, key)


def resolve_levels(
    reader: Reader, tables: Sequence[Read], queues: Mapping[str, QueueSettings], ranks: Mapping[str, int]
) -> dict[str, QueueSettings]:
    """Return ``queues`` with every ``level:NAME`` replaced by the queue that starts at that level."""
    resolved = dict(queues)
    for where, table in tables:
        queue = queues[table.name]
        changes = {
            key: f"queue:{name}"
            for key, target in ways_of(queue)
            if target.startswith("level:")
            and (name := queue_of_level(reader, f"{where}.{key}", target, queue, queues, ranks))
        }
        keys = tuple((key, changes.pop(f"keys.{key}", target)) for key, target in queue.keys)
        on_timeout = changes.pop("on_timeout", queue.on_timeout)
        entry = replace(queue.entry, **changes)
        resolved[table.name] = replace(queue, on_timeout=on_timeout, entry=entry, keys=keys)
    return resolved


def queue_of_level(
    reader: Reader,
    where: str,
    target: str,
    queue: QueueSettings,
    queues: Mapping[str, QueueSettings],
    ranks: Mapping[str, int],
) -> str:
    """Return the tenant's queue for a level: the one of its name, else the only one that starts there."""
    level = target.partition(":")[2]
    rank = ranks.get(level)
    if rank is None:
        reader.refuse(where, f"unknown level {show(level)}{suggest(level, list(ranks))}")
        return ""
    starting = [
        each.name
        for each in queues.values()
        if each.tenant == queue.tenant and each.requires.lowest == rank and each.name != queue.name
    ]
    if level in starting:
        return level
    if len(starting) == 1:
        return starting[0]
    which = f"several do: {', '.join(starting)}; name one with queue:NAME" if starting else "none does"
    reader.refuse(where, f"{show(target)} is the queue that starts at {level}, and {which}")
    return ""


def check_targets(
    reader: Reader,
    tables: Sequence[Read],
    queues: Mapping[str, QueueSettings],
    sounds: Sequence[str],
    scripts: Mapping[str, Sequence[str]],
) -> None:
    """Refuse targets that do not exist, belong to another tenant, or send calls round for ever."""
    for where, table in tables:
        queue = queues[table.name]
        for key, target in ways_of(queue):
            place = f"{where}.{key}"
            kind, _, name = target.partition(":")
            if target == "hangup" or reader.is_bad(place) or (key, target) == ("on_seat_wait", "anyone"):
                continue
            if kind in TARGETS.get(key, ()):
                reader.refuse(place, f"{kind} makes no sense here: the caller could not wait for it")
            elif kind == "queue" and name:
                _check_queue(reader, place, name, queue, queues, may_return=key not in TARGETS)
            elif target == "callback" or (kind == "seat" and name):
                continue
            elif not check_target(reader, place, target, queue.tenant, sounds, scripts):
                reader.refuse(place, f"{show(target)} is none of {KINDS}")


def check_target(
    reader: Reader,
    where: str,
    target: str,
    tenant: str,
    sounds: Sequence[str],
    scripts: Mapping[str, Sequence[str]],
) -> bool:
    """Refuse a target of call control that is not there; return whether ``target`` is of such a kind."""
    kind, _, name = target.partition(":")
    if kind == "message" and name:
        if name not in sounds:
            reader.refuse(where, f"unknown sound {show(name)}{suggest(name, sounds)}")
    elif kind == "ivr" and name:
        if name not in scripts.get(tenant, ()):
            mine = list(scripts.get(tenant, ()))
            reader.refuse(where, f"tenant {tenant} has no script {show(name)}{suggest(name, mine)}")
    else:
        if target in VOICEMAIL or (kind == "voicemail" and name):
            return True  # whose seat it is, is looked at later
        return kind == "number" and name.removeprefix("+").isdigit() and name.isascii()
    return True


def _check_queue(
    reader: Reader,
    where: str,
    name: str,
    queue: QueueSettings,
    queues: Mapping[str, QueueSettings],
    *,
    may_return: bool,
) -> None:
    """Refuse a queue that is not there; one that leads back unless the caller itself goes there, by a key."""
    if name not in queues:
        reader.refuse(where, f"unknown queue {show(name)}{suggest(name, list(queues))}")
    elif queues[name].tenant != queue.tenant:
        reader.refuse(where, f"queue {show(name)} belongs to tenant {queues[name].tenant}")
    elif name == queue.name and may_return:
        reader.refuse(where, f"the caller waits in queue {show(name)} already")
    elif not may_return and (loop := _loop(queue.name, name, queues)):
        reader.refuse(where, f"calls would go round for ever: {' -> '.join(loop)}")


def check_wanted_seats(
    reader: Reader,
    tables: Sequence[Read],
    queues: Mapping[str, QueueSettings],
    seats: Mapping[str, SeatSettings],
) -> None:
    """Refuse ``seat:NUMBER`` where there is no such seat, or one that does not serve the queue, and mailboxes
    of seats that are none of the tenant's.
    """
    for where, table in tables:
        for key, target in ways_of(queues[table.name]):
            kind, _, number = target.partition(":")
            if kind == "seat" and not reader.is_bad(f"{where}.{key}"):
                check_wanted_seat(reader, f"{where}.{key}", number, table.name, seats)
            elif kind == "voicemail" and target not in VOICEMAIL:
                check_mailbox(reader, f"{where}.{key}", number, queues[table.name].tenant, seats)


def check_mailbox(
    reader: Reader, where: str, number: str, tenant: str, seats: Mapping[str, SeatSettings]
) -> None:
    if number not in seats:
        reader.refuse(where, f"unknown seat {show(number)}, whose mailbox it would be{_or_public(number)}")
    elif seats[number].tenant != tenant:
        reader.refuse(where, f"seat {number} belongs to tenant {seats[number].tenant}")


def _or_public(number: str) -> str:
    return "" if number.isdigit() else "; the tenant's own is voicemail:public"


def check_wanted_seat(
    reader: Reader, where: str, number: str, queue: str, seats: Mapping[str, SeatSettings]
) -> None:
    """Refuse a seat that callers of ``queue`` cannot wait for."""
    if number not in seats:
        reader.refuse(where, f"unknown seat {show(number)}")
    elif queue not in seats[number].queues:
        reader.refuse(where, f"seat {number} does not serve queue {queue}, so nobody can wait for it there")


def _loop(start: str, first: str, queues: Mapping[str, QueueSettings]) -> list[str]:
    """Return the way from ``start`` by ``first`` back to ``start``, or nothing."""
    ways = {first: [start, first]}
    left = [first]
    while left:
        here = left.pop()
        if here == start:
            return ways[here]
        for _, target in targets_of(queues[here]) if here in queues else ():
            kind, _, name = target.partition(":")
            if kind == "queue" and name not in ways:
                ways[name] = [*ways[here], name]
                left.append(name)
    return []
