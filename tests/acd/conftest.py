"""A floor of seats and queues in virtual time: what every test of distribution plays on."""

from collections.abc import Callable
from random import Random

import pytest

from acd.commands import Command, KickOut, ReleaseCall, RingSeat, WithdrawOffer
from acd.engine import Engine
from acd.events import AcdEvent
from acd.inputs import (
    CallJoined,
    CallLeft,
    Input,
    OfferAnswered,
    OfferRang,
    OfferRefused,
    PauseAsked,
    PhoneReachable,
    ReadyAsked,
    SignedIn,
    SignedOut,
    TalkEnded,
)
from acd.lists import NumberReader
from acd.seat import Seat
from acd.settings import (
    FOLLOWUPS,
    AcdSettings,
    FollowupSettings,
    LevelSettings,
    ListSettings,
    PhoneSettings,
    SeatSettings,
    TenantSettings,
)
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, OfferId, QueueName, SeatId
from kernel.rows import OfferRow, PresenceRow, SeatStateRow, VisitRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from queues.settings import QueueSettings, RelaxStep, Requirement

LEVELS = ("junior", "intermediate", "senior")
EPOCH = 1_800_000_000.0  # of the moment 0


def queue(name: str = "junior", lowest: int = 0, highest: int | None = None, **more: object) -> QueueSettings:
    skills = more.pop("skills", ())
    top = lowest if highest is None else highest
    return QueueSettings(name, "demo", Requirement(lowest, top, skills), **more)  # type: ignore[arg-type]


def seat(number: str, level: int = 0, queues: tuple[str, ...] = ("junior",), **more: object) -> SeatSettings:
    return SeatSettings(number, "demo", level, queues=queues, **more)  # type: ignore[arg-type]


def settings(
    queues: tuple[QueueSettings, ...],
    seats: tuple[SeatSettings, ...],
    *,
    wrap_up: float = 0.0,
    hold_back: tuple[int, int, int] = (0, 0, 0),
    tenant: TenantSettings | None = None,
    lists: tuple[ListSettings, ...] = (),
    followups: tuple[FollowupSettings, ...] = FOLLOWUPS,
) -> AcdSettings:
    return AcdSettings(
        levels=tuple(
            LevelSettings(name, wrap_up=wrap_up, hold_back=held)
            for name, held in zip(LEVELS, hold_back, strict=True)
        ),
        queues=queues,
        seats=seats,
        tenants=(tenant or TenantSettings("demo", pause_reasons=("rest", "meeting")),),
        lists=lists,
        followups=followups,
    )


