"""Seats, queues, calls and trunks as tables for a person at a terminal.

Numbers and names come from strangers: whatever could steer a terminal is taken out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

View = Mapping[str, Any]

# What a seat looks like, by activity where it is busy and by presence where it is idle.
STYLES = {
    "ready": "bold green",
    "paused": "yellow",
    "wrapup": "cyan",
    "offline": "dim",
    "reserved": "magenta",
    "dialling": "magenta",
    "ringing": "bold magenta",
    "talking": "bold blue",
    "unreachable": "red",
    "supervising": "bold cyan",
}


_BETWEEN = 3  # characters between two columns


class Column(NamedTuple):
    """One column: its head, what it shows of a view, and which way it leans.

    Where a terminal is too narrow for all, the columns of the highest ``rank`` are left out first, of equal
    ones the last; the first column never.
    """

    head: str
    cell: Callable[[View, float], Text | str]
    right: bool = False
    rank: int = 0


def plain(value: object) -> str:
    """Return ``value`` as one line of printable text; null is empty."""
    text = f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
    return "".join(it if it.isprintable() else "?" for it in text)


def duration(seconds: object) -> str:
    """Return ``0:07``, ``12:40``, ``3:05:00`` or ``2d 03:00`` for seconds; empty for null."""
    if not isinstance(seconds, int | float):
        return ""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d {hours:02d}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def share(value: object) -> str:
    """Return ``87 %`` for 0.871; empty for null."""
    return f"{100 * value:.0f} %" if isinstance(value, int | float) else ""


def elapsed(moment: object, wall: float) -> float | None:
    """Return seconds from an RFC 3339 ``moment`` to ``wall`` (epoch seconds); None for null."""
    if not isinstance(moment, str):
        return None
    try:
        return wall - datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def seat_state(seat: View) -> str:
    """Return the one word that says what a seat is doing."""
    activity, presence = plain(seat.get("activity")), plain(seat.get("presence"))
    return presence if activity in ("", "idle") or presence == "offline" else activity


def styled_state(seat: View) -> Text:
    """Return :func:`seat_state` in its colour."""
    if seat.get("supervising"):
        return Text(_supervision(seat["supervising"]), STYLES["supervising"])
    word = seat_state(seat)
    shown = "held" if seat.get("held") and word == "talking" else word
    return Text(shown, STYLES.get(word, ""))


def _presence(seat: View, _wall: float) -> Text:
    text = Text(plain(seat.get("presence")), STYLES.get(plain(seat.get("presence")), ""))
    if seat.get("reason"):
        text.append(f" ({plain(seat['reason'])})")
    if seat.get("wrapup_left") is not None:
        text.append(f" {duration(seat['wrapup_left'])} left")
    if seat.get("pending"):
        text.append(f" then {plain(_pending(seat['pending']))}")
    return text


def _pending(pending: object) -> object:
    return pending.get("presence") if isinstance(pending, Mapping) else pending


def _activity(seat: View, _wall: float) -> Text:
    word = plain(seat.get("activity"))
    if seat.get("supervising"):
        return Text(_supervision(seat["supervising"]), STYLES["supervising"])
    return Text("talking (held)" if seat.get("held") else word, STYLES.get(word, ""))


def _supervision(view: View) -> str:
    """Return ``whisper 8001``, or ``monitor 8001 rings`` before the supervisor's phone has answered."""
    return f"{plain(view.get('mode'))} {plain(view.get('seat'))}" + ("" if view.get("attached") else " rings")


def _phone(seat: View, _wall: float) -> Text:
    phone = seat.get("phone")
    if not isinstance(phone, Mapping):
        return Text(plain(phone))
    text = Text(f"{plain(phone.get('kind'))} {plain(phone.get('number'))}".strip())
    if phone.get("reachable") is False:
        text.append(" unreachable", STYLES["unreachable"])
    return text


def _counters(seat: View, _wall: float) -> str:
    counters = seat.get("counters")
    if not isinstance(counters, Mapping):
        return ""
    return " ".join(f"{plain(name)} {plain(_short(value))}" for name, value in counters.items() if value)


def _signed_in(queue: View, _wall: float) -> str:
    total = queue.get("seats")
    signed_in = plain(queue.get("seats_signed_in"))
    return signed_in if total is None else f"{signed_in} of {plain(total)}"


def _longest(queue: View, _wall: float) -> Text:
    late = queue.get("waiting_long")
    text = Text(duration(queue.get("longest_wait")), "bold red" if late else "")
    return text.append(f" ({plain(late)} too long)") if late else text


def _missing(seat: View, _wall: float) -> Text:
    missing = seat.get("missing")
    return Text(plain(missing or ""), "bold red")


