"""Menus: scripts that a configuration writes as nodes, and the one generator that walks them. Pure.

Where a node leads is the name of another node or a target: ``hangup``, ``return``, or what has a colon in it
(``queue:NAME``, ``seat:NUMBER``, ...).
"""

from collections.abc import Callable, Generator
from typing import Any

import msgspec

from calls import phrases
from calls.script import (
    At,
    BookCallback,
    Caller,
    Collect,
    Go,
    HangUp,
    IsListed,
    IsOpen,
    Keys,
    Note,
    Play,
    Request,
    Return,
    Script,
    Wait,
)

HANG_UP = "hangup"
RETURN = "return"
NUMBER_MAX = 999  # what is said as a number; anything longer is said digit by digit


class PlayNode(msgspec.Struct, frozen=True):
    """Play sounds, then say the value of a variable."""

    then: str
    sounds: tuple[str, ...] = ()
    say: str = ""  # a variable
    number: bool = False  # said as a number, not digit by digit
    whole: bool = False  # no key cuts it


class MenuNode(msgspec.Struct, frozen=True):
    """Play sounds and let the caller choose by one key."""

    keys: tuple[tuple[str, str], ...]  # key, where it leads
    sounds: tuple[str, ...] = ()
    within: float = 5.0
    retries: int = 2  # times that it is played again
    wrong: tuple[str, ...] = ()  # sounds to who pressed another key
    on_timeout: str = HANG_UP
    on_wrong: str = HANG_UP


class ReadNode(msgspec.Struct, frozen=True):
    """Play sounds and read digits into a variable."""

    into: str
    then: str
    sounds: tuple[str, ...] = ()
    least: int = 1
    most: int = 20
    end_key: str = "#"
    within: float = 5.0
    between: float = 3.0
    retries: int = 2
    wrong: tuple[str, ...] = ()  # sounds to who pressed too few
    on_timeout: str = HANG_UP  # nothing was pressed
    on_short: str = HANG_UP
    secret: bool = False


class BranchNode(msgspec.Struct, frozen=True):
    """Go where a variable, the caller's number, a calendar or a list says; one of the four."""

    otherwise: str
    variable: str = ""
    caller: bool = False
    cases: tuple[tuple[str, str], ...] = ()  # value, or 138* for its beginning; where it leads
    hours: str = ""
    list: str = ""
    then: str = ""  # open, or on the list


class SetNode(msgspec.Struct, frozen=True):
    """Set variables, and what the caller brings to the next queue."""

    then: str
    variables: tuple[tuple[str, str], ...] = ()
    credit: float | None = None
    skills: tuple[tuple[str, int], ...] = ()
    language: str = ""


class WaitNode(msgspec.Struct, frozen=True):
    """Let time pass."""

    then: str
    seconds: float
    sound: str = ""


class CallbackNode(msgspec.Struct, frozen=True):
    """Promise the caller to be called back."""

    queue: str
    then: str
    otherwise: str


class GoNode(msgspec.Struct, frozen=True):
    """Lead on to a target, or where it says when that does not take the caller."""

    to: str
    cases: tuple[tuple[str, str], ...] = ()  # why not, where it leads then
    otherwise: str = ""  # "": where the script says
    ring_for: float = 0.0  # seconds; 0: as long as any


class HangUpNode(msgspec.Struct, frozen=True):
    """Play sounds, and end the call."""

    sounds: tuple[str, ...] = ()
    cause: str = "script"


Node = PlayNode | MenuNode | ReadNode | BranchNode | SetNode | WaitNode | CallbackNode | GoNode | HangUpNode


class ScriptSettings(msgspec.Struct, frozen=True):
    """One script of a tenant: nodes, or the name of one in Python."""

    name: str
    tenant: str
    start: str = ""
    nodes: dict[str, Node] = {}
    language: str = "en"
    time_max: float = 600.0  # seconds that a caller may be in it
    on_limit: str = HANG_UP
    otherwise: str = HANG_UP  # where a caller is led whom a target does not take; hangup: the call ends
    music: str = "builtin:music"  # what the seat hears that has sent its caller into it
    python: str = ""
    options: dict[str, str] = {}


class _Memory:
    """What a walk through the nodes remembers."""

    __slots__ = ("credit", "language", "skills", "variables")

    def __init__(self, caller: Caller) -> None:
        self.variables = dict(caller.variables)
        self.language = caller.language
        self.credit = 0.0
        self.skills: tuple[tuple[str, int], ...] = ()


Step = Generator[Request, Any, str]


