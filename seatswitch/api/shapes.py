"""Shapes of parameters and results: what is checked on the way in and documented on the way out.

Text that may reach a SIP message holds no control characters. ``$(?!\\n)`` is an end of text for Python's
regular expressions and for JSON Schema's alike.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acd.worktime import SeatCounters
from queues.statistics import Counters

SeatNumber = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z._-]{1,32}$(?!\n)", description="A seat's number: 8001")
]
Number = Annotated[
    str, Meta(pattern=r"^[+*#0-9A-Za-z._-]{1,64}$(?!\n)", description="A telephone number or extension")
]
CallNumber = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,64}$(?!\n)", description="A call's id")]
Name = Annotated[
    str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$(?!\n)", description="A name of the configuration")
]
Skill = Annotated[int, Meta(ge=1, le=10, description="How good at it a seat is")]
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{0,200}$(?!\n)", description="Text for people")]
Secret = Annotated[str, Meta(min_length=1, max_length=256)]
Instant = Annotated[str, Meta(description="RFC 3339 in UTC with milliseconds")]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a time zone")]
Seconds = Annotated[float, Meta(description="seconds")]
PhoneKind = Literal["softphone", "extension", "pstn"]


class PhoneWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phone of the seat; without ``number`` its first of that kind."""

    kind: PhoneKind
    number: Number | None = None


class PhoneObject(msgspec.Struct, frozen=True):
    """The phone bound to a seat."""

    kind: str
    number: str
    reachable: bool


class SupervisionObject(msgspec.Struct, frozen=True):
    """A supervisor at a seat."""

    seat: Annotated[str, Meta(description="whose conversations are heard")]
    by: Annotated[str, Meta(description="A seat, the name of a token, or a role")]
    mode: Literal["monitor", "whisper", "barge"]
    follow: bool
    attached: Annotated[bool, Meta(description="The supervisor's phone has answered")]
    call: Annotated[str | None, Meta(description="The call that is heard; null: it rings, or waits for one")]


class SeatObject(msgspec.Struct, frozen=True):
    """A seat, everywhere."""

    seat: str
    tenant: str
    level: str
    skills: dict[str, int]
    presence: Literal["offline", "ready", "paused", "wrapup"]
    reason: str
    activity: Literal["idle", "reserved", "dialling", "ringing", "talking", "unreachable"]
    held: bool
    pending: Annotated[
        str, Meta(description="What follows the work: ready, offline, paused:REASON, forced:REASON")
    ]
    since: Instant
    phone: PhoneObject
    call: str | None
    queues: list[str]
    moved: Annotated[
        bool, Meta(description="A supervisor has moved it: queues, level or skills are not the file's")
    ]
    after_call: Annotated[
        Literal["ready", "pause"], Meta(description="What follows a queue call and its wrap-up")
    ]
    paused_in: Annotated[dict[str, str], Meta(description="Queues it takes no calls of, and why")]
    counters: dict[str, float]
    agent: str
    wrapup_left: Seconds | None
    supervising: Annotated[
        SupervisionObject | None, Meta(description="Whom it supervises; not in events, null for agents")
    ]
    supervised: Annotated[
        SupervisionObject | None, Meta(description="Who supervises it; not in events, null for agents")
    ]


class CallObject(msgspec.Struct, frozen=True):
    """A call, everywhere."""

    call: str
    direction: str
    tenant: str
    queue: str | None
    caller: str
    caller_name: Annotated[str, Meta(description="In words; empty where its side says nothing, or hides")]
    called: str
    state: Literal[
        "arrived",
        "script",
        "waiting",
        "ringing",
        "talking",
        "held",
        "threeway",
        "interact",
        "survey",
        "voicemail",
        "ended",
    ]
    consult: Annotated[
        Literal["ringing", "talking", "threeway"] | None,
        Meta(description="How far the consultation has come that this is the call, or the third party's, of"),
    ]
    arrived_at: Instant
    joined_at: Instant | None
    waited: Seconds | None
    position: int | None
    estimate: Annotated[list[float] | None, Meta(description="Likely wait, low and high, seconds")]
    seat: str | None
    tag: str
    script: Annotated[
        dict[str, Any] | None, Meta(description="Where the caller is in which script: ivr, node, waits_for")
    ]
    collected: Annotated[dict[str, str], Meta(description="What scripts have read; a secret is ***")]
    dialled: Annotated[bool, Meta(description="Its seat has asked for it with call.dial")]
    recording: Literal["on", "suspended", "off"]
    supervises: Annotated[
        str | None, Meta(description="The seat that its phone listens to; agents see no such calls")
    ]
    verdict: str | None


class QueueObject(msgspec.Struct, frozen=True):
    """A queue: who waits, who serves, and its counters since the start (see Statistics)."""

    queue: str
    tenant: str
    policy: str
    waiting: int
    longest_wait: Seconds | None
    waiting_long: Annotated[int, Meta(description="Of them, those who wait longer than its alert_wait")]
    seats: int
    seats_signed_in: int
    seats_ready: int
    threshold: Seconds


