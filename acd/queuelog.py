"""Rows as lines of Asterisk's queue_log, for tools that read nothing else.

A line is ``epoch|call|queue|seat|EVENT|data...``, with 1 to 5 texts of data. Rows are taken in the order in
which they were written; what a line needs of earlier rows is kept until the call is over. A seat pauses in
all its queues, which is PAUSEALL, or in some, PAUSE; its level, and so its PENALTY, is of no queue. Words for
callers who never got in are Wazo's (FULL, CLOSED, ...).
"""

from collections.abc import Iterator
from typing import NamedTuple

from kernel.rows import CallRow, OfferRow, OperationRow, PresenceRow, VisitRow
from kernel.staterows import CallStateRow, JournalRow, VisitStateRow

NOBODY = "NONE"

# Visits that never began, by cause.
_REFUSED = {
    "full": "FULL",
    "empty": "JOINEMPTY",
    "closed": "CLOSED",
    "ratio": "DIVERT_CA_RATIO",
    "estimate": "DIVERT_HOLDTIME",
}
_IN_A_QUEUE = {
    "paused_in": "PAUSE",
    "unpaused_in": "UNPAUSE",
    "added_to": "ADDMEMBER",
    "removed_from": "REMOVEMEMBER",
}
_OF_THE_SWITCH = {"started": "QUEUESTART", "reloaded": "CONFIGRELOAD"}  # operations
_TIMED_OUT = ("max_wait", "seat_wait")
_RINGS = {"missed": "RINGNOANSWER", "refused": "RINGNOANSWER", "failed": "RINGNOANSWER"}


class _Talk(NamedTuple):
    """A conversation that goes on: what its end tells of its begin."""

    queue: str
    seat: str
    hold: float  # seconds waited
    begun_at: float
    position: int


class _Transfer(NamedTuple):
    """A call that was handed on to a call of which nothing is known yet."""

    row: CallRow
    talk: _Talk


