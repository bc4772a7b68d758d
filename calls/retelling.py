"""Retelling: a script that has led its caller to a queue goes on in the next process, should this one die.

A script keeps no state but what it was told, so that is what is written down while the caller waits; the
next process tells it again, as fast as it computes and without a sound, until it leads to the same queue.

Rule: keys are written down only as far as the script itself has made them known: a single key, which chooses
from a menu, or the value of a variable that is not secret. Of a script that was told more nothing is.
"""

import msgspec

from calls.script import ENDINGS, Caller, Go, Keys, ScriptRun

Told = None | bool | str | tuple[str, str]  # keys are digits and how


class Led(msgspec.Struct, frozen=True, array_like=True):
    """What a script was told until it led its caller to ``target``."""

    target: str
    caller: str
    called: str
    brought: dict[str, str]  # variables of the scripts before
    told: tuple[Told, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Led)


def write_down(run: ScriptRun, caller: Caller, target: str) -> bytes:
    """Return what the next process needs to go on; b"" where it must not know that."""
    if run.secrets:
        return b""
    known = dict.fromkeys(run.variables.values())
    told: list[Told] = []
    for result in run.inputs:
        if not isinstance(result, Keys):
            told.append(result)
        elif len(result.digits) <= 1 or result.digits in known:
            told.append((result.digits, result.how))
        else:
            return b""
    return _encoder.encode(Led(target, caller.caller, caller.called, dict(caller.variables), tuple(told)))


def read(written: bytes) -> Led | None:
    """Return what was written down, None if nothing was."""
    return _decoder.decode(written) if written else None


def tell_again(run: ScriptRun, led: Led) -> bool:
    """Tell a script that has just begun what it was told before; return whether it leads where it did: its
    configuration may have changed meanwhile.
    """
    request = run.begin()
    for told in led.told:
        if isinstance(request, ENDINGS):
            return False
        request = run.resume(Keys(*told) if isinstance(told, tuple) else told)
    return isinstance(request, Go) and request.target == led.target
