"""What a configuration says about distribution: levels, tenants, queues, seats, extensions and hotlines."""

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from itertools import pairwise
from typing import Any

import msgspec

from acd.settings import LevelSettings, PhoneSettings, SeatSettings, TenantSettings
from calls.menu import ScriptSettings
from calls.numbers import is_number
from calls.settings import Hotline, VoicemailSettings
from config.announce import build_announce
from config.callback import build_callback
from config.entry import (
    Calendars,
    build_entry,
    build_keys,
    check_mailbox,
    check_targets,
    check_wanted_seat,
    check_wanted_seats,
    resolve_levels,
)
from config.hours import FindZone, build_hours
from config.ivr import Known, build_scripts, names_of
from config.network import check_name
from config.quality import build_quality
from config.reading import Read, Reader, show, suggest
from config.sounds import BUILTIN
from config.survey import build_survey
from config.tables import (
    Duration,
    ExtensionTable,
    LevelTable,
    MissedRuleTable,
    QueueTable,
    RelaxTable,
    RequiresTable,
    SeatQueueTable,
    SeatTable,
)
from config.timetable import build_timetable
from config.voicemail import build_voicemail
from policies.registry import NAMES
from queues.settings import MissedRule, MissedRules, QueueSettings, RelaxStep, Requirement
from sip.settings import Account, Secret

NUMBERS_MAX = 20_000  # of one table's ranges together: more seats than one node is built for
NUMBER_LENGTH_MAX = 32
SEAT_DELAY_MAX = 10.0  # seconds
_ENTRIES = "queue:NAME, seat:NUMBER, extension:NUMBER, ivr:NAME, voicemail:public, voicemail:SEAT"


class LevelDefault(msgspec.Struct, frozen=True):
    """What a level of a known name is told where it does not say."""

    wrap_up: float = 0.0
    handle_limit: float = 0.0
    hold_back: int = 0


# The rules of the three levels of a service desk; a level of any other name starts at zero.
LEVEL_DEFAULTS = {
    "junior": LevelDefault(wrap_up=30.0, handle_limit=180.0),
    "intermediate": LevelDefault(wrap_up=180.0, handle_limit=300.0),
    "senior": LevelDefault(hold_back=1),
}


