"""The messages that are there: marked, kept for their time, gone with their files; and a whole switch."""

from dataclasses import replace

import pytest

from calls.settings import VoicemailSettings
from kernel.errors import OperationRefused
from kernel.rows import VoicemailRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from seatswitch import voicemails
from seatswitch.voicemails import LOOK_AGAIN_AFTER, Voicemails, belongs, box_name
from tests.simulator.phones import Errand
from tests.simulator.stories import settle
from tests.simulator.town import Town
from tests.simulator.world import World

EPOCH = 1_800_000_000.0
DAY = 86_400.0


def message(name: str = "v1", at: float = 0.0, **more: object) -> VoicemailRow:
    given = {
        "voicemail": name, "tenant": "demo", "mailbox": "queue:junior", "call": "c1", "queue": "junior",
        "caller": "139", "caller_name": "", "called": "96198", "began_at": EPOCH + at,
        "ended_at": EPOCH + at + 9.0, "seconds": 9.0, "bytes": 72_058, "file": f"{name}.wav",
        "cause": "hung_up", "state": "new",
    }  # fmt: skip
    return VoicemailRow(**given | more)  # type: ignore[arg-type]


class Shelf:
    """A store, its clock and what it has said."""

    def __init__(self, keep: float = 30 * DAY) -> None:
        self.timers = TimerQueue()
        self.walltime = WallTime(EPOCH)
        settings = {"demo": VoicemailSettings(keep=keep)}
        self.store = Voicemails(settings, self.timers, self.walltime)
        self.now = 0.0

    def at(self, moment: float) -> None:
        while (deadline := self.timers.next_deadline()) is not None and deadline <= moment:
            self.now = max(self.now, deadline)
            self.timers.fire_due(self.now)
            self.store.check()
        self.now = moment

    def states(self) -> list[str]:
        return [row.state for row in self.store.rows.take()]

    def told(self) -> list[str]:
        return [what for what, _ in self.store.events.take()]


def test_a_message_is_new_then_heard_then_done_by_somebody() -> None:
    shelf = Shelf()
    shelf.store.left(message(), shelf.now)
    shelf.at(60.0)
    shelf.store.mark("v1", "heard", None, "8001", shelf.now)
    row = shelf.store.mark("v1", "done", "called back", "8001", shelf.now)
    assert (row.state, row.remark, row.changed_by, row.changed_at) == (
        "done", "called back", "8001", EPOCH + 60.0,
    )  # fmt: skip
    assert shelf.store.mark("v1", "new", None, "8002", shelf.now).remark == "called back"
    assert shelf.states() == ["new", "heard", "done", "new"]
    assert shelf.told() == ["new", "changed", "changed", "changed"]
    with pytest.raises(OperationRefused) as caught:
        shelf.store.mark("v2", "done", None, "8001", shelf.now)
    assert caught.value.word == "NO_SUCH_VOICEMAIL"


def test_what_is_discarded_is_a_row_and_a_file_that_goes_and_nothing_else() -> None:
    shelf = Shelf()
    shelf.store.left(message(state="discarded"), shelf.now)
    assert (shelf.states(), shelf.told(), list(shelf.store.all())) == (["discarded"], [], [])
    assert shelf.store.removals.take() == ["v1.wav"]
    assert shelf.timers.next_deadline() is None


def test_each_goes_after_its_tenant_s_time_with_its_file() -> None:
    shelf = Shelf(keep=30 * DAY)
    shelf.store.left(message("v1"), 0.0)
    shelf.at(DAY)
    shelf.store.left(message("v2", DAY), shelf.now)
    shelf.at(30 * DAY - 1.0)
    assert shelf.states() == ["new", "new"]
    shelf.at(30 * DAY + 1.0)
    assert (shelf.states(), shelf.store.removals.take()) == (["removed"], ["v1.wav"])
    assert [row.voicemail for row in shelf.store.all()] == ["v2"]
    shelf.at(31 * DAY + 1.0)
    assert (shelf.told(), shelf.store.removals.take()) == (["new", "new", "removed", "removed"], ["v2.wav"])
    assert shelf.timers.next_deadline() is None