def walk(settings: ScriptSettings, caller: Caller) -> Script:
    """Walk the nodes from the first one until a target takes the caller or nothing follows."""
    memory, here = _Memory(caller), settings.start
    while True:
        node: Node | None = None
        while here in settings.nodes:
            yield At(here)
            node = settings.nodes[here]
            here = yield from _STEPS[type(node)](node, memory, caller)
        word, _, cause = here.partition(" ")
        if word == HANG_UP:
            yield HangUp(cause or "script")
            return
        if word == RETURN:
            yield Return()
            return
        go = node if isinstance(node, GoNode) else GoNode(here)
        why = yield Go(here, memory.credit, memory.skills, go.ring_for)
        here, before = dict(go.cases).get(why, go.otherwise) or settings.otherwise, here
        if here in (HANG_UP, before):
            return  # the call ends by what has come of the target


def _play(node: PlayNode, memory: _Memory, caller: Caller) -> Step:
    said = _said(node, memory)
    if node.sounds or said:
        yield Play(node.sounds + said, node.whole)
    return node.then


def _said(node: PlayNode, memory: _Memory) -> phrases.Sounds:
    value = memory.variables.get(node.say, "") if node.say else ""
    if node.number and value.isascii() and value.isdigit() and len(value) <= 9:
        if int(value) <= NUMBER_MAX:
            return phrases.number(memory.language, int(value))
    return phrases.digits(memory.language, value)


def _menu(node: MenuNode, memory: _Memory, caller: Caller) -> Step:
    ways, sounds = dict(node.keys), node.sounds
    for _ in range(node.retries + 1):
        keys: Keys = yield Collect(sounds, 1, "", node.within)
        if keys.digits in ways:
            return ways[keys.digits]
        sounds = (node.wrong if keys.digits else ()) + node.sounds
    return node.on_wrong if keys.digits else node.on_timeout


def _read(node: ReadNode, memory: _Memory, caller: Caller) -> Step:
    sounds = node.sounds
    for _ in range(node.retries + 1):
        keys: Keys = yield Collect(sounds, node.most, node.end_key, node.within, node.between)
        if len(keys.digits) >= node.least and (keys.digits or keys.how != "timeout"):
            memory.variables[node.into] = keys.digits
            yield Note(node.into, keys.digits, node.secret)
            return node.then
        is_silent = keys.how == "timeout" and not keys.digits
        sounds = (() if is_silent else node.wrong) + node.sounds
    return node.on_timeout if keys.how == "timeout" and not keys.digits else node.on_short


def _branch(node: BranchNode, memory: _Memory, caller: Caller) -> Step:
    if node.hours or node.list:
        holds = yield IsOpen(node.hours) if node.hours else IsListed(node.list)
        return node.then if holds else node.otherwise
    value = caller.caller if node.caller else memory.variables.get(node.variable, "")
    best, where = -1, node.otherwise
    for case, leads in node.cases:
        begin = case.removesuffix("*")
        if value == case:
            return leads
        if begin != case and value.startswith(begin) and len(begin) > best:
            best, where = len(begin), leads
    return where


def _set(node: SetNode, memory: _Memory, caller: Caller) -> Step:
    for name, value in node.variables:
        memory.variables[name] = value
        yield Note(name, value)
    if node.credit is not None:
        memory.credit = node.credit
    if node.skills:
        memory.skills = tuple(sorted((dict(memory.skills) | dict(node.skills)).items()))
    memory.language = node.language or memory.language
    return node.then


def _wait(node: WaitNode, memory: _Memory, caller: Caller) -> Step:
    yield Wait(node.seconds, node.sound)
    return node.then


def _callback(node: CallbackNode, memory: _Memory, caller: Caller) -> Step:
    is_booked = yield BookCallback(node.queue)
    return node.then if is_booked else node.otherwise


def _go(node: GoNode, memory: _Memory, caller: Caller) -> Step:
    yield from ()
    return node.to


def _hang_up(node: HangUpNode, memory: _Memory, caller: Caller) -> Step:
    if node.sounds:
        yield Play(node.sounds, is_whole=True)
    return f"{HANG_UP} {node.cause}"


_STEPS: dict[type, Callable[[Any, _Memory, Caller], Step]] = {
    PlayNode: _play,
    MenuNode: _menu,
    ReadNode: _read,
    BranchNode: _branch,
    SetNode: _set,
    WaitNode: _wait,
    CallbackNode: _callback,
    GoNode: _go,
    HangUpNode: _hang_up,
}
