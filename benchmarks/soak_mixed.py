"""Soak: everything at once at a real switch for minutes, and nothing may be left of it.

The simulator's phones on real sockets make calls of all kinds, drawn by a seed: callers who are served, who
give up, who are refreshed, put on hold and transferred, who leave messages and walk through a script, who are
called back; extensions that call each other; phones that register anew, desks that come, subscribe, ask and
go. Those who talk send audio, and every conversation is recorded.

Judged at the end: no call, session, stream or callback is left; every visit has one outcome; counters agree
with rows; no bug was logged, no phone objects to what it was sent; and the anonymous memory of each process
grows by at most GROWTH_MAX in the last half, as in ``soak_sip``, where the events that are kept for resume
were at their most before that half began. The row writer may grow until the cache of its database is full.

python -m benchmarks.soak_mixed --seconds 300 --rate 14
"""

import argparse
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.demo import Complaints
from benchmarks.load_queue_call import Family
from benchmarks.realnet import RealNetwork, free_udp_port
from benchmarks.soak_sip import GROWTH_MAX, LOOKS, Memory, anonymous, errors_of
from kernel.limits import EVENT_BUFFER_MAX
from tests.simulator.call import Call
from tests.simulator.phones import Errand, Manner, Softphone, Trunk
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until

HOST = "127.0.0.1"
SEATS_PER_RATE = 4  # a visit of a seat takes about two seconds
CALLERS = 500  # numbers that call again and again, so that what is kept by number soon knows them all
FRAME = 0.02  # seconds between two packets of audio
WRITER_FULL = 88.0  # MB: of the row writer once SQLite's cache of 32 MB is full
ENDS_WITHIN = 60.0  # seconds after the last caller
TOPICS = ("seat", "call", "queue", "supervisor", "callback", "voicemail", "trunk", "switch")
WEIGHTS = {
    "served": 45,
    "gives up": 10,
    "refreshes": 5,
    "waits for a menu": 10,
    "leaves a message": 5,
    "is called back": 5,
    "extension calls extension": 5,
    "registers anew": 5,
    "desk comes and goes": 10,
}
SCRIPT = """[tenant.ivr.main.node.hello]
kind = "play"
sounds = ["voice:en/rate-us"]
then = "queue:junior"
"""
CONFIGURED = (
    CONFIG.replace('digest_algorithms = ["MD5"]', 'digest_algorithms = ["SHA-256"]')
    .replace('accept = ["127.0.0.0/8"]', 'accept = ["127.0.0.0/8"]\ncontact = "sip:127.0.0.1:CARRIER"')
    .replace(
        '  {{number = "96200"',
        '  {{number = "96300", entry = "ivr:main"}},\n'
        '  {{number = "96301", entry = "voicemail:public"}},\n'
        '  {{number = "96200"',
    )
    .replace('pause_reasons = ["rest"]\n', f'pause_reasons = ["rest"]\nrecord = true\n{SCRIPT}')
    + '[recording]\nfolder = "{folder}/recordings"\n[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n'
)


class Audio:
    """Sends u-law every 20 ms for every call that talks, from a socket of its own, and reads nothing."""

    def __init__(self, network: RealNetwork) -> None:
        self._network = network
        self._sockets: dict[Call, socket.socket] = {}
        self._number = 0
        self.sent = 0
        self._tick()

    def talk(self, call: Call) -> None:
        """Begin with a call; it ends with the call."""
        if call not in self._sockets:
            self._sockets[call] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _tick(self) -> None:
        self._number += 1
        head = struct.pack(">BBHII", 0x80, 0, self._number % 2**16, self._number * 160 % 2**32, 7)
        packet = head + b"\x55\xd5" * 80
        for call in [each for each in self._sockets if each.has_ended]:
            self._sockets.pop(call).close()
        for call, udp in self._sockets.items():
            if call.remote_sdp is not None:
                udp.sendto(packet, (call.remote_sdp.host, call.remote_sdp.port))
                self.sent += 1
        self._network.timeline.after(FRAME, self._tick)

    def close(self) -> None:
        """Close every socket."""
        for udp in self._sockets.values():
            udp.close()


class SeatPhone(Softphone):
    """A seat's or an extension's phone: it talks, and now and then holds or transfers its caller."""

    audio: Audio

    def on_talking(self, call: Call) -> None:
        """Decide what becomes of a conversation."""
        super().on_talking(call)
        self.audio.talk(call)
        what = self.random.random()
        if call.is_caller or what > 0.2:
            return
        if what > 0.1:
            self.after(0.3, lambda: self._hold(call, "sendonly"))
            self.after(0.8, lambda: self._hold(call, "sendrecv"))
        else:
            self.after(0.5, lambda: self._send_on(call))

    def _hold(self, call: Call, direction: str) -> None:
        if call.state == "talking":
            call.reinvite(direction)

    def _send_on(self, call: Call) -> None:
        if call.state == "talking":
            call.refer("2001", HOST, 0.2)


