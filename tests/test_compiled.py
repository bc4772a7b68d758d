"""The compiled modules do what their sources do."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ("--seed", "1", "--count", "12")


def run(tree: Path, *words: str) -> str:
    """Run Python in ``tree``; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=tree, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


COMPILER = shutil.which("cc") or shutil.which("gcc")
HEADER = Path(sysconfig.get_path("include"), "Python.h")


@pytest.mark.skipif(COMPILER is None or not HEADER.is_file(), reason="no C compiler, or no headers of Python")
def test_compiled_modules_live_through_the_same_histories(tmp_path: Path) -> None:
    """One seed is one history, to the last byte sent: also for who is compiled."""
    pytest.importorskip("setuptools")
    tree = tmp_path / "compiled"
    made = run(ROOT, "hatch_build.py", str(tree)).splitlines()
    assert str(tree / "sip" / f"parser{sysconfig.get_config_var('EXT_SUFFIX')}") in made
    which = "import kernel.timers, sip.parser; print(kernel.timers.__file__, sip.parser.__file__)"
    assert [Path(file).suffix for file in run(tree, "-c", which).split()] == [".so", ".so"]
    sources, compiled = (run(where, "-m", "tests.simulator", *SEEDS) for where in (ROOT, tree))
    fingerprint = sources.partition("fingerprint ")[2]
    assert fingerprint
    assert compiled.partition("fingerprint ")[2] == fingerprint
