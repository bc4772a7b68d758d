"""The seat: what the person says (presence) and what the switch sees (activity), two total tables.

A seat can be offered calls iff it is routable: ready, idle and not resting after a missed offer. Whatever is
asked for while it is busy is *pending* and takes effect when the work, wrap-up included, is over.

Rule: reserved, and ringing for a queue, mean exactly one live offer.
"""

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Protocol

from acd.phone import Phone, PhoneKey
from acd.settings import SeatSettings
from kernel.ids import CallId, QueueName, SeatId
from kernel.timers import Timer
from policies.views import SeatKey

if TYPE_CHECKING:
    from acd.counting import SeatAccount
    from acd.offer import Offer
    from acd.readiness import Pool, RequirementClass
    from queues.queue import Queue


class Presence(StrEnum):
    """What the person says."""

    OFFLINE = "offline"
    READY = "ready"
    PAUSED = "paused"
    WRAPUP = "wrapup"


class Activity(StrEnum):
    """What the switch sees."""

    IDLE = "idle"
    RESERVED = "reserved"
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    UNREACHABLE = "unreachable"


class Word(StrEnum):
    """What can happen to a presence."""

    SIGN_IN_READY = "sign_in_ready"
    SIGN_IN_PAUSED = "sign_in_paused"
    SIGN_OUT = "sign_out"
    READY = "ready"
    PAUSE = "pause"
    WRAP_UP = "wrap_up"


class Sight(StrEnum):
    """What can happen to an activity."""

    RESERVE = "reserve"
    DIAL = "dial"
    RING = "ring"
    TALK = "talk"
    FREE = "free"
    LOST = "lost"
    BACK = "back"


PRESENCE_MOVES: dict[tuple[Presence, Word], Presence] = {
    (Presence.OFFLINE, Word.SIGN_IN_READY): Presence.READY,
    (Presence.OFFLINE, Word.SIGN_IN_PAUSED): Presence.PAUSED,
    (Presence.READY, Word.SIGN_OUT): Presence.OFFLINE,
    (Presence.READY, Word.PAUSE): Presence.PAUSED,
    (Presence.READY, Word.WRAP_UP): Presence.WRAPUP,
    (Presence.PAUSED, Word.SIGN_OUT): Presence.OFFLINE,
    (Presence.PAUSED, Word.READY): Presence.READY,
    (Presence.PAUSED, Word.PAUSE): Presence.PAUSED,  # another reason
    (Presence.PAUSED, Word.WRAP_UP): Presence.WRAPUP,  # restored paused while its call went on
    (Presence.WRAPUP, Word.SIGN_OUT): Presence.OFFLINE,
    (Presence.WRAPUP, Word.READY): Presence.READY,
    (Presence.WRAPUP, Word.PAUSE): Presence.PAUSED,
}
# A second sign-in is a kick-out, which changes the session and nothing else; ready twice is refused before.
PRESENCE_DROPPED: frozenset[tuple[Presence, Word]] = frozenset(
    {
        (Presence.OFFLINE, Word.SIGN_OUT),
        (Presence.OFFLINE, Word.READY),
        (Presence.OFFLINE, Word.PAUSE),
        (Presence.OFFLINE, Word.WRAP_UP),
        (Presence.READY, Word.SIGN_IN_READY),
        (Presence.READY, Word.SIGN_IN_PAUSED),
        (Presence.READY, Word.READY),
        (Presence.PAUSED, Word.SIGN_IN_READY),
        (Presence.PAUSED, Word.SIGN_IN_PAUSED),
        (Presence.WRAPUP, Word.SIGN_IN_READY),
        (Presence.WRAPUP, Word.SIGN_IN_PAUSED),
        (Presence.WRAPUP, Word.WRAP_UP),
    }
)