def _of_counters(kind: type[Counters] | type[SeatCounters]) -> list[tuple[str, Any]]:
    """Return the fields of counters and figures: sums are numbers, figures may be null."""
    shown = kind().as_dict()
    plain = (*kind.NAMES, "offered", "answered", "abandoned", "wait_longest", "time_signed_in")
    types: dict[str, Any] = {
        "service_levels": Annotated[dict[str, float | None], Meta(description="by mode")],
        "service_levels_2": Annotated[dict[str, float | None], Meta(description="by mode")],
        "paused_for": Annotated[dict[str, float], Meta(description="seconds by pause reason")],
    }
    return [(name, types.get(name, float if name in plain else float | None)) for name in shown]


Statistics = msgspec.defstruct(
    "Statistics",
    _of_counters(Counters),
    namespace={
        "__doc__": "Visits that ended, offers and conversations, sums of seconds, and the figures that "
        "follow: shares of 1, means in seconds, null where nothing was asked of the queue. docs/queues.md "
        "defines each."
    },
    frozen=True,
)
Work = msgspec.defstruct(
    "Work",
    _of_counters(SeatCounters),
    namespace={
        "__doc__": "Offers and conversations, seconds in each state while signed in, and the figures that "
        "follow, null where there was nothing."
    },
    frozen=True,
)


class NowObject(msgspec.Struct, frozen=True):
    """How things stand at this moment."""

    waiting: int
    waiting_late: Annotated[int, Meta(description="of them, longer than the threshold already")]
    longest_wait: Seconds | None
    seats: Annotated[dict[str, int], Meta(description="by what they are doing; talking counts before paused")]


_SPAN: list[Any] = [
    ("begin", Instant | None, msgspec.field(name="from")),
    ("to", Instant | None),
    ("interval", Annotated[int, Meta(description="seconds")]),
    (
        "intervals",
        Annotated[
            list[dict[str, Any]] | None,
            Meta(description="with by_interval: {begin, ...the same}, oldest first, empty ones left out"),
        ],
    ),
]
QueueStatistics = msgspec.defstruct(
    "QueueStatistics",
    [("queue", str), *_SPAN, ("now", NowObject), *_of_counters(Counters)],
    namespace={"__doc__": "What callers of a queue found; see Statistics."},
    frozen=True,
)
SeatStatistics = msgspec.defstruct(
    "SeatStatistics",
    [("seat", str), *_SPAN, *_of_counters(SeatCounters)],
    namespace={"__doc__": "What a seat did; see Work."},
    frozen=True,
)
GroupStatistics = msgspec.defstruct(
    "GroupStatistics",
    [
        *_SPAN,
        ("now", NowObject),
        ("queues", list[str]),
        ("seats", int),
        ("callers", Statistics),
        ("work", Work),
        ("level", str, ""),
        ("tenant", str, ""),
    ],
    namespace={"__doc__": "What callers of a level or a tenant found, and what its seats did."},
    frozen=True,
)


class RegistrationObject(msgspec.Struct, frozen=True):
    """Our registration at a trunk."""

    state: Literal["idle", "registering", "registered", "renewing", "failed", "leaving", "unregistered"]
    expires_in: Seconds
    status: Annotated[int | None, Meta(description="What the registrar said last; 408: nothing")]


class TrunkObject(msgspec.Struct, frozen=True):
    """A trunk."""

    trunk: str
    tenant: str | None
    contact: str | None
    calls: int
    max_calls: int | None
    max_cps: float | None
    calls_in: Annotated[int, Meta(description="Since the start, as are those that follow")]
    calls_out: int
    over_cap: Annotated[int, Meta(description="Refused or sent elsewhere because of max_calls, max_cps")]
    failovers: Annotated[int, Meta(description="Not taken here and tried elsewhere")]
    state: Annotated[
        Literal["up", "down"] | None, Meta(description="Whether it answers; null: it is not probed")
    ]
    registration: RegistrationObject | None
    down: Annotated[list[str], Meta(description="Addresses of it that do not answer")]


class BanObject(msgspec.Struct, frozen=True):
    """A host that guessed passwords too often and is not listened to."""

    ip: str
    left: Seconds


class Identity(msgspec.Struct, frozen=True):
    """Who a connection is."""

    role: Literal["", "agent", "supervisor", "admin"]
    name: str | None  # of the token
    seat: str | None
    tenant: str | None  # the only one it sees; null: all


class SeatAndSession(msgspec.Struct, frozen=True):
    """What a sign-in gives. Keep the session: it resumes a lost connection."""

    seat: SeatObject
    session: str


class Accepted(msgspec.Struct, frozen=True):
    """The switch will do it; its log says how it went."""

    accepted: bool = True


class Done(msgspec.Struct, frozen=True):
    """It is done."""

    done: bool = True
