"""``python -m tests.interop``: real phones that nobody here wrote register at a switch and call through it.

Prints two tables; exit 1 if a phone that is here failed. One that is not here is named with how to get it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.interop import browser
from tests.interop.phones import PHONES, BaresipPhone
from tests.interop.stories import STORIES, Quirk
from tests.interop.story import Failed, Run

COLUMNS = ("phone", "version", "transport", *Run.steps)
TRANSPORTS = ("udp", "tcp", "tls")
INSTALL = {kind.name: kind.install for kind in PHONES} | {"jssip": browser.INSTALL}


def main() -> int:
    """Run what the arguments say and return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    arguments.add_argument("--phone", choices=[*INSTALL], action="append", help="only this one")
    arguments.add_argument("--transport", choices=TRANSPORTS, action="append", help="only this one")
    arguments.add_argument("--keep", type=Path, help="folder for logs and recordings")
    chosen = arguments.parse_args()
    phones = chosen.phone or [*INSTALL]
    with tempfile.TemporaryDirectory(prefix="interop-") as scratch:
        folder = chosen.keep or Path(scratch)
        failures = run_phones(phones, chosen.transport or TRANSPORTS, folder)
        failures += run_stories(phones, folder)
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


def run_phones(phones: list[str], transports: tuple[str, ...], folder: Path) -> list[str]:
    """Print the table of phones and transports and return what failed."""
    failures: list[str] = []
    print(line(COLUMNS), flush=True)
    if not BaresipPhone.version():
        print(f"baresip, which every phone calls, is not here: {BaresipPhone.install}", flush=True)
        return failures
    for kind in PHONES:
        if kind.name not in phones:
            continue
        version = kind.version()
        if not version:
            print(f"{kind.name:10} not here: {kind.install}", flush=True)
            continue
        for transport in transports:
            run = Run(kind, transport, folder / f"{kind.name}-{transport}")
            results = run.do()
            cells = (results.get(step, "-") for step in Run.steps)
            print(line((kind.name, version, transport, *cells)), flush=True)
            if run.why:
                failures.append(run.why)
    return failures


def run_stories(phones: list[str], folder: Path) -> list[str]:
    """Print the table of single stories and return what failed."""
    failures: list[str] = []
    print(f"\n{'phone':10} {'version':35} {'story':40} result", flush=True)
    for number, story in enumerate(STORIES):
        if story.phone not in phones:
            continue
        version = story.version()
        result = "ok"
        if not version:
            result = f"not here: {INSTALL[story.phone]}"
        else:
            place = folder / f"story-{number}"
            place.mkdir(parents=True)
            try:
                story.do(place)
            except Quirk as quirk:
                result = str(quirk)
            except (AssertionError, Failed) as error:
                result = "FAILED"
                failures.append(f"{story.phone}, {story.what}: {error}")
        print(f"{story.phone:10} {version:35} {story.what:40} {result}", flush=True)
    return failures


def line(cells: tuple[str, ...]) -> str:
    """Return one line of the first table."""
    widths = (10, 14, 10, 9, 9, 9, 9, 9, 9)
    return " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))


if __name__ == "__main__":
    sys.exit(main())
