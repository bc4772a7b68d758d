"""Peers: what we do at trunks of our own accord - registering, asking whether they are there.

Nothing is sent before :meth:`Peers.start`, which is when there are sockets; :meth:`Peers.stop` takes our
bindings away, so that a carrier sends no more calls to a switch that is about to end.
"""

from typing import TYPE_CHECKING, Any

from sip.probe import Probe
from sip.registration import Registration
from sip.settings import TrunkPeer

if TYPE_CHECKING:
    from sip.core import Core


class Peers:
    """The registrations and probes of one stack."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._is_started = False
        self._settings: dict[str, TrunkPeer] = {}
        self._registrations: dict[str, Registration] = {}
        self._leaving: list[Registration] = []
        self._probes: dict[tuple[str, str], Probe] = {}  # by trunk and address

    def start(self, now: float) -> None:
        """Begin; a second time does nothing."""
        if not self._is_started:
            self._is_started = True
            self.reconfigure(now)

    def stop(self, now: float) -> None:
        """Take every binding away and ask no more."""
        self._is_started = False
        for name in list(self._settings):
            self._leave(name, now)

    def reconfigure(self, now: float) -> None:
        """Take the core's settings; a trunk of which nothing has changed notices nothing."""
        if not self._is_started:
            return
        trunks = self._core.trunks
        for name, peer in list(self._settings.items()):
            if trunks.get(name) != peer:
                self._leave(name, now)
        for name, peer in trunks.items():
            if name not in self._settings:
                self._join(peer, now)

    def is_up(self, trunk: str, uri: str) -> bool:
        """Return whether an address takes calls, as far as is known."""
        probe = self._probes.get((trunk, uri))
        return probe is None or probe.is_up

    def is_leaving(self) -> bool:
        """Return whether a registrar has yet to answer that we leave."""
        self._leaving = [registration for registration in self._leaving if not registration.is_over]
        return bool(self._leaving)

    def view(self, trunk: str, now: float) -> dict[str, Any]:
        """Return the state of a trunk: up, down or (not probed) null, its registration, its addresses."""
        probes = {uri: probe.is_up for (name, uri), probe in self._probes.items() if name == trunk}
        registration = self._registrations.get(trunk)
        return {
            "state": None if not probes else "up" if any(probes.values()) else "down",
            "registration": None if registration is None else registration.view(now),
            "down": [uri for uri, is_up in probes.items() if not is_up],
        }

    def _join(self, peer: TrunkPeer, now: float) -> None:
        self._settings[peer.name] = peer
        if peer.register is not None:
            registration = self._registrations[peer.name] = Registration(self._core, peer, peer.register)
            registration.start(now)
        if peer.probe is not None:
            for uri in peer.contacts:
                probe = self._probes[peer.name, uri] = Probe(self._core, peer.name, uri, peer.probe)
                probe.start(now)

    def _leave(self, name: str, now: float) -> None:
        del self._settings[name]
        for key in [key for key in self._probes if key[0] == name]:
            self._probes.pop(key).stop(now)
        registration = self._registrations.pop(name, None)
        if registration is not None:
            registration.stop(now)
            self._leaving.append(registration)
