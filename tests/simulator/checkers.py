"""What must be true of a world's rows and of what is left of it, whatever happened.

The checks of rows recompute from the rows alone, so that they do not share a mistake with the engine.
"""

import gc
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from kernel.chance import Chance
from kernel.rows import (
    CallbackRow,
    CallRow,
    OfferRow,
    PresenceRow,
    RecordingRow,
    ScriptRow,
    VisitRow,
    VoicemailRow,
)
from policies.registry import build_policies
from tests.simulator.call import Call
from tests.simulator.crash import sip_call_ids
from tests.simulator.transactions import GIVE_UP

if TYPE_CHECKING:
    from tests.simulator.world import World

SETTLED = 0.5  # seconds after which workers have done what they were told
GRAIN = 0.002  # rows carry milliseconds
POLICIES = build_policies(Chance(bytes))
LASTING_TIMERS = (
    "binding",
    "subscription",
    "expire",
    "probe",
    "options",
    "nonce",
    "sweep",
    "reap",
    "rest",
    "quarantine",
    "wrapup",
    "hours",
    "keepalive",
    "tick",
    "second",
    "handle_limit",
    "refill",
    "oldest message",
)
MORTAL = (
    "calls.call.Call",
    "calls.leg.Leg",
    "sip.session.Session",
    "sip.dialog.Dialog",
    "acd.offer.Offer",
    "queues.waiting.WaitingCall",
    "sip.message.Request",
)


def check_rows(world: "World") -> None:
    """Assert everything that rows must say; AssertionError names the rule and the row."""
    check_one_row_each(world)
    check_visits(world)
    check_offers(world)
    check_offered_only_when_ready(world)
    check_order(world)
    check_callers(world)
    check_counters(world)
    check_wrap_up(world)
    check_recordings(world)
    check_voicemails(world)


def check_voicemails(world: "World") -> None:
    """Every message that was begun has ended in a row of its own, and its call says whether it was kept."""
    ends = {row.voicemail: row for row in world.rows if isinstance(row, VoicemailRow)}
    begun = [name for name, tape in world.workers.tapes.items() if tape.is_message]
    assert sorted(ends) == sorted(begun), "a message without a row, or a row without a message"
    kept = {row.call: row for row in ends.values() if row.state != "discarded"}
    for call in world.call_rows:
        if call.verdict == "success:voicemail":
            assert call.call in kept, f"a message that nobody can hear: {call}"
        elif call.verdict == "caller:no_message":
            assert call.call not in kept, f"a message that its call does not know: {call}"


def check_one_row_each(world: "World") -> None:
    """One call, one row; one visit, one outcome; one ring, one row; ids join up."""
    for rows, key in ((world.call_rows, "call"), (world.visit_rows, "visit"), (world.offer_rows, "offer")):
        ids = [getattr(row, key) for row in rows]
        assert len(set(ids)) == len(ids), f"two rows of one {key}"
    calls = {row.call for row in world.call_rows}
    living = set(world.node.switchboard.calls)
    promised = {row.callback for row in world.rows if isinstance(row, CallbackRow)}
    for visit in world.visit_rows:
        is_known = visit.call in calls or visit.call in living
        # A callback that no seat took has made no call.
        is_known = is_known or (visit.outcome != "answered" and visit.call.rpartition("-")[0] in promised)
        assert is_known, f"a visit of no call: {visit}"
    visits = {row.visit for row in world.visit_rows}
    for offer in world.offer_rows:
        known = offer.visit in visits or any(offer.visit.startswith(f"{call}.") for call in living)
        assert known, f"an offer of no visit: {offer}"


