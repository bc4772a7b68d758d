"""Scripts (IVR) as a configuration gives them: ``[tenant.ivr.NAME]`` and its nodes, checked as a whole.

Beside every name and every sound it is looked at where nodes lead: one that nobody reaches is a slip, and so
is a way round on which the caller is asked nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from calls import menu, phrases
from calls.leading import MAY_TURN_AWAY, PHONE_WORDS
from calls.menu import HANG_UP, RETURN, Node, ScriptSettings
from calls.scriptbook import SCRIPTS
from config.accept import KEYS
from config.entry import (
    VOICEMAIL,
    Calendars,
    calendar_of,
    check_mailbox,
    check_target,
    check_wanted_seat,
    queue_of_level,
)
from config.network import check_name
from config.reading import Read, Reader, show, suggest
from config.tables import (
    BranchTable,
    GoTable,
    HangUpTable,
    IvrTable,
    MenuTable,
    PlayTable,
    PromiseTable,
    ReadTable,
    SetTable,
    Table,
    WaitTable,
)
from queues.settings import QueueSettings, Requirement

NODES_MAX = 200  # of one script
DIGITS_MAX = 32
TIME_MIN, TIME_MAX = 10.0, 7200.0  # seconds that one script may last
KINDS = (
    "hangup, return, queue:NAME, level:NAME, seat:NUMBER, extension:NUMBER, number:DIGITS, ivr:NAME, "
    "message:SOUND, voicemail:public, voicemail:SEAT"
)

# Why a target does not take a caller: of a queue as in the row of the visit.
QUEUE_WORDS = (
    *("closed", "full", "empty", "barred", "suspended", "estimate", "ratio", "seat_away"),
    *("max_wait", "seat_wait", "queue_removed"),
)
RING_MIN, RING_MAX = 1.0, 300.0  # seconds that a phone rings, where a node says

TABLES: dict[str, type[Table]] = {
    "play": PlayTable,
    "menu": MenuTable,
    "read": ReadTable,
    "branch": BranchTable,
    "set": SetTable,
    "wait": WaitTable,
    "callback": PromiseTable,
    "go": GoTable,
    "hangup": HangUpTable,
}


class Known(NamedTuple):
    """What scripts may name."""

    queues: Mapping[str, QueueSettings]
    ranks: Mapping[str, int]
    seats: Mapping[str, Any]
    extensions: Mapping[str, str]  # number -> tenant
    sounds: Sequence[str]
    calendars: Calendars
    lists: Sequence[Read]
    languages: Mapping[str, str]  # by tenant
    scripts: Mapping[str, Sequence[str]]  # by tenant


class Way(NamedTuple):
    """One way out of a node."""

    key: str
    to: str
    is_asked: bool  # the caller must press something to take it


def names_of(tenants: Sequence[Read]) -> dict[str, tuple[str, ...]]:
    """Return the names of each tenant's scripts, before any of them is read."""
    return {tenant.name: tuple(tenant.ivr) for _, tenant in tenants}


def build_scripts(reader: Reader, tenants: Sequence[Read], known: Known) -> tuple[ScriptSettings, ...]:
    """Return the scripts of all tenants."""
    built: list[ScriptSettings] = []
    for where, tenant in tenants:
        names: dict[str, str] = {}
        mine: list[tuple[str, ScriptSettings]] = []
        for name, document in tenant.ivr.items():
            place = f"{where}.ivr.{name}"
            check_name(reader, place, name, names)
            table = reader.table(IvrTable, document, place)
            if table is not None:
                mine.append((place, _Builder(reader, place, tenant.name, known).build(name, table)))
        _check_variables(reader, mine)
        built += [script for _, script in mine]
    return tuple(built)


