"""Scripts: a run does what its script says, ends whatever that does, and is replayed by its inputs."""

from math import inf, nan
from typing import Any, cast

import pytest

from calls.script import (
    MASK,
    PATH_MAX,
    STEPS_MAX,
    VALUE_MAX,
    VARIABLES_MAX,
    At,
    Collect,
    Failed,
    Go,
    HangUp,
    Keys,
    Note,
    Play,
    Request,
    Return,
    Script,
    ScriptRun,
    Wait,
    replay,
)


def account() -> Script:
    yield At("ask")
    keys = yield Collect(("which",), 6, "#")
    yield Note("account", keys.digits)
    yield At("pin")
    pin = yield Collect(("pin",), 4)
    yield Note("pin", pin.digits, is_secret=True)
    yield Play(("thanks",))
    yield Go("queue:junior" if keys.digits.startswith("1") else "queue:senior")


INPUTS = [Keys("123456", "full"), Keys("9876", "full"), None]


def test_a_run_asks_and_is_told() -> None:
    run = ScriptRun(account())
    assert run.begin() == Collect(("which",), 6, "#")
    assert run.place == "ask"
    assert run.resume(INPUTS[0]) == Collect(("pin",), 4)
    assert run.resume(INPUTS[1]) == Play(("thanks",))
    assert run.resume(None) == Go("queue:junior")
    assert (run.path, run.inputs) == (["ask", "pin"], INPUTS)


def test_a_secret_is_shown_to_nobody_and_handed_on_to_no_script() -> None:
    run = ScriptRun(account())
    run.begin()
    for result in INPUTS:
        run.resume(result)
    assert run.told() == {"account": "123456", "pin": MASK}
    assert run.open() == {"account": "123456"}
    assert run.variables["pin"] == "9876"


def test_the_same_inputs_give_the_same_requests() -> None:
    first = replay(account(), INPUTS)
    assert first == replay(account(), INPUTS)
    assert first[-1] == Go("queue:junior")
    assert replay(account(), [Keys("2", "end"), *INPUTS[1:]])[-1] == Go("queue:senior")
    assert replay(account(), INPUTS[:1]) == first[:2]
    # A target that takes the caller says nothing; one that does not says why, and nothing follows here.
    assert replay(account(), [*INPUTS, "busy", None]) == [*first, Failed("unreached")]


def test_who_runs_off_the_end_returns() -> None:
    def empty() -> Script:
        yield from ()

    assert ScriptRun(empty()).begin() == Return()


def test_a_slip_of_a_script_is_told_with_its_line_and_nothing_that_was_read() -> None:
    def slips() -> Script:
        keys = yield Collect()
        yield Go("queue:" + {}[keys.digits])

    run = ScriptRun(slips())
    run.begin()
    failed = run.resume(Keys("4711", "full"))
    assert isinstance(failed, Failed)
    assert failed.cause == "failed"
    assert failed.error.startswith("KeyError in line ")
    assert "4711" not in failed.error


def test_what_is_no_request_is_a_slip_too() -> None:
    def wrong() -> Any:
        yield "play something"

    assert ScriptRun(wrong()).begin() == Failed("failed", "yields str, which is no request")


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (At(cast(str, 7)), "At with a wrong place"),
        (Note("n", cast(str, 5)), "Note with a wrong value"),
        (Wait(nan), "Wait with a wrong seconds"),
        (Wait(inf), "Wait with a wrong seconds"),
        (Wait(cast(float, "5")), "Wait with a wrong seconds"),
        (Wait(-1.0), "Wait with a wrong seconds"),
        (Collect(most=0), "Collect with a wrong most"),
        (Collect(within=cast(float, None)), "Collect with a wrong within"),
        (Play(("a", cast(str, 1))), "Play with a wrong sounds[1]"),
        (Go("queue:a", credit=nan), "Go with a wrong credit"),
        (Go("queue:a", skills=(("en", cast(int, "1")),)), "Go with a wrong skills[0][1]"),
    ],
)
def test_a_request_with_a_wrong_field_is_a_slip_and_reaches_nobody(request_: Request, what: str) -> None:
    def slips() -> Script:
        yield request_

    assert ScriptRun(slips()).begin() == Failed("failed", f"yields {what}")


def test_a_credit_may_be_days() -> None:
    def leads() -> Script:
        yield Go("queue:a", credit=3 * 86_400.0)

    assert ScriptRun(leads()).begin() == Go("queue:a", credit=3 * 86_400.0)


def test_a_script_that_leaves_the_program_ends_its_call_alone() -> None:
    def leaves() -> Script:
        yield At("here")
        raise SystemExit

    failed = ScriptRun(leaves()).begin()
    assert isinstance(failed, Failed)
    assert failed.error.startswith("SystemExit in line ")


def test_a_script_that_goes_round_and_round_ends() -> None:
    def round_and_round() -> Script:
        while True:
            yield At("here")

    run = ScriptRun(round_and_round())
    assert run.begin() == Failed("limit", f"more than {STEPS_MAX} requests")
    assert len(run.path) == PATH_MAX


def test_a_script_that_waits_for_ever_ends_by_its_steps() -> None:
    def waits() -> Script:
        while True:
            yield Wait(1.0)

    run = ScriptRun(waits())
    asked = run.begin()
    turns = 0
    while isinstance(asked, Wait):
        asked, turns = run.resume(None), turns + 1
    assert (asked, turns) == (Failed("limit", f"more than {STEPS_MAX} requests"), STEPS_MAX)


def test_variables_are_bounded() -> None:
    def greedy() -> Script:
        for number in range(VARIABLES_MAX + 5):
            yield Note(f"v{number}", "x" * 1_000)
        yield Note("v0", "again")

    run = ScriptRun(greedy())
    run.begin()
    assert len(run.variables) == VARIABLES_MAX
    assert run.variables["v0"] == "again"
    assert len(run.variables["v1"]) == VALUE_MAX


def test_a_secret_that_is_said_openly_is_none_any_more() -> None:
    def opens() -> Script:
        yield Note("pin", "1", is_secret=True)
        yield Note("pin", "ok")

    run = ScriptRun(opens())
    run.begin()
    assert run.told() == {"pin": "ok"}


def test_a_script_that_is_closed_may_clean_up_and_say_no_more() -> None:
    ends: list[str] = []

    def cleans() -> Script:
        try:
            yield Play(("a",))
        finally:
            ends.append("over")

    run = ScriptRun(cleans())
    run.begin()
    run.close()
    assert ends == ["over"]


def test_a_script_that_will_not_end_is_dropped() -> None:
    def stubborn() -> Script:
        try:
            yield Play(("a",))
        except GeneratorExit:
            yield HangUp()

    run = ScriptRun(stubborn())
    assert run.begin() == Play(("a",))
    run.close()
    assert run.resume(None) == Return()