class Desk:
    """Builds the distribution's settings; later parts look up what earlier ones found.

    The order is :meth:`build_levels`, :meth:`build_tenants`, :meth:`build_hours`, :meth:`build_queues`,
    :meth:`build_extensions`, :meth:`build_seats`, :meth:`build_scripts`, :meth:`build_hotlines`.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.levels: tuple[LevelSettings, ...] = ()
        self.ranks: dict[str, int] = {}
        self.tenants: dict[str, TenantSettings] = {}
        self.usual_hours: dict[str, str] = {}  # tenant -> its calendar
        self.recorded: dict[str, bool] = {}  # tenants whose queues are, unless they say otherwise
        self.languages: dict[str, str] = {}  # tenant -> what is said to its callers
        self.voicemail: dict[str, VoicemailSettings] = {}
        self.calendars: Calendars = {}
        self.sounds: tuple[str, ...] = BUILTIN
        self.zones: dict[str, tzinfo | None] = {}  # of tenants; None: there is no such zone
        self.queues: dict[str, QueueSettings] = {}
        self.seats: dict[str, SeatSettings] = {}
        self.extensions: dict[str, str] = {}  # number -> tenant
        self.accounts: dict[str, Account] = {}
        self.seat_secrets: dict[str, Secret] = {}
        self.auto_answer: dict[str, str] = {}  # of seats whose phones can be told to answer
        self.call_rights: dict[str, str] = {}  # of seats that may not call all numbers
        self.hotlines: list[Hotline] = []
        self.script_names: dict[str, tuple[str, ...]] = {}  # by tenant
        self.scripts: tuple[ScriptSettings, ...] = ()
        self._numbers: dict[str, str] = {}  # number -> who has it

    def build_levels(self, levels: Sequence[Read]) -> None:
        """Take the levels; their order is their rank. None given: junior, intermediate, senior."""
        names: dict[str, str] = {}
        for where, level in levels:
            check_name(self._reader, f"{where}.name", level.name, names)
        tables = [level for _, level in levels] or [LevelTable(name=name) for name in LEVEL_DEFAULTS]
        self.levels = tuple(_level(table) for table in tables)
        self.ranks = {level.name: rank for rank, level in enumerate(self.levels)}

    def build_tenants(self, tenants: Sequence[Read]) -> None:
        """Take the tenants without their hotlines and scripts."""
        names: dict[str, str] = {}
        self.script_names = names_of(tenants)
        for where, tenant in tenants:
            check_name(self._reader, f"{where}.name", tenant.name, names)
            for index, reason in enumerate(tenant.pause_reasons, 1):
                place = f"{where}.pause_reasons[{index}]"
                if not reason.strip():
                    self._reader.refuse(place, "is empty")
                elif reason in tenant.pause_reasons[: index - 1]:
                    self._reader.refuse(place, f"{show(reason)} is given twice")
            quotas = {
                self._rank(f"{where}.level_quota.{level}", level, 0): most
                for level, most in tenant.level_quota.items()
            }
            self.languages[tenant.name] = tenant.language
            if tenant.record:
                self.recorded[tenant.name] = True
            self.voicemail[tenant.name] = build_voicemail(
                self._reader, where, tenant.voicemail, tenant.language, self.sounds
            )
            self.tenants[tenant.name] = TenantSettings(
                tenant.name,
                tenant.seat_quota,
                tenant.pause_reasons,
                tenant.suspended,
                level_quota=tuple(sorted(quotas.items())),
                quality=build_quality(self._reader, where, tenant.quality),
            )

    def build_hours(self, tenants: Sequence[Read], hours: Sequence[Read], find_zone: FindZone) -> None:
        """Take the calendars of opening hours, in the time zones of their tenants."""
        zones = {tenant.name: tenant.time_zone for _, tenant in tenants}
        self.calendars = build_hours(self._reader, hours, zones, find_zone)
        self.zones = {tenant: find_zone(name or "UTC") for tenant, name in zones.items()}
        for where, tenant in tenants:
            zone = self.zones[tenant.name] or UTC
            self.tenants[tenant.name] = msgspec.structs.replace(self.tenants[tenant.name], zone=zone)
            self.usual_hours[tenant.name] = tenant.hours
            if tenant.hours and tenant.hours not in self.calendars:
                there = suggest(tenant.hours, list(self.calendars))
                self._reader.refuse(f"{where}.hours", f"unknown hours {show(tenant.hours)}{there}")
                self.usual_hours[tenant.name] = ""
            if tenant.call_hours and tenant.call_hours not in self.calendars:
                there = suggest(tenant.call_hours, list(self.calendars))
                self._reader.refuse(
                    f"{where}.call_hours", f"unknown hours {show(tenant.call_hours)}{there}"
                )
            elif tenant.call_hours:
                known = self.tenants[tenant.name]
                dials_in = self.calendars[tenant.call_hours][1]
                self.tenants[tenant.name] = msgspec.structs.replace(known, call_hours=dials_in)

    def build_queues(self, queues: Sequence[Read]) -> None:
        """Take the queues; overflow goes where a call cannot come back from."""
        names: dict[str, str] = {}
        for where, queue in queues:
            check_name(self._reader, f"{where}.name", queue.name, names)
            self._check_queue(where, queue)
            requires = self._requirement(f"{where}.requires", queue.requires)
            relax = self._relaxations(where, queue, requires)
            requires = self._prefer(f"{where}.requires.prefer", queue.requires.prefer, requires, relax)
            tenant = self._tenant(where, queue.tenant)
            usual = self.usual_hours.get(tenant, "")
            entry = build_entry(self._reader, where, queue, tenant, self.calendars, usual)
            self.queues.setdefault(
                queue.name,
                QueueSettings(
                    name=queue.name,
                    tenant=tenant,
                    requires=requires,
                    relax=relax,
                    policy=queue.policy,
                    priority_credit=float(queue.priority_credit),
                    weight=queue.weight,
                    priority=queue.priority,
                    starve_after=float(queue.starve_after),
                    ring_for=float(queue.ring_for),
                    ring_at_most=queue.ring_at_most,
                    max_wait=float(queue.max_wait),
                    max_waiting=queue.max_waiting,
                    when_empty=queue.when_empty,
                    on_timeout=queue.on_timeout,
                    alert_wait=float(queue.alert_wait),
                    service_level=float(queue.service_level),
                    service_level_2=float(queue.service_level_2),
                    short_abandon=float(queue.short_abandon),
                    wrap_up=_optional(queue.wrap_up),
                    missed=_missed(self._reader, where, queue),
                    pick=queue.pick,
                    pair_back_off=float(queue.pair_back_off),
                    answer=str(queue.answer),
                    message_answer=str(queue.message_answer),
                    announce=build_announce(self._reader, where, queue.announce, self.sounds),
                    language=queue.language or self.languages.get(tenant, "en"),
                    seat_hears=queue.seat_hears,
                    seat_delay=float(queue.seat_delay),
                    seat_hears_wait=queue.seat_hears_wait,
                    say_seat=queue.say_seat,
                    survey=build_survey(self._reader, where, queue.survey, self.sounds),
                    record=tenant in self.recorded if queue.record is None else queue.record,
                    record_pausable=queue.record_pausable,
                    voicemail_followup=queue.voicemail_followup,
                    music=queue.music,
                    welcome=queue.welcome,
                    entry=entry,
                    keys=build_keys(self._reader, where, queue),
                    callback=build_callback(self._reader, where, queue, tenant, self.calendars, entry.hours),
                ),
            )
        self.queues = resolve_levels(self._reader, queues, self.queues, self.ranks)
        check_targets(self._reader, queues, self.queues, self.sounds, self.script_names)

    def build_extensions(self, extensions: Sequence[Read]) -> None:
        """Take the extensions: numbers with a password and a tenant."""
        for where, table in extensions:
            tenant = self._tenant(where, table.tenant)
            secret = self._secret_of(where, table, "")
            for number in self._numbers_of(where, table, "extension"):
                self.extensions[number] = tenant
                self.accounts[number] = Account(number, secret, tenant, table.mwi)

    def build_seats(self, seats: Sequence[Read]) -> None:
        """Take the seats and the accounts of their softphones."""
        for where, table in seats:
            tenant = self._tenant(where, table.tenant)
            level = self._seat_level(where, table)
            queues = self._seat_queues(where, table, tenant, level)
            named = [it for it in table.queues if isinstance(it, SeatQueueTable)]
            supervises = self._supervised(where, table, tenant)
            secret = self._secret_of(where, table, ", nobody could sign in")
            kinds = [
                self._phone(f"{where}.phones[{index}]", text, tenant)
                for index, text in enumerate(table.phones, 1)
            ]
            if not table.phones:
                self._reader.refuse(f"{where}.phones", 'is empty; the usual one is "softphone"')
            timetable = build_timetable(
                self._reader,
                where,
                table.timetable,
                self.zones.get(tenant, UTC),
                self.tenants[tenant].pause_reasons if tenant in self.tenants else (),
                [PhoneSettings(*it) for it in kinds if it is not None],
            )
            for number in self._numbers_of(where, table, "seat"):
                phones = tuple(
                    PhoneSettings(kind, other or number)
                    for kind, other in (it for it in kinds if it is not None)
                )
                self.seats[number] = SeatSettings(
                    number=number,
                    tenant=tenant,
                    level=level,
                    skills=tuple(sorted(table.skills.items())),
                    queues=queues,
                    ranks=tuple((it.name, it.rank) for it in named if it.rank > 1),
                    shares=tuple((it.name, it.share) for it in named if it.share > 1),
                    daily_limit=table.daily_limit,
                    standing="" if table.standing == "never" else table.standing,
                    phones=phones,
                    role=table.role,
                    wrap_up=_optional(table.wrap_up),
                    timetable=timetable,
                    after_call=table.after_call,
                    supervises=supervises,
                )
                self.seat_secrets[number] = secret
                if table.auto_answer != "never":
                    self.auto_answer[number] = table.auto_answer
                if table.call_right != "all":
                    self.call_rights[number] = table.call_right
                if any(phone.kind == "softphone" for phone in phones):
                    self.accounts[number] = Account(number, secret, tenant, table.mwi)

    def for_calls(self) -> dict[str, Any]:
        """Return what call control is told of hotlines, scripts, seats and extensions."""
        return {
            "hotlines": tuple(self.hotlines),
            "languages": self.languages,
            "seats": {seat.number: seat.tenant for seat in self.seats.values()},
            "extensions": self.extensions,
            "call_rights": self.call_rights,
            "auto_answer": self.auto_answer,
            "scripts": self.scripts,
            "standing": {seat.number: seat.standing for seat in self.seats.values() if seat.standing},
        }

    def build_scripts(self, tenants: Sequence[Read], lists: Sequence[Read]) -> None:
        """Take the scripts (IVR), which may name everything else."""
        known = Known(
            self.queues,
            self.ranks,
            self.seats,
            self.extensions,
            self.sounds,
            self.calendars,
            lists,
            self.languages,
            self.script_names,
        )
        self.scripts = build_scripts(self._reader, tenants, known)

    def check_wanted_seats(self, queues: Sequence[Read]) -> None:
        """Look whether the seats that queues lead to are there."""
        check_wanted_seats(self._reader, queues, self.queues, self.seats)

    def build_hotlines(self, tenants: Sequence[Read]) -> None:
        """Take the hotlines; each leads to something of its own tenant."""
        for where, tenant in tenants:
            for index, hotline in enumerate(tenant.hotlines, 1):
                place = f"{where}.hotlines[{index}]"
                self._take_number(f"{place}.number", hotline.number, f"a hotline of tenant {tenant.name}")
                self._check_entry(f"{place}.entry", hotline.entry, tenant.name)
                self.hotlines.append(Hotline(hotline.number, tenant.name, hotline.entry))

    def _tenant(self, where: str, name: str) -> str:
        """Return the tenant named, or the only one there is."""
        place = f"{where}.tenant"
        names = list(self.tenants)
        if not name and len(names) == 1:
            return names[0]
        if not name:
            self._reader.refuse(place, f"is missing{suggest('', names)}")
        elif name not in self.tenants:
            self._reader.refuse(place, f"unknown tenant {show(name)}{suggest(name, names)}")
        return name

    def _rank(self, where: str, name: str, otherwise: int) -> int:
        rank = self.ranks.get(name)
        if rank is None:
            self._reader.refuse(where, f"unknown level {show(name)}: levels are {', '.join(self.ranks)}")
            return otherwise
        return rank

    def _requirement(self, where: str, table: RequiresTable) -> Requirement:
        highest = len(self.levels) - 1
        skills = tuple(sorted(table.skills.items()))
        if table.level is None:
            return Requirement(0, highest, skills)
        if isinstance(table.level, str):
            rank = self.ranks.get(table.level)
            if rank is None:
                self._rank(f"{where}.level", table.level, 0)
                return Requirement(0, highest, skills)  # wide, so that seats are not refused for it as well
            return Requirement(rank, rank, skills)
        first = self._rank(f"{where}.level.from", table.level.lowest, 0)
        last = self._rank(f"{where}.level.to", table.level.highest, highest)
        if first > last:
            self._reader.refuse(f"{where}.level", f"{table.level.lowest} is above {table.level.highest}")
        return Requirement(first, last, skills)

    def _prefer(
        self, where: str, name: str | None, requires: Requirement, relax: tuple[RelaxStep, ...]
    ) -> Requirement:
        """Return ``requires`` with the level whose seats come first, which must be one that ever serves."""
        if name is None:
            return requires
        lowest = min([requires.lowest, *(step.lowest for step in relax if step.lowest is not None)])
        highest = max([requires.highest, *(step.highest for step in relax if step.highest is not None)])
        rank = self._rank(where, name, lowest)
        if not lowest <= rank <= highest:
            self._reader.refuse(where, f"{name} never serves this queue")
        return msgspec.structs.replace(requires, preferred=rank)

    def _relaxations(self, where: str, queue: QueueTable, requires: Requirement) -> tuple[RelaxStep, ...]:
        steps: list[RelaxStep] = []
        lowest, highest = requires.lowest, requires.highest
        for index, step in enumerate(queue.relax, 1):
            place = f"{where}.relax[{index}]"
            if step.level is None and step.lowest is None and step.skills is None:
                self._reader.refuse(place, "changes nothing; give level, lowest or skills")
            if step.level is not None:
                rank = self._rank(f"{place}.level", step.level, highest)
                if rank < highest:
                    self._reader.refuse(
                        f"{place}.level",
                        f"{step.level} is below {self.levels[highest].name}: a step only widens",
                    )
                highest = max(highest, rank)
            if step.lowest is not None:
                rank = self._rank(f"{place}.lowest", step.lowest, lowest)
                if rank > lowest:
                    self._reader.refuse(
                        f"{place}.lowest",
                        f"{step.lowest} is above {self.levels[lowest].name}: a step only widens",
                    )
                lowest = min(lowest, rank)
            steps.append(
                RelaxStep(
                    after=float(step.after),
                    highest=None if step.level is None else highest,
                    lowest=None if step.lowest is None else lowest,
                    skills=None if step.skills is None else tuple(sorted(step.skills.items())),
                    when_few=self._when_few(place, step),
                )
            )
        for index, (one, other) in enumerate(pairwise(steps), 2):
            if other.after <= one.after:
                self._reader.refuse(
                    f"{where}.relax[{index}].after",
                    f"{other.after:g} s is not after the step before ({one.after:g} s)",
                )
        return tuple(steps)

    def _when_few(self, place: str, step: RelaxTable) -> int:
        """Return of how many seats, or fewer, the step before is too few; -1: it never is."""
        if step.when_few is None:
            return 0 if step.when_nobody else -1
        if step.when_nobody:
            self._reader.refuse(f"{place}.when_few", "is given beside when_nobody; one of them is enough")
        return step.when_few

    def _check_queue(self, where: str, queue: QueueTable) -> None:
        if queue.policy not in NAMES:
            self._reader.refuse(
                f"{where}.policy", f"unknown policy {show(queue.policy)}{suggest(queue.policy, NAMES)}"
            )
        if queue.ring_for < 1:
            self._reader.refuse(f"{where}.ring_for", f"{queue.ring_for:g} s is too short for a phone to ring")
        if queue.seat_delay > SEAT_DELAY_MAX:
            self._reader.refuse(
                f"{where}.seat_delay",
                f"{queue.seat_delay:g} s is longer than a caller waits for who has answered: "
                f"{SEAT_DELAY_MAX:g} s at most",
            )
        for key in ("music", "welcome", "seat_hears"):
            sound = getattr(queue, key)
            if sound and sound not in self.sounds:
                self._reader.refuse(
                    f"{where}.{key}",
                    f'unknown sound {show(sound)}{suggest(sound, self.sounds)}, and "" for silence',
                )

    def _numbers_of(self, where: str, table: SeatTable | ExtensionTable, what: str) -> Iterator[str]:
        given = (table.numbers,) if isinstance(table.numbers, str) else table.numbers
        if table.number and given:
            self._reader.refuse(f"{where}.numbers", "is given beside number; one of them is enough")
        if not table.number and not given:
            if not self._reader.is_bad(f"{where}.number") and not self._reader.is_bad(f"{where}.numbers"):
                self._reader.refuse(
                    f"{where}.number", 'is missing; give number = "8001" or numbers = "8001-8010"'
                )
            return
        key = "numbers" if given else "number"
        count = 0
        for text in given or (table.number,):
            numbers = expand_range(text) if given else [text]
            if isinstance(numbers, str):
                self._reader.refuse(f"{where}.{key}", numbers)
                continue
            count += len(numbers)
            if count > NUMBERS_MAX:
                self._reader.refuse(f"{where}.{key}", f"are more than {NUMBERS_MAX}")
                return
            for number in numbers:
                if self._take_number(f"{where}.{key}", number, what):
                    yield number

    def _take_number(self, where: str, number: str, what: str) -> bool:
        is_number = number.isascii() and all(it.isalnum() or it in "+*#-_." for it in number)
        if not is_number or not 1 <= len(number) <= NUMBER_LENGTH_MAX:
            self._reader.refuse(where, f"{show(number)} is not a number that can be called")
            return False
        other = self._numbers.get(number)
        if other is not None:
            taken = f"{number} is {_an(other)} already"
            self._reader.refuse(where, taken)
            return False
        self._numbers[number] = what
        return True

    def _secret_of(self, where: str, table: SeatTable | ExtensionTable, consequence: str) -> Secret:
        place = f"{where}.password"
        for name in table.ha1:
            if name not in ("MD5", "SHA-256"):
                self._reader.refuse(f"{where}.ha1.{name}", "unknown algorithm; there are MD5, SHA-256")
        if table.password and table.ha1:
            self._reader.refuse(f"{where}.ha1", "is given beside password; one of them is enough")
        if not table.password and not table.ha1:
            self._reader.refuse(place, f"is missing or empty{consequence}")
        return Secret(str(table.password), {name: value.lower() for name, value in table.ha1.items()})

    def _seat_level(self, where: str, table: SeatTable) -> int:
        highest = len(self.levels) - 1
        if table.level:
            return self._rank(f"{where}.level", table.level, highest)
        if table.role != "supervisor" and highest > 0:
            self._reader.refuse(f"{where}.level", f"is missing: levels are {', '.join(self.ranks)}")
        return highest

    def _seat_queues(self, where: str, table: SeatTable, tenant: str, level: int) -> tuple[str, ...]:
        names = tuple(it if isinstance(it, str) else it.name for it in table.queues)
        for index, name in enumerate(names, 1):
            place = f"{where}.queues[{index}]"
            queue = self.queues.get(name)
            if queue is None:
                self._reader.refuse(place, f"unknown queue {show(name)}{suggest(name, list(self.queues))}")
                continue
            if name in names[: index - 1]:
                self._reader.refuse(place, f"{show(name)} is given twice")
            if queue.tenant != tenant and queue.tenant and tenant:
                self._reader.refuse(
                    place, f"queue {show(name)} belongs to tenant {queue.tenant}, the seat to {tenant}"
                )
            lowest = min([queue.requires.lowest, *(it.lowest for it in queue.relax if it.lowest is not None)])
            highest = max(
                [queue.requires.highest, *(it.highest for it in queue.relax if it.highest is not None)]
            )
            if table.level in self.ranks and not lowest <= level <= highest:
                served = f"{self.levels[lowest].name} to {self.levels[highest].name}"
                if lowest == highest:
                    served = self.levels[lowest].name
                self._reader.refuse(
                    place,
                    f"level {table.level} never serves queue {name}, whose range is {served}, relaxed or not",
                )
        if not table.queues and table.role != "supervisor":
            self._reader.refuse(
                f"{where}.queues", "is missing: the seat would get no calls; only a supervisor may go without"
            )
        return names

    def _supervised(self, where: str, table: SeatTable, tenant: str) -> tuple[str, ...]:
        if table.supervises and table.role != "supervisor":
            self._reader.refuse(f"{where}.supervises", 'is given, and role is not "supervisor"')
        for index, name in enumerate(table.supervises, 1):
            queue = self.queues.get(name)
            if queue is None or queue.tenant != tenant:
                names = [each.name for each in self.queues.values() if each.tenant == tenant]
                self._reader.refuse(
                    f"{where}.supervises[{index}]", f"unknown queue {show(name)}{suggest(name, names)}"
                )
        return table.supervises

    def _phone(self, where: str, text: str, tenant: str) -> tuple[str, str] | None:
        """Return kind and number; the number of a softphone is its seat's and so empty here."""
        kind, _, number = text.partition(":")
        if text == "softphone":
            return ("softphone", "")
        if kind == "extension" and number:
            if number not in self.extensions:
                self._reader.refuse(
                    where, f"unknown extension {show(number)}{suggest(number, list(self.extensions))}"
                )
            elif self.extensions[number] != tenant:
                self._reader.refuse(where, f"extension {number} belongs to tenant {self.extensions[number]}")
            return (kind, number)
        if kind == "pstn" and number.removeprefix("+").isdigit() and number.isascii():
            return (kind, number)
        self._reader.refuse(
            where, f'{show(text)} is not a phone; there are "softphone", "extension:NUMBER", "pstn:NUMBER"'
        )
        return None

    def _check_entry(self, where: str, entry: str, tenant: str) -> None:
        kind, _, name = entry.partition(":")
        if kind == "queue":
            name, slash, seat = name.partition("/")
            if slash and name in self.queues:
                check_wanted_seat(self._reader, where, seat, name, self.seats)
        known: dict[str, dict[str, str]] = {
            "queue": {queue.name: queue.tenant for queue in self.queues.values()},
            "seat": {seat.number: seat.tenant for seat in self.seats.values()},
            "extension": self.extensions,
        }
        if kind == "voicemail":
            if name != "public":
                check_mailbox(self._reader, where, name, tenant, self.seats)
        elif kind == "callback":
            self._reader.refuse(where, f"{kind} is not there yet; there are {_ENTRIES}")
        elif kind == "ivr" and name:
            mine = self.script_names.get(tenant, ())
            if name not in mine:
                there = suggest(name, list(mine))
                self._reader.refuse(where, f"tenant {tenant} has no script {show(name)}{there}")
        elif kind == "number" and is_number(name):
            return  # through a trunk of the tenant
        elif kind not in known or not name:
            self._reader.refuse(where, f"{show(entry)} is none of {_ENTRIES}")
        elif name not in known[kind]:
            there = suggest(name, list(known["queue"])) if kind == "queue" else ""
            self._reader.refuse(where, f"unknown {kind} {show(name)}{there}")
        elif known[kind][name] != tenant:
            self._reader.refuse(where, f"{kind} {show(name)} belongs to tenant {known[kind][name]}")


