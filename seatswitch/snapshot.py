"""The node as plain dictionaries: the seat, call, queue and trunk objects of the JSON-RPC side (docs/rpc.md).

Times are RFC 3339 in UTC, durations seconds, unknown values null.
"""

from typing import Any

import msgspec

from acd.engine import Engine
from acd.seat import Activity, Presence
from calls.call import Call
from calls.switchboard import Switchboard
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.walltime import WallTime
from sip.stack import Stack
from sip.subscription import DARK, Lamp

_BUSY = {
    Activity.DIALLING: ("trying", "initiator"),
    Activity.RINGING: ("early", "recipient"),
    Activity.TALKING: ("confirmed", ""),
}


class Views:
    """Builds the objects that users see out of the floors' own."""

    def __init__(self, engine: Engine, switchboard: Switchboard, stack: Stack, walltime: WallTime) -> None:
        self._engine = engine
        self._switchboard = switchboard
        self._stack = stack
        self._walltime = walltime

    def seat(self, number: SeatId, now: float) -> dict[str, Any]:
        """Return a seat object; NO_SUCH_SEAT if there is none."""
        return self._engine.seat_object(number, now)

    def lamp(self, number: str) -> Lamp:
        """Return what those who watch a seat or an extension see: its calls; else, of a seat, whether it must
        not be called.
        """
        seat = self._engine.seats.get(SeatId(number))
        if seat is None:
            return self._switchboard.lines.lamp(number)
        if seat.activity in _BUSY:
            state, direction = _BUSY[seat.activity]
            dialog = self._switchboard.lines.lamp(number).dialog if state == "early" else DARK.dialog
            return Lamp(state, direction, is_rendering=not seat.held, dialog=dialog)
        lamp = self._switchboard.lines.lamp(number)
        if lamp is not DARK or seat.presence not in (Presence.PAUSED, Presence.WRAPUP):
            return lamp
        return Lamp("confirmed", note=seat.reason or seat.presence.value, is_rendering=False)

    def seats(self, now: float, queue: str = "") -> list[dict[str, Any]]:
        """Return every seat, or those that serve ``queue``."""
        if queue and QueueName(queue) not in self._engine.queues:
            raise OperationRefused("NO_SUCH_QUEUE", f"there is no queue {queue}")
        return [
            self.seat(number, now)
            for number, seat in self._engine.seats.items()
            if not queue or queue in seat.queues
        ]

    def supervision(self, seat: SeatId, *wanted: str) -> dict[str, Any]:
        """Return whom a seat supervises (``supervising``), and who supervises it (``supervised``)."""
        supervision = self._switchboard.supervision
        found = {"supervising": supervision.at(seat), "supervised": supervision.by_seat.get(seat)}
        return {
            name: None
            if it is None
            else {
                "seat": it.target,
                "by": it.by,
                "mode": it.mode,
                "follow": it.follows,
                "attached": it.is_attached,
                "call": it.hears,
            }
            for name, it in found.items()
            if not wanted or name in wanted
        }

    def call(self, number: CallId, now: float) -> dict[str, Any]:
        """Return a call object; NO_SUCH_CALL if there is none."""
        call = self._switchboard.calls.get(number)
        if call is None:
            raise OperationRefused("NO_SUCH_CALL", f"there is no call {number}")
        return self._call(call, now)

    def calls(self, now: float) -> list[dict[str, Any]]:
        """Return every living call, oldest first."""
        living = self._switchboard.calls.values()
        return [self._call(call, now) for call in living if not call.is_standing]

    def queue(self, name: str, now: float) -> dict[str, Any]:
        """Return a queue object; NO_SUCH_QUEUE if there is none."""
        queue = self._engine.queues.get(QueueName(name))
        if queue is None:
            raise OperationRefused("NO_SUCH_QUEUE", f"there is no queue {name}")
        serving = self._engine.seats_of(queue.name)
        oldest = min((call.joined_at for call in queue.waiting.values()), default=None)
        return {
            "queue": name,
            "tenant": queue.settings.tenant,
            "policy": queue.settings.policy,
            "waiting": len(queue.waiting),
            "longest_wait": None if oldest is None else round(now - oldest, 3),
            "waiting_long": queue.late,
            "seats": len(serving),
            "seats_signed_in": queue.signed_in,
            "seats_ready": sum(seat.is_routable and name not in seat.paused_in for seat in serving),
            "threshold": queue.settings.service_level,
            **queue.statistics.total.as_dict(),
        }

    def queues(self, now: float) -> list[dict[str, Any]]:
        """Return every queue."""
        return [self.queue(name, now) for name in self._engine.queues]

    def trunks(self, now: float) -> list[dict[str, Any]]:
        """Return every trunk with its calls."""
        return [self.trunk(name, now) for name in self._switchboard.plan.trunks]

    def trunk(self, name: str, now: float) -> dict[str, Any]:
        """Return a trunk object; of one that is gone only its name."""
        trunk = self._switchboard.plan.trunks.get(name)
        if trunk is None:
            return {"trunk": name, "tenant": None}
        return {
            "trunk": trunk.name,
            "tenant": trunk.tenant or None,
            "contact": trunk.contact or None,
            "calls": self._switchboard.gate.calls(trunk.name),
            "max_calls": trunk.max_calls or None,
            "max_cps": trunk.max_cps or None,
            **msgspec.structs.asdict(self._switchboard.gate.counters(trunk.name)),
            **self._stack.peers.view(trunk.name, now),
        }

    def distribution(self) -> dict[str, Any]:
        """Return how many seats are in each state and how many calls wait, in all."""
        presences: dict[str, int] = {}
        activities: dict[str, int] = {}
        for seat in self._engine.seats.values():
            presences[seat.presence.value] = presences.get(seat.presence.value, 0) + 1
            activities[seat.activity.value] = activities.get(seat.activity.value, 0) + 1
        waiting = sum(len(queue.waiting) for queue in self._engine.queues.values())
        return {"presence": presences, "activity": activities, "waiting": waiting}

    def _call(self, call: Call, now: float) -> dict[str, Any]:
        waiting = call.joined_at is not None and call.answered_at is None
        visit = self._engine.waiting(call.id) if waiting else None
        until = call.answered_at if call.answered_at is not None else now
        consult, script = self._switchboard.consults.stage(call), self._switchboard.scripts.view(call)
        state = "threeway" if consult == "threeway" else "held" if call.held else call.state.value
        seat_leg = call.caller_leg if call.is_callback else call.callee
        seat = None if seat_leg is None else seat_leg.seat
        if seat is None and call.rings:
            seat = call.rings[0].seat
        return {
            "call": call.id,
            "direction": call.direction,
            "tenant": call.tenant,
            "queue": call.queue if visit is None else visit.queue,
            "caller": call.caller,
            "caller_name": call.caller_name,
            "called": call.called,
            "state": "interact" if self._switchboard.scripts.interacts(call) else state,
            "consult": consult,
            "arrived_at": self._walltime.text(call.arrived_at),
            "joined_at": None if call.joined_at is None else self._walltime.text(call.joined_at),
            "waited": None if call.joined_at is None else round(until - call.joined_at, 3),
            "talked": None if call.answered_at is None else round(now - call.answered_at, 3),
            "position": self._engine.position(call.id, now) if waiting else None,
            "estimate": self._engine.estimate(call.id, now) if waiting else None,
            "seat": seat,
            "tag": call.tag,
            "script": script,
            "collected": dict(call.collected),
            "dialled": call.is_dialled,
            "recording": self._switchboard.recordings.state(call),
            "supervises": call.supervises or None,
            "verdict": None,
        }
