"""Load: the plain two-leg call, beside peers in the same run.

A call comes in, goes out to one phone (180, 200), lasts a second without audio and ends with BYE. seatswitch
does it as a back-to-back user agent with media streams, rows and all; sippy's B2BUA (PyPI) as a bare
back-to-back user agent; Kamailio (Debian), a stateful proxy in C that knows no calls, stands for the floor.
CPU seconds per 1,000 calls of all processes of each, medians over the rounds; the peers that are not
installed are left out and named. Queue calls at the same rate are run in between: what they cost more
than the two-leg call is the price of queue, offer, wrap-up and their rows.

python -m benchmarks.load_two_leg --rate 100 --seconds 20 --rounds 3
"""

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load_queue_call import Family, quantile, response_times, run_rate
from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Switch

QUEUE_CALL = "queue call"
KAMAILIO = """
debug=0
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
request_route {{
  if (!mf_process_maxfwd_header("10")) exit;
  if (has_totag()) {{
    loose_route();
    if (method == "ACK" && !t_check_trans()) {{ t_relay(); exit; }}
    t_relay();
    exit;
  }}
  if (method == "INVITE") record_route();
  $du = "sip:127.0.0.1:{target}";
  t_relay();
}}
"""


def kamailio_modules() -> Path | None:
    """Return the folder of Kamailio's modules, or None if it is not installed."""
    if shutil.which("kamailio") is None:
        return None
    return next((path.parent for path in Path("/usr/lib").rglob("kamailio/modules/tm.so")), None)


@contextmanager
def process(command: list[str], folder: Path) -> Iterator[int]:
    """Run a peer and yield its pid."""
    with (folder / "peer.log").open("wb") as log:
        peer = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            time.sleep(2)  # a peer has no way to say that it is ready
            if peer.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {(folder / 'peer.log').read_text()[-500:]}")
            yield peer.pid
        finally:
            if peer.poll() is None:
                peer.send_signal(signal.SIGTERM)
                try:
                    peer.wait(10)
                except subprocess.TimeoutExpired:
                    peer.kill()
                    peer.wait(5)


@contextmanager
def peer(name: str, folder: Path, phone_port: int) -> Iterator[tuple[int, int]]:
    """Start one of the compared programs; yield its pid and SIP port."""
    if name == "seatswitch":
        with Switch(folder, ports=(10000, 18998)) as switch:
            register(folder, switch.sip_port, ["2001"], port=phone_port)
            assert switch.process is not None
            yield switch.process.pid, switch.sip_port
        return
    port = free_port()
    if name == "sippy":
        tool = shutil.which("b2bua_simple")
        assert tool is not None, "main() has looked for it"
        log = str(folder / "sippy.log")
        command = [tool, "-f", "-l", "127.0.0.1", "-p", str(port), "-n", f"127.0.0.1:{phone_port}"]
        command += ["-L", log]
    else:
        config = folder / "kamailio.cfg"
        config.write_text(KAMAILIO.format(port=port, target=phone_port, modules=f"{kamailio_modules()}/"))
        command = ["kamailio", "-DD", "-f", str(config), "-m", "256", "-Y", str(folder)]
    with process(command, folder) as pid:
        yield pid, port


def run(name: str, folder: Path, rate: int, seconds: float) -> tuple[float, float, int]:
    """Return CPU seconds per 1,000 calls, p99 of INVITE to 200 in ms, and SIPp's exit code."""
    if name == QUEUE_CALL:
        row = run_rate(folder, rate, seconds, 1.0, pin=False)
        return row["cpu_total"], row["p99_ms"], row["sipp"] or row["lost"]
    folder.mkdir()
    phone_port, calls = free_port(), int(rate * seconds)
    with peer(name, folder, phone_port) as (pid, port):
        family = Family(pid)
        before = family.cpu()
        timeout = seconds + 40
        options = ("-d", "1000", "-l", str(rate * 10), "-trace_rtt", "-rtt_freq", "200")
        with (
            Sipp(folder, "seat", port=phone_port, calls=calls, timeout=timeout),
            Sipp(
                folder,
                "caller",
                port=free_port(),
                target=f"127.0.0.1:{port}",
                calls=calls,
                rate=rate,
                service="96200",
                options=options,
                timeout=timeout,
            ) as callers,
        ):
            code = callers.wait()
        time.sleep(1)
        used = sum(family.cpu().values()) - sum(before.values())
        return used * 1000 / calls, quantile(response_times(folder, "caller"), 0.99), code


def main() -> int:
    """Run every peer in turn, some rounds, and print the medians."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--rate", type=int, default=100, help="calls per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn")
    options = parser.parse_args()
    names = ["seatswitch", QUEUE_CALL]
    if shutil.which("b2bua_simple") is not None:
        names.append("sippy")
    else:
        print("sippy is left out: its b2bua_simple is not on PATH (pip install sippy, in a venv of its own)")
    if kamailio_modules() is not None:
        names.append("kamailio")
    else:
        print("Kamailio is left out: apt-get install kamailio")
    results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for name in names:
                place = Path(folder) / f"{name}-{number}"
                results[name].append(run(name, place, options.rate, options.seconds))
    print(f"{'':>12} {'CPU s/1000':>10} {'of ours':>8} {'p99 ms':>8} {'failed':>7}")
    ours = statistics.median(cpu for cpu, _, _ in results["seatswitch"])
    for name in names:
        cpu = statistics.median(cpu for cpu, _, _ in results[name])
        p99 = statistics.median(p99 for _, p99, _ in results[name])
        failed = sum(code != 0 for _, _, code in results[name])
        print(f"{name:>12} {cpu:>10.3f} {cpu / ours:>8.2f} {p99:>8.1f} {failed:>7}")
    pairs = zip(results[QUEUE_CALL], results["seatswitch"], strict=True)
    apart = statistics.median(queue[0] - two_leg[0] for queue, two_leg in pairs)
    print(f"{'the queue':>12} {apart:>10.3f} {apart / ours:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