def test_a_reload_and_a_clock_that_is_set_count_within_the_hour() -> None:
    shelf = Shelf()
    shelf.store.left(message(), 0.0)
    shelf.at(5 * DAY)
    shelf.store.configure({"demo": VoicemailSettings(keep=2 * DAY)}, shelf.now)
    shelf.at(5 * DAY + 1.0)
    assert shelf.store.removals.take() == ["v1.wav"]
    shelf.store.left(message("v2", 5 * DAY), shelf.now)
    shelf.walltime.set_offset(EPOCH + 10 * DAY)
    shelf.at(shelf.now + LOOK_AGAIN_AFTER)
    assert shelf.store.removals.take() == ["v2.wav"]


def test_after_a_restart_what_is_too_old_meanwhile_goes_at_once() -> None:
    shelf = Shelf()
    old, fresh = message("old", -31 * DAY), message("fresh", -DAY, state="heard")
    shelf.store.restore([old, fresh, message("gone", state="removed")], 0.0)
    assert [row.voicemail for row in shelf.store.all()] == ["fresh"]
    assert (shelf.states(), shelf.store.removals.take()) == (["removed"], ["old.wav"])


def test_nothing_is_too_old_by_a_clock_that_is_not_believed() -> None:
    """A year ahead by mistake, and back: not a message is lost. Of one that is believed in the end it is."""
    shelf = Shelf()
    shelf.store.left(message(), 0.0)
    shelf.store.hold(shelf.now, is_held=True)
    shelf.walltime.set_offset(EPOCH + 365 * DAY)
    shelf.store.restore([message("v2", -DAY)], shelf.now)
    shelf.at(3 * DAY)
    assert (shelf.states(), shelf.store.removals.take()) == (["new"], [])
    assert [row.voicemail for row in shelf.store.all()] == ["v1", "v2"]
    shelf.walltime.set_offset(EPOCH)
    shelf.store.hold(shelf.now, is_held=False)
    shelf.at(6 * DAY)
    assert (shelf.states(), shelf.store.removals.take()) == ([], [])
    shelf.store.hold(shelf.now, is_held=True)
    shelf.walltime.set_offset(EPOCH + 365 * DAY)
    shelf.at(9 * DAY)
    shelf.store.hold(shelf.now, is_held=False)
    shelf.at(9 * DAY)
    assert (shelf.states(), shelf.store.removals.take()) == (["removed", "removed"], ["v2.wav", "v1.wav"])


def test_there_is_room_for_so_many_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemails, "KEPT_MAX", 2)
    shelf = Shelf()
    for number in range(3):
        shelf.store.left(message(f"v{number}", float(number)), 0.0)
    assert [row.voicemail for row in shelf.store.all()] == ["v1", "v2"]
    assert shelf.store.removals.take() == ["v0.wav"]
    shelf.at(31 * DAY)
    assert list(shelf.store.all()) == []


