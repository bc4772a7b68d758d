"""Rows of the journal and the store: what is never lost.

A row is written once and upserted by its first field. Moments are wall time (epoch seconds, UTC,
milliseconds), durations are seconds. New fields go to the end with a default, so that an old journal can
still be read.
"""

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True, tag_field="table"):
    """One row; the tag is the class name and names the table."""


class CallRow(Row, frozen=True, tag="calls"):
    """One call that has ended."""

    call: str
    tenant: str
    direction: str  # in, out, internal
    caller: str
    called: str
    trunk: str
    entry: str  # queue:junior, extension:2001, seat:8001
    arrived_at: float
    answered_at: float | None
    ended_at: float
    waited: float
    talked: float
    held: float
    seat: str
    ended_by: str  # caller, seat, switch
    verdict: str  # success, caller, agent, peer, network, us; with a short reason behind a colon
    sip_status: int
    recording: str = ""
    continued_as: str = ""  # the call that whoever was transferred went on in, or has stayed in
    resumed: int = 0  # how often it was taken over from a switch that was killed
    tag: str = ""  # what it was about, as the seat says
    caller_name: str = ""  # in words, as the caller's side says; "" where it asks not to be named


class VisitRow(Row, frozen=True, tag="visits"):
    """One stay of a call in a queue; exactly one outcome."""

    visit: str
    call: str
    queue: str
    joined_at: float
    left_at: float
    waited: float
    priority_credit: float
    outcome: str  # answered, abandoned, timed_out, overflowed, refused, withdrawn, callback
    cause: str
    seat: str
    within: bool  # answered or abandoned within the queue's threshold
    target: str = ""  # where the call went instead: queue:junior, number:13800000000, message:closed
    resumes: str = ""  # the visit, abandoned by the same caller, whose place this one took over
    position: int = 0  # when it entered, counted from 1; 0: it never did
    position_left: int = 0  # when it left


class OfferRow(Row, frozen=True, tag="offers"):
    """One ring at one seat for one visit."""

    offer: str
    visit: str
    seat: str
    phone: str
    rung_at: float
    ended_at: float
    rang: float
    outcome: str  # answered, refused, missed, withdrawn, failed
    sip_status: int
    policy: str
    key: str  # the winner's key, as the policy gave it
    eligible: int
    runners_up: str  # up to three seats with their keys
    queue: str = ""


class PresenceRow(Row, frozen=True, tag="presences"):
    """One change of a seat's presence or activity."""

    change: str  # a number that rises, and the seat; unique; once the other way round
    seat: str
    agent: str
    at: float
    presence: str
    reason: str
    activity: str
    cause: str
    call: str
    queue: str = ""  # whose call it talks in or wraps up after; "" in a call of its own
    held: bool = False


class SeatStateRow(Row, frozen=True, tag="seat_states"):
    """The state a seat is restored to after a restart; the last one wins."""

    seat: str
    agent: str
    session: str
    presence: str
    reason: str
    since: float
    wrapup_until: float | None
    pending: str
    phone_kind: str
    phone_number: str
    queue: str = ""  # that a wrap-up follows a call of
    after_call: str = ""  # ready, pause
    paused_in: str = ""  # queues it takes no calls of, and why, as a JSON object


class SeatMoveRow(Row, frozen=True, tag="seat_moves"):
    """How a supervisor has moved a seat; kept over reload and restart until the file changes the seat."""

    seat: str
    queues: str  # as a JSON array
    level: str  # by name
    skills: str  # as a JSON object
    moved_from: str  # what the configuration said then, as a JSON array: queues, level, skills
    moved_by: str
    changed_at: float
    is_removed: bool  # it is as the configuration says again


class BindingRow(Row, frozen=True, tag="bindings"):
    """A registered contact, kept over a restart; ``expires_at`` in the past removes it."""

    binding: str  # AOR user and contact
    user: str
    contact: str
    flow: str  # as text: udp/0/127.0.0.1/5070
    path: str
    instance: str
    sip_call_id: str
    cseq: int
    q: float
    expires_at: float


class StreamRow(Row, frozen=True, tag="streams"):
    """What one leg of a call heard and said; written where audio flowed."""

    stream: str  # the call and the leg's number
    call: str
    side: str  # caller, callee
    codec: str
    closed_at: float
    packets_received: int
    packets_sent: int
    lost: int
    jitter_ms: float
    foreign: int


