"""Scripts in Python by name. A new one is a file beside this and a line in :data:`SCRIPTS` (docs/ivr.md).

A script is a function that takes a :class:`~calls.script.Caller` and yields requests of that module.
"""

from calls.menu import ScriptSettings, walk
from calls.script import Caller, Script, Write
from calls.script_readback import readback

SCRIPTS: dict[str, Write] = {"readback": readback}


def begin(settings: ScriptSettings, caller: Caller) -> Script:
    """Return the script that ``settings`` name, about to begin."""
    write = SCRIPTS.get(settings.python)
    return walk(settings, caller) if write is None else write(caller)
