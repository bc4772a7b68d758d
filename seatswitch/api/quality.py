"""``quality.*``: what shift leaders find in calls of seats, and who was checked too rarely in a month."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from acd.inputs import QualityScored
from acd.quality import POINTS_MAX
from kernel.errors import OperationRefused
from kernel.ids import SeatId
from seatswitch.api.dispatch import BadRequest
from seatswitch.api.errors import INVALID_PARAMS
from seatswitch.api.method import SUPERVISOR, Method, Params
from seatswitch.api.scope import Scope
from seatswitch.api.shapes import CallNumber, Instant, Name, SeatNumber

CHECKS_MAX = 1_000  # of one answer

Month = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)", description="2026-11")]


class Score(Params, frozen=True):
    """A call of a seat, or its recording; points from 1 to 5 for each item of the tenant's checks, and what
    was found.
    """

    seat: SeatNumber
    items: dict[Name, Annotated[int, Meta(ge=1, le=POINTS_MAX)]]
    call: CallNumber | None = None
    recording: CallNumber | None = None
    remark: Annotated[str, Meta(max_length=2000)] = ""


class ListChecks(Params, frozen=True):
    """A month (the present one, if left out), of one seat or of all that one leads."""

    month: Month | None = None
    seat: SeatNumber | None = None


class CheckObject(msgspec.Struct, frozen=True):
    """One check."""

    check: str
    tenant: str
    seat: str
    call: str | None
    recording: str | None
    by: Annotated[str, Meta(description="A seat, the name of a token, or a role")]
    at: Annotated[str, Meta(description="When it was made first; RFC 3339 in UTC")]
    items: dict[str, int]
    mean: float
    remark: str


class CheckedSeat(msgspec.Struct, frozen=True):
    """How often a seat was checked in a month."""

    seat: str
    tenant: str
    level: str
    month: str
    checks: int
    minimum: Annotated[int, Meta(description="checks a month; 0 of a shift leader")]
    target: int
    missing: Annotated[int, Meta(description="of the minimum")]
    to_target: Annotated[int, Meta(description="of the target")]
    mean: Annotated[float | None, Meta(description="points of the month; null: none")]
    means: Annotated[dict[str, float], Meta(description="by item")]


class Checks(msgspec.Struct, frozen=True):
    """Checks of a month."""

    seats: Annotated[list[CheckedSeat], Meta(description="Those who miss most first")]
    checks: Annotated[list[CheckObject], Meta(description=f"The newest {CHECKS_MAX}, oldest first")]
    more: Annotated[bool, Meta(description="There are older ones; ask for one seat")]
    at: Instant


def score(scope: Scope, params: Score) -> dict[str, Any]:
    """Write a check down."""
    seat = scope.seat_to_supervise(params.seat)
    call, recording = params.call or "", params.recording or ""
    if not call and not recording:
        raise OperationRefused("BAD_SCORE", "which call or recording?")
    if recording and not _is_heard(scope, seat, recording):
        told = f"recording: {recording} is no recording that seat {seat} is heard in"
        raise BadRequest(INVALID_PARAMS, told)
    node, by = scope.node, scope.who()
    items = tuple(params.items.items())
    check = node.chance.token()
    node.handle(QualityScored(check, seat, call, recording, items, params.remark, by), scope.now)
    made = node.engine.quality.check_of(seat, call, recording, by)
    # As a monitored call, a check is no business of other agents.
    scope.record("quality_score", seat=seat, call=call, detail=made["check"], supervises=seat)
    return made


def _is_heard(scope: Scope, seat: SeatId, recording: str) -> bool:
    """Say whether a recording of the seat's tenant is there in which the seat is heard."""
    row = scope.node.catalogue.get(recording)
    tenant = scope.node.engine.seats[seat].settings.tenant
    return row is not None and row.tenant == tenant and seat in row.seats.split(",")


def list_checks(scope: Scope, params: ListChecks) -> dict[str, Any]:
    """Return who was checked how often, and what was found."""
    engine, now = scope.node.engine, scope.now
    wanted = None if params.seat is None else scope.seat(params.seat)
    seats: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    for seat, known in engine.seats.items():
        settings = known.settings
        is_asked = scope.sees(settings.tenant) if wanted is None else seat == wanted
        if not is_asked or not scope.leads(settings.queues):
            continue
        month = params.month or engine.quality.month(settings.tenant, now)
        counted = engine.quality.seat_in(month, seat)
        if settings.role != "agent" and not counted["checks"] and wanted is None:
            continue
        seats.append(counted)
        checks += engine.quality.checks_in(month, seat, now)
    if wanted is not None and not seats:
        raise OperationRefused("NO_RIGHT", f"seat {params.seat} serves none of the queues this seat leads")
    seats.sort(key=lambda each: (-each["missing"], -each["to_target"], each["seat"]))
    checks.sort(key=lambda each: (each["at"], each["check"]))
    return {
        "seats": seats,
        "checks": checks[-CHECKS_MAX:],
        "more": len(checks) > CHECKS_MAX,
        "at": scope.node.walltime.text(now),
    }


METHODS = (
    Method(
        "quality.list",
        SUPERVISOR,
        "The checks of a month, and of each seat how many there are, must be and should be.",
        ListChecks,
        Checks,
        list_checks,
        ("NO_SUCH_SEAT",),
    ),
    Method(
        "quality.score",
        SUPERVISOR,
        "Write down what one has found in a call of a seat that one leads, never one's own. The same call "
        "again replaces what one has said of it.",
        Score,
        CheckObject,
        score,
        ("NO_SUCH_SEAT", "BAD_SCORE"),
    ),
)