class _Builder:
    """Builds one script."""

    def __init__(self, reader: Reader, where: str, tenant: str, known: Known) -> None:
        self._reader = reader
        self._where = where
        self._tenant = tenant
        self._known = known

    def build(self, name: str, table: IvrTable) -> ScriptSettings:
        reader, where = self._reader, self._where
        if not TIME_MIN <= table.time_max <= TIME_MAX:
            reader.refuse(f"{where}.time_max", f"{table.time_max:g} s is not between 10 s and 2 h")
        self._sound(f"{where}.music", table.music)
        if table.python:
            self._check_python(table)
        elif table.options:
            reader.refuse(f"{where}.options", "are for a script in Python: give python")
        before = len(reader.errors)
        nodes = {} if table.python else self._nodes(table)
        start = table.start or next(iter(table.node), "")
        if not table.python:
            if not table.node:
                reader.refuse(f"{where}.node", f"is missing: [{where.rpartition(' ')[2]}.node.NAME]")
            elif start not in table.node:
                reader.refuse(
                    f"{where}.start", f"unknown node {show(start)}{suggest(start, list(table.node))}"
                )
            elif len(reader.errors) == before:  # else what is not reached may be so by a slip that is told
                self._check_ways(nodes, start, table.otherwise)
        return ScriptSettings(
            name,
            self._tenant,
            start,
            nodes,
            table.language or self._known.languages.get(self._tenant, "en"),
            float(table.time_max),
            self._target(f"{where}.on_limit", table.on_limit, ()),
            self._target(f"{where}.otherwise", table.otherwise, list(table.node)),
            table.music,
            table.python,
            table.options,
        )

    def _check_python(self, table: IvrTable) -> None:
        if table.python not in SCRIPTS:
            there = suggest(table.python, list(SCRIPTS))
            self._reader.refuse(f"{self._where}.python", f"unknown script {show(table.python)}{there}")
        if table.otherwise != HANG_UP:
            why = "is for nodes: a script in Python is told what comes of a target"
            self._reader.refuse(f"{self._where}.otherwise", why)
        if table.node or table.start:
            key = "node" if table.node else "start"
            self._reader.refuse(f"{self._where}.{key}", "is given beside python; one of them is enough")

    def _nodes(self, table: IvrTable) -> dict[str, Node]:
        reader, nodes = self._reader, {}
        if len(table.node) > NODES_MAX:
            reader.refuse(f"{self._where}.node", f"are more than {NODES_MAX}")
        for name, document in table.node.items():
            place = f"{self._where}.node.{name}"
            if name in (HANG_UP, RETURN) or ":" in name:
                reader.refuse(place, f"{show(name)} is no name of a node: it is a target")
                continue
            kind = document.get("kind") if isinstance(document, dict) else None
            if not isinstance(document, dict) or not isinstance(kind, str) or kind not in TABLES:
                what = "is missing" if kind is None else f"unknown kind {show(kind)}"
                reader.refuse(f"{place}.kind", f"{what}{suggest(str(kind or ''), list(TABLES))}")
                continue
            read = reader.table(TABLES[kind], document, place)
            if read is not None:
                nodes[name] = self._node(place, read, list(table.node))
        return nodes

    def _node(self, where: str, table: Any, names: Sequence[str]) -> Node:
        """Return a node whose ways lead somewhere, with its sounds and names looked up."""
        for key in ("sounds", "wrong"):
            for index, sound in enumerate(getattr(table, key, ()), 1):
                self._sound(f"{where}.{key}[{index}]", sound)
        for key in ("within", "between"):
            seconds = getattr(table, key, None)
            if seconds is not None and not 0.5 <= seconds <= 60:
                self._reader.refuse(f"{where}.{key}", f"{seconds:g} s is not between 0.5 and 60 s")

        def to(key: str, target: str) -> str:
            return self._target(f"{where}.{key}", target, names)

        match table:
            case PlayTable():
                if not table.sounds and not table.say:
                    self._reader.refuse(f"{where}.sounds", "is missing, and so is say: nothing is played")
                return menu.PlayNode(
                    to("then", table.then), table.sounds, table.say, table.number, table.whole
                )
            case MenuTable():
                self._keys(f"{where}.keys", table.keys)
                keys = tuple((key, to(f"keys.{key}", target)) for key, target in table.keys.items())
                on_timeout, on_wrong = to("on_timeout", table.on_timeout), to("on_wrong", table.on_wrong)
                return menu.MenuNode(
                    keys, table.sounds, float(table.within), table.retries, table.wrong, on_timeout, on_wrong
                )
            case ReadTable():
                return self._read(where, table, names)
            case BranchTable():
                return self._branch(where, table, names)
            case SetTable():
                for name in table.variables:
                    self._variable(f"{where}.variables.{name}", name)
                return menu.SetNode(
                    to("then", table.then),
                    tuple(table.variables.items()),
                    None if table.credit is None else float(table.credit),
                    tuple(sorted(table.skills.items())),
                    table.language,
                )
            case WaitTable():
                if table.sound:
                    self._sound(f"{where}.sound", table.sound)
                if not 0.1 <= table.time <= 300:
                    self._reader.refuse(f"{where}.time", f"{table.time:g} s is not between 0.1 and 300 s")
                return menu.WaitNode(to("then", table.then), float(table.time), table.sound)
            case PromiseTable():
                self._queue(f"{where}.queue", table.queue)
                then, otherwise = to("then", table.then), to("otherwise", table.otherwise)
                return menu.CallbackNode(table.queue, then, otherwise)
            case GoTable():
                return self._go(where, table, names)
        return self._hang_up(where, table)

    def _go(self, where: str, table: GoTable, names: Sequence[str]) -> Node:
        reader, kind = self._reader, table.to.partition(":")[0]
        kind = "queue" if kind == "level" else kind
        words = QUEUE_WORDS if kind == "queue" else PHONE_WORDS
        for key, is_given in (("cases", bool(table.cases)), ("otherwise", bool(table.otherwise))):
            if is_given and (table.to in names or kind not in MAY_TURN_AWAY):
                reader.refuse(f"{where}.{key}", f"{show(table.to)} takes everybody")
                return menu.GoNode(table.to)
        for word in table.cases:
            if word not in words:
                reader.refuse(f"{where}.cases.{word}", f"unknown case{suggest(word, words)}")
        if table.ring_for and (kind == "queue" or kind not in MAY_TURN_AWAY):
            reader.refuse(f"{where}.ring_for", f"{show(table.to)} is no phone that rings")
        elif table.ring_for and not RING_MIN <= table.ring_for <= RING_MAX:
            reader.refuse(f"{where}.ring_for", f"{table.ring_for:g} s is not between 1 and 300 s")
        cases = tuple(
            (word, self._target(f"{where}.cases.{word}", target, names))
            for word, target in table.cases.items()
        )
        otherwise = self._target(f"{where}.otherwise", table.otherwise, names) if table.otherwise else ""
        return menu.GoNode(
            self._target(f"{where}.to", table.to, names), cases, otherwise, float(table.ring_for)
        )

    def _hang_up(self, where: str, table: HangUpTable) -> Node:
        if not table.cause.isascii() or not table.cause.isidentifier():
            self._reader.refuse(f"{where}.cause", f"{show(table.cause)} is not one word such as paid")
        return menu.HangUpNode(table.sounds, table.cause)

    def _read(self, where: str, table: ReadTable, names: Sequence[str]) -> Node:
        self._variable(f"{where}.into", table.into)
        if table.most > DIGITS_MAX:
            self._reader.refuse(f"{where}.most", f"{table.most} is more than {DIGITS_MAX}")
        if table.least > table.most:
            self._reader.refuse(f"{where}.least", f"{table.least} is more than most, {table.most}")
        if table.end_key:
            self._keys(f"{where}.end_key", {table.end_key: ""})
        return menu.ReadNode(
            table.into,
            self._target(f"{where}.then", table.then, names),
            table.sounds,
            table.least,
            table.most,
            table.end_key,
            float(table.within),
            float(table.between),
            table.retries,
            table.wrong,
            self._target(f"{where}.on_timeout", table.on_timeout, names),
            self._target(f"{where}.on_short", table.on_short, names),
            table.secret,
        )

    def _branch(self, where: str, table: BranchTable, names: Sequence[str]) -> Node:
        reader = self._reader
        given = [bool(it) for it in (table.variable, table.caller, table.hours, table.list)]
        by_cases = bool(table.variable or table.caller)
        if sum(given) != 1:
            reader.refuse(f"{where}.variable", "or caller, hours or list: give one of the four")
        elif by_cases and (not table.cases or table.then):
            key, why = ("then", "is for hours and list") if table.then else ("cases", "is missing")
            reader.refuse(f"{where}.{key}", why)
        elif not by_cases and (table.cases or not table.then):
            key, why = ("cases", "are for variable and caller") if table.cases else ("then", "is missing")
            reader.refuse(f"{where}.{key}", why)
        if table.hours:
            calendar_of(reader, f"{where}.hours", table.hours, self._tenant, self._known.calendars)
        if table.list:
            self._list(f"{where}.list", table.list)
        cases = tuple(
            (case, self._target(f"{where}.cases.{case}", target, names))
            for case, target in table.cases.items()
        )
        then = self._target(f"{where}.then", table.then, names) if table.then else ""
        otherwise = self._target(f"{where}.otherwise", table.otherwise, names)
        return menu.BranchNode(otherwise, table.variable, table.caller, cases, table.hours, table.list, then)

    # Names.

    def _target(self, where: str, target: str, nodes: Sequence[str]) -> str:
        """Return where a key leads, ``level:NAME`` as the queue that it means; refuse what is nowhere."""
        reader, known = self._reader, self._known
        kind, colon, name = target.partition(":")
        if target in (HANG_UP, RETURN) or target in nodes:
            return target
        if not colon:
            there = suggest(target, [*nodes, HANG_UP, RETURN])
            reader.refuse(where, f"unknown node {show(target)}{there}; targets are {KINDS}")
        elif kind == "queue" and name:
            queue, slash, seat = name.partition("/")
            if self._queue(where, queue) and slash:
                check_wanted_seat(reader, where, seat, queue, known.seats)
        elif kind == "level" and name:
            nobody = QueueSettings("", self._tenant, Requirement(0, 0))
            found = queue_of_level(reader, where, target, nobody, known.queues, known.ranks)
            return f"queue:{found}" if found else target
        elif kind == "seat" and name:
            seat_of = known.seats.get(name)
            if seat_of is None or seat_of.tenant != self._tenant:
                reader.refuse(where, f"tenant {self._tenant} has no seat {show(name)}")
        elif kind == "voicemail" and target not in VOICEMAIL and name:
            check_mailbox(reader, where, name, self._tenant, known.seats)
        elif kind == "extension" and name:
            if known.extensions.get(name) != self._tenant:
                reader.refuse(where, f"tenant {self._tenant} has no extension {show(name)}")
        elif not check_target(reader, where, target, self._tenant, known.sounds, known.scripts):
            reader.refuse(where, f"{show(target)} is none of {KINDS}")
        return target

    def _queue(self, where: str, name: str) -> bool:
        queue = self._known.queues.get(name)
        if queue is None:
            self._reader.refuse(where, f"unknown queue {show(name)}{suggest(name, list(self._known.queues))}")
        elif queue.tenant != self._tenant:
            self._reader.refuse(where, f"queue {show(name)} belongs to tenant {queue.tenant}")
        return queue is not None and queue.tenant == self._tenant

    def _list(self, where: str, name: str) -> None:
        tenants = {table.name: table.tenant or self._tenant for _, table in self._known.lists}
        if tenants.get(name) != self._tenant:
            mine = [each for each, tenant in tenants.items() if tenant == self._tenant]
            self._reader.refuse(where, f"unknown list {show(name)}{suggest(name, mine)}")

    def _sound(self, where: str, name: str) -> None:
        language, slash, phrase = name.removeprefix("voice:").partition("/")
        is_phrase = name.startswith("voice:") and slash and phrase in phrases.NAMES.get(language, ())
        if name and name not in self._known.sounds and not is_phrase:
            there = suggest(name, self._known.sounds)
            self._reader.refuse(where, f"unknown sound {show(name)}{there}")

    def _keys(self, where: str, keys: Mapping[str, str]) -> None:
        if not keys:
            self._reader.refuse(where, "is empty: nobody could choose anything")
        for key in keys:
            if len(key) != 1 or key not in KEYS:
                place = where if where.endswith("end_key") else f"{where}.{key}"
                self._reader.refuse(place, f"{show(key)} is no key of a telephone: {KEYS}")

    def _variable(self, where: str, name: str) -> None:
        if not name.isascii() or not name.isidentifier() or len(name) > 32:
            self._reader.refuse(where, f"{show(name)} is no name of a variable: letters, digits and _")

    # Ways.

    def _check_ways(self, nodes: Mapping[str, Node], start: str, otherwise: str) -> None:
        """Refuse nodes that nobody reaches, and ways round on which nobody is asked anything."""
        reached: dict[str, None] = {}
        left = [start]
        while left:
            here = left.pop()
            if here not in reached and here in nodes:
                reached[here] = None
                left += [way.to for way in ways_of(nodes[here], otherwise)]
        for name in nodes:
            place = f"{self._where}.node.{name}"
            if name not in reached:
                self._reader.refuse(place, f"is never reached from {show(start)}")
            elif way := _round(nodes, name, otherwise):
                key = f"{place}.{way[0]}"
                self._reader.refuse(
                    key, f"goes round and the caller is asked nothing: {' -> '.join((name, *way[1:]))}"
                )
                return  # the others of this way round are the same slip


