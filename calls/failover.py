"""Failover: one outside number, several addresses, one after the other until one takes the call.

The next address is tried when one fails (503 and its like, silence, no way there) or says nothing at all for
``try_for`` seconds. The one that is given up is cancelled; if it answers all the same, the stack ends that
answer with BYE, so that nobody is rung twice for long and nobody is connected twice.

Rules: a leg is counted at the one trunk it is tried through now; a call that has come out of this switch
before is refused (loops), and every INVITE of ours carries one hop less than the call brought.
"""

from typing import TYPE_CHECKING

from calls.call import Call
from calls.leg import Leg
from calls.outside import Target
from calls.presentation import presented
from calls.routing import Refusal
from kernel.chance import Chance
from kernel.ids import StreamId
from kernel.timers import TimerQueue
from sip.invitation import Invitation
from sip.message import Request
from sip.session import Session
from sip.stack import Stack

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

NEXT = frozenset({408, 500, 502, 503, 504})  # the address failed; the callee has said nothing
LOOP_HEADER = "X-Loop-Guard"
_LOOP_NAME = LOOP_HEADER.lower()  # as a request knows it


class Failover:
    """The outgoing legs of one switchboard that have more than one address."""

    def __init__(self, board: "Switchboard", stack: Stack, timers: TimerQueue, chance: Chance) -> None:
        self._board = board
        self._stack = stack
        self._timers = timers
        self._chance = chance
        self._mark = chance.token()

    def refuse_loop(self, request: Request) -> Refusal | None:
        """Refuse an INVITE that has left this switch before (RFC 3261 16.3 in the manner of a B2BUA)."""
        if request.header(_LOOP_NAME) == self._mark:
            return Refusal(482, "caller:loop")
        return None

    def begin(self, leg: Leg, headers: tuple[tuple[str, str], ...], now: float) -> str:
        """Choose the first address for an outside number; return "", or the verdict if there is none."""
        call = leg.call
        assert call is not None
        leg.reserve = self._board.plan.outside.targets(call.tenant, leg.phone[1], self._chance)
        if not leg.reserve:
            return "us:no_trunk"
        leg.headers = (*headers, (LOOP_HEADER, self._mark))
        invitation, why_not = self._next(leg, call, now)
        leg.targets = [] if invitation is None else [invitation]
        return why_not

    def lead(self, leg: Leg, targets: list[Target], headers: tuple[tuple[str, str], ...], now: float) -> bool:
        """Choose among addresses that a redirection names; False if none takes calls now."""
        assert leg.call is not None
        leg.reserve = targets
        leg.headers = (*headers, (LOOP_HEADER, self._mark))
        invitation, _ = self._next(leg, leg.call, now)
        leg.targets = [] if invitation is None else [invitation]
        return invitation is not None

    def started(self, leg: Leg, name: str, now: float) -> None:
        """The INVITE to an address of the trunk ``name`` has been sent, and there are others: see that it is
        answered at all.
        """
        trunk = self._board.plan.trunks.get(name)
        if trunk is not None and trunk.try_for:
            self._timers.disarm(leg.timer)
            leg.timer = self._timers.arm_after(self, f"try {leg.stream}", trunk.try_for, now)

    def try_next(self, leg: Leg, status: int, now: float) -> bool:
        """An address failed with ``status``; return whether another one is being tried."""
        call = leg.call
        if not leg.trunk or status not in NEXT or call is None:
            return False
        if status == 408 and leg.rang_at is not None:
            return False  # the callee was rung and did not answer
        invitation, _ = self._next(leg, call, now)
        if invitation is None:
            return False
        leg.targets = [invitation]
        self._board.rings.invite(leg, now)
        return True

    def left(self, leg: Leg) -> None:
        """Count a leg out of the trunk that it is tried or talks through."""
        self._timers.disarm(leg.timer)
        leg.timer = None
        if leg.trunk:
            self._board.gate.release(leg.trunk)
            leg.trunk = ""

    def on_timer(self, name: str, now: float) -> None:
        """An address has said nothing for too long: give it up for the next one."""
        leg = self._board.streams.leg_of(StreamId(int(name.partition(" ")[2])))
        if leg is None or leg.call is None:
            return
        leg.timer = None
        silent: list[Session] = leg.ringing_sessions
        if not silent or silent[0].last_status:
            return  # it works on it
        # The name of the address may stand for several hosts: those first.
        invitation = silent[0].invitation if self._stack.leave_target(silent[0], now) else None
        if invitation is None:
            invitation, _ = self._next(leg, leg.call, now)
        if invitation is None:
            return  # there is nobody better to ask
        leg.ringing_sessions = []
        for session in silent:
            session.user = None
            self._stack.hang_up(session, now)
        leg.targets = [invitation]
        self._board.rings.invite(leg, now)

    def _next(self, leg: Leg, call: Call, now: float) -> tuple[Invitation | None, str]:
        """Return the invitation to the next address that takes calls now, else the verdict on the last one.

        The address's trunk takes the leg over.
        """
        gate, before = self._board.gate, leg.trunk
        why_not = ""
        while leg.reserve:
            target = leg.reserve.pop(0)
            name = target.trunk.name
            if not self._stack.is_up(name, target.contact):
                why_not = "network:trunk_down"
                continue
            if name != before:
                why_not = gate.admit(target.trunk, now, "out")
                if why_not:
                    continue
                if before:
                    gate.release(before)
            if before:
                gate.note_failover(before)
            leg.trunk = name
            if call.direction == "out":
                call.trunk = name
            return self._invitation(leg, call, target), ""
        return None, why_not

    def _invitation(self, leg: Leg, call: Call, target: Target) -> Invitation:
        # Who is called back sees the number chosen for it, the seat sees whom it will talk to.
        shown = call.called if call.is_callback and call.caller_leg is None else call.caller
        is_ours = call.direction != "in" and not call.is_callback
        caller = self._board.plan.outside.write_caller(target.trunk, shown, is_ours=is_ours)
        uri, trunk = target.uri, target.trunk
        domain = self._board.plan.settings.domain
        hidden = call.is_private and not call.is_callback
        named = presented(caller, domain, is_private=hidden, is_trusted=trunk.is_trusted)
        headers = (*leg.headers, *named.headers)
        return Invitation(uri, f"<{uri}>", named.user, named.display, trunk=trunk.name, headers=headers)


def hops_left(call: Call) -> int:
    """Return the Max-Forwards of an INVITE for ``call``: one less than its own had (RFC 7332)."""
    caller = call.caller_leg
    if caller is None or caller.session is None or caller.session.request is None:
        return 70
    hops = caller.session.request.max_forwards
    return 70 if hops is None else max(0, min(hops, 71) - 1)