def check_visits(world: "World") -> None:
    """Outcomes agree with the offers and the call they belong to; nothing has a negative duration."""
    answered_offers = {row.visit for row in world.offer_rows if row.outcome == "answered"}
    by_call = defaultdict(list)
    for visit in world.visit_rows:
        by_call[visit.call].append(visit)
        assert visit.left_at >= visit.joined_at, f"a visit ends before it begins: {visit}"
        assert abs(visit.waited - (visit.left_at - visit.joined_at)) <= GRAIN, f"waited is wrong: {visit}"
        assert (visit.outcome == "answered") == (visit.visit in answered_offers), f"visit and offers: {visit}"
        assert (visit.outcome == "answered") == bool(visit.seat), f"seat of a visit: {visit}"
    led = {row.call for row in world.rows if isinstance(row, ScriptRow) and row.outcome == "led"}
    for row in world.call_rows:
        assert row.ended_at >= row.arrived_at, f"a call ends before it begins: {row}"
        assert row.talked >= 0, f"negative talk: {row}"
        assert row.verdict.partition(":")[0] in ("success", "caller", "agent", "peer", "network", "us"), row
        if row.entry.startswith("queue:"):
            answered = [visit for visit in by_call[row.call] if visit.outcome == "answered"]
            assert len(answered) <= 1, f"answered twice: {row}"
            if answered:
                assert row.seat == answered[0].seat, f"seat of a call: {row}"
            if row.verdict == "success":
                goes_out = any(visit.target.startswith(("number:", "ivr:")) for visit in by_call[row.call])
                goes_out = goes_out or row.call in led  # the queue has turned it away, its script knew more
                assert answered or goes_out, f"a success without a seat: {row}"
        for before, after in pairwise(by_call[row.call]):
            assert after.joined_at >= before.left_at - GRAIN, f"two visits at once: {before} {after}"


def check_offers(world: "World") -> None:
    """A seat has one ring or one conversation at a time; so has a call, unless several may ring at once."""
    talked = {row.call: row for row in world.call_rows}
    by_seat: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    by_visit: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    made = made_at(world)
    handed_on = left_to_others(world)
    for offer in world.offer_rows:
        assert offer.ended_at >= offer.rung_at, f"a ring ends before it begins: {offer}"
        by_visit[offer.visit].append((made[offer.offer], offer.ended_at, offer.offer))
        end = offer.ended_at
        if offer.outcome == "answered":
            row = talked.get(call_of(offer))
            if row is not None:
                end = max(end, handed_on.get(row.call, talked_until(row)))
        by_seat[offer.seat].append((made[offer.offer], end, offer.offer))
    if POLICIES[world.town.policy].fan_out > 1:
        by_visit.clear()
    for owner, spans in [*by_seat.items(), *by_visit.items()]:
        for (_, end, first), (begin, _, second) in pairwise(sorted(spans)):
            assert begin >= end - GRAIN, f"{owner} has {first} and {second} at once"


def made_at(world: "World") -> dict[str, float]:
    """Return when each offer was made: its row says when the phone rang, the seat's when it was reserved."""
    reserved: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in world.presence_rows:
        if row.activity == "reserved":
            reserved[row.seat, row.call].append(row.at)
    made = {}
    for offer in world.offer_rows:
        moments = [at for at in reserved[offer.seat, call_of(offer)] if at <= offer.rung_at + GRAIN]
        assert moments, f"a ring without a reservation: {offer}"
        made[offer.offer] = max(moments)
    return made


def call_of(offer: OfferRow) -> str:
    """Return the id of the call an offer was for."""
    return offer.visit.rpartition(".")[0]


def check_offered_only_when_ready(world: "World") -> None:
    """No seat is offered a call that is offline, nor, but for one it has picked, paused or in wrap-up."""
    changes: dict[str, list[PresenceRow]] = defaultdict(list)
    for row in world.presence_rows:
        changes[row.seat].append(row)
    made = made_at(world)
    for offer in world.offer_rows:
        at, rows = made[offer.offer], changes[offer.seat]
        at_that_moment = [row for row in rows if abs(row.at - at) <= GRAIN]
        may = ("ready", "paused", "wrapup") if offer.policy == "picked" else ("ready",)
        assert any(row.presence in may for row in at_that_moment), f"rung while {at_that_moment}: {offer}"


