"""The configuration as it is written: one struct per TOML table, one field per key (config/README.md).

Nothing is looked up or compared here; that is :mod:`config.load`. Unknown keys are refused.
"""

from typing import Annotated, Any, Literal

import msgspec

SECONDS_BY_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION_MAX = 366 * 86400.0  # anything longer is a slip of the pen


class Duration(float):
    """Seconds, written as a number or as ``"20s"``, ``"3m"``, ``"4h"``, ``"500ms"``, ``"2d"``."""


class SecretText(str):
    """A text that may be given as ``{env = "NAME"}`` or ``{file = "PATH"}`` instead."""

    __slots__ = ()


Count = Annotated[int, msgspec.Meta(ge=0)]
CountFromOne = Annotated[int, msgspec.Meta(ge=1)]
Rate = Annotated[float, msgspec.Meta(ge=0)]
SkillLevel = Annotated[int, msgspec.Meta(ge=1, le=10)]
AbsentState = Literal["paused", "wrapup", "ringing", "talking", "unreachable"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One TOML table."""


class TlsTable(Table, frozen=True):
    """``[sip.tls]``"""

    certificate: str = ""
    key: str = ""
    ca: str = ""
    verify_clients: Literal["never", "offered", "always"] = "never"
    verify_servers: bool = True


class SipTable(Table, frozen=True):
    """``[sip]``"""

    listen: tuple[str, ...] = ("udp://127.0.0.1:5060", "tcp://127.0.0.1:5060")
    domain: str | tuple[str, ...] = ""
    advertise: str = ""
    realm: str = ""
    digest_algorithms: tuple[Literal["SHA-256", "MD5"], ...] = ("SHA-256", "MD5")
    user_agent: str = "seatswitch"
    register_expires_min: Duration = Duration(60)
    register_expires_max: Duration = Duration(7200)
    registrations_per_user: CountFromOne = 10
    subscriptions_per_user: Count = 100
    subscribe_expires_max: Duration = Duration(3600)
    requests_per_source: Rate = 200.0
    ban_failures: Count = 10
    ban_within: Duration = Duration(60)
    ban_for: Duration = Duration(300)
    drop_agents: tuple[str, ...] = ()
    options_probe_every: Duration = Duration(30)
    session_expires: Duration = Duration(1800)
    min_se: Duration = Duration(90)
    nonce_life: Duration = Duration(300)
    ring_max: Duration = Duration(180)
    t1: Duration = Duration(0.5)
    t2: Duration = Duration(4)
    t4: Duration = Duration(5)
    dns: tuple[str, ...] = ()
    datagram_max: Count = 1300
    tls: TlsTable | None = None
    ws_origins: tuple[str, ...] = ()
    ws_ping_every: Duration = Duration(30)
    connections: CountFromOne = 4_096
    connections_per_source: CountFromOne = 1_024
    connection_idle: Duration = Duration(600)


class MediaTable(Table, frozen=True):
    """``[media]``"""

    address: str = "127.0.0.1"
    advertise: str = ""
    ports: tuple[Port, Port] = (20000, 29998)
    workers: Count | Literal["auto"] = "auto"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    ports_ahead: Count = 64
    rtp_timeout: Duration = Duration(60)
    voice: str = ""


class TokenTable(Table, frozen=True):
    """An element of ``[rpc] tokens``."""

    name: str
    role: Literal["admin", "supervisor"]
    token: SecretText


class RpcTable(Table, frozen=True):
    """``[rpc]``"""

    listen: tuple[str, ...] = ("unix://run/seatswitch.sock",)
    tokens: tuple[TokenTable, ...] = ()


class StoreTable(Table, frozen=True):
    """``[store]``"""

    url: SecretText = SecretText("sqlite:///var/seatswitch.db")


class RecordingTable(Table, frozen=True):
    """``[recording]``"""

    folder: str = "var/recordings"
    keep: Duration = Duration(7_776_000)


class HttpTable(Table, frozen=True):
    """``[http]``"""

    listen: tuple[str, ...] = ()


class SwitchTable(Table, frozen=True):
    """``[switch]``"""

    drain_after: Duration = Duration(600)
    max_calls: CountFromOne = 20_000
    country: str = ""
    ring_for: Duration = Duration(60)
    hold_recall: Duration = Duration(0)
    hold_max: Duration = Duration(1800)
    accept_key: str = "1"
    accept_for: Duration = Duration(15)
    queue_header: bool = True
    wrap_up_max: Duration = Duration(3600)


class LogTable(Table, frozen=True):
    """``[log]``"""

    level: Literal["debug", "info", "warning", "error"] = "info"


class AuthTable(Table, frozen=True):
    """``[[trunk]] auth``"""

    user: str
    password: SecretText
    realm: str = ""


class ContactTable(Table, frozen=True):
    """An element of ``[[trunk]] contact``."""

    uri: str
    priority: CountFromOne = 1
    weight: CountFromOne = 1


class RegisterTable(Table, frozen=True):
    """``[[trunk]] register``"""

    registrar: str = ""
    user: str = ""
    domain: str = ""
    expires: Duration = Duration(3600)


class ProbeTable(Table, frozen=True):
    """``[[trunk]] probe``"""

    every: Duration = Duration(30)
    down_after: CountFromOne = 3
    up_after: CountFromOne = 2


class TrunkTable(Table, frozen=True):
    """``[[trunk]]``"""

    name: str
    tenant: str = ""
    accept: tuple[str, ...] = ()
    tls_names: tuple[str, ...] = ()
    auth: AuthTable | None = None
    contact: str | tuple[ContactTable, ...] = ""
    register: bool | RegisterTable = False
    probe: bool | ProbeTable = False
    max_calls: Count = 0
    max_cps: Rate = 0.0
    hotline_in: Literal["request-uri", "to", "p-called-party-id"] = "request-uri"
    trusted: bool = False
    caller_in: Literal["from", "p-asserted-identity"] = "from"
    country: str = ""
    number_out: Literal["as-is", "+e164", "e164", "national"] = "as-is"
    strip: Count = 0
    prepend: str = ""
    caller_number: str = ""
    try_for: Duration = Duration(5)


class RouteTrunkTable(Table, frozen=True):
    """An element of ``[[route]] trunks``."""

    trunk: str
    priority: CountFromOne = 1
    weight: CountFromOne = 1


class RouteTable(Table, frozen=True):
    """``[[route]]``"""

    prefix: str = ""
    tenant: str = ""
    trunks: tuple[str, ...] | tuple[RouteTrunkTable, ...] = ()
    strip: Count = 0
    prepend: str = ""


class HotlineTable(Table, frozen=True):
    """An element of ``[[tenant]] hotlines``."""

    number: str
    entry: str


class QualityTable(Table, frozen=True):
    """``[[tenant]] quality``"""

    minimum: Count = 1
    target: Count = 5
    items: tuple[str, ...] = ("terms", "attitude", "tone", "summary", "reaction")


class VoicemailTable(Table, frozen=True):
    """``[[tenant]] voicemail``"""

    greeting: str = ""
    limit: Duration = Duration(180)
    silence: Duration = Duration(10)
    minimum: Duration = Duration(2)
    keep: Duration = Duration(7_776_000)
    agents: Literal["none", "list", "listen"] = "listen"


class TenantTable(Table, frozen=True):
    """``[[tenant]]``"""

    name: str
    hotlines: tuple[HotlineTable, ...] = ()
    pause_reasons: tuple[str, ...] = ()
    seat_quota: Count = 0
    suspended: bool = False
    barred_status: Literal["403", "603", 403, 603] = "603"
    time_zone: str = ""
    hours: str = ""
    call_hours: str = ""
    language: Literal["en", "zh"] = "en"
    record: bool = False
    record_outbound: bool = False
    own_recordings: bool = False
    level_quota: dict[str, Count] = {}
    quality: QualityTable = QualityTable()
    ivr: dict[str, Any] = {}  # by name; see config/ivr.py
    voicemail: VoicemailTable = VoicemailTable()


class HoursTable(Table, frozen=True):
    """``[[hours]]``"""

    name: str
    tenant: str = ""
    time_zone: str = ""
    week: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


class ListTable(Table, frozen=True):
    """``[[list]]``"""

    name: str
    kind: Literal["black", "white"] = "black"
    tenant: str = ""
    queues: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    only: bool = False
    credit: Duration = Duration(0)


class FollowupTable(Table, frozen=True):
    """``[[followup]]``"""

    name: str
    tenant: str = ""
    within: Duration | None = None
    attempts_min: CountFromOne = 3
    attempts_max: CountFromOne = 5
    escalate_to: str = ""


class SoundTable(Table, frozen=True):
    """``[[sound]]``"""

    name: str
    file: str = ""


class LevelTable(Table, frozen=True):
    """``[[level]]``"""

    name: str
    handle_limit: Duration | None = None
    wrap_up: Duration | None = None
    hold_back: Count | None = None


class LevelRangeTable(Table, frozen=True, rename={"lowest": "from", "highest": "to"}):
    """``level = {from = ..., to = ...}``"""

    lowest: str
    highest: str


class RequiresTable(Table, frozen=True):
    """``[[queue]] requires``"""

    level: str | LevelRangeTable | None = None
    skills: dict[str, SkillLevel] = {}
    prefer: str | None = None


class RelaxTable(Table, frozen=True):
    """An element of ``[[queue]] relax``."""

    after: Duration
    level: str | None = None
    lowest: str | None = None
    skills: dict[str, SkillLevel] | None = None
    when_nobody: bool = False
    when_few: CountFromOne | None = None


class MissedRuleTable(Table, frozen=True):
    """One cause of ``[[queue]] missed``."""

    delay: Duration | None = None
    pause_after: Count | None = None
    logout_after: Count = 0
    forget_after: Duration = Duration(0)
    grace: Duration = Duration(0)


class MissedTable(Table, frozen=True):
    """``[[queue]] missed``"""

    no_answer: MissedRuleTable = MissedRuleTable()
    refused: MissedRuleTable = MissedRuleTable()
    unreachable: MissedRuleTable = MissedRuleTable()


class CallbackTable(Table, frozen=True):
    """``[[queue]] callback``"""

    key: str = ""
    attempts: CountFromOne = 3
    retry_after: Duration = Duration(900)
    ring_for: Duration = Duration(45)
    expires_after: Duration = Duration(345_600)
    per_seat: Rate = 3.0
    hours: str = ""


class CallBackAbandonedTable(Table, frozen=True):
    """``[[queue]] call_back_abandoned``"""

    after: Duration = Duration(60)
    min_waited: Duration = Duration(20)
    per_number: CountFromOne = 1


class AnnounceTable(Table, frozen=True):
    """``[[queue]] announce``"""

    every: Duration = Duration(0)
    after: Duration = Duration(15)
    sounds: tuple[str, ...] = ()
    order: Literal["in-turn", "random"] = "in-turn"
    position: Literal["never", "always", "up-to", "more-than"] = "never"
    position_limit: Count = 0
    only_improved: bool = False
    wait: Literal["never", "always", "once"] = "never"


class SurveyTable(Table, frozen=True):
    """``[[queue]] survey``"""

    automatic: bool = False
    sound: str = ""
    results: dict[str, str] = {}
    answer_for: Duration = Duration(10)


class QueueTable(Table, frozen=True):
    """``[[queue]]``"""

    name: str
    tenant: str = ""
    requires: RequiresTable = RequiresTable()
    relax: tuple[RelaxTable, ...] = ()
    policy: str = "least-skilled-first"
    priority_credit: Duration = Duration(0)
    weight: CountFromOne = 1
    priority: int = 0
    starve_after: Duration = Duration(0)
    answer: Literal["200", "183", 200, 183] = "200"
    when_empty: Literal["wait", "refuse"] = "wait"
    message_answer: Literal["183", "200", 183, 200] = "183"
    music: str = "builtin:music"
    welcome: str = "builtin:welcome"
    ring_for: Duration = Duration(25)
    ring_at_most: Count = 0
    max_wait: Duration = Duration(600)
    max_waiting: Count = 200
    on_timeout: str = "hangup"
    hours: str = ""
    on_closed: str = "hangup"
    on_barred: str = "hangup"
    on_full: str = "hangup"
    on_empty: str = "hangup"
    absent: tuple[AbsentState, ...] = ()
    max_wait_empty: Duration = Duration(0)
    max_estimate: Duration = Duration(0)
    on_estimate: str = "hangup"
    max_ratio: Rate = 0.0
    on_ratio: str = "hangup"
    sticky_for: Duration = Duration(0)
    sticky_memory: Duration = Duration(86400)
    resume_abandoned: Duration = Duration(0)
    seat_wait: Duration = Duration(120)
    on_seat_wait: str = "anyone"
    alert_wait: Duration = Duration(0)
    service_level: Duration = Duration(20)
    service_level_2: Duration = Duration(60)
    short_abandon: Duration = Duration(5)
    wrap_up: Duration | None = None
    missed: MissedTable = MissedTable()
    pick: bool = False
    pair_back_off: Duration = Duration(10)
    callback: CallbackTable = CallbackTable()
    call_back_abandoned: CallBackAbandonedTable | None = None
    keys: dict[str, str] = {}
    survey: SurveyTable = SurveyTable()
    announce: AnnounceTable = AnnounceTable()
    language: Literal["", "en", "zh"] = ""
    seat_hears: str = ""
    seat_delay: Duration = Duration(0)
    seat_hears_wait: bool = False
    say_seat: bool = False
    voicemail_followup: str = ""
    record: bool | None = None
    record_pausable: bool = True


class SeatQueueTable(Table, frozen=True):
    """An element of ``[[seat]] queues``."""

    name: str
    rank: CountFromOne = 1
    share: CountFromOne = 1


class SeatTable(Table, frozen=True):
    """``[[seat]]``"""

    number: str = ""
    numbers: str | tuple[str, ...] = ()
    tenant: str = ""
    password: SecretText = SecretText("")
    ha1: dict[str, str] = {}
    level: str = ""
    skills: dict[str, SkillLevel] = {}
    queues: tuple[str | SeatQueueTable, ...] = ()
    daily_limit: Count = 0
    phones: tuple[str, ...] = ("softphone",)
    role: Literal["agent", "supervisor"] = "agent"
    supervises: tuple[str, ...] = ()
    timetable: tuple[str, ...] = ()
    call_right: Literal["all", "national", "internal"] = "all"
    auto_answer: Literal["never", "desk", "always"] = "never"
    standing: Literal["never", "auto", "key"] = "never"
    after_call: Literal["ready", "pause"] = "ready"
    wrap_up: Duration | None = None
    mwi: Literal["subscribe", "unsolicited"] = "subscribe"


class ExtensionTable(Table, frozen=True):
    """``[[extension]]``"""

    number: str = ""
    numbers: str | tuple[str, ...] = ()
    tenant: str = ""
    password: SecretText = SecretText("")
    ha1: dict[str, str] = {}
    mwi: Literal["subscribe", "unsolicited"] = "subscribe"


class IvrTable(Table, frozen=True):
    """``[tenant.ivr.NAME]``"""

    start: str = ""
    language: Literal["", "en", "zh"] = ""
    time_max: Duration = Duration(600)
    on_limit: str = "hangup"
    otherwise: str = "hangup"
    music: str = "builtin:music"
    python: str = ""
    options: dict[str, str] = {}
    node: dict[str, Any] = {}


class PlayTable(Table, frozen=True):
    """``kind = "play"``"""

    kind: str
    then: str
    sounds: tuple[str, ...] = ()
    say: str = ""
    number: bool = False
    whole: bool = False


class MenuTable(Table, frozen=True):
    """``kind = "menu"``"""

    kind: str
    keys: dict[str, str]
    sounds: tuple[str, ...] = ()
    within: Duration = Duration(5)
    retries: Count = 2
    wrong: tuple[str, ...] = ()
    on_timeout: str = "hangup"
    on_wrong: str = "hangup"


class ReadTable(Table, frozen=True):
    """``kind = "read"``"""

    kind: str
    into: str
    then: str
    sounds: tuple[str, ...] = ()
    least: Count = 1
    most: CountFromOne = 20
    end_key: str = "#"
    within: Duration = Duration(5)
    between: Duration = Duration(3)
    retries: Count = 2
    wrong: tuple[str, ...] = ()
    on_timeout: str = "hangup"
    on_short: str = "hangup"
    secret: bool = False


class BranchTable(Table, frozen=True):
    """``kind = "branch"``"""

    kind: str
    otherwise: str
    variable: str = ""
    caller: bool = False
    cases: dict[str, str] = {}
    hours: str = ""
    list: str = ""
    then: str = ""


class SetTable(Table, frozen=True):
    """``kind = "set"``"""

    kind: str
    then: str
    variables: dict[str, str] = {}
    credit: Duration | None = None
    skills: dict[str, SkillLevel] = {}
    language: Literal["", "en", "zh"] = ""


class WaitTable(Table, frozen=True):
    """``kind = "wait"``"""

    kind: str
    then: str
    time: Duration
    sound: str = ""


class PromiseTable(Table, frozen=True):
    """``kind = "callback"``"""

    kind: str
    queue: str
    then: str
    otherwise: str


class GoTable(Table, frozen=True):
    """``kind = "go"``"""

    kind: str
    to: str
    cases: dict[str, str] = {}
    otherwise: str = ""
    ring_for: Duration = Duration(0)


class HangUpTable(Table, frozen=True):
    """``kind = "hangup"``"""

    kind: str
    sounds: tuple[str, ...] = ()
    cause: str = "script"


# Top-level keys: tables that are given once, and lists of tables. ``include`` is the shell's.
SINGLE: dict[str, type[Table]] = {
    "sip": SipTable,
    "media": MediaTable,
    "rpc": RpcTable,
    "store": StoreTable,
    "recording": RecordingTable,
    "http": HttpTable,
    "switch": SwitchTable,
    "log": LogTable,
}
MANY: dict[str, type[Table]] = {
    "trunk": TrunkTable,
    "route": RouteTable,
    "tenant": TenantTable,
    "hours": HoursTable,
    "sound": SoundTable,
    "list": ListTable,
    "followup": FollowupTable,
    "level": LevelTable,
    "queue": QueueTable,
    "seat": SeatTable,
    "extension": ExtensionTable,
}
