"""Classes of follow-ups, as a configuration gives them; urgent, complaint and general need no word."""

from collections.abc import Mapping, Sequence

from acd.settings import FOLLOWUPS, FollowupSettings
from config.network import check_name
from config.reading import Read, Reader, show, suggest
from queues.settings import QueueSettings


def build_followups(
    reader: Reader, tables: Sequence[Read], tenants: Sequence[str], queues: Mapping[str, QueueSettings]
) -> tuple[FollowupSettings, ...]:
    """Return the classes: those that everybody has, and the tenants' own, which come before them."""
    usual = {rule.name: rule.within for rule in FOLLOWUPS}
    names: dict[str, dict[str, str]] = {}
    built: list[FollowupSettings] = []
    for where, table in tables:
        tenant = table.tenant or (tenants[0] if len(tenants) == 1 else "")
        check_name(reader, f"{where}.name", table.name, names.setdefault(tenant, {}))
        if table.tenant and table.tenant not in tenants:
            told = f"unknown tenant {show(table.tenant)}{suggest(table.tenant, tenants)}"
            reader.refuse(f"{where}.tenant", told)
        within = usual.get(table.name) if table.within is None else float(table.within)
        if within is None:
            reader.refuse(f"{where}.within", 'is missing; for example "12h"')
        elif within < 60:
            reader.refuse(f"{where}.within", f"{within:g} s: nobody could keep that")
        if table.attempts_max < table.attempts_min:
            told = f"{table.attempts_max} are fewer than attempts_min, {table.attempts_min}"
            reader.refuse(f"{where}.attempts_max", told)
        _check_queue(reader, f"{where}.escalate_to", table.escalate_to, tenant, queues)
        built.append(
            FollowupSettings(
                table.name,
                tenant,
                within or 0.0,
                table.attempts_min,
                table.attempts_max,
                table.escalate_to.removeprefix("queue:"),
            )
        )
    return (*built, *FOLLOWUPS)


def check_voicemail(
    reader: Reader,
    tables: Sequence[Read],
    queues: Mapping[str, QueueSettings],
    rules: tuple[FollowupSettings, ...],
) -> tuple[FollowupSettings, ...]:
    """Return ``rules``; refuse a class that a queue names for its voicemails and its tenant does not have."""
    for where, table in tables:
        wanted, tenant = table.voicemail_followup, queues[table.name].tenant
        names = list(dict.fromkeys(rule.name for rule in rules if rule.tenant in ("", tenant)))
        if wanted and wanted not in names:
            told = f"unknown class {show(wanted)}{suggest(wanted, names)}"
            reader.refuse(f"{where}.voicemail_followup", told)
    return rules


def _check_queue(
    reader: Reader, where: str, target: str, tenant: str, queues: Mapping[str, QueueSettings]
) -> None:
    kind, _, name = target.partition(":")
    if not target:
        return
    if kind != "queue" or not name:
        reader.refuse(where, f"{show(target)} is not queue:NAME")
    elif name not in queues:
        reader.refuse(where, f"unknown queue {show(name)}{suggest(name, list(queues))}")
    elif queues[name].tenant != tenant:
        reader.refuse(where, f"queue {show(name)} belongs to tenant {queues[name].tenant}")