def test_ends_of_messages_that_are_no_more_do_not_heap_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a tenant that keeps its messages for long stand behind the ends of all that are there."""
    monkeypatch.setattr(voicemails, "KEPT_MAX", 10)
    shelf = Shelf(keep=DAY)
    shelf.store.configure(
        {"demo": VoicemailSettings(keep=DAY), "slow": VoicemailSettings(keep=400 * DAY)}, 0.0
    )
    for number in range(2_000):
        tenant = ("demo", "slow")[number % 2]
        shelf.at(number * 60.0)
        shelf.store.left(message(f"v{number}", number * 60.0, tenant=tenant), shelf.now)
        assert len(shelf.store._ends) <= 2 * 11 + voicemails._SPARE
    assert [row.voicemail for row in shelf.store.all()] == [f"v{number}" for number in range(1_990, 2_000)]
    shelf.at(1_999 * 60.0 + 401 * DAY)
    assert list(shelf.store.all()) == []


@pytest.mark.parametrize(
    ("mailbox", "is_own"),
    [
        ("public", True), ("queue:junior", True), ("queue:senior", False), ("seat:8001", True),
        ("seat:8002", False),
    ],
)  # fmt: skip
def test_whose_mailbox(mailbox: str, is_own: bool) -> None:
    assert belongs(mailbox, "8001", ("junior",)) is is_own


# A whole switch.

FULL = Town(juniors=1, max_waiting=1, doors=('on_full = "voicemail"', 'keys = {"9" = "voicemail:8001"}'))


def rows_of(world: World) -> list[VoicemailRow]:
    return [row for row in world.rows if isinstance(row, VoicemailRow)]


def left(town: Town = FULL, stays: float = 12.0) -> World:
    """Nobody is signed in and one waits already: the next caller is greeted (4 s) and speaks."""
    world = World(1, town)
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(2.0)
    world.trunk.dial(Errand(hangs_up_after=4.0 + stays))
    return world


OUTCOMES = ("answered", "abandoned", "timed_out", "overflowed", "withdrawn", "callback")


def test_who_is_sent_to_a_mailbox_is_one_of_the_overflowed_and_the_totals_add_up() -> None:
    """One hangs up waiting, one leaves a message, one hangs up in the greeting; the rows tell those two apart
    (docs/queues.md).
    """
    world = left(replace(FULL, max_waiting=10, max_wait=5.0, on_timeout="voicemail"))
    world.trunk.dial(Errand(hangs_up_after=6.0))
    world.trunk.dial(Errand(hangs_up_after=3.0))
    world.run(90.0)
    told = world.admin.ask("queue.statistics", {"queue": "junior"})
    assert {name: told[name] for name in OUTCOMES if told[name]} == {"overflowed": 3, "abandoned": 1}
    assert told["offered"] == sum(told[name] for name in OUTCOMES) == 4
    sent = [row for row in world.visit_rows if row.target == "voicemail"]
    assert (len(sent), {row.cause for row in sent}) == (told["overflowed"], {"max_wait"})
    assert len([row for row in rows_of(world) if row.state != "discarded"]) == 2
    settle(world)


def test_a_caller_whom_a_full_queue_sends_there_leaves_a_message_that_its_seats_work_off() -> None:
    world = left()
    world.run(10.0)
    (call,) = [it for it in world.admin.ask("call.list") if it["state"] == "voicemail"]
    world.run(20.0)
    (row,) = rows_of(world)
    assert (row.call, row.mailbox, row.state, row.cause) == (
        call["call"], "queue:junior", "new", "hung_up",
    )  # fmt: skip
    (ended,) = [it for it in world.call_rows if it.call == row.call]
    assert (ended.verdict, ended.answered_at, ended.talked) == ("success:voicemail", None, 0.0)
    (visit,) = [it for it in world.visit_rows if it.call == row.call]
    assert (visit.outcome, visit.cause, visit.target) == ("overflowed", "full", "voicemail")
    listed = world.admin.ask("voicemail.list", {"mailbox": "queue:junior"})
    assert [it["voicemail"] for it in listed["voicemails"]] == [row.voicemail]
    done = {"voicemail": row.voicemail, "state": "done", "remark": "called back"}
    world.admin.ask("voicemail.mark", done)
    world.restart_switch()
    world.run(1.0)
    (kept,) = world.admin.ask("voicemail.list")["voicemails"]
    assert (kept["state"], kept["remark"]) == ("done", "called back")
    world.run(60.0)
    settle(world)


def test_a_kill_in_the_middle_of_a_message_leaves_what_was_said_before_it() -> None:
    """The caller gets BYE within five seconds; the message ends where the switch was last alive."""
    world = left(stays=60.0)
    world.run(16.0)
    world.restart_switch()
    world.run(5.0)
    (row,) = rows_of(world)
    assert (row.cause, row.state, row.bytes) == ("switch_killed", "new", 58 + 8_000 * row.seconds)
    assert 8.0 < row.seconds < 14.0
    (ended,) = [it for it in world.call_rows if it.call == row.call]
    assert ended.verdict == "us:interrupted"
    assert [it["voicemail"] for it in world.admin.ask("voicemail.list")["voicemails"]] == [row.voicemail]
    settle(world)


def test_a_worker_that_dies_in_the_middle_of_a_message_ends_it_there() -> None:
    world = left(stays=60.0)
    world.run(16.0)
    world.workers.crash()
    world.run(10.0)
    (row,) = rows_of(world)
    assert (row.cause, row.state, row.bytes) == ("worker_lost", "new", 58 + 8_000 * row.seconds)
    (ended,) = [it for it in world.call_rows if it.call == row.call]
    assert ended.verdict == "us:media_worker_lost"
    settle(world)


def test_a_suspended_tenant_s_callers_are_refused_and_leave_nothing() -> None:
    world = left(Town(juniors=1, max_waiting=1, doors=FULL.doors, more_tenant="suspended = true"))
    world.run(30.0)
    assert rows_of(world) == []
    assert {row.verdict for row in world.call_rows} == {"us:tenant_suspended"}
    settle(world)


def test_a_message_may_be_owed_a_call_by_a_deadline_once() -> None:
    """The class of the queue; a second message of the same caller finds it owed already, and is kept."""
    town = Town(
        juniors=1, max_waiting=1, doors=('on_full = "voicemail"', 'voicemail_followup = "complaint"')
    )
    world = left(town)
    world.run(20.0)
    (row,) = rows_of(world)
    (owed,) = world.admin.ask("callback.list", {"queue": "junior"})
    assert (owed["class"], owed["number"], owed["booked_by"]) == (
        "complaint", row.caller, f"voicemail:{row.voicemail}",
    )  # fmt: skip
    assert owed["deadline"] > owed["booked_at"]
    world.trunk.dial(Errand(hangs_up_after=16.0, caller=row.caller))
    world.run(20.0)
    assert [it.state for it in rows_of(world)] == ["new", "new"]
    assert len(world.admin.ask("callback.list", {"queue": "junior"})) == 1


# What phones show of it (RFC 3842).

OWN = Town(juniors=2, max_waiting=1, doors=('on_full = "voicemail:8001"',))


def watching(town: Town, seat: str, *boxes: str) -> World:
    """A seat's phone watches boxes, and a caller is about to leave a message."""
    world = left(town)
    world.add_phone(seat).register()
    world.run(1.0)
    for box in boxes:
        world.phones[seat].watch_box(box)
    world.run(1.0)
    return world


