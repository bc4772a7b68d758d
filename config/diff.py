"""What a reload changes, and what of it waits for a restart, in sentences for the log.

No password, token or URL with one is ever part of a sentence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from config.schema import Settings
from sip.settings import Secret

# Key -> what a running switch cannot change: sockets, processes, the database.
RESTART: dict[str, Callable[[Settings], object]] = {
    "sip.listen": lambda it: it.sip.listen,
    "media.address": lambda it: it.media.address,
    "media.ports": lambda it: it.media.ports,
    "media.workers": lambda it: it.media.workers,
    "rpc.listen": lambda it: it.rpc.listen,
    "rpc.tokens": lambda it: it.rpc.tokens,
    "recording.folder": lambda it: it.media.recordings,
    "store.url": lambda it: it.store.url,
    "http.listen": lambda it: it.http.listen,
}
_SHOWN = ("sip.listen", "media.address", "media.ports", "media.workers", "rpc.listen", "http.listen")


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """Return a sentence per change that a reload does not apply."""
    sentences = []
    for key, part in RESTART.items():
        before, after = part(old), part(new)
        if before != after:
            values = f" ({_text(before)} -> {_text(after)})" if key in _SHOWN else ""
            sentences.append(f"{key} has changed{values}: it takes effect at the next start")
    return sentences


def describe_changes(old: Settings, new: Settings) -> list[str]:
    """Return a sentence per change that a reload applies at once."""
    return [
        *_single("sip", old.sip, new.sip, ("listen", "accounts", "trunks")),
        *_single("media", old.media, new.media, _MEDIA_ELSEWHERE),
        *_single(
            "switch",
            old,
            new,
            (
                "sip",
                "media",
                "acd",
                "calls",
                "rpc",
                "store",
                "http",
                "log",
                "tls",
                "connections",
                "dns_servers",
                "seat_secrets",
            ),
        ),
        *_single("sip.tls", old.tls, new.tls, ()),
        *_single("sip", old.connections, new.connections, ()),
        *_servers(old, new),
        *_single("switch", old.calls, new.calls, _CALLS_ELSEWHERE),
        *_single("switch", old.acd, new.acd, _ACD_ELSEWHERE),
        *_single("recording", old.calls.recording, new.calls.recording, ()),
        *_single("log", old.log, new.log, ()),
        *_many("level", _named(old.acd.levels), _named(new.acd.levels)),
        *_rank_changes(old, new),
        *_many("tenant", _named(old.acd.tenants), _named(new.acd.tenants)),
        *_sounds(dict(old.media.sounds), dict(new.media.sounds)),
        *_lists(old, new),
        *_many("followup", _classed(old), _classed(new)),
        *_many("queue", _named(old.acd.queues), _named(new.acd.queues)),
        *_many("seat", _numbered(old.acd.seats), _numbered(new.acd.seats), _levels(old), _levels(new)),
        *_seat_keys("call_right", "all", old.calls.call_rights, new.calls.call_rights),
        *_seat_keys("auto_answer", "never", old.calls.auto_answer, new.calls.auto_answer),
        *_seat_keys("mwi", "subscribe", _mwi(old), _mwi(new)),
        *_secrets("seat", old.seat_secrets, new.seat_secrets),
        *_extensions(old, new),
        *_many("ivr", _scripts(old), _scripts(new)),
        *_many("voicemail of tenant", old.calls.voicemail, new.calls.voicemail),
        *_many("hotline", _numbered(old.calls.hotlines), _numbered(new.calls.hotlines)),
        *_many("trunk", _named(old.calls.trunks), _named(new.calls.trunks)),
        *_many("route", _prefixed(old.calls.routes), _prefixed(new.calls.routes)),
        *_peers(old, new),
    ]


# Told with their tables, or the same as what is.
_ACD_ELSEWHERE = ("levels", "queues", "seats", "tenants", "lists", "followups", "hours")
_MEDIA_ELSEWHERE = ("address", "ports", "workers", "never_send_to", "sounds", "recordings")
_CALLS_ELSEWHERE = (
    "trunks",
    "routes",
    "hotlines",
    "queues",
    "seats",
    "extensions",
    "call_rights",
    "recording",
    "auto_answer",
    "scripts",
    "standing",
    "suspended_tenants",
    "voicemail",
    "domain",
    "codecs",
)


def _named(things: Iterable[Any]) -> dict[str, Any]:
    return {thing.name: thing for thing in things}


def _numbered(things: Iterable[Any]) -> dict[str, Any]:
    return {thing.number: thing for thing in things}


def _scripts(settings: Settings) -> dict[str, Any]:
    return {f"{script.tenant} {script.name}": script for script in settings.calls.scripts}


def _classed(settings: Settings) -> dict[str, Any]:
    return {f"{rule.tenant or '*'} {rule.name}": rule for rule in settings.acd.followups}


def _prefixed(routes: Iterable[Any]) -> dict[str, Any]:
    return {f'{route.tenant or "*"} "{route.prefix}"': route for route in routes}


def _levels(settings: Settings) -> list[str]:
    return [level.name for level in settings.acd.levels]


def _single(key: str, old: msgspec.Struct, new: msgspec.Struct, apart: tuple[str, ...]) -> Iterator[str]:
    for change in _fields(old, new, apart):
        yield f"{key}.{change}"


def _fields(
    old: msgspec.Struct,
    new: msgspec.Struct,
    apart: tuple[str, ...] = (),
    levels: tuple[list[str], list[str]] = ([], []),
) -> Iterator[str]:
    for field in old.__struct_fields__:
        before, after = getattr(old, field), getattr(new, field)
        if field == "level" and levels[0]:
            before, after = levels[0][before], levels[1][after]
        if before != after and field not in apart:
            yield f"{field} {_text(before)} -> {_text(after)}"


def _many(
    kind: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    old_levels: list[str] | None = None,
    new_levels: list[str] | None = None,
) -> Iterator[str]:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            yield f"{kind} {name} is gone"
            continue
        changes = list(_fields(before, after, levels=(old_levels or [], new_levels or [])))
        if changes:
            yield f"{kind} {name}: {', '.join(changes)}"
    for name in new:
        if name not in old:
            yield f"{kind} {name} is new"


def _servers(old: Settings, new: Settings) -> Iterator[str]:
    if old.dns_servers != new.dns_servers:
        before, after = (
            ", ".join(f"{host}:{port}" for host, port in servers) or "the system's"
            for servers in (old.dns_servers, new.dns_servers)
        )
        yield f"sip.dns {before} -> {after}"


def _rank_changes(old: Settings, new: Settings) -> Iterator[str]:
    before, after = _levels(old), _levels(new)
    if before != after and sorted(before) == sorted(after):
        yield f"the order of levels is now {', '.join(after)}"


def _seat_keys(key: str, usual: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Tell how a key changes that only call control knows, by seat."""
    for seat in dict.fromkeys((*old, *new)):
        before, after = old.get(seat, usual), new.get(seat, usual)
        if before != after:
            yield f"seat {seat}: {key} {before} -> {after}"