class Floor:
    """An engine, its clock, and everything it has said."""

    def __init__(
        self,
        what: AcdSettings,
        seed: int = 1,
        *,
        keeps_history: bool = True,
        numbers: NumberReader | None = None,
    ) -> None:
        self.timers = TimerQueue()
        self.walltime = WallTime(EPOCH)
        chance = Chance(Random(seed).randbytes)
        self.engine = Engine(
            what, self.timers, chance, self.walltime, keeps_history=keeps_history, numbers=numbers
        )
        self.now = 0.0
        self.commands: list[Command] = []
        self.events: list[AcdEvent] = []
        self.rows: list[object] = []
        for each in what.seats:
            for phone in each.phones or (PhoneSettings("softphone", each.number),):
                if phone.kind != "pstn":
                    self.do(PhoneReachable(phone.kind, phone.number or each.number, True))

    def do(self, what: Input) -> None:
        """One turn, now."""
        self.engine.handle(what, self.now)
        self._drain()

    def _drain(self) -> None:
        self.commands += self.engine.commands.take()
        self.events += self.engine.events.take()
        self.rows += self.engine.rows.take()
        self.engine.check()

    def at(self, moment: float) -> "Floor":
        """Let time pass until ``moment``, firing every timer at its time."""
        while (deadline := self.timers.next_deadline()) is not None and deadline <= moment:
            self.now = max(self.now, deadline)
            self.timers.fire_due(self.now)
            self._drain()
        assert moment >= self.now
        self.now = moment
        return self

    def after(self, seconds: float) -> "Floor":
        return self.at(self.now + seconds)

    def refused(self, what: Input) -> str:
        """One turn that must be refused; return the word."""
        before = self.engine.snapshot(self.now)
        with pytest.raises(OperationRefused) as caught:
            self.do(what)
        self._drain()
        assert self.engine.snapshot(self.now) == before
        return caught.value.word

    # Words of a story.

    def sign_in(self, *numbers: str, presence: str = "ready", reason: str = "") -> None:
        for number in numbers:
            self.do(SignedIn(SeatId(number), f"s-{number}", presence=presence, reason=reason))

    def sign_out(self, number: str, **more: bool) -> None:
        self.do(SignedOut(SeatId(number), **more))

    def ready(self, number: str) -> None:
        self.do(ReadyAsked(SeatId(number)))

    def pause(self, number: str, reason: str = "rest", *, forced: bool = False) -> None:
        self.do(PauseAsked(SeatId(number), reason, forced))

    def join(self, call: str, name: str = "junior", caller: str = "100", **more: object) -> None:
        self.do(CallJoined(CallId(call), QueueName(name), caller, **more))  # type: ignore[arg-type]

    def leave(self, call: str, cause: str = "abandoned") -> None:
        self.do(CallLeft(CallId(call), cause))

    def offer_of(self, number: str) -> OfferId:
        offer = self.seat(number).offer
        assert offer is not None, f"{number} is offered nothing"
        return offer.id

    def rang(self, number: str) -> None:
        self.do(OfferRang(self.offer_of(number)))

    def answer(self, number: str) -> None:
        self.do(OfferAnswered(self.offer_of(number)))

    def refuse(self, number: str, status: int = 486) -> None:
        self.do(OfferRefused(self.offer_of(number), status))

    def end_talk(self, number: str, *, bridged: bool = True) -> None:
        call = self.seat(number).call
        assert call is not None
        self.do(TalkEnded(SeatId(number), call, bridged))

    # What is seen.

    def seat(self, number: str) -> Seat:
        return self.engine.seats[SeatId(number)]

    def state(self, number: str) -> str:
        it = self.seat(number)
        return f"{it.presence} {it.activity}"

    def counters(self, number: str) -> dict[str, float]:
        counters: dict[str, float] = self.engine.seat_object(SeatId(number), self.now)["counters"]
        return counters

    def rings(self) -> list[tuple[str, str]]:
        """Return (call, seat) of every ring asked for, in order."""
        return [(each.call, each.seat) for each in self.commands if isinstance(each, RingSeat)]

    def ringing(self) -> dict[str, str]:
        """Return seat by call, of what is offered now."""
        offers = [each.offer for each in self.engine.seats.values()]
        return {offer.call.call: offer.seat.id for offer in offers if offer is not None}

    def withdrawn(self) -> list[tuple[str, str]]:
        return [(each.offer, each.cause) for each in self.commands if isinstance(each, WithdrawOffer)]

    def released(self) -> list[ReleaseCall]:
        return [each for each in self.commands if isinstance(each, ReleaseCall)]

    def kicked(self) -> list[KickOut]:
        return [each for each in self.commands if isinstance(each, KickOut)]

    def visits(self) -> list[VisitRow]:
        return [each for each in self.rows if isinstance(each, VisitRow)]

    def offers(self) -> list[OfferRow]:
        return [each for each in self.rows if isinstance(each, OfferRow)]

    def presences(self, number: str) -> list[PresenceRow]:
        return [each for each in self.rows if isinstance(each, PresenceRow) and each.seat == number]

    def states(self, number: str) -> list[SeatStateRow]:
        return [each for each in self.rows if isinstance(each, SeatStateRow) and each.seat == number]


class Kit:
    """What tests build floors of."""

    Floor = Floor
    RelaxStep = RelaxStep
    queue = staticmethod(queue)
    seat = staticmethod(seat)
    settings = staticmethod(settings)

    def floor(
        self,
        queues: tuple[QueueSettings, ...],
        seats: tuple[SeatSettings, ...],
        *,
        keeps_history: bool = True,
        numbers: NumberReader | None = None,
        **more: object,
    ) -> Floor:
        what = settings(queues, seats, **more)  # type: ignore[arg-type]
        return Floor(what, keeps_history=keeps_history, numbers=numbers)


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture
def one_seat() -> Floor:
    """One queue, one junior seat 8001, 30 s wrap-up; nobody signed in."""
    return Floor(settings((queue(),), (seat("8001"),), wrap_up=30.0))


@pytest.fixture
def build() -> Callable[..., Floor]:
    return Kit().floor
