"""``python -m tests.fuzz``: every target for a bounded time, one process each; exit 1 if one found a bug.

With atheris (``pip install -e .[fuzz]``) coverage leads the search; without it, or with ``--engine plain``, a
seeded mutation loop does. What was found stays in ``var/fuzz``: inputs that reach new code in ``corpus``, and
an input that fails as ``TARGET-crash-...``, to be run again with ``--target TARGET FILE``.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import time
import traceback
from hashlib import sha1
from pathlib import Path
from random import Random

from tests.fuzz.mutation import LENGTH_MAX, mutate

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "fuzz"
NAMES = ("message", "stream", "sdp", "address", "digest", "rpc", "stack")
SLOWEST = 10  # seconds for one input: more is a finding


def main() -> int:
    """Run what the arguments say and return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("--seconds", type=int, default=60, help="for each target")
    arguments.add_argument("--target", choices=NAMES, help="only this one, in this process")
    arguments.add_argument("--engine", choices=("atheris", "plain"), help="atheris where it is installed")
    arguments.add_argument("--seed", type=int, default=1, help="of the plain engine")
    arguments.add_argument("inputs", nargs="*", type=Path, help="files to run once each")
    chosen = arguments.parse_args()
    engine = chosen.engine or ("atheris" if importlib.util.find_spec("atheris") else "plain")
    if chosen.inputs:
        return run_files(chosen.target, chosen.inputs)
    KEPT.mkdir(parents=True, exist_ok=True)
    if chosen.target and engine == "atheris":
        return search(chosen.target, chosen.seconds)
    if chosen.target:
        return loop(chosen.target, chosen.seconds, chosen.seed)
    return run_all(engine, chosen.seconds, chosen.seed)


def run_all(engine: str, seconds: int, seed: int) -> int:
    """Run every target in a process of its own, one after the other."""
    worst = 0
    print(f"{engine}, {seconds} s a target\n{'target':10} {'inputs':>10} {'a second':>9}  verdict")
    for name in NAMES:
        command = [sys.executable, "-m", "tests.fuzz", "--target", name, "--engine", engine]
        command += ["--seconds", str(seconds), "--seed", str(seed)]
        limit = seconds * 2 + 120
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=limit, check=False)
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        counted = re.findall(r"(?:number_of_executed_units:|inputs) *(\d+)", said)
        count = int(counted[-1]) if counted else 0
        verdict = "nothing found" if done.returncode == 0 else "FAILED"
        print(f"{name:10} {count:10} {count // max(1, seconds):9}  {verdict}", flush=True)
        if done.returncode:
            worst = 1
            print(said[-4000:])
    return worst


def run_files(name: str, inputs: list[Path]) -> int:
    """Run a target once on each file; what it raises is shown as it is."""
    from tests.fuzz.targets import TARGETS

    for path in inputs:
        TARGETS[name](path.read_bytes())
        print(f"{path}: nothing found")
    return 0


def search(name: str, seconds: int) -> int:
    """Let atheris lead; does not return where it has found something."""
    import atheris

    with atheris.instrument_imports(include=["sip", "seatswitch.api"]):
        from tests.fuzz.targets import TARGETS, seeds
    corpus = KEPT / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (corpus / sha1(seed).hexdigest()).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={LENGTH_MAX}", f"-timeout={SLOWEST}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={KEPT}/{name}-", str(corpus)]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()
    return 0


def loop(name: str, seconds: int, seed: int) -> int:
    """Mutate without a lead until the time is over or something is found."""
    from tests.fuzz.targets import TARGETS, seeds

    start, chance = seeds(name), Random(seed)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = start[count] if count < len(start) else mutate(start, chance)
        count += 1
        try:
            TARGETS[name](data)
        except Exception:
            path = KEPT / f"{name}-crash-{sha1(data).hexdigest()}"
            path.write_bytes(data)
            traceback.print_exc()
            print(f"{path}\ninputs {count}")
            return 1
    print(f"inputs {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