class ListEntryRow(Row, frozen=True, tag="list_entries"):
    """A number put on (or taken from) a caller list while the switch ran."""

    entry: str  # list and number
    list: str
    number: str  # 138* is a prefix
    until: float | None  # None: for ever
    note: str
    added_by: str
    changed_at: float
    is_removed: bool


class CallerSeatRow(Row, frozen=True, tag="caller_seats"):
    """Which seat last served a caller, kept over a restart for queues that ask it first."""

    caller: str  # queue and number
    queue: str
    number: str
    seat: str
    at: float


class CallbackRow(Row, frozen=True, tag="callbacks"):
    """A customer who is, or was, to be called back; open ones are restored after a restart."""

    callback: str
    tenant: str
    queue: str
    number: str
    display: str  # our number the customer will see: the one that was called; "" the tenant's first
    booked_by: str  # caller, overflow, or who booked it
    visit: str  # the visit it goes on from; "" where it was booked
    followup: str  # its class, where it is owed by a moment
    booked_at: float
    joined_at: float  # with ``credit`` its place in the queue
    credit: float
    skills: str  # wanted on top of the queue's requirement: billing=3,vip=1
    due_at: float  # the next attempt is not made before
    expires_at: float
    calls: int  # placed so far
    attempts: int  # dials of the customer so far
    state: str  # scheduled, waiting, dialling, ended
    outcome: str  # answered, cancelled, expired, exhausted, merged, closed
    changed_at: float
    for_seat: str = ""  # it waits for this one
    seat_until: float | None = None  # and then anybody may have it; None: for as long as it lasts


class CallbackAttemptRow(Row, frozen=True, tag="callback_attempts"):
    """One dial of a customer who was to be called back."""

    call: str
    callback: str
    number: str
    attempt: int
    seat: str
    dialled_at: float
    ended_at: float  # of the dialling: answered, or given up
    outcome: str  # answered, no_answer, busy, failed, cancelled
    sip_status: int


class OperationRow(Row, frozen=True, tag="operations"):
    """What somebody with more rights than an agent has done to a seat, a call or the switch."""

    operation: str  # unique
    at: float
    tenant: str  # "" the switch as a whole
    by: str  # a seat, the name of a token, or a role
    what: str  # force_pause, move_call, ...; by "switch": started, reloaded
    seat: str
    call: str
    queue: str
    detail: str  # what else was said: a reason, a number


class QueueIntervalRow(Row, frozen=True, tag="queue_intervals"):
    """What a queue's callers found in one quarter of an hour; written when that is over, if anything was.

    Columns from ``answered_within`` on are sums (:mod:`queues.statistics`); waits and times in seconds.
    """

    interval: str  # queue and ``begin_at``
    queue: str
    tenant: str
    level: str  # the lowest that may serve it at first
    begin_at: float
    answered_within: int
    answered_late: int
    answered_within_2: int
    abandoned_within: int
    abandoned_late: int
    abandoned_within_2: int
    abandoned_ringing: int
    short_abandoned: int
    refused: int
    timed_out: int
    overflowed: int
    withdrawn: int
    callback: int
    answered_wait: float
    abandoned_wait: float
    short_wait: float
    wait: float
    offers: int
    offers_answered: int
    offers_missed: int
    offers_refused: int
    offers_failed: int
    offers_withdrawn: int
    rang: float
    handled: int
    transferred: int
    talk: float
    hold: float
    wrap_up: float
    wait_longest: float
    waits: str  # of the answered, in buckets: 0:5 38:2


class QueueTotalRow(QueueIntervalRow, frozen=True, tag="queue_totals"):
    """The same since counting began, up to the end of the interval at ``begin_at``; one row per queue."""


class SeatIntervalRow(Row, frozen=True, tag="seat_intervals"):
    """What a seat did in one quarter of an hour; written when that is over, if anything was.

    Columns from ``offers`` on are sums (:mod:`acd.worktime`); times in seconds.
    """

    interval: str  # seat and ``begin_at``
    seat: str
    tenant: str
    level: str
    begin_at: float
    offers: int
    offers_answered: int
    offers_missed: int
    offers_refused: int
    offers_failed: int
    offers_withdrawn: int
    rang: float
    handled: int
    transferred: int
    talk: float
    hold: float
    wrap_up: float
    time_ready: float
    time_reserved: float
    time_ringing: float
    time_dialling: float
    time_talking: float
    time_held: float
    time_wrapup: float
    time_paused: float
    time_unreachable: float
    paused_for: str  # seconds by pause reason, as a JSON object
    doing: str  # the state in which the next interval begins; for the switch itself


