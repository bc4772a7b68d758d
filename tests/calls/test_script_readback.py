"""readback: a number is read back until the caller agrees."""

from calls.script import Caller, Collect, Go, HangUp, Keys, Play, Return, ScriptRun, replay
from calls.script_readback import TRIES, readback

SAID = Play(("voice:en/4", "voice:en/2"), is_whole=True)


def test_who_agrees_goes_on() -> None:
    caller = Caller("1", "2", "demo", options={"then": "queue:junior", "into": "order", "digits": "2"})
    run = ScriptRun(readback(caller))
    assert run.begin() == Collect((), 2, "#")
    assert run.resume(Keys("42", "full")) == SAID
    assert run.resume(None) == Collect((), 1)
    assert run.resume(Keys("1", "full")) == Go("queue:junior")
    assert run.told() == {"order": "42"}


def test_who_does_not_agree_says_it_again_and_in_the_end_nothing() -> None:
    caller = Caller("1", "2", "demo")
    once = [Keys("42", "end"), None, Keys("2", "full")]
    agreed = replay(readback(caller), [*once, Keys("42", "end"), None, Keys("1", "full")])
    assert agreed[-1] == Return()
    assert replay(readback(caller), once * TRIES)[-1] == HangUp("nothing_agreed")
    assert replay(readback(caller), [Keys("", "timeout")] * TRIES)[-1] == HangUp("nothing_agreed")
