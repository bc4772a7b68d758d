"""What the switch prints when it is ready: where it listens, whom it serves, how to place the first call."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from config.schema import Settings
from seatswitch import __version__
from seatswitch.shell.store.database import public_url


def build_greeting(settings: Settings, path: str, command: str = "seatswitch") -> str:
    """Return a page for a person at a terminal, who starts ``command``; ``path`` is the configuration."""
    sip = [f"{it.transport}://{it.host}:{it.port}" for it in settings.sip.listen]
    levels = [level.name for level in settings.acd.levels]
    seats: dict[str, list[str]] = {}
    for seat in settings.acd.seats:
        seats.setdefault(levels[seat.level], []).append(seat.number)
    hotlines: dict[str, list[str]] = {}
    for line in settings.calls.hotlines:
        hotlines.setdefault(line.entry, []).append(line.number)
    first, last = settings.media.ports
    lines = [
        f"seatswitch {__version__} is ready",
        "",
        f"  from       {path}",
        f"  SIP        {', '.join(sip)}",
        f"  RTP        {settings.media.address}, ports {first}-{last}",
        f"  JSON-RPC   {', '.join(settings.rpc.listen)}",
        f"  rows       {public_url(settings.store.url)}",
        f"  trunks     {', '.join(trunk.name for trunk in settings.calls.trunks) or 'none'}",
        "  queues     " + _queues(settings, hotlines),
        "  seats      " + ("; ".join(f"{name} {_ranges(them)}" for name, them in seats.items()) or "none"),
        "",
        *_first_call(settings, command),
    ]
    return "\n".join(lines) + "\n"


def _queues(settings: Settings, hotlines: dict[str, list[str]]) -> str:
    words = []
    for queue in settings.acd.queues:
        numbers = hotlines.get(f"queue:{queue.name}", [])
        words.append(f"{queue.name} ({', '.join(numbers)})" if numbers else queue.name)
    return ", ".join(words) or "none"


def command_name() -> str:
    """Return what starts this program at the terminal: its name, or the path by which it was started."""
    started = sys.argv[0]
    is_ours = Path(started).name == "seatswitch" and shutil.which("seatswitch") is None
    return started if is_ours else "seatswitch"


def _first_call(settings: Settings, command: str) -> list[str]:
    """Say it for the first hotline that leads to a queue, and a seat that serves it."""
    for line in settings.calls.hotlines:
        kind, _, queue = line.entry.partition(":")
        seat = next((it for it in settings.acd.seats if queue in it.queues), None)
        if kind != "queue" or seat is None:
            continue
        udp = next((it for it in settings.sip.listen if it.transport == "udp"), settings.sip.listen[0])
        where = f"{udp.host}:{udp.port}"
        login = f'{{"hotline": "{line.number}", "seat": "{seat.number}", "password": "..."}}'
        return [
            "Place the first call:",
            f"  1. register a softphone as {seat.number}@{settings.sip.domains[0]} at {where}",
            f"     with the password of seat {seat.number} in the configuration",
            "  2. sign its agent in; the seat stays for a minute after the connection is closed:",
            f"     {command} call session.login '{login}'",
            *_short_cut(seat.number),
            f"  3. call sip:{line.number}@{where} from a trunk's address:",
            f"     sipp -sn uac -s {line.number} {where} -m 1 -d 10000",
            f"Watch it with: {command} top, {command} seats, {command} calls",
        ]
    return ["No hotline leads to a queue with seats: nothing can be called yet"]


def _short_cut(seat: str) -> list[str]:
    """In a checkout there is a softphone that does the first two steps."""
    if not (Path(__file__).resolve().parents[2] / "benchmarks" / "softphone.py").exists():
        return []
    return [f"     (or both at once: .venv/bin/python -m benchmarks.softphone {seat} --sign-in)"]


def _ranges(numbers: Sequence[str]) -> str:
    """Return ``8001-8010, 8020`` for seat numbers in rising order."""
    spans: list[list[str]] = []
    for number in sorted(numbers, key=lambda it: (len(it), it)):
        last = spans[-1][-1] if spans else ""
        follows = last.isdigit() and number.isdigit() and int(number) == int(last) + 1
        if follows and len(last) == len(number):
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)
