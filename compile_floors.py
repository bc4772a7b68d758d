"""``make compiled``: the floors below the shell as machine code, a copy of the switch in ``build/compiled``.

The floors are typed throughout, so mypyc turns them into C extensions as they stand; what it cannot stays
Python and is named below. Then the simulator's seeds are run both ways: each history must be the same to the
last byte. Needs a C compiler and Python's headers (Debian: gcc, python3-dev); takes about five minutes.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
TARGET = HERE / "build" / "compiled"
FOLDERS = ("kernel", "sip", "queues", "policies", "media", "acd", "calls", "config", "seatswitch")
# Each becomes one library, whose modules call each other directly.
GROUPS = {
    "floors_sip": ("kernel", "sip"),
    "floors_acd": ("acd",),
    "floors_calls": ("calls", "seatswitch/node.py", "media/plane.py"),
}
# What mypyc cannot take, besides msgspec's structs, which are C already.
STAY = {
    "acd/counting.py": "its columns are made of names",
    "acd/daily.py": "its columns are made of names",
    "acd/figures.py": "its columns are made of names",
    "acd/worktime.py": "its columns are made of names",
    "kernel/outbox.py": "a list with another name",
    "sip/negotiation.py": "its agreement is a struct of another module",
}
SEEDS = 300
_MYPY = "[mypy]\nstrict = True\nexplicit_package_bases = True\nmypy_path = .\n"


def modules_of(places: tuple[str, ...], root: Path) -> list[str]:
    """Return the modules of ``places`` (folders and files) that can be compiled, relative to ``root``."""
    files: list[Path] = []
    for place in places:
        files += sorted((root / place).glob("*.py")) if (root / place).is_dir() else [root / place]
    names = [file.relative_to(root).as_posix() for file in files if file.name != "__init__.py"]
    return [name for name in names if name not in STAY and "(msgspec.Struct" not in (root / name).read_text()]


def copy_sources() -> None:
    """Begin the target anew, with the Python files."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for folder in FOLDERS:
        shutil.copytree(HERE / folder, TARGET / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (TARGET / "mypy.ini").write_text(_MYPY)


def compile_all() -> int:
    """Compile in the target; return how many modules."""
    from mypyc.build import mypycify
    from setuptools import setup

    os.chdir(TARGET)
    groups = [(modules_of(places, TARGET), name) for name, places in GROUPS.items()]
    files = [file for group, _ in groups for file in group]
    extensions = mypycify(files, opt_level="2", debug_level="0", separate=groups)
    command = ["--quiet", "build_ext", "--inplace", "--parallel", str(os.cpu_count() or 1)]
    setup(name="floors", packages=[], ext_modules=extensions, script_args=command)
    for left in ("build", ".mypy_cache", "mypy.ini"):
        path = TARGET / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(files)


def history(*paths: Path) -> str:
    """Run the simulator's seeds with the modules of ``paths``; return the fingerprint of what happened."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.simulator", "--count", str(SEEDS), "--log", "none"],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*paths, HERE)))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        refuse(f"the simulator failed:\n{done.stdout}")
    return done.stdout.split()[-1]


def refuse(why: str) -> NoReturn:
    """End without a copy that somebody might run."""
    shutil.rmtree(TARGET, ignore_errors=True)
    sys.exit(f"nothing was compiled: {why}")


def main() -> None:
    """Copy, compile, prove."""
    began = time.monotonic()
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file() or shutil.which("gcc") is None:
        refuse("it needs a C compiler and Python's headers (Debian: apt-get install gcc python3-dev)")
    copy_sources()
    count = compile_all()
    print(f"{count} modules compiled in {time.monotonic() - began:.0f} s", flush=True)
    compiled, interpreted = history(TARGET), history()
    if compiled != interpreted:
        refuse(f"{SEEDS} simulated histories differ: {compiled} compiled, {interpreted} as Python")
    print(f"{SEEDS} simulated histories are the same both ways ({compiled})")
    print(f"run it: PYTHONPATH={TARGET.relative_to(HERE)} .venv/bin/seatswitch run -c config/demo.toml")


if __name__ == "__main__":
    main()
