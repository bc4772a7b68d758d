"""What a queue is told. Frozen; built by ``config/`` from text. Durations in seconds."""

import msgspec

from kernel.announce import Announce, SurveySettings
from queues.hours import HoursSettings


class Requirement(msgspec.Struct, frozen=True):
    """Who may serve a call: levels by rank (0 = lowest configured level) and skills with a minimum."""

    lowest: int
    highest: int
    skills: tuple[tuple[str, int], ...] = ()  # (skill, minimum 1-10), sorted by name
    seat: str = ""  # this seat and no other
    preferred: int = -1  # seats of this level first, then those nearest to it; -1: as the policy says


class RelaxStep(msgspec.Struct, frozen=True):
    """After ``after`` seconds of waiting the requirement becomes weaker."""

    after: float
    highest: int | None = None  # new highest level
    lowest: int | None = None
    skills: tuple[tuple[str, int], ...] | None = None
    when_few: int = -1  # also at once, while no more signed-in seats satisfy the step before; -1: never


class MissedRule(msgspec.Struct, frozen=True):
    """What a missed offer of one cause costs the seat."""

    delay: float = 0.0  # seconds before the seat is offered anything again
    pause_after: int = 0  # auto-pause after so many in a row; 0: never
    logout_after: int = 0  # signed out after so many in a row; 0: never
    forget_after: float = 0.0  # a miss so long ago is not of the row any more; 0: it always is
    grace: float = 0.0  # a miss so soon after the seat's last queue call does not count; 0: it always does


class MissedRules(msgspec.Struct, frozen=True):
    """The missed-offer policy, per cause."""

    no_answer: MissedRule = MissedRule(pause_after=2)
    refused: MissedRule = MissedRule(delay=5.0)
    unreachable: MissedRule = MissedRule(delay=5.0)


class EntrySettings(msgspec.Struct, frozen=True):
    """Who gets into a queue, and where the others go.

    A target is ``hangup``, ``queue:NAME``, ``seat:NUMBER`` (wait for that seat alone), ``number:DIGITS``,
    ``callback`` or ``message:SOUND``. The one of the longest wait is :attr:`QueueSettings.on_timeout`.
    """

    hours: HoursSettings | None = None  # None: always open
    on_closed: str = "hangup"
    on_barred: str = "hangup"  # the caller is on a black list, or not on the only white one
    on_full: str = "hangup"
    on_empty: str = "hangup"  # where ``when_empty`` is refuse
    absent: tuple[str, ...] = ()  # presences and activities of signed-in seats that count as absent
    max_wait_empty: float = 0.0  # longest wait while every seat is absent, then on_empty; 0: no limit
    max_estimate: float = 0.0  # deflect who is likely to wait longer than this; 0: nobody
    on_estimate: str = "hangup"
    max_ratio: float = 0.0  # deflect who would make more waiting calls per working seat than this; 0: nobody
    on_ratio: str = "hangup"
    sticky_for: float = 0.0  # wait for the seat that served the caller last, before anyone; 0: do not ask it
    sticky_memory: float = 86_400.0  # how long that is remembered
    resume_abandoned: float = 0.0  # who gave up so many seconds ago at most has its place back; 0: nobody
    seat_wait: float = 120.0  # longest wait of a caller who wants one given seat
    on_seat_wait: str = "anyone"  # who may take the call then: anybody; or a target


class AbandonedSettings(msgspec.Struct, frozen=True):
    """How a queue calls back who gave up waiting, without being asked for it."""

    after: float = 60.0  # seconds from the hang-up to the first attempt
    min_waited: float = 20.0  # who gave up sooner is left alone
    per_number: int = 1  # most in any 24 hours


class CallbackSettings(msgspec.Struct, frozen=True):
    """How a queue calls back who would not wait, or was promised it."""

    attempts: int = 3  # dials before it is given up
    retry_after: float = 900.0  # seconds between them
    ring_for: float = 45.0  # how long the customer is rung
    expires_after: float = 345_600.0  # since it was booked, or since the moment it was booked for: 96 h
    per_seat: float = 3.0  # most that are due at once, per seat signed in (where none is: per seat)
    hours: HoursSettings | None = None  # when customers may be dialled; None: always
    abandoned: AbandonedSettings | None = None  # None: who gives up is called by nobody


class QueueSettings(msgspec.Struct, frozen=True):
    """One queue."""

    name: str
    tenant: str
    requires: Requirement
    relax: tuple[RelaxStep, ...] = ()
    policy: str = "least-skilled-first"
    priority_credit: float = 0.0  # seconds of waiting a caller is credited with
    weight: int = 1
    priority: int = 0  # strict: a free seat takes the higher first, whatever the others have waited
    starve_after: float = 0.0  # credited wait from which on a call is compared by that alone; 0: never
    ring_for: float = 25.0
    ring_at_most: int = 0  # seats at once, where the policy rings several; 0: as many as the policy says
    max_wait: float = 600.0  # 0: no limit
    max_waiting: int = 200  # 0: no limit
    when_empty: str = "wait"  # or "refuse": no seat signed in
    on_timeout: str = "hangup"  # or another target
    alert_wait: float = 0.0  # a caller who waits longer is told of; 0: nobody
    service_level: float = 20.0  # threshold, inclusive
    service_level_2: float = 60.0  # a second one
    short_abandon: float = 5.0  # abandons below it are counted apart
    wrap_up: float | None = None  # overrides the level's
    missed: MissedRules = MissedRules()
    pick: bool = False  # its seats may take waiting calls by hand, out of their order
    pair_back_off: float = 10.0  # before the same seat is offered the same call again
    entry: EntrySettings = EntrySettings()
    keys: tuple[tuple[str, str], ...] = ()  # key of the telephone, target: ways out of waiting
    callback: CallbackSettings = CallbackSettings()
    # The rest is for call control, which finds it here by the queue's name.
    answer: str = "200"  # or "183": early media until a seat answers
    music: str = "builtin:music"
    welcome: str = "builtin:welcome"
    message_answer: str = "183"  # how a caller hears an announcement who is not answered yet; or "200"
    announce: Announce = Announce()
    language: str = "en"  # of what is said with numbers in it
    seat_hears: str = ""  # what a seat is told when it has answered, before the bridge
    seat_delay: float = 0.0  # silence that it hears first
    seat_hears_wait: bool = False  # it is told how long the caller has waited
    say_seat: bool = False  # the caller is told the seat's number then
    survey: SurveySettings = SurveySettings()
    record: bool = False
    record_pausable: bool = True  # a seat may suspend the recording
    voicemail_followup: str = ""  # the class in which whoever has left a message is called back; "": in none