def check_order(world: "World") -> None:
    """First come, first served inside one queue: nobody is passed who could have had the seat.

    Who came later and was offered a seat passes who came earlier only if that one was being offered another
    seat at that moment, or had been offered the same seat before (its back-off), or may have been waiting for
    one given seat.
    """
    visits: dict[str, list[VisitRow]] = defaultdict(list)
    offers: dict[str, list[OfferRow]] = defaultdict(list)
    made, wanted = made_at(world), calls_for_one_seat(world)
    for visit in world.visit_rows:
        visits[visit.queue].append(visit)
    for offer in world.offer_rows:
        offers[offer.visit].append(offer)
    for rows in visits.values():
        rows.sort(key=lambda row: row.joined_at)
        for index, later in enumerate(rows):
            for offer in offers[later.visit]:
                if offer.policy == "picked":
                    continue  # by a person, out of the order
                for earlier in rows[:index]:
                    if earlier.call in wanted:
                        continue
                    if world.has_meddlers and earlier.priority_credit:
                        continue  # a supervisor may have set it before the others, later
                    if _was_passed(earlier, later, offer, offers[earlier.visit], made):
                        raise AssertionError(f"{earlier} was passed by {later} with {offer}")


def calls_for_one_seat(world: "World") -> dict[str, bool]:
    """Return the calls that may have waited for one given seat: asked for, remembered, or by a target."""
    wanted = {row.call: True for row in world.call_rows if row.called == "96202"}
    wanted |= {row.call: True for row in world.rows if isinstance(row, ScriptRow) and "/" in row.target}
    for visit in world.visit_rows:
        if (
            "sticky_for" in " ".join(world.town.doors)
            or "seat:" in visit.target
            or visit.cause == "seat_wait"
        ):
            wanted[visit.call] = True
    return wanted


def _was_passed(
    earlier: VisitRow, later: VisitRow, offer: OfferRow, own: list[OfferRow], made: dict[str, float]
) -> bool:
    at = made[offer.offer]
    if earlier.joined_at >= later.joined_at - GRAIN or earlier.left_at <= at + GRAIN:
        return False
    if earlier.joined_at - earlier.priority_credit >= later.joined_at - later.priority_credit - GRAIN:
        return False
    for other in own:
        if made[other.offer] - GRAIN <= at <= other.ended_at + GRAIN:
            return False  # it was being offered a seat itself
        if other.seat == offer.seat and other.ended_at <= at + GRAIN:
            return False  # that seat had refused it, or had not answered
    return True


def check_callers(world: "World") -> None:
    """Every call that the carrier saw answered has one row, and the row's end agrees with the caller's."""
    rows, calls = defaultdict(list), defaultdict(list)
    for row in world.call_rows:
        if row.direction == "in" and row.trunk:  # a target that a transfer did not reach has none
            rows[row.caller].append(row)
    for call in world.trunk.calls:
        if call.is_caller:
            calls[call.local.partition("sip:")[2].partition("@")[0]].append(call)
    for caller, made in calls.items():
        # A caller who was transferred goes on in a call of its own.
        own = [row for row in rows[caller] if row.verdict != "success:transferred"]
        # A switch that dies with its refusal unheard: the next takes the repeated INVITE for a new call.
        unsaid = [row for row in own if row.sip_status >= 300 and _is_before_a_death(world, row.ended_at)]
        # Who heard nothing may have been heard; a draining or late switch refuses before there is a call.
        least = len([call for call in made if call.has_ended and call.status >= 100 and call.status != 503])
        most = len(made) + len(unsaid) if not world.is_noisy else len(own)
        assert least <= len(own) <= most, f"caller {caller} ({made}) has the rows {rows[caller]}"
        # Who is sent to a number outside may hang up as that fails: the row has what failed first.
        if len(made) == 1 and made[0].why == "hung up" and own and own[0].ended_by == "seat":
            if own[0].entry.startswith("number:") and own[0].answered_at is None:
                continue
            assert own[0].talked > 0, f"{caller}: {own[0]}"