def ways_of(node: Node, otherwise: str = HANG_UP) -> Iterator[Way]:
    """Yield every way out of a node; a target that may turn callers away leads ``otherwise`` on as well,
    unless the node says where itself.
    """
    for way in _own_ways(node):
        yield way
        if _may_turn_away(way.to):
            own = node.otherwise if isinstance(node, menu.GoNode) and way.key == "to" else ""
            if own:
                yield Way("otherwise", own, False)
            if not own or _may_turn_away(own):
                yield Way("otherwise" if own else way.key, otherwise, way.is_asked)


def _may_turn_away(target: str) -> bool:
    kind, colon, _ = target.partition(":")
    return bool(colon) and kind in MAY_TURN_AWAY


def _own_ways(node: Node) -> Iterator[Way]:
    match node:
        case menu.MenuNode():
            yield from (Way(f"keys.{key}", to, True) for key, to in node.keys)
            yield Way("on_timeout", node.on_timeout, False)
            yield Way("on_wrong", node.on_wrong, True)
        case menu.ReadNode():
            yield Way("then", node.then, True)
            yield Way("on_timeout", node.on_timeout, False)
            yield Way("on_short", node.on_short, True)
        case menu.BranchNode():
            yield from (Way(f"cases.{case}", to, False) for case, to in node.cases)
            yield Way("then", node.then, False)
            yield Way("otherwise", node.otherwise, False)
        case menu.CallbackNode():
            yield Way("then", node.then, False)
            yield Way("otherwise", node.otherwise, False)
        case menu.GoNode():
            yield Way("to", node.to, False)
            yield from (Way(f"cases.{case}", to, False) for case, to in node.cases)
        case menu.HangUpNode():
            return
        case menu.PlayNode() | menu.SetNode() | menu.WaitNode():
            yield Way("then", node.then, False)


