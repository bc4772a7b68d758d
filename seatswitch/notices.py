"""Notices: what is told and concerns no other floor: failed guesses, bans, trunks, supervisors; surveys and
scripts that have ended.

Each becomes an event, and a line of the log what the operator must know; an event with ``ip`` in it is shown
to operators only.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from calls.events import ScriptEnded, SupervisionChanged, SurveyEnded
from kernel.outbox import Outbox
from seatswitch.news import EventLog
from sip.events import DigestRefused, NameUnresolved, SourceBanned, StraysSeen, TrunkChanged


class Notices:
    """Turns notices into the node's log and news."""

    def __init__(self, log: Outbox[tuple[str, dict[str, Any]]], news: EventLog) -> None:
        self._log = log
        self._news = news

    def digest_refused(self, event: DigestRefused, now: float) -> None:
        """Tell of a wrong password."""
        self._tell("auth_failed", {"ip": event.flow.host, "user": event.user, "method": event.method}, now)

    def source_banned(self, event: SourceBanned, now: float) -> None:
        """Tell of a host that guesses passwords and is no longer listened to."""
        self._tell("banned", {"ip": event.host, "for": event.banned_for}, now)

    def strays_seen(self, event: StraysSeen, now: float) -> None:
        """Tell of a storm: one line for all of it."""
        self._tell("storm", {"ip": event.host, "of": event.what, "total": event.total}, now)

    def name_unresolved(self, event: NameUnresolved, now: float) -> None:
        """Tell of a name that requests cannot be sent to: a line of the log."""
        self._log.put(("a name leads nowhere", {"name": event.name, "why": event.why}))

    def trunk_changed(self, event: TrunkChanged, view: Callable[[], dict[str, Any]], now: float) -> None:
        """Tell of a trunk that is up or down, registered or not; the event is the trunk object."""
        fields = {"trunk": event.trunk, "state": event.state, "status": event.status}
        self._log.put((f"trunk {event.what}", fields | ({"uri": event.uri} if event.uri else {})))
        self._news.put("trunk", view, now)

    def survey_ended(self, event: SurveyEnded, now: float) -> None:
        """Tell what a caller thought of a call."""
        told: dict[str, Any] = {"what": "survey", "call": event.call, "tenant": event.tenant}
        told |= {"queue": event.queue, "seat": event.seat, "key": event.key or None, "result": event.result}
        self._news.put("call", partial(dict, told), now)

    def supervision_changed(self, event: SupervisionChanged, now: float) -> None:
        """Tell who listens to whom, and how."""
        told: dict[str, str | None] = {"what": event.what, "by": event.by, "tenant": event.tenant}
        told |= {"seat": event.target}
        told |= {"call": event.call, "mode": event.mode, "reason": event.reason or None}
        self._news.put("supervisor", partial(dict, told, supervises=event.target), now)

    def script_ended(self, event: ScriptEnded, now: float) -> None:
        """Tell how a caller has left a script, and with what."""
        what = "interact_returned" if event.kind == "interact" else "script_ended"
        told: dict[str, Any] = {"what": what, "call": event.call, "tenant": event.tenant, "ivr": event.ivr}
        told |= {"seat": event.seat or None, "outcome": event.outcome, "target": event.target or None}
        self._news.put("call", partial(dict, told, variables=dict(event.variables)), now)

    def _tell(self, what: str, fields: dict[str, Any], now: float) -> None:
        self._log.put((what, fields))
        self._news.put("switch", partial(dict, fields, what=what), now)