def _is_before_a_death(world: "World", at: float) -> bool:
    return any(0.0 <= died_at - at + GRAIN <= GIVE_UP for died_at in world.deaths)


def check_counters(world: "World") -> None:
    """The counters of queues and seats are what their rows add up to, however often the switch was killed."""
    for view in world.node.queues_view(world.time.now):
        rows = [row for row in world.visit_rows if row.queue == view["queue"]]
        for outcome in (
            "answered",
            "abandoned",
            "timed_out",
            "overflowed",
            "refused",
            "withdrawn",
            "callback",
        ):
            counted = sum(1 for row in rows if row.outcome == outcome)
            assert view[outcome] == counted, f"{view['queue']}: {view[outcome]} {outcome}, {counted} rows"
        within = sum(1 for row in rows if row.within)
        assert view["answered_within"] + view["abandoned_within"] == within, f"{view['queue']}: within"
    for seat in world.node.seats_view(world.time.now):
        offers = [row for row in world.offer_rows if row.seat == seat["seat"]]
        counters = seat["counters"]
        assert counters["offered"] == len(offers), f"{seat['seat']}: {counters} and {len(offers)} offers"
        for name in ("answered", "refused", "missed"):
            counted = sum(1 for row in offers if row.outcome == name)
            assert counters[name] == counted, f"{seat['seat']}: {counters[name]} {name}, {counted} rows"


def talked_until(row: CallRow) -> float:
    """Return when the talk of a call was over: a caller who rates it stays longer."""
    if row.answered_at is None:
        return row.ended_at
    return min(row.ended_at, row.answered_at + row.talked)


def left_to_others(world: "World") -> dict[str, float]:
    """Return when a seat has left its caller to whom it consulted, or to its supervisor, by the call, which
    goes on.
    """
    others = [row for row in world.call_rows if row.entry.startswith(("consult:", "supervise:"))]
    others.sort(key=lambda row: -row.ended_at)  # the first leaves it, the next was given it
    return {row.continued_as: row.ended_at for row in others if row.continued_as}


def check_wrap_up(world: "World") -> None:
    """Who has talked to a caller of a queue wraps up, unless somebody has said otherwise meanwhile."""
    if not world.town.wrap_up or world.has_reloaded:
        return
    calls = {row.call: row for row in world.call_rows}
    left = left_to_others(world)
    for offer in world.offer_rows:
        call = calls.get(call_of(offer))
        if offer.outcome != "answered" or call is None or call.answered_at is None:
            continue  # or the customer of a callback was not there
        rows = [row for row in world.presence_rows if row.seat == offer.seat]
        ended_at = left.get(call.call, talked_until(call))
        after = [row for row in rows if row.at >= ended_at - GRAIN and row.activity != "talking"]
        assert after, f"{offer.seat} talks on after {call}"
        said = after[0].presence
        assert said in ("wrapup", "paused", "offline"), f"{offer.seat} is {said} after {call}"


def check_recordings(world: "World") -> None:
    """One row for each file, whatever has ended it; calls name rows that there are, or that are to come."""
    ids = [row.recording for row in world.rows if isinstance(row, RecordingRow)]
    assert len(set(ids)) == len(ids), "two rows of one recording"
    living = world.node.switchboard.recordings.living
    tapes = {name: tape for name, tape in world.workers.tapes.items() if not tape.is_message}
    for name, tape in tapes.items():
        assert name in ids or name in living, f"recording {name} has no row"
        assert name in living or not tape.is_open, f"recording {name} is written for ever"
    for row in world.call_rows:
        assert not row.recording or row.recording in ids or row.recording in living, f"no recording: {row}"


