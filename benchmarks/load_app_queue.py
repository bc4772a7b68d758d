"""Load: complete queue calls through Asterisk's app_queue and through ours, in turn in the same run.

The same SIPp callers and seats as in ``load_queue_call`` (INVITE, 200 while it waits, offer with 180 and
200, bridge, a second without audio, BYE on both legs), the same core, the same rate. Asterisk gets the least
to do: no music, no announcement, no CDR, no CEL, errors alone in its log, no re-negotiation, seats that are
static members of one queue. Its wrap-up is in whole seconds: it has none, ours 0.2 s. It writes no rows;
``--queue-log`` lets it write its ``queue_log``, which comes nearest to our rows.

A call is lost when the queue has not counted it as completed between a caller and a seat. Asterisk is not in
Debian 12: name the program where it is not on PATH. Its plain build of release options is what is compared.

python -m benchmarks.load_app_queue --asterisk /opt/asterisk/sbin/asterisk --rates 50 100 --rounds 2
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.load_queue_call import (
    PORTS,
    SEATS_PER_RATE,
    Family,
    quantile,
    response_times,
    run_rate,
)
from benchmarks.load_two_leg import process
from tests.ports import free_port
from tests.wire.phones import Sipp
from tests.wire.switch import wait_until

CALLS_MAX = 60_000  # of one run
BOOTED_WITHIN = 30.0  # seconds
LEFT_OUT = (
    "Asterisk is not on PATH and there is nothing to compare with: name the program with --asterisk PATH. "
    "Debian 12 has no package; build a release (configure, make menuselect.makeopts, make, make install "
    "with a prefix of your own), with chan_pjsip, app_queue and res_pjsip_sdp_rtp, without DONT_OPTIMIZE "
    "and DEBUG_THREADS."
)
MODULES = (
    *("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjproject", "res_pjsip"),
    *("res_http_websocket", "res_pjsip_pubsub"),
    *("res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_endpoint_identifier_ip", "res_rtp_asterisk"),
    *("res_timing_timerfd", "chan_pjsip", "codec_ulaw", "codec_alaw", "bridge_simple"),
    *("bridge_native_rtp", "bridge_builtin_features", "pbx_config", "app_queue"),
)
CONFIG = {
    "asterisk.conf": """
[directories]
astetcdir => {folder}
astrundir => {folder}
astlogdir => {folder}
astspooldir => {folder}
astdbdir => {folder}
[options]
verbose = 0
debug = 0
maxfiles = 65536
""",
    "modules.conf": "[modules]\nautoload = no\n{modules}",
    "logger.conf": "[general]\nqueue_log = {queue_log}\n[logfiles]\nmessages.log => error\n",
    "cdr.conf": "[general]\nenable = no\n",
    "cel.conf": "[general]\nenable = no\n",
    "rtp.conf": "[general]\nrtpstart = {rtp}\nrtpend = {rtp_end}\n",
    "extensions.conf": """
[calls]
exten => _X.,1,Answer()
 same => n,Queue(junior)
 same => n,Hangup()
""",
    "queues.conf": """
[general]
persistentmembers = no
autofill = yes
[junior]
strategy = leastrecent
timeout = 25
retry = 1
wrapuptime = 0
ringinuse = no
joinempty = yes
leavewhenempty = no
announce-frequency = 0
{members}""",
    "pjsip.conf": """
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
[carrier]
type = endpoint
context = calls
disallow = all
allow = ulaw
direct_media = no
[carrier]
type = identify
endpoint = carrier
match = 127.0.0.1
[seat](!)
type = endpoint
context = calls
disallow = all
allow = ulaw
direct_media = no
device_state_busy_at = 1
[phone](!)
type = aor
qualify_frequency = 0
{seats}""",
}


class Run(NamedTuple):
    """One rate through one of the two."""

    cpu: float  # seconds per 1,000 calls
    lost: int
    p50: float  # milliseconds
    p99: float
    memory: float  # resident, megabytes, all processes, at the end of the load


def config_files(
    folder: Path, port: int, phone_port: int, seats: int, *, is_logged: bool = False
) -> dict[str, str]:
    """Return Asterisk's configuration by file name; without seats everybody waits."""
    names = [f"s{number}" for number in range(1, seats + 1)]
    phones = (
        f"[{name}](seat)\naors = {name}\n[{name}](phone)\ncontact = sip:{name}@127.0.0.1:{phone_port}\n"
        for name in names
    )
    values = {
        "folder": str(folder),
        "port": str(port),
        "rtp": str(PORTS[0]),
        "rtp_end": str(PORTS[1]),
        "queue_log": "yes" if is_logged else "no",
        "modules": "".join(f"load = {module}.so\n" for module in MODULES),
        "members": "".join(f"member => PJSIP/{name}\n" for name in names),
        "seats": "".join(phones),
    }
    return {name: text.format(**values) for name, text in CONFIG.items()}


def count_in_queue(shown: str, what: str) -> int:
    """Return a figure of ``queue show``: ``C`` (completed) or ``waiting``; 0 if it is not there."""
    pattern = r"has (\d+) calls" if what == "waiting" else rf"\b{what}:(\d+)"
    found = re.search(pattern, shown)
    return int(found[1]) if found else 0


