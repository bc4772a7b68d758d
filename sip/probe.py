"""Probes: whether an address of a trunk answers OPTIONS, with hysteresis.

``down_after`` misses in a row take an address down, ``up_after`` answers in a row bring it up again, so that
one lost datagram does not move calls and one lucky answer does not bring them back. Any answer but 503 says
that somebody is there; silence until the next probe, or no way there, is a miss.
"""

from typing import TYPE_CHECKING, Any

from kernel.timers import Timer
from sip.branches import client_key_of
from sip.client_request import ClientRequest
from sip.events import TrunkChanged
from sip.flows import NOWHERE
from sip.message import Response
from sip.settings import TrunkProbe

if TYPE_CHECKING:
    from sip.core import Core


class Probe:
    """One address of one trunk. It counts as up until it has been found to be down."""

    def __init__(self, core: "Core", trunk: str, uri: str, settings: TrunkProbe) -> None:
        self.is_up = True
        self.trunk = trunk
        self.uri = uri
        self._core = core
        self._settings = settings
        self._in_a_row = 0  # answers while down, misses while up
        self._request: ClientRequest | None = None
        self._timer: Timer | None = None

    def start(self, now: float) -> None:
        """Ask now, and again and again."""
        self._ask(now)

    def stop(self, now: float) -> None:
        """Ask no more."""
        self._core.timers.disarm(self._timer)
        self._timer = None
        self._forget(now)

    def on_timer(self, name: str, now: float) -> None:
        """It is time to ask again; what was asked before has not been answered if it is still out."""
        if self._request is not None:
            self._forget(now)
            self._missed(408)
        self._ask(now)

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Somebody is there, and has time for us or not."""
        if response.status < 200 or transaction is not self._request:
            return
        self._request = None
        if response.status == 503:
            self._missed(503)
        else:
            self._answered(response.status)

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Nobody is there."""
        if transaction is self._request:
            self._request = None
            self._missed(status)

    def _forget(self, now: float) -> None:
        """Repeat a request no more, and hear no answer to it."""
        if self._request is not None:
            self._request.drop(now)
            self._request = None

    def _answered(self, status: int) -> None:
        if self.is_up:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= self._settings.up_after:
            self._turn(True, status)

    def _missed(self, status: int) -> None:
        if not self.is_up:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= self._settings.down_after:
            self._turn(False, status)

    def _turn(self, is_up: bool, status: int) -> None:
        self.is_up = is_up
        self._in_a_row = 0
        state = "up" if is_up else "down"
        self._core.put_event(TrunkChanged(self.trunk, "contact", state, self.uri, status))

    def _ask(self, now: float) -> None:
        core = self._core
        # Spread, so that addresses that were configured together are not asked together.
        every = self._settings.every * core.chance.uniform(0.9, 1.1)
        self._timer = core.timers.arm(self, "probe", now + every)
        flow = core.places.resolve(self.uri)
        if flow is None and core.places.named(self.uri) is None:
            self._missed(503)
            return
        flow = flow or NOWHERE
        place, branch = core.places[flow.local], core.chance.branch()
        us = core.settings.domains[0] if core.settings.domains else place.host
        data = (
            f"OPTIONS {self.uri} SIP/2.0\r\n{place.via}{branch}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{us}>;tag={core.chance.token()}\r\nTo: <{self.uri}>\r\n"
            f"Call-ID: {core.chance.token()}\r\nCSeq: 1 OPTIONS\r\n{place.contact}"
            "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
        ).encode("utf-8", "surrogateescape")
        key = client_key_of(branch, "OPTIONS")
        self._request = ClientRequest(
            core.transactions, key, "OPTIONS", data, flow, self, now, next_hop=self.uri
        )
