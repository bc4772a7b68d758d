"""``python -m tests.interop``: real phones that nobody here wrote register at a switch and call through it.

Prints a table, exit 1 if a phone that is here failed. A phone that is not here is named with how to get it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.interop.phones import PHONES
from tests.interop.story import Run

COLUMNS = ("phone", "version", "transport", *Run.steps)
TRANSPORTS = ("udp", "tcp", "tls")


def main() -> int:
    """Run what the arguments say and return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    names = [kind.name for kind in PHONES]
    arguments.add_argument("--phone", choices=names, action="append", help="only this one")
    arguments.add_argument("--transport", choices=TRANSPORTS, action="append", help="only this one")
    arguments.add_argument("--keep", type=Path, help="folder for logs and recordings")
    chosen = arguments.parse_args()
    failures: list[str] = []
    print(line(COLUMNS), flush=True)
    with tempfile.TemporaryDirectory(prefix="interop-") as scratch:
        folder = chosen.keep or Path(scratch)
        for kind in PHONES:
            if chosen.phone and kind.name not in chosen.phone:
                continue
            version = kind.version()
            if not version:
                print(f"{kind.name:10} not here: {kind.install}", flush=True)
                continue
            for transport in chosen.transport or TRANSPORTS:
                run = Run(kind, transport, folder / f"{kind.name}-{transport}")
                results = run.do()
                cells = (results.get(step, "-") for step in Run.steps)
                print(line((kind.name, version, transport, *cells)), flush=True)
                if run.why:
                    failures.append(run.why)
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


def line(cells: tuple[str, ...]) -> str:
    """Return one line of the table."""
    widths = (10, 14, 10, 9, 9, 9, 9, 9, 9)
    return " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))


if __name__ == "__main__":
    sys.exit(main())
