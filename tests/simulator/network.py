"""A virtual UDP network: delay, jitter, loss, duplicates, reordering, clogs, partitions, NAT rebinding.

Everything random is drawn from the one generator handed in. A datagram for an address where nobody listens is
lost, or comes back to its sender as "unreachable" where the network says so (ICMP).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from tests.simulator.timeline import Timeline

Address = tuple[str, int]
Receiver = Callable[[bytes, Address], None]


@dataclass(frozen=True)
class Weather:
    """What happens to datagrams on the way; probabilities per datagram, times in seconds."""

    delay: float = 0.005
    jitter: float = 0.0  # uniform, on top of the delay
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0  # probability of being held back
    held_back_for: float = 0.1

    def __str__(self) -> str:
        return (
            f"delay {self.delay * 1000:.0f}+{self.jitter * 1000:.0f} ms, loss {self.loss:.0%}, "
            f"duplicates {self.duplicate:.0%}, reordering {self.reorder:.0%}"
        )


FAIR = Weather()


class Passed(NamedTuple):
    """One datagram as the network saw it; ``fate`` is sent, lost, blocked or unreachable."""

    at: float
    source: Address
    destination: Address
    data: bytes
    fate: str


class Network:
    """Addresses, and what lies between them."""

    def __init__(self, timeline: Timeline, random: Random, weather: Weather = FAIR) -> None:
        self.timeline = timeline
        self.weather = weather
        self.watchers: list[Callable[[Passed], None]] = []
        self.tells_unreachable = False
        self._random = random
        self._receivers: dict[Address, Receiver] = {}
        self._unreachable: dict[Address, Callable[[Address], None]] = {}
        self._blocked: dict[tuple[str, str], bool] = {}  # (from host, to host)
        self._clogged: dict[tuple[str, str], float] = {}  # extra delay
        self._outside: dict[Address, Address] = {}  # NAT: inside -> outside
        self._inside: dict[Address, Address] = {}

    def attach(
        self, address: Address, receiver: Receiver, unreachable: Callable[[Address], None] | None = None
    ) -> None:
        """Listen at ``address``; ``unreachable(destination)`` hears of datagrams that found nobody."""
        assert address not in self._receivers, f"{address} is taken"
        self._receivers[address] = receiver
        if unreachable is not None:
            self._unreachable[address] = unreachable

    def detach(self, address: Address) -> None:
        """Stop listening; what is under way is lost."""
        self._receivers.pop(address, None)
        self._unreachable.pop(address, None)

    def rebind(self, inside: Address, outside: Address) -> None:
        """From now on ``inside`` is seen as ``outside``; its former outside address is dead."""
        old = self._outside.get(inside)
        if old is not None:
            del self._inside[old]
        self._outside[inside] = outside
        self._inside[outside] = inside

    def block(self, one: str, other: str, *, both_ways: bool = True) -> None:
        """Lose everything from host ``one`` to host ``other``, and back."""
        self._blocked[one, other] = True
        if both_ways:
            self._blocked[other, one] = True

    def unblock(self, one: str, other: str) -> None:
        """Let two hosts reach each other again."""
        self._blocked.pop((one, other), None)
        self._blocked.pop((other, one), None)

    def is_blocked(self, one: str, other: str) -> bool:
        """Return whether nothing gets from host ``one`` to host ``other``."""
        return (one, other) in self._blocked

    def clog(self, one: str, other: str, extra_delay: float) -> None:
        """Hold everything between two hosts back for ``extra_delay`` seconds."""
        self._clogged[one, other] = self._clogged[other, one] = extra_delay

    def heal(self) -> None:
        """Fair weather, no block, no clog; what is under way stays under way."""
        self.weather = FAIR
        self._blocked.clear()
        self._clogged.clear()

    def send(self, source: Address, destination: Address, data: bytes) -> None:
        """Put one datagram on its way."""
        seen_source = self._outside.get(source, source)
        weather, draw = self.weather, self._random.random
        if (source[0], destination[0]) in self._blocked:
            self._watch(seen_source, destination, data, "blocked")
            return
        if weather.loss and draw() < weather.loss:
            self._watch(seen_source, destination, data, "lost")
            return
        self._watch(seen_source, destination, data, "sent")
        copies = 2 if weather.duplicate and draw() < weather.duplicate else 1
        for _ in range(copies):
            delay = weather.delay + self._clogged.get((source[0], destination[0]), 0.0)
            if weather.jitter:
                delay += draw() * weather.jitter
            if weather.reorder and draw() < weather.reorder:
                delay += weather.held_back_for * draw()
            self.timeline.after(delay, lambda: self._arrive(source, seen_source, destination, data))

    def _arrive(self, source: Address, seen_source: Address, destination: Address, data: bytes) -> None:
        inside = self._inside.get(destination, destination)
        if self._outside.get(inside, inside) != destination:
            return  # an address from before a rebinding, or from behind the NAT
        receiver = self._receivers.get(inside)
        if receiver is not None:
            receiver(data, seen_source)
        elif self.tells_unreachable and (told := self._unreachable.get(source)) is not None:
            self._watch(seen_source, destination, data, "unreachable")
            told(destination)

    def _watch(self, source: Address, destination: Address, data: bytes, fate: str) -> None:
        passed = Passed(self.timeline.now, source, destination, data, fate)
        for watcher in self.watchers:
            watcher(passed)
