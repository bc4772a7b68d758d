"""Lists of callers, as a configuration gives them: whose, for which queues, which numbers until when."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo

from acd.settings import ListSettings
from calls.numbers import Numbers
from config.hours import FindZone
from config.network import check_name
from config.reading import Read, Reader, show, suggest
from queues.callers import NUMBER_MAX, ListEntry
from queues.settings import QueueSettings

NUMBERS_MAX = 10_000  # of one list in a configuration, which each reload reads; more go by list.add
_FORMS = 'such as "13800000000", "138*", "anonymous" or "13800000000 until 2027-01-31"'


def build_lists(
    reader: Reader,
    lists: Sequence[Read],
    zones: Mapping[str, str],
    queues: Mapping[str, QueueSettings],
    country: str,
    find_zone: FindZone,
) -> tuple[ListSettings, ...]:
    """Return the lists; ``zones`` are the tenants' time zones, by tenant."""
    names: dict[str, str] = {}
    built: list[ListSettings] = []
    numbers = Numbers(country)
    for where, table in lists:
        check_name(reader, f"{where}.name", table.name, names)
        tenant = table.tenant or (next(iter(zones)) if len(zones) == 1 else "")
        if tenant not in zones:
            what = f"unknown tenant {show(tenant)}" if tenant else "is missing"
            reader.refuse(f"{where}.tenant", f"{what}{suggest(tenant, list(zones))}")
        if table.kind == "black" and (table.only or table.credit):
            key = "only" if table.only else "credit"
            reader.refuse(f"{where}.{key}", "is for white lists: nobody on a black one gets in")
        _check_queues(reader, where, table.queues, tenant, queues)
        zone = find_zone(zones.get(tenant) or "UTC")
        if len(table.numbers) > NUMBERS_MAX:
            reader.refuse(f"{where}.numbers", f"are more than {NUMBERS_MAX}; add the others by list.add")
        entries: dict[str, ListEntry] = {}
        for index, text in enumerate(table.numbers[:NUMBERS_MAX], 1):
            entry = _entry(reader, f"{where}.numbers[{index}]", text, zone)
            form = "" if entry is None else _form(numbers, entry.number)
            if form in entries:
                reader.refuse(f"{where}.numbers[{index}]", f"{show(text)} is given twice")
            elif entry is not None:
                entries[form] = entry
        built.append(
            ListSettings(
                table.name,
                tenant,
                table.kind,
                table.queues,
                table.only,
                float(table.credit),
                tuple(entries.values()),
            )
        )
    return tuple(built)


def _check_queues(
    reader: Reader, where: str, names: Sequence[str], tenant: str, queues: Mapping[str, QueueSettings]
) -> None:
    for index, name in enumerate(names, 1):
        place = f"{where}.queues[{index}]"
        if name not in queues:
            reader.refuse(place, f"unknown queue {show(name)}{suggest(name, list(queues))}")
        elif queues[name].tenant != tenant:
            reader.refuse(place, f"queue {show(name)} belongs to tenant {queues[name].tenant}")


def _form(numbers: Numbers, number: str) -> str:
    begin = number.removesuffix("*")
    return numbers.prefix(begin) + "*" if begin != number else numbers.e164(number)


def _entry(reader: Reader, where: str, text: str, zone: tzinfo | None) -> ListEntry | None:
    number, says, moment = text.partition(" until ")
    begin = "".join(each for each in number.strip().removesuffix("*") if each not in " -.()/")
    bare = begin.removeprefix("+")
    if not (bare.isascii() and bare.isalnum() and len(begin) <= NUMBER_MAX):
        reader.refuse(where, f"{show(text)} is no number of a caller, {_FORMS}")
        return None
    until = _moment(moment.strip(), zone) if says else None
    if says and until is None:
        reader.refuse(where, f"{show(moment)} is no date such as 2027-01-31 or 2027-01-31T18:00")
        return None
    return ListEntry(begin + "*" if number.strip().endswith("*") else begin, until)


def _moment(text: str, zone: tzinfo | None) -> float | None:
    """Return the moment at which ``text`` is over, epoch seconds: a day at its end, a time when it comes."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2027-01-31"):
        found = datetime.combine(found.date() + timedelta(days=1), time(0))
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
