"""Lists of callers: who is kept out, who gets past that, who is credited; changed by operators, with ends.

The moment 0 of a floor is Friday 2027-01-15 08:00 UTC, epoch 1_800_000_000.
"""

from typing import Any

from acd.inputs import (
    CallbackBooked,
    CallJoined,
    DialWanted,
    ListEntryAdded,
    ListEntryRemoved,
    ListEntryRestored,
    Reconfigured,
)
from acd.lists import AsWritten
from acd.settings import ListSettings
from calls.numbers import Numbers
from kernel.ids import CallId, QueueName, SeatId
from kernel.limits import LIST_ENTRIES_MAX
from kernel.rows import ListEntryRow
from queues.callers import ListEntry
from queues.settings import EntrySettings

EPOCH = 1_800_000_000.0
BAD, GOOD = "13800000666", "13800000001"


def listing(name: str, kind: str, *numbers: str, **more: Any) -> ListSettings:
    return ListSettings(name, "demo", kind, entries=tuple(ListEntry(it) for it in numbers), **more)


def floor_of(kit: Any, *lists: ListSettings, **more: Any) -> Any:
    """Two queues and one seat for both, signed in and paused."""
    queues = (kit.queue(**more), kit.queue("other"))
    floor = kit.floor(queues, (kit.seat("8001", 0, ("junior", "other")),), lists=lists)
    floor.sign_in("8001", presence="paused", reason="rest")
    return floor


def story(floor: Any) -> list[tuple[str, str, str, str]]:
    return [(row.call, row.outcome, row.cause, row.target) for row in floor.visits()]


def waits(floor: Any, call: str) -> bool:
    return floor.engine.waiting(CallId(call)) is not None


# Kept out.


