"""``readback``: ask for a number, read it back and take it when the caller agrees. An example in Python.

Options: ``ask`` (a sound; none: a beep of silence is asked with), ``digits`` (how many), ``into`` (the
variable; number), ``yes`` (the key that agrees; 1), ``then`` (the target afterwards; return).
"""

from calls import phrases
from calls.script import At, Caller, Collect, Go, HangUp, Note, Play, Return, Script

TRIES = 3


def readback(caller: Caller) -> Script:
    """Give the number that was agreed on, or hang up on who agrees to none."""
    options = caller.options
    ask = (options["ask"],) if "ask" in options else ()
    digits, yes = int(options.get("digits", "20")), options.get("yes", "1")
    for _ in range(TRIES):
        yield At("ask")
        said = yield Collect(ask, digits, "#")
        if not said.digits:
            continue
        yield At("read back")
        yield Play(phrases.digits(caller.language, said.digits), is_whole=True)
        agreed = yield Collect((), 1)
        if agreed.digits == yes:
            yield Note(options.get("into", "number"), said.digits)
            then = options.get("then", "return")
            yield Return() if then == "return" else Go(then)
            return  # nobody is asked twice because nobody is there
    yield HangUp("nothing_agreed")
