"""What a configuration says about carriers beyond who they are: addresses, registration, numbers, routes."""

from collections.abc import Callable, Sequence

from calls.numbers import is_country
from calls.settings import OutsideRoute, RouteTrunk, TrunkContact, TrunkSettings
from config.reading import Read, Reader, show, suggest
from config.tables import ProbeTable, RegisterTable, TrunkTable
from sip.settings import TrunkProbe, TrunkRegister

_DIALLED = frozenset("0123456789*#")


def contacts_of(trunk: TrunkTable) -> tuple[TrunkContact, ...]:
    """Return every address of a trunk, lowest priority first."""
    if isinstance(trunk.contact, str):
        return (TrunkContact(trunk.contact),) if trunk.contact else ()
    found = (TrunkContact(it.uri, it.priority, it.weight) for it in trunk.contact)
    return tuple(sorted(found, key=lambda contact: contact.priority))


def register_of(trunk: TrunkTable) -> TrunkRegister | None:
    """Return how we register at a trunk: what is left out is the trunk's first address and its user."""
    if not trunk.register:
        return None
    table = RegisterTable() if isinstance(trunk.register, bool) else trunk.register
    registrar = table.registrar or next((contact.uri for contact in contacts_of(trunk)), "")
    host = registrar.partition(":")[2].partition(";")[0]
    host = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    user = table.user or ("" if trunk.auth is None else trunk.auth.user)
    return TrunkRegister(registrar, user, table.domain or host, float(table.expires))


def probe_of(trunk: TrunkTable) -> TrunkProbe | None:
    """Return how a trunk's addresses are probed."""
    if not trunk.probe:
        return None
    table = ProbeTable() if isinstance(trunk.probe, bool) else trunk.probe
    return TrunkProbe(float(table.every), table.down_after, table.up_after)


def check_trunk(reader: Reader, where: str, trunk: TrunkTable, is_contact: Callable[[str], bool]) -> None:
    """Refuse what no carrier could be reached with."""
    for index, contact in enumerate(contacts_of(trunk), 1):
        if not is_contact(contact.uri):
            place = f"{where}.contact" + ("" if isinstance(trunk.contact, str) else f"[{index}].uri")
            reader.refuse(place, f'{show(contact.uri)} is not like "sip:203.0.113.5:5060"')
    register, probe = register_of(trunk), probe_of(trunk)
    if register is not None:
        if not is_contact(register.registrar):
            reader.refuse(f"{where}.register", "needs registrar, or a contact to register at")
        elif not register.user:
            reader.refuse(f"{where}.register", "needs user, or auth to take it from")
        elif register.expires < 60:
            reader.refuse(f"{where}.register.expires", f"{register.expires:g} s is shorter than a minute")
    if probe is not None:
        if not contacts_of(trunk):
            reader.refuse(f"{where}.probe", "has no contact to ask")
        elif probe.every < 1:
            reader.refuse(f"{where}.probe.every", f"{probe.every:g} s is shorter than a second")
    check_country(reader, f"{where}.country", trunk.country)
    if trunk.number_out == "national" and not trunk.country:
        reader.refuse(f"{where}.number_out", "is national of no country: give country")
    _check_digits(reader, f"{where}.prepend", trunk.prepend)
    _check_digits(reader, f"{where}.caller_number", trunk.caller_number)


def build_trunk(trunk: TrunkTable) -> TrunkSettings:
    """Return what call control is told about a trunk."""
    contacts = contacts_of(trunk)
    return TrunkSettings(
        name=trunk.name,
        tenant=trunk.tenant,
        contact=contacts[0].uri if contacts else "",
        contacts=contacts if len(contacts) > 1 else (),
        max_calls=trunk.max_calls,
        max_cps=float(trunk.max_cps),
        hotline_in=trunk.hotline_in,
        is_trusted=trunk.trusted,
        caller_in=trunk.caller_in,
        country=trunk.country,
        number_out=trunk.number_out,
        strip=trunk.strip,
        prepend=trunk.prepend,
        caller_number=trunk.caller_number,
        try_for=float(trunk.try_for),
    )


def build_routes(
    reader: Reader, routes: Sequence[Read], trunks: Sequence[TrunkSettings], tenants: Sequence[str]
) -> tuple[OutsideRoute, ...]:
    """Return through which trunks numbers leave."""
    known = {trunk.name: trunk for trunk in trunks}
    seen: dict[tuple[str, str], str] = {}
    built = []
    for where, route in routes:
        _check_digits(reader, f"{where}.prefix", route.prefix)
        _check_digits(reader, f"{where}.prepend", route.prepend)
        if route.tenant and route.tenant not in tenants:
            why = f"unknown tenant {show(route.tenant)}{suggest(route.tenant, tenants)}"
            reader.refuse(f"{where}.tenant", why)
        other = seen.setdefault((route.tenant, route.prefix), where)
        if other != where:
            reader.refuse(f"{where}.prefix", f"{show(route.prefix)} has a route already: {other}")
        if not route.trunks:
            reader.refuse(f"{where}.trunks", "is empty: numbers have no way out")
        members = tuple(
            RouteTrunk(it, place) if isinstance(it, str) else RouteTrunk(it.trunk, it.priority, it.weight)
            for place, it in enumerate(route.trunks, 1)
        )
        for index, member in enumerate(members, 1):
            place, trunk = f"{where}.trunks[{index}]", known.get(member.trunk)
            if trunk is None:
                why = f"unknown trunk {show(member.trunk)}{suggest(member.trunk, list(known))}"
                reader.refuse(place, why)
            elif not trunk.contact:
                reader.refuse(place, f"trunk {show(member.trunk)} has no contact: no call goes out there")
            elif trunk.tenant and route.tenant and trunk.tenant != route.tenant:
                reader.refuse(place, f"trunk {show(member.trunk)} belongs to tenant {trunk.tenant}")
        built.append(OutsideRoute(route.prefix, members, route.tenant, route.strip, route.prepend))
    return tuple(built)


def check_country(reader: Reader, where: str, country: str) -> None:
    """Refuse what is no country with a numbering plan."""
    if country and not is_country(country):
        reader.refuse(where, f'{show(country)} is not a country such as "CN" or "DE"')


def _check_digits(reader: Reader, where: str, text: str) -> None:
    if not _DIALLED.issuperset(text.removeprefix("+")):
        reader.refuse(where, f"{show(text)} is not made of digits, * and #, with + before")
