"""``python -m tests.simulator``: run seeds; exit 2 for a failure of safety, 3 for one of liveness."""

import argparse
import hashlib
import sys
import time
import traceback

from tests.simulator.swarm import Swarm, draw_options
from tests.simulator.world import Stuck, Unsafe


def main() -> int:
    """Run what the arguments say and return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    arguments.add_argument("--seed", type=int, default=1, help="the first seed")
    arguments.add_argument("--count", type=int, default=1, help="how many seeds, upwards")
    arguments.add_argument("--calls", type=int, default=20, help="calls per world at most")
    arguments.add_argument("--check-every", type=int, default=1, help="turns between two checks of the node")
    arguments.add_argument("--also", default="", help="faults that are there in any case, by commas")
    arguments.add_argument("--log", choices=("none", "short", "long"), default=None)
    arguments.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    chosen = arguments.parse_args()
    log = chosen.log or ("short" if chosen.count == 1 else "none")
    began, turns, worst, all_of_it = time.perf_counter(), 0, 0, hashlib.sha256()
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        options = draw_options(seed, chosen.calls, tuple(chosen.also.split(",")) if chosen.also else ())
        if log != "none":
            print(options)
        swarm = Swarm(options, check_every=chosen.check_every, long_log=log == "long")
        code = _run(swarm, log)
        turns += swarm.world.turns
        all_of_it.update(swarm.world.fingerprint.encode())
        worst = max(worst, code)
        if code and not chosen.keep_going:
            break
    took = time.perf_counter() - began
    count = seed - chosen.seed + 1
    print(f"{count} seeds, {turns} turns, {took:.1f} s, fingerprint {all_of_it.hexdigest()[:16]}")
    return worst


def _run(swarm: Swarm, log: str) -> int:
    code, failure = 0, ""
    try:
        result = swarm.run()
    except Stuck as error:
        code, failure = 3, f"LIVENESS {error}"
    except Unsafe as error:
        code, failure = 2, f"SAFETY {error}"
        if log != "none":
            traceback.print_exc()
    if log != "none":
        lines = swarm.world.story + (swarm.world.long_log or [])
        print("\n".join(sorted(lines, key=lambda line: float(line[:9]))))
    if code:
        print(f"seed {swarm.options.seed}: {failure}", flush=True)
    elif log != "none":
        print(f"seed {swarm.options.seed}: {result.fingerprint} {result.turns} turns, {result.verdicts}")
    return code


sys.exit(main())