def _means(seat: View, _wall: float) -> str:
    return " ".join(f"{plain(item)} {plain(mean)}" for item, mean in (seat.get("means") or {}).items())


def _short(value: object) -> object:
    return round(value, 1) if isinstance(value, float) else value


def _word(key: str) -> Callable[[View, float], Text]:
    return lambda view, _wall: Text(plain(view.get(key)))


def _words(key: str) -> Callable[[View, float], str]:
    return lambda view, _wall: plain(", ".join(map(str, view.get(key) or ())))


def _registration(view: View, _wall: float) -> str:
    return plain((view.get("registration") or {}).get("state"))


def _duration(key: str) -> Callable[[View, float], str]:
    return lambda view, _wall: duration(view.get(key))


def _share(key: str) -> Callable[[View, float], str]:
    return lambda view, _wall: share(view.get(key))


def _range(key: str) -> Callable[[View, float], str]:
    def cell(view: View, _wall: float) -> str:
        value = view.get(key)
        if isinstance(value, list | tuple) and len(value) == 2:
            return f"{duration(value[0])}-{duration(value[1])}"
        return duration(value)

    return cell


SEATS = (
    Column("seat", _word("seat")),
    Column("level", _word("level"), rank=2),
    Column("presence", _presence),
    Column("activity", _activity),
    Column("since", lambda seat, wall: duration(elapsed(seat.get("since"), wall)), right=True),
    Column("phone", _phone, rank=1),
    Column("call", _word("call")),
    Column("queues", _words("queues"), rank=3),
    Column("counters", _counters, rank=4),
)
QUEUES = (
    Column("queue", _word("queue")),
    Column("waiting", _word("waiting"), right=True),
    Column("longest", _longest, right=True),
    Column("signed in", _signed_in, right=True),
    Column("ready", _word("seats_ready"), right=True),
    Column("service", _share("service_level"), right=True),
    Column("answered", _word("answered"), right=True),
    Column("abandoned", _word("abandoned"), right=True),
    Column("timed out", _word("timed_out"), right=True),
    Column("refused", _word("refused"), right=True),
)
CALLS = (
    Column("call", _word("call")),
    Column("state", _word("state")),
    Column("direction", _word("direction"), rank=3),
    Column("caller", _word("caller")),
    Column("called", _word("called"), rank=1),
    Column("queue", _word("queue")),
    Column("waited", _duration("waited"), right=True),
    Column("place", _word("position"), right=True, rank=2),
    Column("estimate", _range("estimate"), right=True, rank=4),
    Column("seat", _word("seat")),
)
QUALITY = (
    Column("seat", _word("seat")),
    Column("level", _word("level")),
    Column("month", _word("month")),
    Column("checks", _word("checks"), right=True),
    Column("missing", _missing, right=True),
    Column("to target", _word("to_target"), right=True),
    Column("points", _word("mean"), right=True),
    Column("by item", _means),
)
TRUNKS = (
    Column("trunk", _word("trunk")),
    Column("tenant", _word("tenant")),
    Column("state", _word("state")),
    Column("registered", _registration),
    Column("calls", _word("calls"), right=True),
    Column("most", _word("max_calls"), right=True),
    Column("calls/s", _word("max_cps"), right=True),
    Column("contact", _word("contact")),
)


def build_table(
    columns: Iterable[Column], views: Iterable[View], wall: float, title: str = "", width: int = 0
) -> Table:
    """Return a table with a row per view; ``wall`` is now, in epoch seconds.

    ``width``: characters of the terminal's lines. What does not fit is left out, and named below the table;
    every view stays on one line. 0: nothing is left out.
    """
    shown = list(columns)
    rows = [[column.cell(view, wall) for column in shown] for view in views]
    kept, left_out = _fit(shown, rows, width) if width else (range(len(shown)), "")
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    if left_out:
        table.caption = Text(f"no room for {left_out}", "dim")
        table.caption_justify = "left"
    for at in kept:
        column = shown[at]
        table.add_column(
            column.head,
            justify="right" if column.right else "left",
            overflow="ellipsis" if width else "fold",
            no_wrap=bool(width),
        )
    for row in rows:
        table.add_row(*(row[at] for at in kept))
    return table


def _fit(
    columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], width: int
) -> tuple[list[int], str]:
    """Return which columns fit into ``width``, in order, and the heads of those that do not."""
    wide = [
        max(cell_len(column.head), *(cell_len(str(row[at])) for row in rows), 0)
        for at, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    while len(kept) > 1 and sum(wide[at] + _BETWEEN for at in kept) > width:
        kept.remove(max(kept[1:], key=lambda at: (columns[at].rank, at)))
    return kept, ", ".join(column.head for at, column in enumerate(columns) if at not in kept)
