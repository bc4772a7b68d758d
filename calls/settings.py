"""What call control is told. Frozen; built by ``config/`` from text."""

import msgspec

from calls.menu import ScriptSettings
from kernel.announce import Announce, SurveySettings

BARRED = 603  # to who is on a black list: do not ask again, here or elsewhere (RFC 3261 21.6.2)


class TrunkContact(msgspec.Struct, frozen=True):
    """One address of a trunk: lower priorities first, equal ones in proportion to their weights."""

    uri: str  # sip:host:port
    priority: int = 1
    weight: int = 1


class TrunkSettings(msgspec.Struct, frozen=True):
    """A peer we take numbers from and send numbers to."""

    name: str
    tenant: str = ""  # absent: the number plan decides
    contact: str = ""  # sip:host:port, where outbound calls go: the first of ``contacts``
    max_calls: int = 0  # 0: no limit
    max_cps: float = 0.0
    hotline_in: str = "request-uri"  # or "to", "p-called-party-id"
    contacts: tuple[TrunkContact, ...] = ()  # where there is more to say than ``contact``
    caller_in: str = "from"  # or "p-asserted-identity"
    country: str = ""  # whose numbers it writes: "CN"; absent: numbers stay as they are
    number_out: str = "as-is"  # or "+e164", "e164", "national"
    strip: int = 0  # digits taken off the number sent, after ``number_out``
    prepend: str = ""  # and what is put before it
    caller_number: str = ""  # shown for calls of our own seats and extensions
    is_trusted: bool = False  # inside our trust domain (RFC 3325): P-Asserted-Identity is believed and sent
    try_for: float = 5.0  # seconds without any answer, after which the next contact or trunk is tried

    def places(self) -> tuple[TrunkContact, ...]:
        """Return every address; none if no call goes out."""
        return self.contacts or ((TrunkContact(self.contact),) if self.contact else ())


class RouteTrunk(msgspec.Struct, frozen=True):
    """One trunk of a route, chosen as addresses of a trunk are."""

    trunk: str
    priority: int = 1
    weight: int = 1


class OutsideRoute(msgspec.Struct, frozen=True):
    """Through which trunks numbers that begin so leave; the longest prefix wins."""

    prefix: str  # +8610 in E.164, 110 as it is dialled, "" for every number
    trunks: tuple[RouteTrunk, ...]
    tenant: str = ""  # absent: everybody's
    strip: int = 0  # digits taken off the number dialled, before it is read
    prepend: str = ""


class Hotline(msgspec.Struct, frozen=True):
    """A number outsiders call, and where it leads."""

    number: str
    tenant: str
    entry: str  # queue:NAME, seat:NUMBER, extension:NUMBER, number:NUMBER, ivr:NAME


class QueueMedia(msgspec.Struct, frozen=True):
    """What a waiting caller gets to hear, and how the INVITE is answered."""

    name: str
    tenant: str
    answer: str = "200"  # or "183"
    music: str = "builtin:music"
    welcome: str = "builtin:welcome"
    keys: tuple[str, ...] = ()  # of the telephone, that take a waiting caller out
    message_answer: str = "183"  # how a caller hears an announcement who is not answered yet; or "200"
    announce: Announce = Announce()
    language: str = "en"  # of what is said with numbers in it
    seat_hears: str = ""  # what a seat is told when it has answered, before the bridge
    say_seat: bool = False  # the caller is told the seat's number then
    survey: SurveySettings = SurveySettings()
    record: bool = False
    record_pausable: bool = True  # a seat may suspend the recording
    seat_delay: float = 0.0  # silence that the seat hears when it has answered, before all else
    seat_hears_wait: bool = False  # it is told how long the caller has waited

    voicemail_followup: str = ""  # the class in which whoever has left a message is called back; "": in none

    @property
    def has_preface(self) -> bool:
        """Something comes between the seat's answer and the bridge."""
        return bool(self.seat_hears or self.say_seat or self.seat_hears_wait or self.seat_delay)


class RecordingSettings(msgspec.Struct, frozen=True):
    """What is recorded beside the calls of queues, and for how long recordings are kept."""

    tenants_in: tuple[str, ...] = ()  # calls from outside to their seats, that no queue has had
    tenants_out: tuple[str, ...] = ()  # calls of their seats to outside
    tenants_own: tuple[str, ...] = ()  # their seats may listen to their own
    keep: float = 7_776_000.0  # seconds


class VoicemailSettings(msgspec.Struct, frozen=True):
    """How callers of a tenant leave messages. Durations in seconds."""

    greeting: str = ""  # a sound; "": the phrase that is shipped
    language: str = "en"
    limit: float = 180.0
    silence: float = 10.0  # without a word, after which it is over; 0: never
    minimum: float = 2.0  # what is shorter is thrown away
    keep: float = 7_776_000.0
    agents: str = "listen"  # or "list": they see them without their audio; "none"


class CallSettings(msgspec.Struct, frozen=True):
    """Everything the switchboard is told."""

    trunks: tuple[TrunkSettings, ...] = ()
    routes: tuple[OutsideRoute, ...] = ()
    country: str = ""  # whose numbers our own people dial
    hotlines: tuple[Hotline, ...] = ()
    queues: tuple[QueueMedia, ...] = ()
    seats: dict[str, str] = {}  # seat number -> tenant
    extensions: dict[str, str] = {}  # extension number -> tenant
    standing: dict[str, str] = {}  # seat -> auto or key: how a call is taken on a line that is kept open
    auto_answer: dict[str, str] = {}  # seat -> desk or always, where its phone can be told to answer
    call_rights: dict[str, str] = {}  # seat -> national or internal, where it may not call all numbers
    suspended_tenants: tuple[str, ...] = ()
    barred_statuses: dict[str, int] = {}  # tenant -> what callers are told who are on a black list
    domain: str = "127.0.0.1"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    ring_for: float = 60.0  # a call that is in no queue
    hold_recall: float = 0.0  # a call held for so long, and each time again, is told of; 0: never
    hold_max: float = 1800.0  # a call held for so long is over; 0: never
    accept_key: str = ""  # what an outside phone of a seat presses to take a call; "": its answer is enough
    accept_for: float = 15.0  # seconds it has for that
    languages: dict[str, str] = {}  # tenant -> of what is said with numbers in it, where no queue says
    scripts: tuple[ScriptSettings, ...] = ()
    recording: RecordingSettings = RecordingSettings()
    voicemail: dict[str, VoicemailSettings] = {}  # tenant -> its own
    queue_header: bool = True  # X-Queue on the INVITE to a seat
    calls_max: int = 20_000

    def release_status(self, cause: str, tenant: str) -> int:
        """Return what a caller is told whom a queue of ``tenant`` lets go because of ``cause``."""
        if cause == "barred":
            return self.barred_statuses.get(tenant, BARRED)
        return 486 if cause == "full" else 480
