"""Scripts: what a caller hears and presses without a person at the other end, as straight-line code.

A script is a generator. It yields requests and is resumed with what came of each: ``None`` of :class:`Play`
and :class:`Wait`, :class:`Keys` of :class:`Collect`, yes or no of :class:`IsOpen`, :class:`IsListed` and
:class:`BookCallback`, and of :class:`Go` why the caller was not taken: who gets there does not come back.
:class:`HangUp` and :class:`Return` are its last word; running off its end is :class:`Return`, or, behind a
:class:`Go` in vain, the end of the call with what that one says. It awaits nothing, reads no clock and keeps
no state but its own variables, so that the same inputs give the same requests: a run is replayed by
:func:`replay`.

Rule: a run ends. It has :data:`STEPS_MAX` requests, :data:`KEYS_MAX` keys at a time, and what goes wrong in
it is a :class:`Failed` request, never an exception.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Protocol

import msgspec

STEPS_MAX = 1_000  # requests of one run: a script that goes round and round ends here
KEYS_MAX = 32  # of one Collect, and of those that are pressed ahead
VARIABLES_MAX = 50
VALUE_MAX = 200  # characters of a variable
PATH_MAX = 100  # places that a run's row names; the first and the last of a longer way
MASK = "***"  # what stands for a secret wherever anybody looks
SECONDS_MAX = 1e9  # finite is what matters: a credit may be as large as the configuration likes
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=SECONDS_MAX)]


class Play(msgspec.Struct, frozen=True):
    """Play sounds to their end. A key stops them, and is kept for what collects next, unless they are to be
    heard whole.
    """

    sounds: tuple[str, ...]
    is_whole: bool = False


class Collect(msgspec.Struct, frozen=True):
    """Play sounds, which the first key stops, and collect keys: ``most``, or up to ``end_key``.

    ``within``: seconds from the end of the sounds to the first key; ``between``: from key to key.
    """

    sounds: tuple[str, ...] = ()
    most: Annotated[int, msgspec.Meta(ge=1)] = 1
    end_key: str = ""
    within: Seconds = 5.0
    between: Seconds = 3.0


class Keys(msgspec.Struct, frozen=True):
    """What came of a :class:`Collect`: ``how`` is full, end (by the end key) or timeout."""

    digits: str
    how: str


class Wait(msgspec.Struct, frozen=True):
    """Let time pass, in silence or with a sound that is played again and again; keys are kept."""

    seconds: Seconds
    sound: str = ""


class IsOpen(msgspec.Struct, frozen=True):
    """Ask whether a calendar of the configuration is open now."""

    hours: str


class IsListed(msgspec.Struct, frozen=True):
    """Ask whether the caller is on a list of the configuration."""

    list: str


class BookCallback(msgspec.Struct, frozen=True):
    """Promise the caller to be called back by a queue; answered with whether that could be."""

    queue: str


class At(msgspec.Struct, frozen=True):
    """Say where the script is, for the row of the run and for who looks."""

    place: str


class Note(msgspec.Struct, frozen=True):
    """Keep a variable: its seat and its row are told of it, a secret one as :data:`MASK`."""

    name: str
    value: str
    is_secret: bool = False


class Go(msgspec.Struct, frozen=True):
    """Lead the caller on: ``queue:NAME``, ``queue:NAME/SEAT``, ``seat:NUMBER``, ``extension:NUMBER``,
    ``number:DIGITS``, ``ivr:NAME`` or ``message:SOUND``.

    ``credit`` (seconds of waiting) and ``skills`` (name, minimum) are for a queue; a phone rings for
    ``ring_for`` seconds, 0: as long as any. Resumed with a word of :mod:`calls.leading`, or the cause of the
    visit to a queue, where the caller was not taken.
    """

    target: str
    credit: Seconds = 0.0
    skills: tuple[tuple[str, int], ...] = ()
    ring_for: Seconds = 0.0


class HangUp(msgspec.Struct, frozen=True):
    """End the call, which was a success: the caller has what it came for. ``cause`` is one word."""

    cause: str = "script"


class Return(msgspec.Struct, frozen=True):
    """Give the caller back to the seat that it came from; who came from none is hung up."""


class Failed(msgspec.Struct, frozen=True):
    """What a run says in the place of a script that cannot go on: ``cause`` is failed, limit or unreached
    (nothing follows a :class:`Go` in vain).
    """

    cause: str
    error: str = ""


Request = Play | Collect | Wait | IsOpen | IsListed | BookCallback | At | Note | Go | HangUp | Return | Failed
ENDINGS = (HangUp, Return, Failed)
UNREACHED = "unreached"
Script = Generator[Request, Any, None]


class Caller(msgspec.Struct, frozen=True):
    """Whom a script speaks to."""

    caller: str
    called: str
    tenant: str
    language: str = "en"
    variables: Mapping[str, str] = {}  # of the scripts that it came through before; secrets are not handed on
    options: Mapping[str, str] = {}  # what the configuration says to a script in Python


Write = Callable[[Caller], Script]


class TookTooLong(BaseException):
    """A script in Python has computed for so long that nobody else was served; a guard raises it in there."""


class Guard(Protocol):
    """Who looks at the clock while a script in Python runs."""

    def begin(self, name: str, script: Script) -> None:
        """The code of ``script`` is about to run."""

    def end(self) -> None:
        """It has yielded, or is over."""


SLIPS = (Exception, SystemExit, TookTooLong)  # what may come out of a script, and ends its call alone


class ScriptRun:
    """One run of one script."""

    __slots__ = ("_guard", "_has_led", "_name", "_script", "inputs", "path", "secrets", "steps", "variables")

    def __init__(
        self,
        script: Script,
        variables: Mapping[str, str] = {},
        guard: Guard | None = None,
        name: str = "",
    ) -> None:
        self._script = script
        self._guard, self._name = guard, name
        self._has_led = False  # the last thing that it asked for was a Go
        self.inputs: list[Any] = []  # what it was resumed with, in order
        self.path: list[str] = []
        self.steps = 0
        self.variables: dict[str, str] = dict(variables)
        self.secrets: dict[str, bool] = {}

    def begin(self) -> Request:
        """Return the first request that somebody else must answer."""
        return self._next(None)

    def resume(self, result: Any) -> Request:
        """Hand in what came of the last request, and return the next one."""
        self.inputs.append(result)
        return self._next(result)

    def close(self) -> None:
        """The run is over, whatever the script would have done."""
        with suppress(*SLIPS):  # whatever it says to that, it is dropped
            self._guarded(self._script.close)

    @property
    def place(self) -> str:
        """Where the script is, in its own words; "" where it has not said."""
        return self.path[-1] if self.path else ""

    def told(self) -> dict[str, str]:
        """Return the variables as anybody may see them."""
        return {name: MASK if name in self.secrets else value for name, value in self.variables.items()}

    def open(self) -> dict[str, str]:
        """Return the variables that another script may have."""
        return {name: value for name, value in self.variables.items() if name not in self.secrets}

    def _next(self, result: Any) -> Request:
        while True:
            self.steps += 1
            if self.steps > STEPS_MAX:
                return Failed("limit", f"more than {STEPS_MAX} requests")
            try:
                # A generator that has just begun takes nothing but None.
                asked = self._guarded(self._script.send, result)
            except StopIteration:
                return Failed(UNREACHED) if self._has_led else Return()
            except SLIPS as error:  # a script's slip ends its call, not the switch
                return Failed("failed", f"{type(error).__name__} in line {_line_of(error)}")
            result = None
            if not isinstance(asked, Request):
                return Failed("failed", f"yields {type(asked).__name__}, which is no request")
            request = _checked(asked)
            if isinstance(request, At):
                self._arrive(request.place)
            elif isinstance(request, Note):
                self._note(request)
            else:
                self._has_led = isinstance(request, Go)
                return request

    def _guarded(self, verb: Callable[..., Any], *what: Any) -> Any:
        guard = self._guard
        if guard is None:
            return verb(*what)
        guard.begin(self._name, self._script)
        try:
            return verb(*what)
        finally:
            guard.end()

    def _arrive(self, place: str) -> None:
        if len(self.path) >= PATH_MAX:
            del self.path[PATH_MAX // 2]
        self.path.append(place[:VALUE_MAX])

    def _note(self, note: Note) -> None:
        if note.name in self.variables or len(self.variables) < VARIABLES_MAX:
            self.variables[note.name] = note.value[:VALUE_MAX]
            self.secrets.pop(note.name, None)
            if note.is_secret:
                self.secrets[note.name] = True


def _checked(request: Request) -> Request:
    """Return the request with its fields as its class says, or what is wrong with one of them.

    Making a struct checks nothing, and a script in Python may put anything into it.
    """
    try:
        return msgspec.convert(msgspec.structs.asdict(request), type(request))
    except msgspec.ValidationError as error:
        where = str(error).rpartition("`$.")[2].rstrip("`")
        return Failed("failed", f"yields {type(request).__name__} with a wrong {where}")


def _line_of(error: BaseException) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno
        trace = trace.tb_next
    return line


def replay(script: Script, inputs: Iterable[Any]) -> list[Request]:
    """Return what a script asks when it is told ``inputs``, its last word at the end if it comes to one."""
    run = ScriptRun(script)
    asked = [run.begin()]
    for result in inputs:
        if isinstance(asked[-1], ENDINGS):
            break
        asked.append(run.resume(result))
    run.close()
    return asked
