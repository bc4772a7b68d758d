"""Build hook: a wheel whose hottest modules mypyc has compiled, if SEATSWITCH_COMPILED=1 asks for it.

The compiled modules lie beside their sources, which remain for tracebacks, and Python prefers them. They do
the same: tests/test_compiled.py lets both live through the same histories. Such a wheel is for one version of
Python and one kind of machine, and needs a C compiler and Python's headers to be built.

python hatch_build.py FOLDER    copies the tree to FOLDER and compiles there, to measure or to test
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # only the command below is wanted
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
FLOORS = ("kernel", "sip", "media", "queues", "policies", "acd", "calls", "config")
# What every message and every timer passes through, and whoever makes subclasses of what is in there: only a
# compiled class can inherit from a compiled one. The relay is not here: it was measured slower.
COMPILED = (
    "kernel/timers.py",
    "kernel/walltime.py",
    "sip/address.py",
    "sip/grammar.py",
    "sip/headers.py",
    "sip/known.py",
    "sip/message.py",
    "sip/parser.py",
    "sip/registrar.py",
    "sip/screening.py",
    "sip/sdp.py",
    "sip/uri.py",
)
TOOLS = ["mypy>=1.10,<3", "setuptools>=65"]


def compile_floors(tree: Path) -> Iterator[Path]:
    """Compile the modules in ``tree``, a copy of the floors; yield the files made, relative to it."""
    program = (
        "from setuptools import setup; from mypyc.build import mypycify; "
        f"setup(ext_modules=mypycify({list(COMPILED)!r}, group_name='seatswitch'))"
    )
    subprocess.run([sys.executable, "-c", program, "build_ext", "--inplace"], cwd=tree, check=True)
    for made in sorted(tree.rglob("*.so")):
        if "build" not in made.relative_to(tree).parts:
            yield made.relative_to(tree)


class CompiledFloors(BuildHookInterface):
    """Adds the compiled modules to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what building needs: mypyc reads everything that the modules import."""
        return [*TOOLS, *self.metadata.core.dependencies] if _is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a folder of its own."""
        if version == "editable" or not _is_wanted():
            return
        tree = Path(self.directory) / "compiled"
        shutil.rmtree(tree, ignore_errors=True)
        for floor in FLOORS:
            shutil.copytree(ROOT / floor, tree / floor, ignore=shutil.ignore_patterns("__pycache__"))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for made in compile_floors(tree):
            build_data["force_include"][str(tree / made)] = f"seatswitch/parts/{made}"


def _is_wanted() -> bool:
    return os.environ.get("SEATSWITCH_COMPILED", "") == "1"


def main() -> None:
    """Copy the tree and compile there."""
    tree = Path(sys.argv[1])
    shutil.rmtree(tree, ignore_errors=True)
    for name in (*FLOORS, "seatswitch", "benchmarks", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for made in compile_floors(tree):
        print(tree / made)


if __name__ == "__main__":
    main()