def test_a_seat_s_phone_shows_what_waits_in_its_box_over_a_restart() -> None:
    world = watching(OWN, "8001", "8001")
    waiting = world.phones["8001"].waiting
    world.run(25.0)
    assert waiting == ["no 0/0", "yes 1/0"]
    (row,) = rows_of(world)
    world.admin.ask("voicemail.mark", {"voicemail": row.voicemail, "state": "heard"})
    world.run(1.0)
    world.restart_switch()
    world.run(1.0)
    world.phones["8001"].watch_box("8001")
    world.run(1.0)
    assert waiting[2:] == ["no 0/1", "no 0/1"]
    world.admin.ask("voicemail.mark", {"voicemail": row.voicemail, "state": "done"})
    world.run(1.0)
    assert waiting[4:] == ["no 0/0"]
    settle(world)


@pytest.mark.parametrize(
    ("box", "seat", "told"),
    [
        ("8001", "8002", []),  # a colleague's
        ("junior", "8001", ["no 0/0", "yes 1/0"]),  # of the queue that it serves
        ("public", "8001", ["no 0/0"]),
        ("complaint", "8001", []),  # there is none
        ("2001", "2001", ["no 0/0"]),  # an extension's: nobody leaves messages there
        ("public", "2001", []),
        ("junior", "2001", []),
    ],
)
def test_a_phone_shows_the_boxes_whose_messages_it_may_hear(box: str, seat: str, told: list[str]) -> None:
    town = Town(juniors=2, extensions=1, max_waiting=1, doors=('on_full = "voicemail"',))
    world = watching(town, seat, box)
    world.run(25.0)
    assert world.phones[seat].waiting == told
    settle(world)


def test_agents_who_know_of_no_messages_see_no_lamp() -> None:
    world = watching(
        Town(juniors=1, max_waiting=1, doors=OWN.doors, more_tenant='voicemail = {agents = "none"}'),
        "8001",
        "8001",
    )
    world.run(25.0)
    assert world.phones["8001"].waiting == []
    settle(world)


def test_a_phone_is_told_unasked_after_each_registration_and_of_each_change() -> None:
    town = Town(juniors=1, max_waiting=1, doors=OWN.doors, more_seat='mwi = "unsolicited"')
    world = watching(town, "8001")
    waiting = world.phones["8001"].waiting
    world.run(25.0)
    assert waiting == ["no 0/0", "yes 1/0"]
    world.phones["8001"].register()
    world.run(1.0)
    assert waiting[2:] == ["yes 1/0"]
    settle(world)


def test_names_of_boxes_are_no_numbers() -> None:
    """The shelf's lamps and those of seats are told by one table of who watches."""
    assert box_name("demo", "seat:8001") == "demo/seat:8001"
