"""What a phone of the interop table has to do: register, call, send digits, hold, resume, hang up; and to
call over a bad network. Audio is proved by frequency: each side must hear the other's tone and not its own.
"""

import re
import time
from pathlib import Path
from typing import Any

from tests.interop.impair import Impair
from tests.interop.phones import FREQUENCY, RTP, Phone, Where, all_heard
from tests.wire.phones import Baresip, tone_share
from tests.wire.switch import CONFIG, Rpc, Switch, free_port, wait_until
from tests.wire.test_queue_call import rows_when_complete

OTHER_FREQUENCY = 1000.0
CLEAR, FAINT = 0.8, 0.2  # shares of a half second's energy
CLEAR_ENOUGH = 0.5  # where packets are lost
TALK = 3.0  # seconds
BAD_HOST = "127.0.0.2"  # where the bad network listens
MEDIA_PORTS = (21_000, 21_062)


class Failed(Exception):
    """A step went wrong; the message says which way."""


def config(impaired: bool) -> str:
    """Return the wire tests' configuration with what this run needs."""
    text = (
        CONFIG  # baresip, the other side of every call, gives up at a challenge of another algorithm than MD5
    )
    if impaired:
        text = text.replace("[sip]", f'[sip]\nadvertise = "{BAD_HOST}"')
        text = text.replace('domain = "127.0.0.1"', f'domain = ["127.0.0.1", "{BAD_HOST}"]')
        text = text.replace("[media]", f'[media]\nadvertise = "{BAD_HOST}"')
    return text


