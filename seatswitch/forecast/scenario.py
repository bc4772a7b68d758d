"""A scenario file to settings, every error told at once (docs/forecast.md has the keys).

Groups become levels, those that serve fewer classes lower, so that a class's own group is the lowest level
that serves it and least-skilled-first means what it says. The engine needs nothing of its own for a forecast.
"""

import tomllib
from collections.abc import Sequence
from math import inf, isfinite
from typing import Annotated, Any, Literal

import msgspec

from acd.settings import AcdSettings, LevelSettings, PhoneSettings, SeatSettings, TenantSettings
from config.reading import ConfigErrors, Reader, parse_duration, show, suggest
from config.tables import Count, Duration, Rate, Table
from kernel.errors import OperatorError
from policies.registry import NAMES
from queues.settings import QueueSettings, Requirement
from seatswitch.forecast.settings import CallClass, Group, Law, Scenario

THRESHOLD = 20.0
CALLS_MAX = 100_000_000
REPLICATIONS_MAX = 1000
SEATS_MAX = 20_000  # of one group

_TENANT = "forecast"
_UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0}


class LawTable(Table, frozen=True):
    """``handle = {...}``, ``patience = {...}``"""

    mean: Duration
    law: Literal["exponential", "lognormal", "constant"] = "exponential"
    cv: Rate | None = None


class ClassTable(Table, frozen=True):
    """``[[class]]``"""

    name: str
    handle: LawTable
    rate: str = ""
    profile: tuple[str | float, ...] = ()
    interval: Duration = Duration(900)
    patience: LawTable | None = None
    queued: bool = True
    priority_credit: Duration | None = None
    priority: int | None = None


class GroupTable(Table, frozen=True):
    """``[[group]]``"""

    name: str
    seats: Annotated[int, msgspec.Meta(ge=0, le=SEATS_MAX)]
    serves: tuple[str, ...]
    speed: Rate = 1.0
    hold_back: Count = 0


class ScenarioTable(Table, frozen=True):
    """The top of the file."""

    config: str = ""
    calls: Annotated[int, msgspec.Meta(ge=1, le=CALLS_MAX)] = 50_000
    replications: Annotated[int, msgspec.Meta(ge=1, le=REPLICATIONS_MAX)] = 8
    warm_up: Duration = Duration(7200)
    seed: int = 1
    threshold: Duration | None = None
    policy: str = ""
    lines: Count = 0


class Document(msgspec.Struct, frozen=True):
    """A scenario file as it is written, with the name that errors give it."""

    file: str
    content: dict[str, Any]

    @property
    def config(self) -> str:
        """The configuration it names, "" if it has groups of its own."""
        config = self.content.get("config", "")
        return config if isinstance(config, str) else ""