ACTIVITY_MOVES: dict[tuple[Activity, Sight], Activity] = {
    (Activity.IDLE, Sight.RESERVE): Activity.RESERVED,
    (Activity.IDLE, Sight.DIAL): Activity.DIALLING,
    (Activity.IDLE, Sight.RING): Activity.RINGING,
    (Activity.IDLE, Sight.TALK): Activity.TALKING,
    (Activity.IDLE, Sight.LOST): Activity.UNREACHABLE,
    (Activity.RESERVED, Sight.RING): Activity.RINGING,
    (Activity.RESERVED, Sight.TALK): Activity.TALKING,  # a 200 without a 180
    (Activity.RESERVED, Sight.FREE): Activity.IDLE,
    (Activity.DIALLING, Sight.RING): Activity.RINGING,
    (Activity.DIALLING, Sight.TALK): Activity.TALKING,
    (Activity.DIALLING, Sight.FREE): Activity.IDLE,
    (Activity.RINGING, Sight.TALK): Activity.TALKING,
    (Activity.RINGING, Sight.FREE): Activity.IDLE,
    (Activity.TALKING, Sight.FREE): Activity.IDLE,
    # Not registered, and yet in a call: what is seen counts more than what is known.
    (Activity.UNREACHABLE, Sight.DIAL): Activity.DIALLING,
    (Activity.UNREACHABLE, Sight.RING): Activity.RINGING,
    (Activity.UNREACHABLE, Sight.TALK): Activity.TALKING,
    (Activity.UNREACHABLE, Sight.BACK): Activity.IDLE,
}
# A phone lost in the middle of a call stays in that call; FREE is followed by LOST if it is still away.
ACTIVITY_DROPPED: frozenset[tuple[Activity, Sight]] = frozenset(
    {
        (Activity.IDLE, Sight.FREE),
        (Activity.IDLE, Sight.BACK),
        (Activity.RESERVED, Sight.RESERVE),
        (Activity.RESERVED, Sight.DIAL),
        (Activity.RESERVED, Sight.LOST),
        (Activity.RESERVED, Sight.BACK),
        (Activity.DIALLING, Sight.RESERVE),
        (Activity.DIALLING, Sight.DIAL),
        (Activity.DIALLING, Sight.LOST),
        (Activity.DIALLING, Sight.BACK),
        (Activity.RINGING, Sight.RESERVE),
        (Activity.RINGING, Sight.DIAL),
        (Activity.RINGING, Sight.RING),
        (Activity.RINGING, Sight.LOST),
        (Activity.RINGING, Sight.BACK),
        (Activity.TALKING, Sight.RESERVE),
        (Activity.TALKING, Sight.DIAL),
        (Activity.TALKING, Sight.RING),
        (Activity.TALKING, Sight.TALK),
        (Activity.TALKING, Sight.LOST),
        (Activity.TALKING, Sight.BACK),
        (Activity.UNREACHABLE, Sight.RESERVE),
        (Activity.UNREACHABLE, Sight.FREE),
        (Activity.UNREACHABLE, Sight.LOST),
    }
)

BUSY = (Activity.RESERVED, Activity.DIALLING, Activity.RINGING, Activity.TALKING)
# For what is asked with every change: a member is read off its enum much more slowly than it is compared.
_READY, _WRAPUP = Presence.READY, Presence.WRAPUP
_IDLE, _UNREACHABLE = Activity.IDLE, Activity.UNREACHABLE


class SeatKeeper(Protocol):
    """Who acts when a deadline of a seat has come."""

    def seat_due(self, seat: "Seat", name: str, now: float) -> None:
        """Act on the timer ``name`` of ``seat``."""


class _Touched:
    """What a decision reads and writes of a seat.

    The slots of a class lie together in memory, and of 50,000 seats the one that becomes free is in no cache:
    apart from the rest these are five cache lines instead of eight.
    """

    __slots__ = (
        "account",
        "activity",
        "after_call",
        "agent",
        "alarm",
        "breadth",
        "call",
        "changes",
        "classes",
        "engaged",
        "held",
        "id",
        "idle_since",
        "is_removed",
        "is_spent",
        "key_shown",
        "level",
        "next_phone",
        "offer",
        "offered",
        "offered_last",
        "paused_in",
        "pending",
        "phone",
        "pool",
        "presence",
        "ready_number",
        "reason",
        "rest",
        "since",
        "talk_call",
        "talk_queue",
        "talk_since",
        "talked_for",
        "talked_until",
        "watched_by",
        "works",
        "wrap_up",
        "wrapup_after",
        "wrapup_queue",
    )