class Run:
    """One phone over one transport; ``results`` are the cells of its line in the table."""

    def __init__(self, kind: Any, transport: str, folder: Path) -> None:
        self.kind = kind
        self.transport = transport
        self.folder = folder
        self.results: dict[str, str] = {}
        self.why = ""  # of the first failure

    def do(self) -> dict[str, str]:
        """Do everything; a step after a failed one is not tried."""
        self._story(impaired=False)
        if self.transport == "udp" and not self.why:
            self._story(impaired=True)
        if self.transport == "udp":
            self._strong_digest()
        return self.results

    def talk_plainly(self) -> None:
        """Do what is done without a bad network."""
        self._story(impaired=False)

    def _strong_digest(self) -> None:
        """Whether it registers where SHA-256 is offered first (RFC 8760): a quirk if not, no failure."""
        folder = self.folder / "sha256"
        folder.mkdir(parents=True)
        text = CONFIG.replace('["MD5"]', '["SHA-256", "MD5"]')
        with Switch(folder, config=text) as switch:
            admin = switch.rpc()
            with self.kind(Where(folder, self.transport, "127.0.0.1", switch.sip_port)):
                try:
                    registered(admin, 6, count=1)
                except AssertionError:
                    self.results["sha-256"] = "no"
                else:
                    self.results["sha-256"] = "ok"

    def _story(self, *, impaired: bool) -> None:
        folder = self.folder / ("impaired" if impaired else "plain")
        folder.mkdir(parents=True)
        ports = MEDIA_PORTS if impaired else None
        text = config(impaired)
        with Switch(folder, config=text, ports=ports) as switch:
            self.switch = switch
            if not impaired:
                self._talk(folder, switch, "127.0.0.1", self._plain_steps)
                return
            span = range(MEDIA_PORTS[0], MEDIA_PORTS[1] + 2)
            with Impair(BAD_HOST, "127.0.0.1", [switch.sip_port, *span]) as network:
                self._talk(folder, switch, BAD_HOST, self._impaired_steps)
            counts = network.counts
            if counts["lost"] < 10 and not self.why:
                self._fail("impaired", f"the network was not bad: {counts}")

    def _talk(self, folder: Path, switch: Switch, host: str, steps: Any) -> None:
        where = Where(folder, self.transport, host, switch.sip_port)
        other = Baresip(
            folder,
            "2002",
            port=free_port(),
            control=free_port(),
            rtp=RTP + 200,
            sip_port=switch.sip_port,
            frequency=OTHER_FREQUENCY,
            answer="auto",
            host=host,
        )
        with other, self.kind(where) as phone:
            try:
                steps(switch, switch.rpc(), phone, other)
            except (AssertionError, Failed) as error:
                step = next(name for name in self.steps if name not in self.results)
                self._fail(step, f"{error}\n{phone.story()}")

    steps = ("register", "call", "dtmf", "hold", "impaired", "sha-256")

    def _fail(self, step: str, why: str) -> None:
        self.results[step] = "FAILED"
        self.why = f"{self.kind.name} over {self.transport}, {step}: {why}"

    def _plain_steps(self, switch: Switch, admin: Rpc, phone: Phone, other: Baresip) -> None:
        registered(admin)
        self.results["register"] = "ok"
        phone.dial(f"sip:2002@127.0.0.1:{switch.sip_port}")
        talking(admin, TALK)
        self.results["call"] = "ok"
        phone.dtmf("15")
        log = other.folder / "out.log"
        wait_until("both digits at the other phone", lambda: digits(log) == "15", 8)
        self.results["dtmf"] = "ok"
        phone.hold()
        wait_until("the call is held", lambda: states(admin) == ["held"], 5)
        time.sleep(TALK)
        phone.resume()
        wait_until("the call goes on", lambda: states(admin) == ["talking"], 5)
        time.sleep(TALK)
        self._end(admin, phone)
        self.results["hold"] = "ok"
        self._listen(phone, other, CLEAR)

    def _impaired_steps(self, switch: Switch, admin: Rpc, phone: Phone, other: Baresip) -> None:
        registered(admin, 40)
        phone.dial(f"sip:2002@{BAD_HOST}:{switch.sip_port}")
        talking(admin, 2 * TALK, 40)
        self._end(admin, phone)
        caller, callee = phone.heard(), (all_heard(other), 8000)
        for who, (samples, rate), theirs in (("it", caller, 1000.0), ("the other", callee, FREQUENCY)):
            heard = [tone_share(window, theirs, rate) for window in windows(samples, rate)]
            if sum(share > CLEAR_ENOUGH for share in heard) < 6:
                raise Failed(f"{who} did not hear {theirs:g} Hz: {rounded(heard)}")
        self.results["impaired"] = "ok"

    def _end(self, admin: Rpc, phone: Phone) -> None:
        phone.hang_up()
        wait_until("the call is over", lambda: not states(admin), 40)
        time.sleep(0.5)  # the recordings are closed

    def _listen(self, phone: Phone, other: Baresip, clear: float) -> None:
        """Each heard the other's tone and not its own; after the hold there was audio again."""
        samples, rate = phone.heard()
        mine = [tone_share(window, OTHER_FREQUENCY, rate) for window in windows(samples, rate)]
        echo = [tone_share(window, FREQUENCY, rate) for window in windows(samples, rate)]
        theirs = [tone_share(window, FREQUENCY) for window in windows(all_heard(other), 8000)]
        if sum(share > clear for share in mine) < 5 or max(echo) > FAINT:
            self._fail("call", f"it heard {rounded(mine)} of 1000 Hz and {rounded(echo)} of its own tone")
        if sum(share > clear for share in theirs) < 5:
            self._fail("call", f"the other heard {rounded(theirs)} of 440 Hz")
        # baresip 1.0 writes no recording behind a hold, so packets say that audio came back.
        packets = [stream["packets_sent"] for stream in rows_when_complete(self.switch, "streams", 2)]
        if min(packets) < (2 * TALK - 0.5) * 50:
            self._fail("hold", f"{packets} packets were sent to the two: too few for before and after")


def registered(admin: Rpc, within: float = 15, count: int = 2) -> None:
    """Wait until ``count`` phones are registered."""
    wait_until(
        f"{count} are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= count, within
    )


def talking(admin: Rpc, seconds: float, within: float = 15) -> None:
    """Wait until the call has been talked in for some seconds."""
    wait_until("they talk", lambda: states(admin) == ["talking"], within)
    time.sleep(seconds)


def states(admin: Rpc) -> list[str]:
    """Return the state of each call."""
    return [call["state"] for call in admin.call("call.list")]


def digits(log: Path) -> str:
    """Return the DTMF digits that baresip says it has received."""
    return "".join(re.findall(r"received event: '(.)' \(end=1\)", log.read_text(errors="replace")))


def windows(samples: list[int], rate: int) -> list[list[int]]:
    """Cut into half seconds."""
    size = rate // 2
    return [samples[at : at + size] for at in range(0, len(samples) - size, size)]


def rounded(shares: list[float]) -> str:
    """Return shares as a short text."""
    return " ".join(f"{share:.1f}" for share in shares)