def test_a_black_number_is_refused_before_anything_else_and_is_not_offered(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black", BAD, "1390*"))
    floor.join("a", caller=BAD)
    floor.join("b", caller="13900000000")
    floor.join("c", caller=GOOD)
    assert story(floor) == [("a", "refused", "barred", ""), ("b", "refused", "barred", "")]
    assert [(each.call, each.outcome, each.cause) for each in floor.released()] == [
        ("a", "refused", "barred"),
        ("b", "refused", "barred"),
    ]
    assert waits(floor, "c")
    counted = floor.engine.queues["junior"].statistics.total
    assert (counted.refused, counted.offered) == (2, 0)


def test_a_target_takes_who_is_barred(kit: Any) -> None:
    floor = floor_of(
        kit,
        listing("nuisance", "black", BAD, queues=("junior",)),
        entry=EntrySettings(on_barred="queue:other"),
    )
    floor.join("a", caller=BAD)
    assert story(floor) == [("a", "overflowed", "barred", "queue:other")]
    assert floor.engine.waiting(CallId("a")).queue == "other"


def test_a_list_of_one_queue_says_nothing_of_another_nor_of_the_tenant_s_numbers(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black", BAD, queues=("junior",)))
    floor.join("a", "other", caller=BAD)
    assert waits(floor, "a")
    assert not floor.engine.bars("demo", BAD, floor.now)
    floor.join("b", caller=BAD)
    assert story(floor) == [("b", "refused", "barred", "")]


def test_a_list_without_queues_is_about_every_number_of_the_tenant(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black", BAD))
    assert floor.engine.bars("demo", BAD, floor.now)
    assert not floor.engine.bars("demo", GOOD, floor.now)
    assert not floor.engine.bars("south", BAD, floor.now)


def test_who_waits_in_another_queue_is_barred_where_it_overflows_to(kit: Any) -> None:
    """The queue that bars ends the call when it has no other target: nothing leads there then."""
    floor = floor_of(
        kit, listing("nuisance", "black", BAD, queues=("other",)), max_wait=30.0, on_timeout="queue:other"
    )
    floor.join("a", caller=BAD)
    floor.join("b", caller=GOOD)
    floor.at(30.0)
    assert story(floor) == [
        ("a", "timed_out", "max_wait", ""),
        ("b", "overflowed", "max_wait", "queue:other"),
    ]


def test_withheld_numbers_are_one_entry(kit: Any) -> None:
    floor = floor_of(kit, listing("hidden", "black", "anonymous"))
    for call, caller in (("a", "Anonymous"), ("b", ""), ("c", "restricted"), ("d", "13800000001")):
        floor.join(call, caller=caller)
    assert [call for call, *_ in story(floor)] == ["a", "b", "c"]


# Let through.


def test_a_white_number_passes_the_black_lists(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black", "138*"), listing("friends", "white", GOOD))
    floor.join("a", caller=GOOD)
    floor.join("b", caller=BAD)
    assert waits(floor, "a")
    assert story(floor) == [("b", "refused", "barred", "")]


def test_only_a_white_list_lets_in_where_it_says_so(kit: Any) -> None:
    floor = floor_of(kit, listing("members", "white", GOOD, only=True, queues=("junior",)))
    floor.join("a", caller=GOOD)
    floor.join("b", caller=BAD)
    floor.join("c", "other", caller=BAD)
    assert story(floor) == [("b", "refused", "barred", "")]
    assert waits(floor, "a")
    assert waits(floor, "c")


# Credited (VIP).


def test_a_white_list_credits_its_callers_on_top_of_the_queue_and_says_so(kit: Any) -> None:
    """At 100 s a VIP with 60 s joins behind one who has waited for 90 s and before one who has for 50 s."""
    floor = floor_of(kit, listing("gold", "white", GOOD, credit=60.0), priority_credit=30.0)
    floor.at(10.0).join("long")
    floor.at(50.0).join("short")
    floor.at(100.0).join("vip", caller=GOOD)
    assert [floor.engine.position(CallId(call), floor.now) for call in ("long", "vip", "short")] == [1, 2, 3]
    said = floor.engine.explain_call(CallId("vip"), floor.now)
    assert (said["credit"], said["vip"], said["position"]) == (90.0, "gold", 2)
    assert floor.engine.explain_call(CallId("long"), floor.now)["vip"] is None
    floor.at(110.0).leave("vip")
    floor.leave("long")
    assert [(row.call, row.priority_credit) for row in floor.visits()] == [("vip", 90.0), ("long", 30.0)]


def test_the_most_generous_of_several_lists_counts_and_a_credit_goes_along_to_the_next_queue(
    kit: Any,
) -> None:
    floor = floor_of(
        kit,
        listing("silver", "white", "138*", credit=20.0),
        listing("gold", "white", GOOD, credit=60.0, queues=("junior",)),
        max_wait=30.0,
        on_timeout="queue:other",
    )
    floor.join("a", caller=GOOD)
    floor.join("b", caller=BAD)
    floor.at(30.0)
    there = [floor.engine.waiting(CallId(call)) for call in ("a", "b")]
    assert [(it.queue, it.credit, it.vip) for it in there] == [
        ("other", 60.0, "gold"),
        ("other", 20.0, "silver"),
    ]
    floor.do(CallJoined(CallId("c"), QueueName("other"), GOOD))
    assert floor.engine.waiting(CallId("c")).credit == 20.0


def test_a_promise_to_call_a_vip_back_stands_as_the_vip_would(kit: Any) -> None:
    floor = floor_of(kit, listing("gold", "white", GOOD, credit=60.0))
    floor.at(30.0).join("a")
    floor.at(50.0).do(CallbackBooked("cb", QueueName("junior"), GOOD))
    assert [(it["callback"], it["position"]) for it in floor.engine.callbacks.views(floor.now)] == [("cb", 1)]


# Operators.


def add(floor: Any, number: str, name: str = "nuisance", **more: Any) -> None:
    floor.do(ListEntryAdded(name, number, **more))


def rows(floor: Any) -> list[ListEntryRow]:
    return [row for row in floor.rows if isinstance(row, ListEntryRow)]


def test_a_number_is_added_counts_from_the_next_call_on_and_is_taken_off(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black"))
    floor.join("a", caller=BAD)
    add(floor, BAD, note="swears", added_by="8019")
    floor.join("b", caller=BAD)
    assert waits(floor, "a")
    assert story(floor) == [("b", "refused", "barred", "")]
    floor.at(5.0).do(ListEntryRemoved("nuisance", BAD, "has apologised", "8020"))
    floor.join("c", caller=BAD)
    assert waits(floor, "c")
    assert rows(floor) == [
        ListEntryRow(f"nuisance {BAD}", "nuisance", BAD, None, "swears", "8019", EPOCH, is_removed=False),
        ListEntryRow(
            f"nuisance {BAD}", "nuisance", BAD, None, "has apologised", "8020", EPOCH + 5, is_removed=True
        ),
    ]


def test_an_entry_ends_by_its_deadline_and_frees_its_place(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black"))
    add(floor, BAD, until=EPOCH + 100.0)
    add(floor, "139*", until=EPOCH + 200.0)
    assert floor.timers.next_deadline() == 100.0
    floor.at(99.9).join("a", caller=BAD)
    floor.at(100.0).join("b", caller=BAD)
    floor.join("c", caller="13900000000")
    assert story(floor) == [("a", "refused", "barred", ""), ("c", "refused", "barred", "")]
    (view,) = floor.engine.lists.views()
    assert view["numbers"] == 1
    floor.at(200.0)
    (view,) = floor.engine.lists.views()
    assert view["numbers"] == 0


def test_a_clock_that_is_set_back_lets_nobody_in_early(kit: Any) -> None:
    """The end is a moment of the wall clock: an hour back means an hour more."""
    floor = floor_of(kit, listing("nuisance", "black"))
    add(floor, BAD, until=EPOCH + 100.0)
    floor.at(50.0)
    floor.walltime.set_offset(EPOCH - 3600.0)
    floor.at(150.0).join("a", caller=BAD)
    assert story(floor) == [("a", "refused", "barred", "")]
    floor.at(3700.0).join("b", caller=BAD)
    assert waits(floor, "b")


def test_operators_win_over_the_configuration_until_their_word_ends(kit: Any) -> None:
    lists = (listing("nuisance", "black", BAD),)
    floor = floor_of(kit, *lists)
    floor.do(ListEntryRemoved("nuisance", BAD))
    floor.join("a", caller=BAD)
    assert waits(floor, "a")
    floor.do(Reconfigured(floor.engine.settings))
    floor.join("b", caller=BAD)
    assert waits(floor, "b")  # a reload changes nothing of it
    add(floor, BAD, until=EPOCH + 100.0, note="until tomorrow")
    floor.at(100.0).join("c", caller=BAD)
    assert story(floor) == [("c", "refused", "barred", "")]  # what the configuration says is there again


def test_a_reload_brings_and_takes_numbers_and_lists(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black", BAD))
    add(floor, "200")
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8001"),))))
    floor.join("a", caller=BAD)
    assert waits(floor, "a")
    assert floor.refused(ListEntryAdded("nuisance", "1")) == "NO_SUCH_LIST"
    again = (listing("nuisance", "black", "300"),)
    floor.do(Reconfigured(kit.settings((kit.queue(),), (kit.seat("8001"),), lists=again)))
    for call, caller in (("b", BAD), ("c", "200"), ("d", "300")):
        floor.join(call, caller=caller)
    assert [call for call, *_ in story(floor)] == ["c", "d"]


def test_what_operators_said_outlives_a_restart(kit: Any) -> None:
    lists = (listing("nuisance", "black", BAD),)
    floor = floor_of(kit, *lists)
    floor.do(ListEntryRemoved("nuisance", BAD))
    add(floor, "200", until=EPOCH + 100.0)
    add(floor, "300", until=EPOCH + 10.0)
    kept = {row.entry: row for row in rows(floor)}
    later = floor_of(kit, *lists)
    later.at(50.0)
    for row in kept.values():
        later.do(ListEntryRestored(row))
    for call, caller in (("a", BAD), ("b", "200"), ("c", "300")):
        later.join(call, caller=caller)
    assert [call for call, *_ in story(later)] == ["b"]
    later.at(100.0).join("d", caller="200")
    assert waits(later, "d")


def test_refusals_of_operators(kit: Any) -> None:
    floor = floor_of(kit, listing("nuisance", "black"))
    assert floor.refused(ListEntryAdded("friends", "1")) == "NO_SUCH_LIST"
    assert floor.refused(ListEntryAdded("nuisance", "*")) == "BAD_NUMBER"
    assert floor.refused(ListEntryAdded("nuisance", "1" * 33)) == "BAD_NUMBER"
    assert floor.refused(ListEntryAdded("nuisance", "1", EPOCH)) == "BAD_NUMBER"
    assert floor.refused(ListEntryRemoved("nuisance", "1")) == "NOT_LISTED"


def test_a_list_is_bounded_and_so_is_what_is_kept_of_ends(kit: Any) -> None:
    lists = (ListSettings("nuisance", "demo", "black"),)
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), lists=lists)
    known = floor.engine.lists
    for number in range(LIST_ENTRIES_MAX):
        known.add(ListEntryAdded("nuisance", str(number), EPOCH + 3600.0), 0.0)
    assert floor.refused(ListEntryAdded("nuisance", "x")) == "LIST_FULL"
    for _ in range(1_000):
        known.add(ListEntryAdded("nuisance", "7", EPOCH + 7200.0), 0.0)
    assert len(known._ends) <= 2 * LIST_ENTRIES_MAX + 64


# Numbers as people write them.


def test_numbers_are_compared_in_e164_where_a_country_is_known(kit: Any) -> None:
    lists = (
        listing("nuisance", "black", "138 0000 0666", "0108*", "96198"),
        listing("friends", "white", "+8613900000000"),
    )
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), lists=lists, numbers=Numbers("CN"))
    barred = ("+8613800000666", "13800000666", "008613800000666", "01081234567", "+861081234567", "96198")
    for number, caller in enumerate((*barred, "13800000667", "+4930123456", "9619")):
        floor.join(f"c{number}", caller=caller)
    assert [call for call, *_ in story(floor)] == [f"c{number}" for number in range(len(barred))]
    assert floor.engine.lists.form_of("138*") == "+86138*"
    add(floor, "139*")
    floor.join("white", caller="13900000000")
    assert waits(floor, "white")


def test_another_country_reads_the_configuration_again(kit: Any) -> None:
    numbers = Numbers("")
    lists = (listing("nuisance", "black", BAD),)
    floor = kit.floor((kit.queue(),), (kit.seat("8001"),), lists=lists, numbers=numbers)
    numbers.read_as("CN")
    floor.do(Reconfigured(floor.engine.settings))
    floor.join("a", caller=f"+86{BAD}")
    assert story(floor) == [("a", "refused", "barred", "")]


def test_as_written_is_as_written() -> None:
    assert (AsWritten().e164("0 1"), AsWritten().prefix("0 1"), AsWritten().country) == ("0 1", "0 1", "")


def test_numbers_on_a_black_list_of_the_tenant_are_not_dialled(kit: Any) -> None:
    """One of some queues only keeps callers out of those; a white one allows nothing that is black."""
    floor = floor_of(kit, listing("bad", "black", BAD), listing("few", "black", GOOD, queues=("junior",)))
    assert floor.refused(DialWanted(SeatId("8001"), BAD)) == "BLACKLIST"
    floor.do(DialWanted(SeatId("8001"), GOOD))