class Seat(_Touched):
    """One leased seat. Everything public may be read by anyone and is written by :mod:`acd.desk` alone."""

    __slots__ = (
        "answered",
        "answers",
        "is_forced",
        "is_standing",
        "keeper",
        "line",
        "midnight",
        "missed",
        "misses",
        "number",
        "order",
        "queues",
        "ranks",
        "refused",
        "rest_until",
        "session",
        "settings",
        "shares",
        "skills",
        "tenant",
        "wrapup",
        "wrapup_since",
        "wrapup_until",
    )

    def __init__(
        self, settings: SeatSettings, order: int, phone: Phone, keeper: SeatKeeper, account: "SeatAccount"
    ) -> None:
        self.id = SeatId(settings.number)
        self.account = account  # its counters
        self.keeper = keeper
        self.phone = phone
        self.configure(settings, order)
        self.presence = Presence.OFFLINE
        self.activity = Activity.IDLE if phone.reachable else Activity.UNREACHABLE
        self.reason = ""
        self.is_forced = False  # paused by a supervisor, who alone may lift it
        self.is_standing = False  # its phone stays on the line, as its settings said when that was bound
        self.line: PhoneKey | None = None  # the phone that call control keeps there
        self.is_removed = False  # gone from the configuration; forgotten when idle
        self.is_spent = False  # it has had all the queue calls of this day
        self.midnight: Timer | None = None  # armed while that is so
        self.pending = ""  # "", ready, offline, paused:REASON, forced:REASON
        self.after_call = settings.after_call  # "pause": paused when a queue call and its wrap-up are over
        self.paused_in: dict[QueueName, str] = {}  # queues it has left for a while, and why
        self.since = 0.0  # of the last change of presence or activity
        self.session = ""
        self.agent = ""
        self.held = False
        self.alarm: Timer | None = None  # armed while a queue call may yet last too long
        self.next_phone: Phone | None = None  # to be bound when its work is over
        self.offer: Offer | None = None
        self.call: CallId | None = None  # the call it is in, or is offered
        self.engaged: dict[CallId, Activity] = {}  # calls its phone is in, queue calls included
        self.talk_call: CallId | None = None  # the queue call it is in
        self.talk_queue: QueueName | None = None  # and its queue
        self.talk_since = 0.0
        self.talked_until = -inf  # when its last queue call ended
        self.wrapup: Timer | None = None
        self.wrapup_after: float | None = None  # wrap-up due when the phone is free
        self.wrapup_queue = ""  # the queue of the call that wrap-up is after
        self.wrapup_since = 0.0
        self.wrapup_until: float | None = None
        self.rest: Timer | None = None  # armed while it rests after a missed offer
        self.rest_until = 0.0
        self.misses: dict[str, tuple[int, float]] = {}  # by cause: how many in a row, and when the last was
        self.idle_since = 0.0
        self.ready_number = 0  # of its entries in the ready indexes; 0: not in them
        self.classes: tuple[RequirementClass, ...] = ()  # it serves
        self.pool: Pool | None = None  # of its level, if some are held back
        self.works = False  # counted as working by its classes
        self.watched_by: tuple[Queue, ...] = ()  # queues to which it matters what it does
        self.key_shown: tuple[SeatKey, str] = ((), "")  # the last policy key a row has told, and its text
        self.changes = 0
        self.offered_last = 0
        self.offered = 0
        self.answered = 0
        self.answers: dict[str, int] = {}  # of them, by queue, since the start
        self.refused = 0
        self.missed = 0
        self.talked_for = 0.0

    def configure(self, settings: SeatSettings, order: int) -> None:
        """Take (new) settings."""
        self.settings = settings
        self.number = settings.number
        self.tenant = settings.tenant
        self.level = settings.level
        self.skills: dict[str, int] = dict(settings.skills)
        self.wrap_up = settings.wrap_up
        self.queues = tuple(QueueName(name) for name in settings.queues)
        self.ranks = dict(settings.ranks)
        self.shares = dict(settings.shares)
        self.breadth = len(settings.queues) + len(settings.skills)
        self.order = order

    def answered_in(self, queue: str) -> int:
        """Return how many calls of ``queue`` it has answered since the start."""
        return self.answers.get(queue, 0)

    def rank_in(self, queue: str) -> int:
        """Return its rank in ``queue``: 1 first."""
        return self.ranks.get(queue, 1)

    def share_in(self, queue: str) -> int:
        """Return its share of the chance in ``queue``."""
        return self.shares.get(queue, 1)

    @property
    def is_signed_in(self) -> bool:
        """Somebody works at the seat."""
        return self.presence is not Presence.OFFLINE

    @property
    def is_busy(self) -> bool:
        """Its phone, or an offer, has it."""
        return self.activity in BUSY

    @property
    def is_routable(self) -> bool:
        """It may be offered a call."""
        return (
            self.presence is _READY
            and self.activity is _IDLE
            and self.rest is None
            and not self.is_removed
            and not self.is_spent
        )

    @property
    def is_working(self) -> bool:
        """It takes calls now or after the one it is in."""
        presence = self.presence
        is_at_work = (presence is _READY or presence is _WRAPUP) and not self.is_spent
        return is_at_work and self.activity is not _UNREACHABLE

    @property
    def works_for(self) -> str:
        """The queue whose call it talks in or wraps up after; "" for none."""
        if self.talk_queue is not None:
            return self.talk_queue
        return self.wrapup_queue if self.presence is _WRAPUP and not self.is_busy else ""

    def on_timer(self, name: str, now: float) -> None:
        """Pass a deadline on to the keeper."""
        self.keeper.seat_due(self, name, now)
