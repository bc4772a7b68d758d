"""The number plan: who calls whom, and where that leads. Pure: settings and a request in, a route or a
refusal out.

A call from a trunk reaches hotlines, and through them what its tenant has configured: queues, seats,
extensions, a number outside. By itself it never reaches another trunk, which is the transit guard. A call
from an account reaches seats, extensions and hotlines of its own tenant, and numbers outside that a route
leads to.
"""

from collections.abc import Sequence

import msgspec

from calls.outside import OutsidePlan
from calls.settings import CallSettings, Hotline, QueueMedia, TrunkSettings
from sip.events import Identity
from sip.grammar import SipError
from sip.identity import asserted_user
from sip.message import Request
from sip.uri import parse_uri

Target = tuple[str, str]  # kind and number: a phone that can be rung


class Route(msgspec.Struct, frozen=True):
    """Where an INVITE leads."""

    direction: str  # in, out, internal
    tenant: str
    caller: str
    called: str
    entry: str  # queue:junior
    queue: QueueMedia | None = None
    phone: Target | None = None
    trunk: str = ""
    script: str = ""  # of the tenant
    mailbox: str = ""  # voicemail:public, voicemail:8001


class Refusal(msgspec.Struct, frozen=True):
    """Why an INVITE leads nowhere."""

    status: int
    verdict: str
    caller: str = ""
    called: str = ""
    tenant: str = ""
    trunk: str = ""
    direction: str = ""


class NumberPlan:
    """The settings, indexed by number."""

    def __init__(self, settings: CallSettings) -> None:
        self.settings = settings
        self.outside = OutsidePlan(settings)
        self._hotlines: dict[str, list[Hotline]] = {}
        self._hotlines_e164: dict[str, dict[str, list[Hotline]]] = {}  # by the country of a trunk
        for hotline in settings.hotlines:
            self._hotlines.setdefault(hotline.number, []).append(hotline)
            for country in sorted({trunk.country for trunk in settings.trunks if trunk.country}):
                number = self.outside.numbers(country).e164(hotline.number)
                self._hotlines_e164.setdefault(country, {}).setdefault(number, []).append(hotline)
        self.queues: dict[str, QueueMedia] = {queue.name: queue for queue in settings.queues}
        self.asks = any(queue.survey.is_automatic for queue in settings.queues)  # callers to rate calls
        recording = settings.recording
        self.records = bool(  # any calls at all
            recording.tenants_in or recording.tenants_out or any(queue.record for queue in settings.queues)
        )
        self.scripts = {(script.tenant, script.name): script for script in settings.scripts}
        self.trunks: dict[str, TrunkSettings] = {trunk.name: trunk for trunk in settings.trunks}

    def route(self, identity: Identity, request: Request) -> Route | Refusal:
        """Decide where an INVITE goes."""
        trunk = self.trunks.get(identity.name) if identity.kind == "trunk" else None
        called = called_number(request, trunk.hotline_in if trunk is not None else "request-uri")
        if trunk is not None:
            return self._from_trunk(trunk, caller_of(request, trunk), called)
        return self.from_account(identity, called)

    def display_number(self, tenant: str) -> str:
        """Return the number a tenant's outgoing calls show where nothing else is said: its first hotline."""
        return next((each.number for each in self.settings.hotlines if each.tenant == tenant), "")

    def _from_trunk(self, trunk: TrunkSettings, caller: str, called: str) -> Route | Refusal:
        hotline = self._hotline(trunk, self._hotlines.get(called, ()))
        if trunk.country:
            numbers = self.outside.numbers(trunk.country)
            caller = numbers.e164(caller)
            if hotline is None:
                found = self._hotlines_e164[trunk.country].get(numbers.e164(called), ())
                hotline = self._hotline(trunk, found)
                called = called if hotline is None else hotline.number
        if hotline is None:
            if self.outside.route(trunk.tenant, called) is not None:
                return Refusal(403, "caller:transit", caller, called, trunk.tenant, trunk.name)
            return Refusal(404, "caller:unknown_number", caller, called, trunk.tenant, trunk.name)
        if hotline.tenant in self.settings.suspended_tenants:
            return Refusal(480, "us:tenant_suspended", caller, called, hotline.tenant, trunk.name)
        return self._to_entry("in", hotline.tenant, caller, called, hotline.entry, trunk.name)

    @staticmethod
    def _hotline(trunk: TrunkSettings, found: Sequence[Hotline]) -> Hotline | None:
        for hotline in found:
            if not trunk.tenant or hotline.tenant == trunk.tenant:
                return hotline
        return None

    def from_account(self, identity: Identity, called: str) -> Route | Refusal:
        """Decide where a call of a seat or extension goes."""
        tenant = self.settings.seats.get(identity.name) or self.settings.extensions.get(identity.name, "")
        if self.settings.seats.get(called) == tenant:
            return self._to_entry("internal", tenant, identity.name, called, f"seat:{called}", "")
        if self.settings.extensions.get(called) == tenant:
            return self._to_entry("internal", tenant, identity.name, called, f"extension:{called}", "")
        for hotline in self._hotlines.get(called, ()):
            if hotline.tenant == tenant:
                return self._to_entry("internal", tenant, identity.name, called, hotline.entry, "")
        if self.outside.route(tenant, called) is not None:
            if tenant in self.settings.suspended_tenants:
                return Refusal(480, "us:tenant_suspended", identity.name, called, tenant, "", "out")
            if not self._may_call(identity.name, tenant, called):
                return Refusal(403, "caller:call_right", identity.name, called, tenant, "", "out")
            return self._to_entry("out", tenant, identity.name, called, f"number:{called}", "")
        return Refusal(404, "caller:unknown_number", identity.name, called, tenant)

    def to_target(self, account: str, target: str) -> Route | Refusal:
        """Decide where a seat's desk sends a call: ``queue:NAME``, ``seat:NUMBER``, ``extension:NUMBER``,
        ``number:DIGITS``, ``ivr:NAME``, ``voicemail:public``, ``voicemail:SEAT``, or what the seat would
        dial.
        """
        kind, colon, name = target.partition(":")
        if colon and kind == "queue":
            tenant = self.settings.seats.get(account, "")
            queue = self.queues.get(name)
            if queue is not None and queue.tenant == tenant:
                return Route("internal", tenant, account, name, target, queue=queue)
        elif colon and kind in ("ivr", "voicemail"):
            route = self.to_entry("internal", self.settings.seats.get(account, ""), account, name, target)
            if isinstance(route, Route):
                return route
        elif not colon:
            return self.from_account(Identity("account", account), target)
        elif kind in ("seat", "extension", "number"):
            route = self.from_account(Identity("account", account), name)
            if isinstance(route, Refusal) or route.entry == target:
                return route
        return Refusal(404, "caller:unknown_target", account, target)

    def to_entry(
        self, direction: str, tenant: str, caller: str, called: str, entry: str
    ) -> Route | Refusal:
        """Return where something of a configuration leads, such as ``queue:NAME`` of ``tenant``."""
        return self._to_entry(direction, tenant, caller, called, entry, "")

    def _may_call(self, account: str, tenant: str, called: str) -> bool:
        """Say whether an account may call a number outside, by its right: all, national or internal."""
        right = self.settings.call_rights.get(account, "all")
        return right == "all" or (right == "national" and self.outside.is_national(tenant, called))

    def _to_entry(
        self, direction: str, tenant: str, caller: str, called: str, entry: str, trunk: str
    ) -> Route | Refusal:
        kind, _, name = entry.partition(":")
        if kind == "queue":
            queue = self.queues.get(name.partition("/")[0])
            if queue is not None:
                return Route(direction, tenant, caller, called, entry, queue=queue, trunk=trunk)
        elif kind == "seat" and name in self.settings.seats:
            return Route(direction, tenant, caller, called, entry, phone=("softphone", name), trunk=trunk)
        elif kind == "extension" and name in self.settings.extensions:
            return Route(direction, tenant, caller, called, entry, phone=("extension", name), trunk=trunk)
        elif kind == "ivr" and (tenant, name) in self.scripts:
            return Route(direction, tenant, caller, called, entry, trunk=trunk, script=name)
        elif kind == "voicemail" and (name == "public" or self.settings.seats.get(name) == tenant):
            return Route(direction, tenant, caller, called, entry, trunk=trunk, mailbox=entry)
        elif kind == "number" and name:
            return Route(direction, tenant, caller, called, entry, phone=("pstn", name), trunk=trunk)
        return Refusal(404, "us:entry_unknown", caller, called, tenant, trunk)