class Asterisk(NamedTuple):
    """A running Asterisk."""

    program: str
    folder: Path
    pid: int
    port: int

    def command(self, words: str) -> str:
        """Return what the command line of Asterisk answers."""
        command = [self.program, "-C", str(self.folder / "asterisk.conf"), "-rx", words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout

    def count(self, what: str) -> int:
        """Return a figure of the queue now."""
        return count_in_queue(self.command("queue show junior"), what)


@contextmanager
def asterisk(
    program: str, folder: Path, seats: int, phone_port: int, *, is_logged: bool = False
) -> Iterator[Asterisk]:
    """Run Asterisk in a folder of its own and yield it when its queue is there."""
    folder.mkdir()
    port = free_port()
    for name, text in config_files(folder, port, phone_port, seats, is_logged=is_logged).items():
        (folder / name).write_text(text)
    with process([program, "-f", "-C", str(folder / "asterisk.conf")], folder) as pid:
        peer = Asterisk(program, folder, pid, port)
        wait_until("Asterisk's queue", lambda: "junior" in peer.command("queue show"), BOOTED_WITHIN)
        yield peer


def run_peer(program: str, folder: Path, rate: int, seconds: float, is_logged: bool) -> Run:
    """Run one rate through a fresh Asterisk on one core."""
    calls, seats = int(rate * seconds), max(20, int(rate * SEATS_PER_RATE))
    phone_port, timeout = free_port(), seconds + 60
    options = ("-d", "1000", "-l", str(rate * 10), "-trace_rtt", "-rtt_freq", "500")
    with asterisk(program, folder, seats, phone_port, is_logged=is_logged) as peer:
        family = Family(peer.pid)
        family.pin(0)
        before = sum(family.cpu().values())
        with (
            Sipp(folder, "seat", port=phone_port, calls=calls, timeout=timeout, core=1),
            Sipp(
                folder,
                "caller",
                port=free_port(),
                target=f"127.0.0.1:{peer.port}",
                calls=calls,
                rate=rate,
                options=options,
                timeout=timeout,
                core=1,
            ) as callers,
        ):
            callers.wait()
            memory = sum(family.memory().values())
            time.sleep(1)  # the last BYE to a seat
            used = sum(family.cpu().values()) - before
            completed = peer.count("C")
        times = response_times(folder, "caller")
        lost = calls - completed
        return Run(used * 1000 / calls, lost, quantile(times, 0.5), quantile(times, 0.99), memory)


def run_ours(folder: Path, rate: int, seconds: float) -> Run:
    """Run one rate through a fresh switch on one core."""
    row = run_rate(folder, rate, seconds, 1.0, pin=True)
    memory = sum(row["memory_busy_mb"].values())
    return Run(row["cpu_total"], row["lost"], row["p50_ms"], row["p99_ms"], memory)


def show(rate: int, name: str, run: Run) -> None:
    """Print a row of the table."""
    cells = f"{run.cpu:>10.3f} {run.lost:>6} {run.p50:>8.1f} {run.p99:>8.1f} {run.memory:>6.0f}"
    print(f"{rate:>8} {name:>10} {cells}", flush=True)


def ratios(pairs: list[tuple[Run, Run]]) -> tuple[list[float], float]:
    """Return our CPU divided by the peer's, pair by pair, and the median of that; NaN for no pair in which
    nothing was lost: a call that is lost is a cheap one.
    """
    each = [ours.cpu / peer.cpu for ours, peer in pairs if not ours.lost and not peer.lost]
    return each, statistics.median(each) if each else float("nan")


def run_rates(options: argparse.Namespace, program: str, folder: Path) -> bool:
    """Print every run and the ratios; say whether ours lost nothing."""
    print(f"{'calls/s':>8} {'':>10} {'CPU s/1000':>10} {'lost':>6} {'p50 ms':>8} {'p99 ms':>8} {'MB':>6}")
    is_good = True
    for rate in options.rates:
        pairs: list[tuple[Run, Run]] = []
        for number in range(options.rounds):
            ours = run_ours(folder / f"ours-{rate}-{number}", rate, options.seconds)
            show(rate, "seatswitch", ours)
            peer = run_peer(
                program, folder / f"peer-{rate}-{number}", rate, options.seconds, options.queue_log
            )
            show(rate, "app_queue", peer)
            pairs.append((ours, peer))
            is_good = is_good and not ours.lost
        each, middle = ratios(pairs)
        print(f"{rate:>8} ours / app_queue: {', '.join(f'{one:.3f}' for one in each)}; median {middle:.3f}")
        print(f"{'':>8} pairs in which a call was lost: {len(pairs) - len(each)} of {len(pairs)}", flush=True)
    for rate in options.alone:
        ours = run_ours(folder / f"alone-{rate}", rate, options.seconds)
        show(rate, "seatswitch", ours)
        is_good = is_good and not ours.lost
    return is_good


def main() -> int:
    """Run both in turn at each rate."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--asterisk", default="asterisk", metavar="PATH", help="the program, if not on PATH")
    parser.add_argument("--rates", type=int, nargs="*", default=[50, 100], help="calls per second, both")
    parser.add_argument("--alone", type=int, nargs="*", default=[], help="calls per second, ours alone")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of one run")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turn")
    parser.add_argument("--queue-log", action="store_true", help="let Asterisk write its queue_log")
    options = parser.parse_args()
    highest = max([*options.rates, *options.alone], default=0)
    if highest * options.seconds > CALLS_MAX:
        parser.error(f"more than {CALLS_MAX} calls in one run")
    program = shutil.which(options.asterisk)
    if program is None:
        print(LEFT_OUT, file=sys.stderr)
        return 1
    program = str(Path(program).resolve())
    version = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=10, check=False)
    print(f"{version.stdout.strip()}, queue_log {'on' if options.queue_log else 'off'}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run_rates(options, program, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