def _round(nodes: Mapping[str, Node], start: str, otherwise: str) -> list[str]:
    """Return first key and nodes of a way from ``start`` back to it that asks nothing, else []."""
    ways: dict[str, list[str]] = {}
    left = [(start, ["", start])]
    while left:
        here, path = left.pop()
        for way in ways_of(nodes[here], otherwise):
            if way.is_asked or way.to not in nodes:
                continue
            to = [path[0] or way.key, *path[1:], way.to]
            if way.to == start:
                return [to[0], *to[2:]]
            if way.to not in ways:
                ways[way.to] = to
                left.append((way.to, to))
    return []


def _check_variables(reader: Reader, scripts: Sequence[tuple[str, ScriptSettings]]) -> None:
    """Refuse a variable that no script of the tenant ever sets; what Python sets nobody knows."""
    if any(script.python for _, script in scripts):
        return
    known: dict[str, None] = {}
    for _, script in scripts:
        for node in script.nodes.values():
            if isinstance(node, menu.ReadNode):
                known[node.into] = None
            elif isinstance(node, menu.SetNode):
                known |= dict.fromkeys(name for name, _ in node.variables)
    for where, script in scripts:
        for name, node in script.nodes.items():
            key = "say" if isinstance(node, menu.PlayNode) else "variable"
            asked = getattr(node, key, "")
            if asked and asked not in known:
                place = f"{where}.node.{name}.{key}"
                reader.refuse(place, f"no script sets {show(asked)}{suggest(asked, list(known))}")