def check_audio(world: "World") -> None:
    """Who waits hears music, who talks hears the other; asked half a second after each change."""
    now = world.time.now
    if not world.workers.are_settled():
        return
    for call in world.node.switchboard.calls.values():
        caller = call.caller_leg
        if world.node.switchboard.scripts.interacts(call):
            continue
        if caller is None or caller.agreement is None:
            continue  # a caller who offers nothing is heard of with its ACK
        if call.answered_at is not None:
            if call.callee is not None and not call.is_parked and now - call.answered_at > SETTLED:
                are_joined = world.workers.are_streams_joined(caller.stream, call.callee.stream)
                assert are_joined, f"{call.id} talks and its streams are not joined"
        elif call.joined_at is not None and now - call.joined_at > SETTLED:
            assert world.workers.is_stream_playing(caller.stream), f"{call.id} waits in silence"


def ears_astray(world: "World") -> dict[str, bool]:
    """Return who of those that hear several, supervisors and talks of three, hears others at the workers; a
    moment after a change everybody may.
    """
    astray: dict[str, bool] = {}
    board = world.node.switchboard
    for call in board.calls.values() if world.workers.are_settled() else ():
        for leg in call.legs():
            hears, heard = sorted(board.hearing.hears(leg.stream)), world.workers.mixed(leg.stream)
            if heard != hears:
                astray[f"stream {leg.stream} of {call.id} hears {heard} instead of {hears}"] = True
    return astray


def zombies(world: "World") -> list[Call]:
    """Return the conversations that the killed switch had, and that now only the phone knows of.

    Phones on a connection are left out: a BYE has no way to them while they have not opened the next one.
    """
    known = dict.fromkeys(sip_call_ids(world.node))
    return [
        call
        for endpoint in (world.trunk, *world.phones.values())
        if endpoint.streams is None
        for call in endpoint.calls
        if call.state == "talking" and call.acks and call.call_id in world.before.dialogs
        if call.call_id not in known
    ]


def check_quiet(world: "World") -> list[str]:
    """Return what is left of calls on any floor; empty when nothing is."""
    left: list[str] = []
    node = world.node
    if not node.is_idle():
        left.append(f"calls {list(node.switchboard.calls)}")
    for name, part in (("calls", node.switchboard), ("sip", node.stack), ("media", node.plane)):
        if not part.is_quiet():
            left.append(f"{name} is not quiet: {part.snapshot()}")
    for timer in node.timers.armed():
        if getattr(timer.owner, "method", "") == "OPTIONS":
            continue  # a phone is being probed
        if not any(word in timer.name.lower() for word in LASTING_TIMERS):
            left.append(f"timer {timer!r}")
    left += [f"stream {stream}" for stream in world.workers.open_streams()]
    for endpoint in [world.trunk, *world.phones.values()]:
        left += [f"{endpoint.name}: {call}" for call in endpoint.calls if not call.has_ended]
    for view in node.seats_view(world.time.now):
        if view["activity"] not in ("idle", "unreachable") or view["call"]:
            left.append(f"seat {view['seat']} is {view['activity']} in {view['call']}")
    for queue in node.queues_view(world.time.now):
        if queue.get("waiting"):
            left.append(f"queue {queue['queue']} has {queue['waiting']} waiting")
    return left


def mortal_objects() -> dict[str, int]:
    """Return how many objects there are of the classes that end with their call."""
    found: dict[str, int] = defaultdict(int)
    for thing in gc.get_objects():
        kind = type(thing)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name in MORTAL:
            found[name] += 1
    return dict(found)


def answered_by(world: "World", seat: str) -> list[str]:
    """Return the callers that a seat answered, in order."""
    callers = {row.call: row.caller for row in world.call_rows}
    return [callers[row.call] for row in world.visit_rows if row.seat == seat and row.outcome == "answered"]


def talks_to(world: "World", caller_rtp: tuple[str, int], seat_rtp: tuple[str, int]) -> bool:
    """Return whether both hear each other now: two open streams, joined, with these remote addresses."""
    return world.workers.are_joined(caller_rtp, seat_rtp)
