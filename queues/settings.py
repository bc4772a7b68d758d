"""What a queue is told. Frozen; built by ``config/`` from text. Durations in seconds."""

import msgspec


class Requirement(msgspec.Struct, frozen=True):
    """Who may serve a call: levels by rank (0 = lowest configured level) and skills with a minimum."""

    lowest: int
    highest: int
    skills: tuple[tuple[str, int], ...] = ()  # (skill, minimum 1-10), sorted by name


class RelaxStep(msgspec.Struct, frozen=True):
    """After ``after`` seconds of waiting the requirement becomes weaker."""

    after: float
    highest: int | None = None  # new highest level
    lowest: int | None = None
    skills: tuple[tuple[str, int], ...] | None = None
    when_nobody: bool = False  # also at once, while nobody signed in satisfies the step before


class MissedRule(msgspec.Struct, frozen=True):
    """What a missed offer of one cause costs the seat."""

    delay: float = 0.0  # seconds before the seat is offered anything again
    pause_after: int = 0  # auto-pause after so many in a row; 0: never


class MissedRules(msgspec.Struct, frozen=True):
    """The missed-offer policy, per cause."""

    no_answer: MissedRule = MissedRule(pause_after=2)
    refused: MissedRule = MissedRule(delay=5.0)
    unreachable: MissedRule = MissedRule(delay=5.0)


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
    ring_for: float = 25.0
    max_wait: float = 600.0  # 0: no limit
    max_waiting: int = 200  # 0: no limit
    when_empty: str = "wait"  # or "refuse": no seat signed in
    on_timeout: str = "hangup"  # or queue:NAME
    service_level: float = 20.0  # threshold, inclusive
    short_abandon: float = 5.0  # abandons below it are counted apart
    wrap_up: float | None = None  # overrides the level's
    missed: MissedRules = MissedRules()
    pair_back_off: float = 10.0  # before the same seat is offered the same call again
    # The rest is for call control, which finds it here by the queue's name.
    answer: str = "200"  # or "183": early media until a seat answers
    music: str = "builtin:music"
    welcome: str = "builtin:welcome"
