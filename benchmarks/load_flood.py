"""A-FLOOD1: one address floods the switch with INVITEs while another one's calls are set up.

A real switch on loopback, SIPp as caller (5 calls a second from 127.0.0.1, a trunk) and as seats; a flooder
at 127.0.0.66, which is nobody's address, sends INVITEs no two of which are alike. Measured without and with
the flood: good calls, the time from INVITE to 200 as SIPp sees it, the switch's memory.

python -m benchmarks.load_flood [--rate 2000] [--seconds 20] [--json]
"""

import argparse
import json
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.ports import free_port
from tests.sip.scene import SDP, request
from tests.wire.phones import Sipp, register
from tests.wire.switch import CONFIG, Switch
from tests.wire.test_queue_call import sign_in

FLOODER = "127.0.0.66"
GOOD_RATE = 5.0  # calls a second
SEATS = 40


def flood(port: int, rate: int, seconds: float, sent: Any) -> None:
    """Send INVITEs at ``rate``, a hundredth of a second's worth at a time; read what comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((FLOODER, 5060))
        one.setblocking(False)
        begun, number = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            while number < passed * rate:
                name = f"f{number}"
                data = request("INVITE", branch=f"z9hG4bK{name}", call_id=name, via=FLOODER, body=SDP)
                one.sendto(data, ("127.0.0.1", port))
                number += 1
            try:
                while True:
                    one.recv(65_536)
            except BlockingIOError:
                time.sleep(0.01)
        sent.value = number


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def setup_times(folder: Path) -> list[float]:
    """Return the seconds from INVITE to 200 that SIPp has written."""
    (file,) = folder.glob("caller-*_rtt.csv")
    lines = file.read_text().splitlines()[1:]
    return sorted(float(line.split(";")[1]) / 1000 for line in lines)


def measure(rate: int, seconds: float) -> dict[str, Any]:
    """Return what 5 calls a second saw while somebody sent ``rate`` INVITEs a second."""
    calls = int(seconds * GOOD_RATE)
    config = CONFIG.replace('accept = ["127.0.0.0/8"]', 'accept = ["127.0.0.1/32"]')
    with tempfile.TemporaryDirectory() as name, Switch(Path(name), seats=SEATS, config=config) as switch:
        folder, phone_port = Path(name), free_port()
        register(folder, switch.sip_port, switch.seats, port=phone_port)
        desks = sign_in(switch, switch.seats)
        assert switch.process is not None
        before = memory(switch.process.pid)
        sent = multiprocessing.Value("i", 0)
        args = (switch.sip_port, rate, seconds, sent)
        flooder = multiprocessing.Process(target=flood, args=args)
        if rate:
            flooder.start()
        options = ("-d", "300", "-trace_rtt", "-rtt_freq", "1")
        with Sipp(folder, "seat", port=phone_port, calls=calls, timeout=90):
            caller = Sipp(
                folder,
                "caller",
                port=free_port(),
                target=f"127.0.0.1:{switch.sip_port}",
                calls=calls,
                rate=GOOD_RATE,
                options=options,
                timeout=90,
            )
            code = caller.wait()
        after = memory(switch.process.pid)
        if rate:
            flooder.join()
        times = setup_times(folder)
        status = switch.rpc().call("admin.status")
        for desk in desks:
            desk.close()
    return {
        "flood_per_second": round(sent.value / seconds),
        "good_calls": len(times),
        "of": calls,
        "all_good": code == 0,
        "setup_median_ms": round(times[len(times) // 2] * 1000, 1),
        "setup_p99_ms": round(times[min(len(times) - 1, int(len(times) * 0.99))] * 1000, 1),
        "memory_more_mb": round(after - before, 1),
        "lag": status["lag"],
        "dropped": status["sip"]["dropped"],
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--rate", type=int, default=2_000, help="INVITEs a second of the flood")
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    results = [measure(rate, chosen.seconds) for rate in (0, chosen.rate)]
    if chosen.json:
        print(json.dumps(results))
        return
    for result in results:
        print("  ".join(f"{key} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
