"""What the engine is told. Frozen; built by ``config/`` from text. Durations in seconds."""

from datetime import UTC, tzinfo

import msgspec

from queues.callers import ListEntry
from queues.hours import HoursSettings
from queues.settings import QueueSettings


class LevelSettings(msgspec.Struct, frozen=True):
    """One level; its place in :attr:`AcdSettings.levels` is its rank, lowest first."""

    name: str
    wrap_up: float = 0.0
    handle_limit: float = 0.0  # alarm, never a cut; 0: none
    hold_back: int = 0  # idle seats of this level kept for queues that start at it


class PhoneSettings(msgspec.Struct, frozen=True):
    """A phone a seat may bind: softphone (its own number), extension or outside number."""

    kind: str  # softphone, extension, pstn
    number: str


class Job(msgspec.Struct, frozen=True):
    """What a seat does by itself, on some days of the week at some minute."""

    days: tuple[int, ...]  # Monday is 0
    minute: int  # of the day
    action: str  # login, ready, pause, logout, phone
    argument: str = ""  # of pause a reason, of phone a kind and, after a colon, a number


class Timetable(msgspec.Struct, frozen=True):
    """All jobs of a seat."""

    jobs: tuple[Job, ...] = ()
    zone: tzinfo = UTC


class SeatSettings(msgspec.Struct, frozen=True):
    """One leased seat."""

    number: str
    tenant: str
    level: int  # rank
    skills: tuple[tuple[str, int], ...] = ()
    queues: tuple[str, ...] = ()
    ranks: tuple[tuple[str, int], ...] = ()  # in queues where it is not 1, the first
    shares: tuple[tuple[str, int], ...] = ()  # of the chance in queues where it is not 1
    daily_limit: int = 0  # queue calls a day; 0: no limit
    standing: str = ""  # auto, key: its phone is called at the sign-in and stays on the line; "": it is not
    phones: tuple[PhoneSettings, ...] = ()
    role: str = "agent"  # or "supervisor"
    wrap_up: float | None = None
    timetable: Timetable = Timetable()
    after_call: str = "ready"  # or "pause": ready by hand after each queue call
    supervises: tuple[str, ...] = ()  # queues whose seats a supervisor leads; none: all of its tenant


class QualitySettings(msgspec.Struct, frozen=True):
    """How often a month the calls of each seat are to be checked, and for what."""

    minimum: int = 1
    target: int = 5
    items: tuple[str, ...] = ("terms", "attitude", "tone", "summary", "reaction")


class TenantSettings(msgspec.Struct, frozen=True):
    """A tenant as distribution sees it."""

    name: str
    seat_quota: int = 0  # concurrent sign-ins; 0: no limit
    pause_reasons: tuple[str, ...] = ()
    suspended: bool = False
    level_quota: tuple[tuple[int, int], ...] = ()  # rank of a level, concurrent sign-ins
    call_hours: HoursSettings | None = None  # when its seats may dial out; None: always
    zone: tzinfo = UTC  # in which its days begin
    quality: QualitySettings = QualitySettings()


class ListSettings(msgspec.Struct, frozen=True):
    """A list of callers."""

    name: str
    tenant: str
    kind: str  # "black": kept out; "white": never kept out by a black one
    queues: tuple[str, ...] = ()  # (): every queue, and every number, of the tenant
    only: bool = False  # of a white one: nobody else gets in
    credit: float = 0.0  # of a white one: seconds of waiting its callers are credited with
    entries: tuple[ListEntry, ...] = ()


class FollowupSettings(msgspec.Struct, frozen=True):
    """One class of follow-ups."""

    name: str
    tenant: str = ""  # "": everybody's
    within: float = 43_200.0  # the customer is to be called back within so many seconds
    attempts_min: int = 3  # in vain, before a person may close it
    attempts_max: int = 5  # in vain, and it ends
    escalate_to: str = ""  # the queue that it is moved to past its deadline; "": it stays


FOLLOWUPS = (
    FollowupSettings("urgent", within=14_400.0),
    FollowupSettings("complaint", within=43_200.0),
    FollowupSettings("general", within=259_200.0),
)


class AcdSettings(msgspec.Struct, frozen=True):
    """Everything the engine is told."""

    levels: tuple[LevelSettings, ...]
    queues: tuple[QueueSettings, ...]
    seats: tuple[SeatSettings, ...]
    tenants: tuple[TenantSettings, ...]
    wrap_up_max: float = 3600.0
    lists: tuple[ListSettings, ...] = ()
    followups: tuple[FollowupSettings, ...] = FOLLOWUPS
    hours: tuple[HoursSettings, ...] = ()  # every calendar, for who asks by name
