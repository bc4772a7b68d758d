"""The way out: through which trunks, in which order, and written how, a number outside is called. Pure.

Numbers are matched with the routes in E.164 and as they are dialled; the longest prefix wins, a tenant's own
route before a shared one. Rule: a trunk of one tenant never carries a call of another.
"""

from collections.abc import Sequence

import msgspec

from calls.numbers import Numbers, is_number
from calls.settings import CallSettings, OutsideRoute, RouteTrunk, TrunkSettings
from kernel.chance import Chance
from kernel.choices import in_order


class Target(msgspec.Struct, frozen=True):
    """One address to try: the trunk, its contact, and the number as that carrier wants it."""

    trunk: TrunkSettings
    contact: str
    number: str

    @property
    def uri(self) -> str:
        """The Request-URI."""
        user = self.number.replace("#", "%23")  # RFC 3261 25.1: not among the characters of a user
        scheme, _, place = self.contact.partition(":")
        return f"{scheme}:{user}@{place}"


class OutsidePlan:
    """The routes of a switch, ready to be asked."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._trunks = {trunk.name: trunk for trunk in settings.trunks}
        self._dialled = Numbers(settings.country)
        self._numbers = {it.country: Numbers(it.country) for it in settings.trunks}
        self._routes: dict[str, list[OutsideRoute]] = {}
        for route in settings.routes:
            self._routes.setdefault(route.prefix, []).append(route)
        self._longest = max(map(len, self._routes), default=0)

    def numbers(self, country: str) -> Numbers:
        """Return how a trunk of ``country`` reads and writes numbers."""
        return self._numbers[country]

    def route(self, tenant: str, dialled: str) -> OutsideRoute | None:
        """Return the route of a number that ``tenant`` calls; None if there is none for it."""
        if not is_number(dialled):
            return None
        number = self._dialled.e164(dialled)
        for length in range(self._longest, -1, -1):
            for text in dict.fromkeys((number[:length], dialled[:length])):
                if len(text) < length:
                    continue
                found = self._routes.get(text, ())
                own = next((route for route in found if route.tenant == tenant), None)
                shared = next((route for route in found if not route.tenant), None)
                if own is not None or shared is not None:
                    return own or shared
        return None

    def is_national(self, tenant: str, dialled: str) -> bool:
        """Return whether a number that ``tenant`` calls is one of our own country, without the digits that
        its route takes off.
        """
        route = self.route(tenant, dialled)
        return self._dialled.is_national(dialled if route is None else dialled[route.strip :])

    def targets(self, tenant: str, dialled: str, chance: Chance) -> list[Target]:
        """Return every address to try for a number, in order; none if it cannot be called.

        Without any route a tenant's numbers leave by its own trunk, else by a shared one.
        """
        route = self.route(tenant, dialled)
        if route is not None:
            members: Sequence[RouteTrunk] = in_order(route.trunks, chance)
            number = self._dialled.e164(route.prepend + dialled[route.strip :])
        elif any(route.tenant in ("", tenant) for route in self._settings.routes):
            return []
        else:
            members, number = self._members_without_route(tenant), self._dialled.e164(dialled)
        targets = []
        for member in members:
            trunk = self._trunks[member.trunk]
            if trunk.tenant in ("", tenant):
                written = self.write(trunk, number)
                targets += [Target(trunk, it.uri, written) for it in in_order(trunk.places(), chance)]
        return targets

    def at(self, tenant: str, number: str, host: str, port: int) -> Target | None:
        """Return ``number`` at an address, if that is one of a trunk that ``tenant`` may use."""
        for trunk in self._trunks.values():
            for place in trunk.places() if trunk.tenant in ("", tenant) else ():
                if place.uri.partition(":")[2].partition(";")[0] in (f"{host}:{port}", f"[{host}]:{port}"):
                    return Target(trunk, place.uri, self.write(trunk, self._dialled.e164(number)))
        return None

    def is_same(self, one: str, other: str) -> bool:
        """Return whether two ways to write a number mean the same to our own people."""
        return self._dialled.e164(one) == self._dialled.e164(other)

    def write(self, trunk: TrunkSettings, number: str) -> str:
        """Return ``number`` as it is sent to ``trunk``."""
        numbers = self._numbers[trunk.country]
        text = numbers.write(numbers.e164(number), trunk.number_out)
        return trunk.prepend + text[trunk.strip :]

    def write_caller(self, trunk: TrunkSettings, number: str, *, is_ours: bool) -> str:
        """Return the caller's number as ``trunk`` is shown it; ``is_ours``: a seat or an extension calls."""
        if is_ours and trunk.caller_number:
            return trunk.caller_number
        if not trunk.country:
            return number
        numbers = self._numbers[trunk.country]
        return numbers.write(numbers.e164(number), trunk.number_out)

    def _members_without_route(self, tenant: str) -> Sequence[RouteTrunk]:
        usable = [trunk for trunk in self._settings.trunks if trunk.places()]
        for owner in (tenant, ""):
            for trunk in usable:
                if trunk.tenant == owner:
                    return (RouteTrunk(trunk.name),)
        return ()