def wanted_seat(entry: str, queue: str) -> str:
    """Return the seat that a caller by ``entry`` waits for in ``queue``: queue:NAME/NUMBER, else ""."""
    name, _, seat = entry.partition(":")[2].partition("/")
    return seat if name == queue else ""


def called_number(request: Request, hotline_in: str) -> str:
    """Return the called number from where the carrier puts it."""
    if hotline_in == "to":
        return user_of(request.to.uri)
    if hotline_in == "p-called-party-id":
        called = request.header("p-called-party-id")
        if called:
            return user_of(called.partition("<")[2].partition(">")[0] or called)
    return user_of(request.uri)


def caller_of(request: Request, trunk: TrunkSettings) -> str:
    """Return the caller's number where ``trunk`` puts it; one that is trusted asserts it."""
    if trunk.is_trusted:
        asserted = asserted_user(request)
        if asserted:
            return asserted
    return caller_number(request, trunk.caller_in)


def caller_number(request: Request, caller_in: str = "from") -> str:
    """Return the user part of From, or of P-Asserted-Identity (RFC 3325) where the carrier puts it there."""
    if caller_in == "p-asserted-identity":
        asserted = request.header("p-asserted-identity")
        if asserted:
            return user_of(asserted.partition("<")[2].partition(">")[0] or asserted.partition(",")[0])
    try:
        return user_of(request.from_.uri)
    except SipError:
        return ""


def user_of(uri: str) -> str:
    """Return the user of a SIP URI or the digits of a tel URI; "" where there is none."""
    # The ordinary URI, sip:96198@host, needs no parser.
    scheme, _, rest = uri.partition(":")
    user, at, _ = rest.partition("@")
    if at and scheme in ("sip", "sips") and user.isalnum():
        return user
    try:
        parsed = parse_uri(uri)
    except SipError:
        return ""
    return str(getattr(parsed, "user", "") or getattr(parsed, "number", ""))