def _mwi(settings: Settings) -> dict[str, str]:
    accounts = settings.sip.accounts
    return {seat: accounts[seat].mwi for seat in settings.seat_secrets if seat in accounts}


def _secrets(kind: str, old: Mapping[str, Secret], new: Mapping[str, Secret]) -> Iterator[str]:
    for number, secret in new.items():
        if number in old and old[number] != secret:
            yield f"{kind} {number}: its password has changed"


def _extensions(old: Settings, new: Settings) -> Iterator[str]:
    for number in old.calls.extensions:
        if number not in new.calls.extensions:
            yield f"extension {number} is gone"
    for number, tenant in new.calls.extensions.items():
        before = old.calls.extensions.get(number)
        if before is None:
            yield f"extension {number} is new"
        elif before != tenant:
            yield f"extension {number}: tenant {before} -> {tenant}"
        elif (was := old.sip.accounts[number].mwi) != (now := new.sip.accounts[number].mwi):
            yield f"extension {number}: mwi {was} -> {now}"
    yield from _secrets(
        "extension",
        {number: old.sip.accounts[number].secret for number in old.calls.extensions},
        {number: new.sip.accounts[number].secret for number in new.calls.extensions},
    )


def _sounds(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[str]:
    before, after = _voice(old), _voice(new)
    if before != after:
        yield f"media.voice: {len(before)} -> {len(after)} phrases of an own voice"
    for name in old:
        if name not in new and name not in before:
            yield f"sound {name} is gone"
    for name, audio in new.items():
        if name in after:
            continue
        if name not in old:
            yield f"sound {name} is new"
        elif old[name] != audio:
            yield f"sound {name} has changed"


def _voice(sounds: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: audio for name, audio in sounds.items() if name.startswith("voice:")}


def _lists(old: Settings, new: Settings) -> Iterator[str]:
    """Tell how lists of callers change, and of their numbers how many."""
    before, after = _named(old.acd.lists), _named(new.acd.lists)
    old_bare, new_bare = (
        {name: msgspec.structs.replace(each, entries=()) for name, each in lists.items()}
        for lists in (before, after)
    )
    yield from _many("list", old_bare, new_bare)
    for name, each in after.items():
        known = dict.fromkeys(before[name].entries) if name in before else {}
        added = sum(entry not in known for entry in each.entries)
        gone = len(known) - (len(each.entries) - added)
        if name in before and (added or gone):
            yield f"list {name}: {added} numbers more, {gone} fewer"


def _peers(old: Settings, new: Settings) -> Iterator[str]:
    """Tell what signalling alone knows of a trunk."""
    before = _named(old.sip.trunks)
    for trunk in new.sip.trunks:
        other = before.get(trunk.name)
        if other is None or other == trunk:
            continue
        if other.accept != trunk.accept:
            yield f"trunk {trunk.name}: accept {_text(other.accept)} -> {_text(trunk.accept)}"
        if (other.user, other.secret, other.realm) != (trunk.user, trunk.secret, trunk.realm):
            yield f"trunk {trunk.name}: its credentials have changed"
        if (other.register, other.probe) != (trunk.register, trunk.probe):
            yield f"trunk {trunk.name}: register or probe has changed"


def _text(value: object) -> str:
    """Return a value in few words: durations and numbers bare, lists with commas, structs by their fields."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if isinstance(value, msgspec.Struct):
        transport = getattr(value, "transport", None)
        if transport is not None:
            return f"{transport}://{getattr(value, 'host', '')}:{getattr(value, 'port', '')}"
        parts = (f"{name}={_text(getattr(value, name))}" for name in value.__struct_fields__)
        return "{" + ", ".join(parts) + "}"
    return "none" if value is None or value == "" else str(value)
