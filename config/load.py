"""TOML text to the settings of every floor, every error told at once.

The shell reads files, includes, environment and secrets and hands texts in; nothing here touches the world.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from acd.settings import AcdSettings, ListSettings
from calls.settings import CallSettings, QueueMedia
from config.accept import check_accept
from config.carriers import build_routes, check_country
from config.distribution import Desk
from config.followup import build_followups, check_voicemail
from config.hold import check_recall
from config.hours import FindZone, only_utc
from config.lists import build_lists
from config.network import (
    build_http,
    build_media,
    build_rpc,
    build_sip,
    build_store,
    build_trunks,
    own_listeners,
)
from config.reading import ConfigErrors, Read, Reader, show, suggest
from config.recording import build_recording
from config.schema import LogSettings, Settings
from config.sounds import BUILTIN, build_sounds, build_voice
from config.tables import (
    MANY,
    SINGLE,
    HttpTable,
    LogTable,
    MediaTable,
    RecordingTable,
    RpcTable,
    SipTable,
    StoreTable,
    SwitchTable,
    Table,
)
from config.transports import build_connections, build_dns, build_tls, check_trunk_transports
from queues.settings import QueueSettings

T = TypeVar("T", bound=Table)


def load_settings(
    text: str,
    *,
    file: str,
    includes: Mapping[str, str] = {},
    environment: Mapping[str, str] = {},
    secrets: Mapping[str, str] = {},
    sounds: Mapping[str, bytes] = {},
    cpus: int = 1,
    find_zone: FindZone = only_utc,
) -> Settings:
    """Return the settings of the configuration ``text``.

    ``file`` is its name in errors, ``includes`` the texts of included files by name, ``secrets`` the texts of
    files named by ``{file = "PATH"}``, ``sounds`` the audio of those that ``[[sound]]`` and
    ``media.voice`` name; ``cpus`` sizes
    ``workers = "auto"``; ``find_zone`` returns an IANA time zone by name. Raises :class:`ConfigErrors` with
    everything that is wrong.
    """
    reader = Reader(environment, secrets)
    singles: dict[str, Read] = {}
    lists: dict[str, list[Read]] = {key: [] for key in MANY}
    for name, content in ((file, text), *includes.items()):
        document = _parse(reader, name, content)
        patterns = document.pop("include", [])
        if not isinstance(patterns, list) or not all(isinstance(it, str) and it for it in patterns):
            reader.refuse(
                f"{name}: include", f'{show(patterns)} is not a list of files such as ["more/*.toml"]'
            )
        elif patterns and name != file:
            reader.refuse(f"{name}: include", "an included file cannot include others")
        _read(reader, name, document, singles, lists)
    settings = _build(reader, file, singles, lists, cpus, find_zone, sounds)
    if reader.errors:
        raise ConfigErrors(reader.errors)
    return settings


def _parse(reader: Reader, file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reader.refuse(file, f"is not TOML: {error}")
        # What is said about the rest of a file that cannot be read would be wrong.
        raise ConfigErrors(reader.errors) from error


def _read(
    reader: Reader,
    file: str,
    document: dict[str, Any],
    singles: dict[str, Read],
    lists: dict[str, list[Read]],
) -> None:
    for key, value in document.items():
        where = f"{file}: {key}"
        if key in SINGLE:
            if isinstance(value, list):
                reader.refuse(where, f"is one table, written [{key}]")
            elif key in singles:
                reader.refuse(where, f"is given in {singles[key].where.partition(':')[0]} already")
            elif (table := reader.table(SINGLE[key], value, where)) is not None:
                singles[key] = Read(where, table)
        elif key in MANY:
            if isinstance(value, dict):
                reader.refuse(where, f"is a list of tables, each written [[{key}]]")
            else:
                lists[key].extend(Read(*read) for read in reader.many(MANY[key], value, where))
        else:
            reader.refuse(where, f"unknown key{suggest(key, ['include', *SINGLE, *MANY])}")


def _build(
    reader: Reader,
    file: str,
    singles: dict[str, Read],
    lists: dict[str, list[Read]],
    cpus: int,
    find_zone: FindZone,
    sounds: Mapping[str, bytes],
) -> Settings:
    def single(key: str, kind: type[T]) -> tuple[str, T]:
        read = singles.get(key, Read(f"{file}: {key}", kind()))
        return read.where, read.table

    prompts = build_sounds(reader, lists["sound"], sounds)
    desk = _desk(reader, lists, find_zone, tuple(prompts))
    trunks = build_trunks(reader, lists["trunk"], list(desk.tenants))
    sip_read = Read(*single("sip", SipTable))
    sip = build_sip(reader, *sip_read, desk.accounts, lists["trunk"])
    check_trunk_transports(reader, lists["trunk"], sip)
    media = build_media(reader, *single("media", MediaTable), sip.advertise, cpus)
    where, table = single("media", MediaTable)
    voice = build_voice(reader, where, table.voice, sounds)
    switch = single("switch", SwitchTable)[1]
    check_country(reader, f"{file}: switch.country", switch.country)
    rpc = build_rpc(reader, *single("rpc", RpcTable))
    taped = Read(*single("recording", RecordingTable))
    zones = {tenant.name: tenant.time_zone for _, tenant in lists["tenant"]}
    callers = build_lists(reader, lists["list"], zones, desk.queues, switch.country, find_zone)
    return Settings(
        sip=sip,
        media=msgspec.structs.replace(
            media,
            recordings=taped.table.folder,
            never_send_to=own_listeners(sip, rpc), sounds=tuple((prompts | voice).items())
        ),
        acd=_acd(reader, lists, desk, float(switch.wrap_up_max), callers),
        calls=CallSettings(
            trunks=trunks,
            routes=build_routes(reader, lists["route"], trunks, list(desk.tenants)),
            country=switch.country,
            queues=tuple(map(_queue_media, desk.queues.values())),
            **desk.for_calls(),
            voicemail=desk.voicemail,
            suspended_tenants=tuple(tenant.name for tenant in desk.tenants.values() if tenant.suspended),
            barred_statuses={tenant.name: int(tenant.barred_status) for _, tenant in lists["tenant"]},
            domain=next(iter(sip.domains), ""),
            codecs=media.codecs,
            ring_for=float(switch.ring_for),
            hold_recall=check_recall(reader, f"{file}: switch", switch),
            hold_max=float(switch.hold_max),
            accept_key=check_accept(reader, f"{file}: switch", switch, lists["seat"]),
            accept_for=float(switch.accept_for),
            queue_header=switch.queue_header,
            recording=build_recording(reader, *taped, lists["tenant"]),
            calls_max=switch.max_calls,
        ),
        rpc=rpc,
        store=build_store(reader, *single("store", StoreTable)),
        http=build_http(reader, *single("http", HttpTable)),
        drain_after=float(switch.drain_after),
        log=LogSettings(single("log", LogTable)[1].level),
        tls=build_tls(reader, *sip_read),
        connections=build_connections(reader, *sip_read),
        dns_servers=build_dns(reader, *sip_read),
        seat_secrets=desk.seat_secrets,
    )


def _acd(
    reader: Reader,
    lists: dict[str, list[Read]],
    desk: Desk,
    wrap_up_max: float,
    callers: tuple[ListSettings, ...],
) -> AcdSettings:
    return AcdSettings(
        levels=desk.levels,
        queues=tuple(desk.queues.values()),
        seats=tuple(desk.seats.values()),
        tenants=tuple(desk.tenants.values()),
        wrap_up_max=wrap_up_max,
        lists=callers,
        followups=check_voicemail(
            reader,
            lists["queue"],
            desk.queues,
            build_followups(reader, lists["followup"], list(desk.tenants), desk.queues),
        ),
        hours=tuple(hours for _, hours in desk.calendars.values()),
    )


def _queue_media(queue: QueueSettings) -> QueueMedia:
    return QueueMedia(
        queue.name, queue.tenant, queue.answer, queue.music, queue.welcome,
        tuple(key for key, _ in queue.keys), queue.message_answer, queue.announce, queue.language,
        queue.seat_hears, queue.say_seat, queue.survey, queue.record, queue.record_pausable,
        queue.seat_delay, queue.seat_hears_wait,
        queue.voicemail_followup,
    )


def _desk(
    reader: Reader, lists: dict[str, list[Read]], find_zone: FindZone, sounds: tuple[str, ...]
) -> Desk:
    """Return everything of distribution, part by part; later ones look up earlier ones."""
    desk = Desk(reader)
    desk.sounds = (*BUILTIN, *sounds)
    desk.build_levels(lists["level"])
    desk.build_tenants(lists["tenant"])
    desk.build_hours(lists["tenant"], lists["hours"], find_zone)
    desk.build_queues(lists["queue"])
    desk.build_extensions(lists["extension"])
    desk.build_seats(lists["seat"])
    desk.check_wanted_seats(lists["queue"])
    desk.build_scripts(lists["tenant"], lists["list"])
    desk.build_hotlines(lists["tenant"])
    return desk