class SeatTotalRow(SeatIntervalRow, frozen=True, tag="seat_totals"):
    """The same since counting began, up to the end of the interval at ``begin_at``; one row per seat."""


CountedRow = VisitRow | OfferRow | PresenceRow  # of which counters are sums
CountRow = QueueIntervalRow | QueueTotalRow | SeatIntervalRow | SeatTotalRow
class SurveyRow(Row, frozen=True, tag="surveys"):
    """A caller who was asked to rate its call."""

    call: str
    tenant: str
    queue: str
    seat: str
    invited_at: float
    answered_at: float | None
    key: str  # of the telephone; "" if none was pressed
    result: str | None  # what that key means in the queue


class ScriptRow(Row, frozen=True, tag="scripts"):
    """One run of a script."""

    run: str
    call: str
    tenant: str
    ivr: str
    kind: str  # entry: nobody served the caller; interact: its seat had sent it there, and waited
    seat: str
    began_at: float
    ended_at: float
    outcome: str  # led, returned, hung_up, abandoned, taken_back, ended, limit, failed, interrupted
    target: str  # that it was led to
    path: str  # the nodes, in order: "start > language > menu"
    variables: str  # a JSON object, "" if there are none; what is secret is ***
class RecordingRow(Row, frozen=True, tag="recordings"):
    """One recording, whose file is named by its id."""

    recording: str
    call: str  # that it began in
    tenant: str
    queue: str
    seat: str  # the first that was heard
    seats: str  # all of them, in order: 8001,8002
    number: str  # of the outside party
    began_at: float
    ended_at: float
    seconds: float  # of the file, silence included
    bytes: int  # of the file; 0: there is none
    suspended: float  # seconds that a seat has suspended it for
    state: str  # kept, failed, removed
    cause: str  # asked, closed, limit, worker_lost, switch_killed, never_begun, or what the system said


class FollowupRow(Row, frozen=True, tag="followups"):
    """A callback that is, or was, owed by a moment."""

    followup: str  # the callback
    tenant: str
    queue: str
    number: str
    followup_class: str
    booked_by: str
    booked_at: float
    deadline: float
    attempts: int  # dials of the customer when the row was written
    escalated_at: float | None
    escalated_to: str  # the queue that it was moved to
    ended_at: float | None
    outcome: str  # answered, exhausted, closed, cancelled, expired
    note: str  # what was said when it was closed
    changed_at: float


class QualityRow(Row, frozen=True, tag="quality"):
    """What a shift leader has found in a call of a seat."""

    check: str
    tenant: str
    seat: str
    call: str  # "" where a recording is named
    recording: str
    by: str  # a seat, the name of a token, or a role
    at: float  # when it was made first
    items: str  # points from 1 to 5, as a JSON object
    mean: float
    remark: str
    changed_at: float


class VoicemailRow(Row, frozen=True, tag="voicemails"):
    """What a caller has said whom no seat served."""

    voicemail: str
    tenant: str
    mailbox: str  # public, queue:junior, seat:8001
    call: str
    queue: str  # that sent it there
    caller: str
    caller_name: str
    called: str  # the hotline
    began_at: float
    ended_at: float
    seconds: float
    bytes: int  # of the file; 0: there is none
    file: str  # in the folder of the recordings
    cause: str  # hung_up, key, limit, silence, failed, worker_lost, switch_killed
    state: str  # new, heard, done; removed; discarded: too short
    remark: str = ""
    changed_by: str = ""  # a seat, the name of a token, or a role; "" the switch
    changed_at: float = 0.0


AnyRow = (
    CallRow
    | VisitRow
    | OfferRow
    | PresenceRow
    | SeatStateRow
    | SeatMoveRow
    | BindingRow
    | StreamRow
    | ListEntryRow
    | CallerSeatRow
    | CallbackRow
    | CallbackAttemptRow
    | FollowupRow
    | SurveyRow
    | QualityRow
    | ScriptRow
    | RecordingRow
    | VoicemailRow
    | OperationRow
    | QueueIntervalRow
    | QueueTotalRow
    | SeatIntervalRow
    | SeatTotalRow
)
