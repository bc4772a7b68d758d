"""The core: what sessions, registrar and stack share. A holder, not an actor."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel.chance import Chance
from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.events import SipEvent
from sip.flows import Flow
from sip.places import Places, nobody
from sip.resolve import Question, Resolver
from sip.responses import header_lines
from sip.sessiontimer import SessionTimers
from sip.settings import SipSettings, TrunkPeer
from sip.targets import Chooser
from sip.transactions import Transactions
from sip.wayback import WaysBack

if TYPE_CHECKING:
    from sip.registrar import Binding
    from sip.session import Session

ALLOWED = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK"),
    *("REGISTER", "REFER", "NOTIFY", "SUBSCRIBE"),
)
# Methods that some RFC defines and this stack does not serve: 405; anything else is 501.
UNSERVED = frozenset({"PUBLISH", "MESSAGE"})
# Option tags that may be required of us.
SUPPORTED = frozenset({"path", "replaces", "norefersub", "timer", "100rel", "gruu", "outbound"})
_OF_REGISTRATIONS = frozenset({"path", "gruu", "outbound"})
ALLOW = f"Allow: {', '.join(ALLOWED)}\r\n"
ALLOW_EVENTS = "Allow-Events: dialog, message-summary, refer\r\n"


def _no_other(user: str, tried: tuple[str, ...]) -> "Binding | None":
    """Nobody is registered."""
    return None


def _nothing_failed(uri: str, flow: Flow) -> None:
    """Nobody is registered."""


class Core:
    """Settings, timers, tables and outboxes of one stack."""

    __slots__ = (
        "agent",
        "answer_headers",
        "chance",
        "invite_headers",
        "other_way",
        "places",
        "put_event",
        "questions",
        "realm",
        "registered",
        "registrar_hosts",
        "resolver",
        "session_timers",
        "sessions",
        "settings",
        "supported",
        "timers",
        "transactions",
        "trunks",
        "way_failed",
        "ways_back",
    )

    def __init__(
        self,
        settings: SipSettings,
        timers: TimerQueue,
        chance: Chance,
        datagrams: Outbox[tuple[Flow, bytes]],
        events: Outbox[SipEvent],
    ) -> None:
        self.timers = timers
        self.chance = chance
        self.put_event = events.put
        self.transactions = Transactions(settings.timing, timers, datagrams)
        self.sessions: dict[str, Session] = {}  # by our tag, which is unique
        self.ways_back = WaysBack(self)
        self.session_timers = SessionTimers(self.sessions, timers)
        self.registrar_hosts: dict[str, str] = {}  # where we are registered by name -> trunk
        self.way_failed: Callable[[str, Flow], None] = _nothing_failed  # the registrar's, as the next one
        self.other_way: Callable[[str, tuple[str, ...]], Binding | None] = _no_other
        self.registered: Callable[[str], Flow | None] = nobody
        self.questions: Outbox[Question] = Outbox()
        self.resolver = Resolver(timers, chance, self.questions, events.put)
        self.configure(settings)

    def configure(self, settings: SipSettings) -> None:
        """Take settings, at start and on a reload."""
        self.settings = settings
        places = Places(settings)
        if self.sessions:
            places.keep_moves(self.places)
        places.registered = self.registered
        self.places: Places = places
        self.transactions.set_timing(settings.timing)
        self.transactions.chooser = Chooser(places, self.resolver, self.chance, settings.datagram_max)
        self.session_timers.configure(settings)
        self.supported = SUPPORTED if self.session_timers.expires else SUPPORTED - {"timer"}
        offered = ", ".join(sorted(self.supported - _OF_REGISTRATIONS))
        supported = f"Supported: {offered}\r\n"
        self.realm = settings.realm or (settings.domains[0] if settings.domains else "localhost")
        self.trunks: dict[str, TrunkPeer] = {trunk.name: trunk for trunk in settings.trunks}
        self.agent = header_lines((("Server", settings.user_agent),)) if settings.user_agent else ""
        # Written once: the headers of every 2xx to INVITE and of every INVITE of ours.
        self.answer_headers = f"{ALLOW}{supported}{self.agent}"
        agent = header_lines((("User-Agent", settings.user_agent),)) if settings.user_agent else ""
        self.invite_headers = f"{ALLOW}{supported}{agent}"