def parse_document(text: str, file: str) -> Document:
    """Return the document; raise OperatorError where it is no TOML."""
    try:
        return Document(file, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(file, f"is not TOML: {error}") from error


def load_scenario(document: Document, acd: AcdSettings | None = None) -> Scenario:
    """Return the scenario of ``document``; ``acd`` is of the configuration it names, if it names one.

    Raises :class:`~config.reading.ConfigErrors` with everything that is wrong.
    """
    reader = Reader({}, {})
    content = dict(document.content)
    classes = content.pop("class", [])
    groups = content.pop("group", [])
    builder = _Builder(reader, f"{document.file}:")
    scenario = builder.build(content, classes, groups, acd)
    if scenario is None or reader.errors:
        # Keys at the top stand behind the file's name, as in errors of a configuration.
        raise ConfigErrors(
            [OperatorError(error.where.replace(":.", ": ", 1), error.why) for error in reader.errors]
        )
    return scenario


def with_seats(scenario: Scenario, group: str, seats: int) -> Scenario:
    """Return the scenario with ``seats`` seats in ``group``; OperatorError if there is no such group."""
    names = [each.name for each in scenario.groups]
    if group not in names:
        raise OperatorError("sweep", f"unknown group {show(group)}{suggest(group, names)}")
    changed = [
        msgspec.structs.replace(each, seats=_resize(each, seats)) if each.name == group else each
        for each in scenario.groups
    ]
    return msgspec.structs.replace(scenario, groups=tuple(changed))


def _resize(group: Group, seats: int) -> tuple[SeatSettings, ...]:
    more = (_numbered(group.template, f"{group.name}+{number}") for number in range(len(group.seats), seats))
    return (*group.seats[:seats], *more)


def _numbered(seat: SeatSettings, number: str) -> SeatSettings:
    """Return a seat like ``seat``, with an outside phone of its own: that is always there."""
    return msgspec.structs.replace(seat, number=number, phones=(PhoneSettings("pstn", number),))


class _Builder:
    """Builds one scenario; what is wrong goes to the reader."""

    def __init__(self, reader: Reader, file: str) -> None:
        self._reader = reader
        self._file = file

    def build(
        self, content: dict[str, Any], classes: object, groups: object, acd: AcdSettings | None
    ) -> Scenario | None:
        reader, file = self._reader, self._file
        top = reader.table(ScenarioTable, content, file) or ScenarioTable()
        if top.policy and top.policy not in NAMES:
            reader.refuse(f"{file}.policy", f"unknown policy {show(top.policy)}{suggest(top.policy, NAMES)}")
        kinds = list(reader.many(ClassTable, classes, f"{file}.class"))
        self._check_names([(where, each.name) for where, each in kinds])
        if not kinds and not reader.errors:
            reader.refuse(f"{file}.class", "is missing: nobody calls")
        desks = list(reader.many(GroupTable, groups, f"{file}.group"))
        self._check_names([(where, each.name) for where, each in desks])
        if acd is not None:
            if desks:
                reader.refuse(f"{file}.group", "is given beside config; seats are those of the configuration")
            staff, acd = self._configured(top, kinds, acd)
        else:
            if not desks and not reader.errors:
                reader.refuse(f"{file}.group", "is missing: nobody answers; give groups or a config")
            staff, acd = self._given(top, kinds, desks)
        thresholds = {queue.name: queue.service_level for queue in acd.queues}
        built = [self._class(where, each, thresholds.get(each.name, THRESHOLD)) for where, each in kinds]
        if reader.errors:
            return None
        return Scenario(
            calls=top.calls,
            replications=top.replications,
            warm_up=float(top.warm_up),
            seed=top.seed,
            lines=top.lines,
            classes=tuple(built),
            groups=staff,
            acd=acd,
        )

    def _check_names(self, named: Sequence[tuple[str, str]]) -> None:
        known: dict[str, str] = {}
        for where, name in named:
            if not name.strip():
                self._reader.refuse(f"{where}.name", "is empty")
            elif name in known:
                self._reader.refuse(f"{where}.name", f"{show(name)} is given twice")
            known[name] = where

    # Classes.

    def _class(self, where: str, table: ClassTable, threshold: float) -> CallClass:
        return CallClass(
            name=table.name,
            rates=self._rates(where, table),
            interval=float(table.interval),
            handle=self._law(f"{where}.handle", table.handle),
            patience=None if table.patience is None else self._law(f"{where}.patience", table.patience),
            queued=table.queued,
            threshold=threshold,
        )

    def _law(self, where: str, table: LawTable) -> Law:
        if table.mean <= 0:
            self._reader.refuse(f"{where}.mean", f"{table.mean:g} s is not longer than nothing")
        if table.cv is not None and table.law != "lognormal":
            self._reader.refuse(f"{where}.cv", f"is for a lognormal law, not for one that is {table.law}")
        if table.law == "lognormal" and not table.cv:
            self._reader.refuse(f"{where}.cv", "is missing: a lognormal law has a cv above 0")
        return Law(table.law, float(table.mean), table.cv or 0.0)

    def _rates(self, where: str, table: ClassTable) -> tuple[float, ...]:
        if bool(table.rate) == bool(table.profile):
            why = "is given beside profile" if table.rate else 'is missing, such as "3/min" or "180/h"'
            self._reader.refuse(f"{where}.rate", why)
            return ()
        if table.rate:
            return (self._rate(f"{where}.rate", table.rate),)
        if table.interval <= 0:
            self._reader.refuse(f"{where}.interval", "0 s is no interval")
            return ()
        return tuple(
            self._rate(f"{where}.profile[{number}]", each)
            if isinstance(each, str)
            else self._count(f"{where}.profile[{number}]", each) / table.interval
            for number, each in enumerate(table.profile, 1)
        )

    def _count(self, where: str, value: float) -> float:
        if not 0 <= value < inf:
            self._reader.refuse(where, f"{show(value)} is not a number of calls")
            return 0.0
        return value

    def _rate(self, where: str, text: str) -> float:
        """Return calls per second of ``"3/min"``; any duration may stand behind the stroke (``"40/15m"``)."""
        count, stroke, unit = text.partition("/")
        try:
            value = float(count)
            per = _UNITS.get(unit.strip()) or parse_duration(unit.strip())
        except ValueError:
            stroke = ""
        if not stroke or not isfinite(value) or value < 0 or per <= 0:
            self._reader.refuse(where, f'{show(text)} is not a rate such as "3/min", "180/h" or "45/15m"')
            return 0.0
        return value / per

    # Seats of the scenario's own.

    def _given(
        self,
        top: ScenarioTable,
        kinds: Sequence[tuple[str, ClassTable]],
        desks: Sequence[tuple[str, GroupTable]],
    ) -> tuple[tuple[Group, ...], AcdSettings]:
        names = [each.name for _, each in kinds]
        for where, desk in desks:
            for index, name in enumerate(desk.serves, 1):
                if name not in names:
                    self._reader.refuse(
                        f"{where}.serves[{index}]", f"unknown class {show(name)}{suggest(name, names)}"
                    )
            if desk.speed <= 0:
                self._reader.refuse(f"{where}.speed", "0 never comes to an end")
        ranked = sorted((desk for _, desk in desks), key=lambda desk: len(dict.fromkeys(desk.serves)))
        owners: dict[str, int] = {}
        for level, desk in enumerate(ranked):
            for name in desk.serves:
                owners.setdefault(name, level)
        for where, each in kinds:
            if each.name not in owners and desks:
                self._reader.refuse(f"{where}.name", f"no group serves {show(each.name)}")
        queues = [self._queue(top, each, owners.get(each.name, 0), len(ranked)) for _, each in kinds]
        staff: list[Group] = []
        for level, desk in enumerate(ranked):
            serves = tuple(dict.fromkeys(desk.serves))
            if desk.hold_back and level not in owners.values():
                # Nobody's own group: what is held back is held back from all, for a queue that nobody joins.
                kept = _unused(f"held back in {desk.name}", names)
                queues.append(QueueSettings(kept, _TENANT, Requirement(level, level)))
                serves = (*serves, kept)
            template = SeatSettings(desk.name, _TENANT, level, queues=serves)
            seats = tuple(_numbered(template, f"{desk.name}-{n}") for n in range(1, desk.seats + 1))
            staff.append(Group(desk.name, seats, template, desk.speed))
        listed = [desk.name for _, desk in desks]
        acd = AcdSettings(
            levels=tuple(LevelSettings(desk.name, hold_back=desk.hold_back) for desk in ranked),
            queues=tuple(queues),
            seats=(),
            tenants=(TenantSettings(_TENANT),),
        )
        return tuple(sorted(staff, key=lambda group: listed.index(group.name))), acd

    def _queue(self, top: ScenarioTable, table: ClassTable, own: int, levels: int) -> QueueSettings:
        return QueueSettings(
            table.name,
            _TENANT,
            Requirement(own, max(own, levels - 1)),
            policy=top.policy or "least-skilled-first",
            priority_credit=float(table.priority_credit or 0.0),
            priority=table.priority or 0,
            max_wait=0.0,
            max_waiting=0,
            service_level=THRESHOLD if top.threshold is None else float(top.threshold),
        )

    # Seats of a configuration.

    def _configured(
        self, top: ScenarioTable, kinds: Sequence[tuple[str, ClassTable]], acd: AcdSettings
    ) -> tuple[tuple[Group, ...], AcdSettings]:
        tables = {each.name: each for _, each in kinds}
        names = [queue.name for queue in acd.queues]
        for where, each in kinds:
            if each.name not in names:
                self._reader.refuse(
                    f"{where}.name", f"unknown queue {show(each.name)}{suggest(each.name, names)}"
                )
        queues = tuple(self._configured_queue(top, queue, tables.get(queue.name)) for queue in acd.queues)
        staff: list[Group] = []
        for rank, level in enumerate(acd.levels):
            seats = [seat for seat in acd.seats if seat.level == rank and seat.queues]
            if seats:
                own = tuple(_numbered(seat, seat.number) for seat in seats)
                staff.append(Group(level.name, own, own[-1]))
        # Everybody is signed in: quotas and suspensions are not what a forecast is about.
        tenants = tuple(TenantSettings(tenant.name) for tenant in acd.tenants)
        return tuple(staff), msgspec.structs.replace(acd, queues=queues, seats=(), tenants=tenants)

    def _configured_queue(
        self, top: ScenarioTable, queue: QueueSettings, table: ClassTable | None
    ) -> QueueSettings:
        credit = None if table is None else table.priority_credit
        priority = None if table is None else table.priority
        return msgspec.structs.replace(
            queue,
            policy=top.policy or queue.policy,
            priority_credit=queue.priority_credit if credit is None else float(credit),
            priority=queue.priority if priority is None else priority,
            service_level=queue.service_level if top.threshold is None else float(top.threshold),
        )


def _unused(name: str, names: Sequence[str]) -> str:
    while name in names:
        name += "."
    return name
