"""The board: everything the parts of the engine share. Data and its look-up, no decisions."""

from typing import Any

from acd.commands import Command
from acd.counting import Counting
from acd.events import AcdEvent
from acd.history import AcdRow, History, NoHistory
from acd.matcher import Matcher
from acd.offer import Offer
from acd.phone import PhoneKey, Phones
from acd.readiness import RequirementClass
from acd.seat import Seat
from acd.settings import AcdSettings, TenantSettings
from kernel.chance import Chance
from kernel.ids import CallId, OfferId, QueueName, SeatId, VisitId, visit_id
from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from policies.registry import build_policies
from policies.relax import Step
from queues.queue import Queue
from queues.tiers import Tiers
from queues.waiting import WaitingCall

VISITS_REMEMBERED = 20_000  # calls whose visits are counted on while they talk; twice that at most


class Board:
    """State of one engine."""

    def __init__(
        self,
        settings: AcdSettings,
        timers: TimerQueue,
        chance: Chance,
        walltime: WallTime,
        *,
        keeps_history: bool = True,
        rows: Outbox[Any] | None = None,
        log: Outbox[tuple[str, dict[str, Any]]] | None = None,
    ) -> None:
        """``rows`` and ``log`` take those of whoever shares them; None: an outbox of its own does."""
        self.settings = settings
        self.timers = timers
        self.walltime = walltime
        self.policies = build_policies(chance)
        self.commands: Outbox[Command] = Outbox()
        self.events: Outbox[AcdEvent] = Outbox()
        self.rows: Outbox[AcdRow] = Outbox() if rows is None else rows
        self.log: Outbox[tuple[str, dict[str, Any]]] = Outbox() if log is None else log
        self.counting = Counting(self.rows.put)
        self.history = History(self.rows, walltime, self.counting) if keeps_history else NoHistory()
        self.seats: dict[SeatId, Seat] = {}
        self.queues: dict[QueueName, Queue] = {}
        self.steps: dict[QueueName, tuple[Step, ...]] = {}
        self.classes: dict[QueueName, list[RequirementClass]] = {}  # configured: one per step
        self.tenants: dict[str, TenantSettings] = {}
        self.tiers = Tiers(())
        self.signed_in: dict[str, int] = {}  # seats by tenant
        self.signed_in_at: dict[tuple[str, int], int] = {}  # by tenant and level
        self.phones = Phones()
        self.matcher = Matcher()
        self.offers: dict[OfferId, Offer] = {}
        self.calls: dict[CallId, WaitingCall] = {}  # every visit that has not ended
        self.wanted: dict[str, dict[CallId, WaitingCall]] = {}  # of them, those for one seat, by that seat
        self.idle_seats: list[Seat] = []  # became routable in this turn
        self.idle_calls: list[WaitingCall] = []  # began to stand in their line in this turn
        self.deserted: list[RequirementClass] = []  # whose signed-in seats have become few in this turn
        self.thinned: list[Queue] = []  # to or from which somebody has come or gone in this turn
        self.gone: list[Seat] = []  # removed from the configuration, and idle since this turn
        self.phone_seats: dict[PhoneKey, list[SeatId]] = {}  # who may bind a phone
        self._sequence = 0
        self._visits: dict[CallId, int] = {}
        self._visits_before: dict[CallId, int] = {}

    def next_sequence(self) -> int:
        """Return the next number of the order in which things happened."""
        self._sequence += 1
        return self._sequence

    def next_visit(self, call: CallId) -> tuple[VisitId, int]:
        """Return id and number of the call's next visit."""
        visits = self._visits
        number = visits.get(call, 0) or self._visits_before.get(call, 0)
        number += 1
        if len(visits) >= VISITS_REMEMBERED:
            self._visits_before = visits
            visits = self._visits = {}
        visits[call] = number
        return visit_id(call, number), number

    def visits_of(self, call: CallId) -> int:
        """Return how many visits the call has had, as far as anybody knows."""
        return self._visits.get(call, 0) or self._visits_before.get(call, 0)

    def remember_visit(self, call: CallId, number: int) -> None:
        """Count a call's visits on from ``number``, which the process before gave."""
        self._visits[call] = max(number, self._visits.get(call, 0))

    def tenant(self, name: str) -> TenantSettings:
        """Return the tenant's settings; one that is not configured has no limits."""
        return self.tenants.get(name) or TenantSettings(name)

    def level_name(self, level: int) -> str:
        """Return the name of a level's rank."""
        levels = self.settings.levels
        return levels[level].name if 0 <= level < len(levels) else str(level)

    def seats_of(self, queue: QueueName) -> list[Seat]:
        """Return the seats that name ``queue``, in the order of the configuration."""
        return [self.seats[seat] for seat in self.tiers.seats_of(queue) if seat in self.seats]