class QueueLog:
    """Turns rows into lines."""

    def __init__(self) -> None:
        self._entered: dict[str, None] = {}  # visits whose ENTERQUEUE has been said
        self._rang: dict[str, float] = {}  # by visit: how long the seat that answered had rung
        self._talks: dict[str, _Talk] = {}  # by call
        self._calls: dict[str, tuple[str, float]] = {}  # by call: the number called, and when it arrived
        self._transfers: dict[str, _Transfer] = {}  # by the call that they went on in
        self._seats: dict[str, PresenceRow] = {}  # by seat: the last row
        self._signed_in: dict[str, float] = {}  # by seat: since when

    def take(self, row: JournalRow) -> list[str]:
        """Return the lines that ``row`` makes; those of most kinds make none."""
        if isinstance(row, VisitStateRow):
            entered = (row.visit, row.call, row.queue, row.entered_at, row.caller, row.position)
            return list(self._enters(*entered))
        if isinstance(row, OfferRow):
            return list(self._offer(row))
        if isinstance(row, VisitRow):
            return list(self._visit(row))
        if isinstance(row, CallStateRow):
            return list(self.know(row.call, row.called, row.arrived_at))
        if isinstance(row, CallRow):
            return [*self.know(row.call, row.called, row.arrived_at), *self._call(row)]
        if isinstance(row, OperationRow):
            event = _OF_THE_SWITCH.get(row.what)
            return [] if event is None else [_line(row.at, NOBODY, NOBODY, NOBODY, event, "")]
        return list(self._presence(row)) if isinstance(row, PresenceRow) else []

    def know(self, call: str, called: str, arrived_at: float) -> Iterator[str]:
        """Learn of a call; somebody may have been handed on to it."""
        self._calls[call] = (called, arrived_at)
        waiting = self._transfers.pop(call, None)
        if waiting is not None:
            yield self._handed_on(waiting, called, arrived_at)

    def _enters(
        self, visit: str, call: str, queue: str, at: float, caller: str, position: int
    ) -> Iterator[str]:
        if visit not in self._entered:
            self._entered[visit] = None
            yield _line(at, call, queue, NOBODY, "ENTERQUEUE", "", caller, position)

    def _offer(self, row: OfferRow) -> Iterator[str]:
        if row.outcome == "answered":
            self._rang[row.visit] = row.rang
            return
        event = _RINGS.get(row.outcome, "RINGCANCELED")
        call = row.visit.rpartition(".")[0]
        yield _line(row.ended_at, call, row.queue, row.seat, event, round(row.rang * 1000))

    def _visit(self, row: VisitRow) -> Iterator[str]:
        if not row.position and row.outcome != "answered":
            if row.joined_at == row.left_at:
                refused = _REFUSED.get(row.cause, "CLOSED")
                yield _line(row.left_at, row.call, row.queue, NOBODY, refused, "")
                return
        yield from self._enters(row.visit, row.call, row.queue, row.joined_at, "", row.position)
        self._entered.pop(row.visit, None)
        rang = self._rang.pop(row.visit, 0.0)
        if row.outcome == "answered":
            self._talks[row.call] = _Talk(row.queue, row.seat, row.waited, row.left_at, row.position)
            offer, waited = row.visit, round(row.waited)
            yield _line(row.left_at, row.call, row.queue, row.seat, "CONNECT", waited, offer, round(rang))
            return
        places = (row.position_left, row.position, round(row.waited))
        event, *more = _ended(row)
        data = (*more, *places) if event == "EXITWITHKEY" else (*places, *more)
        yield _line(row.left_at, row.call, row.queue, NOBODY, event, *data)

    def _call(self, row: CallRow) -> Iterator[str]:
        self._calls.pop(row.call, None)
        talk = self._talks.pop(row.call, None)
        if talk is None:
            return
        if row.verdict == "success:transferred" and row.continued_as:
            handed_on = _Transfer(row, talk)
            known = self._calls.get(row.continued_as)
            if known is None:
                self._transfers[row.continued_as] = handed_on
            else:
                yield self._handed_on(handed_on, *known)
            return
        event = "COMPLETEAGENT" if row.ended_by == "seat" else "COMPLETECALLER"
        yield _line(row.ended_at, row.call, talk.queue, talk.seat, event, *_times(row, talk), talk.position)

    def _handed_on(self, what: _Transfer, called: str, arrived_at: float) -> str:
        """Return the line of a transfer: attended, if the call it went on in had been there before."""
        row, talk = what
        times = (*_times(row, talk), talk.position)
        if arrived_at < row.ended_at - 1.0:
            event, data = "ATTENDEDTRANSFER", ("BRIDGE", row.continued_as, *times)
        else:
            event, data = "BLINDTRANSFER", (called, "default", *times)
        return _line(row.ended_at, row.call, talk.queue, talk.seat, event, *data)

    def _presence(self, row: PresenceRow) -> Iterator[str]:
        before = self._seats.get(row.seat)
        self._seats[row.seat] = row
        was = "offline" if before is None else before.presence
        reason = "" if before is None else before.reason

        def say(event: str, *data: object) -> str:
            return _line(row.at, NOBODY, NOBODY, row.seat, event, *data)

        word, _, told = row.cause.partition(":")
        if word in _IN_A_QUEUE:
            queue, _, why = told.partition(":")
            if word == "added_to" and row.presence == "paused":
                why = "PAUSED"
            yield _line(row.at, NOBODY, queue, row.seat, _IN_A_QUEUE[word], why)
        elif word == "level":
            yield say("PENALTY", *told.split(":", 1))
        if was == "offline" != row.presence:
            self._signed_in[row.seat] = row.at
            yield say("AGENTLOGIN", row.agent or row.seat)
        if was == "paused" and (row.presence != "paused" or row.reason != reason):
            yield say("UNPAUSEALL", reason)
        if row.presence == "paused" and (was != "paused" or row.reason != reason):
            yield say("PAUSEALL", row.reason)
        if row.presence == "offline" != was:
            since = self._signed_in.pop(row.seat, row.at)
            agent = "" if before is None else before.agent
            yield say("AGENTLOGOFF", agent or row.seat, round(row.at - since))


def _ended(row: VisitRow) -> tuple[object, ...]:
    """Return the event of a visit that ended without a seat, and what it says beside places and wait."""
    if row.outcome == "abandoned":
        return ("ABANDON",)
    if row.cause == "empty":
        return ("EXITEMPTY",)
    if row.cause in _TIMED_OUT:
        return ("EXITWITHTIMEOUT",)
    if row.cause.startswith("key"):
        return ("EXITWITHKEY", row.cause.partition(":")[2])
    return ("WITHDRAW", row.cause or row.outcome)


def _times(row: CallRow, talk: _Talk) -> tuple[int, int]:
    """Return the seconds a caller waited and talked; one who rates the call stays longer than that."""
    until = row.ended_at if row.answered_at is None else min(row.ended_at, row.answered_at + row.talked)
    return round(talk.hold), max(0, round(until - talk.begun_at))


def _line(at: float, call: str, queue: str, seat: str, event: object, *data: object) -> str:
    parts = (int(at), call, queue, seat or NOBODY, event, *data)
    return "|".join(_plain(str(part)) for part in parts)


def _plain(text: str) -> str:
    """Return ``text`` as one field: no separator, no end of line."""
    return "".join(it if it.isprintable() and it != "|" else " " for it in text)