def expand_range(text: str) -> list[str] | str:
    """Return the numbers of ``8001-8010`` (or of ``8001``), or what is wrong with it."""
    first, dash, last = text.partition("-")
    if not dash:
        return [text]
    if not (first.isdigit() and last.isdigit() and text.isascii()):
        return f'{show(text)} is not a range such as "8001-8010"'
    if len(first) != len(last):
        return f"{show(text)}: both ends of a range have the same number of digits"
    if int(first) > int(last):
        return f"{show(text)}: a range counts up"
    if int(last) - int(first) >= NUMBERS_MAX:
        return f"{show(text)} is more than {NUMBERS_MAX} numbers"
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def _an(what: str) -> str:
    if what.startswith("a "):
        return what
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def _optional(duration: Duration | None) -> float | None:
    return None if duration is None else float(duration)


def _level(table: LevelTable) -> LevelSettings:
    default = LEVEL_DEFAULTS.get(table.name, LevelDefault())
    return LevelSettings(
        name=table.name,
        wrap_up=default.wrap_up if table.wrap_up is None else float(table.wrap_up),
        handle_limit=default.handle_limit if table.handle_limit is None else float(table.handle_limit),
        hold_back=default.hold_back if table.hold_back is None else table.hold_back,
    )


def _missed(reader: Reader, where: str, queue: QueueTable) -> MissedRules:
    default, given = MissedRules(), queue.missed
    return MissedRules(
        no_answer=_missed_rule(reader, f"{where}.missed.no_answer", given.no_answer, default.no_answer),
        refused=_missed_rule(reader, f"{where}.missed.refused", given.refused, default.refused),
        unreachable=_missed_rule(
            reader, f"{where}.missed.unreachable", given.unreachable, default.unreachable
        ),
    )


def _missed_rule(reader: Reader, where: str, table: MissedRuleTable, default: MissedRule) -> MissedRule:
    if table.logout_after and table.pause_after:
        reader.refuse(f"{where}.logout_after", "is given beside pause_after; one of them is enough")
    pauses = (
        default.pause_after if table.pause_after is None and not table.logout_after else table.pause_after
    )
    return MissedRule(
        delay=default.delay if table.delay is None else float(table.delay),
        pause_after=pauses or 0,
        logout_after=table.logout_after,
        forget_after=float(table.forget_after),
        grace=float(table.grace),
    )