class Carrier(Trunk):
    """Callers who talk, and customers who are called back."""

    audio: Audio

    def on_talking(self, call: Call) -> None:
        """Begin to talk."""
        super().on_talking(call)
        self.audio.talk(call)


class Mixture:
    """Phones, desks and callers of one soak."""

    def __init__(self, switch: Switch, carrier_port: int, seed: int) -> None:
        self._switch, self._random = switch, Random(seed)
        self.network, self.complaints = RealNetwork(), Complaints()
        self.audio = Audio(self.network)
        self.admin = switch.rpc()
        self.done: Counter[str] = Counter()
        proxy, network = (HOST, switch.sip_port), self.network.for_phones()
        self.phones: dict[str, SeatPhone] = {}
        for number in (*switch.seats, "2001", "2002"):
            place, own = (HOST, free_udp_port(HOST)), Random(f"{seed}/{number}")
            self.phones[number] = phone = SeatPhone(
                number, network, place, proxy, own, self.complaints, password="demo", domain=HOST
            )
            phone.manner = Manner(answers_after=0.3)
            phone.audio = self.audio
        self.carrier = Carrier(
            "carrier", network, (HOST, carrier_port), proxy, Random(f"{seed}/carrier"), self.complaints
        )
        self.carrier.manner = Manner(answers_after=0.3, talks_for=1.0)
        self.carrier.audio = self.audio

    def start(self) -> list[Rpc]:
        """Register every phone, sign every seat in; return the seats' connections."""
        for phone in self.phones.values():
            phone.register()
            self.network.run(0.02)
        self.network.run(2.0)
        assert all(phone.is_registered for phone in self.phones.values()), "a phone could not register"
        desks = []
        for seat in self._switch.seats:
            desks.append(self._switch.rpc())
            desks[-1].call("session.login", hotline="96198", seat=seat, password="demo")
        return desks

    def begin(self) -> None:
        """Let one more thing happen."""
        (what,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        self.done[what] += 1
        caller = f"139{self._random.randrange(CALLERS):08d}"
        talks = self._random.uniform(0.5, 2.5)
        match what:
            case "gives up":
                patience = self._random.uniform(0.02, 0.4)
                self.carrier.dial(Errand(caller=caller, hangs_up_after=patience))
            case "refreshes":
                self.carrier.dial(Errand(caller=caller, talks_for=2.0, reinvites_after=0.5))
            case "waits for a menu":
                self.carrier.dial(Errand(number="96300", caller=caller, talks_for=10.0))
            case "leaves a message":
                self.carrier.dial(Errand(number="96301", caller=caller, talks_for=12.0))
            case "is called back":
                self.admin.call("callback.book", number=caller, queue="junior")
            case "extension calls extension":
                call = self.phones["2002"].invite("2001")
                self.network.timeline.after(2.0, call.hang_up)
            case "registers anew":
                self._random.choice(list(self.phones.values())).register()
            case "desk comes and goes":
                self._look_in()
            case _:
                self.carrier.dial(Errand(caller=caller, talks_for=talks))

    def _look_in(self) -> None:
        """A board opens, subscribes to everything, asks, and goes without a word."""
        desk = Rpc(self._switch.socket_path)
        desk.call("events.subscribe", topics=list(TOPICS))
        desk.call("queue.list")
        for call in desk.call("call.list")[:1]:
            desk.send("explain.call", call=call["call"])
        self.network.timeline.after(self._random.uniform(0.1, 3.0), desk.close)

    def run(self, seconds: float, rate: float, until: float) -> float:
        """Let things happen at ``rate`` for so long, from ``until`` on; return where it ends."""
        until += seconds
        next_at = until - seconds
        while (now := time.monotonic()) < until:
            while next_at <= now:
                self.begin()
                next_at += 1 / rate
            self.network.run(max(0.0, min(until, next_at) - now))
        return until

    def finish(self) -> None:
        """Let everything that goes on come to its end."""
        ends_at = time.monotonic() + ENDS_WITHIN
        while time.monotonic() < ends_at:
            self.network.run(1.0)
            if not self.admin.call("call.list") and not self.admin.call("callback.list"):
                break
        self.network.run(2.0)

    def close(self) -> None:
        """Let go of every socket."""
        self.audio.close()
        self.network.close()


def left_over(rpc: Rpc) -> list[str]:
    """Return what is still there when nobody calls any more."""
    status = rpc.call("admin.status")
    counts = {
        "calls": sum(status["calls"].values()),
        "sessions": status["sip"]["sessions"],
        "streams": status["media"]["streams"],
        "waiting": status["distribution"]["waiting"],
        "busy seats": sum(
            count for word, count in status["distribution"]["activity"].items() if word != "idle"
        ),
        "callbacks": len(rpc.call("callback.list")),
        "bugs": len(status["shell"]["bugs"]),
    }
    return [f"{count} {what} left" for what, count in counts.items() if count]


def disagreements(switch: Switch, rpc: Rpc) -> list[str]:
    """Return where rows and counters differ, and what is no outcome."""
    visits, found = switch.rows("visits"), []
    outcomes = Counter((row["queue"], row["outcome"]) for row in visits)
    known = ("answered", "abandoned", "timed_out", "overflowed", "refused", "withdrawn", "callback")
    found += [f"a visit ended as {word!r}" for _, word in outcomes if word not in known]
    for queue in rpc.call("queue.list"):
        for outcome in known:
            counted, written = queue[outcome], outcomes[queue["queue"], outcome]
            if counted != written:
                found.append(f"{queue['queue']}: {outcome} {counted} counted, {written} written")
    answered = Counter(row["outcome"] for row in switch.rows("offers"))["answered"]
    seated = sum(row["outcome"] == "answered" for row in visits)
    if answered != seated:
        found.append(f"{answered} answered offers of {seated} answered visits")
    return found


def mistakes(switch: Switch, mixture: Mixture) -> list[str]:
    """Return everything that is not as it must be, once the rows are written."""
    rpc = mixture.admin
    wait_until("rows that agree with the counters", lambda: not disagreements(switch, rpc), 60)
    phones = [mixture.carrier, *mixture.phones.values()]
    calls = [call for phone in phones for call in phone.calls if not call.has_ended]
    found = left_over(rpc) + [f"a phone still has {call}" for call in calls]
    found += [f"a row of {row['call']} has no verdict" for row in switch.rows("calls") if not row["verdict"]]
    return found + mixture.complaints.texts + errors_of(switch.log_path)


def is_flat(duty: str, memory: Memory, events: int) -> bool:
    """Say whether a process has stopped growing, or may grow yet. ``events`` came before the last half."""
    if events < EVENT_BUFFER_MAX or (memory.growth or 0.0) <= GROWTH_MAX:
        return True
    return duty == "writer" and memory.looks[-1][2] <= WRITER_FULL * 1e6


def soak(folder: Path, seconds: float, rate: float, seed: int) -> int:
    """Run it, print the table, and return how many things were not as they must be."""
    carrier_port = free_udp_port(HOST)
    config = CONFIGURED.replace("CARRIER", str(carrier_port))
    with Switch(folder, seats=max(20, int(rate * SEATS_PER_RATE)), config=config) as switch:
        assert switch.process is not None
        mixture = Mixture(switch, carrier_port, seed)
        desks = mixture.start()
        family, events = Family(switch.process.pid), mixture.admin.call("admin.status")["events"]
        memories = {duty: Memory() for duty in family.members.values()}
        began = until = time.monotonic()
        for look in range(LOOKS + 1):
            for pid, duty in family.members.items():
                memories[duty].take(time.monotonic() - began, sum(mixture.done.values()), anonymous(pid))
            if look == LOOKS // 2:
                at_half = mixture.admin.call("admin.status")["events"] - events
            if look < LOOKS:
                until = mixture.run(seconds / LOOKS, rate, until)
        mixture.finish()
        events = mixture.admin.call("admin.status")["events"] - events
        found = mistakes(switch, mixture)
        rows = {table: switch.count(table) for table in ("calls", "visits", "offers", "recordings")}
        mixture.close()
        assert len(desks) == len(switch.seats)
    done = ", ".join(f"{what} {count}" for what, count in sorted(mixture.done.items()))
    print(f"{seconds:.0f} s: {done}; packets of audio sent {mixture.audio.sent}")
    print(f"rows {rows}; events {events}, of which {at_half} before the last half; kept {EVENT_BUFFER_MAX}")
    for duty, memory in memories.items():
        print(f"anonymous MB of {duty}: {memory}")
        if not is_flat(duty, memory, at_half):
            found.append(f"memory of {duty} is not flat")
    if at_half < EVENT_BUFFER_MAX:
        print("memory is not judged: the event buffer was not full before the last half")
    for text in found[:20]:
        print(f"! {text}")
    return len(found)


def main() -> int:
    """Run it."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--seconds", type=float, default=300.0, help="during which things begin")
    parser.add_argument("--rate", type=float, default=14.0, help="things a second")
    parser.add_argument("--seed", type=int, default=1, help="one seed, one mixture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return min(1, soak(Path(folder), options.seconds, options.rate, options.seed))


if __name__ == "__main__":
    sys.exit(main())
