"""seatswitch: a SIP softswitch with an ACD engine.

The floors below the shell are imported by their folder names (``from sip.dialog import Dialog``). In a
checkout they stand beside this package; in an installed wheel they are nested in ``seatswitch/parts``.
"""

import sys
from pathlib import Path

__version__ = "0.1.0"


def put_floors_on_path() -> None:
    """Make ``kernel``, ``sip`` and the other floors importable, before anything of the same name elsewhere.
    """
    here = Path(__file__).resolve().parent
    parts = here / "parts"
    floors = str(parts if parts.is_dir() else here.parent)
    if floors not in sys.path[:1]:
        sys.path.insert(0, floors)


def main() -> None:
    """Run the ``seatswitch`` command."""
    put_floors_on_path()
    if sys.argv[1:2] == ["media-worker"]:
        # The switch starts it. Without the libraries of the command line an idle worker needs 12 MB less.
        from seatswitch.shell.media_worker import run_words

        sys.exit(run_words(sys.argv[2:]))
    if sys.argv[1:2] == ["row-writer"]:
        # The switch starts this one, too: it is there a fifth of a second sooner.
        from seatswitch.shell.store.writer import run_words as write_words

        sys.exit(write_words(sys.argv[2:]))
    from seatswitch.shell.cli import run_command

    run_command()
