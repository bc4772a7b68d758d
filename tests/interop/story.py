"""What a phone of the interop table has to do: register, call, send digits, hold, resume, hang up; and to
call over a bad network. Audio is proved by frequency: each side must hear the other's tone and not its own.
"""

import re
import time
from pathlib import Path
from typing import Any

from tests.certificates import Authority
from tests.interop.impair import Impair
from tests.interop.phones import BARESIP_PORTS, FREQUENCY, Phone, Where, all_heard
from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, tone_share
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete

OTHER_FREQUENCY = 1000.0
CLEAR, FAINT = 0.8, 0.2  # shares of a half second's energy
CLEAR_ENOUGH = 0.5  # where packets are lost
TALK = 3.0  # seconds
BAD_HOST = "127.0.0.2"  # where the bad network listens
MEDIA_PORTS = 64


class Failed(Exception):
    """A step went wrong; the message says which way."""


def config(
    impaired: bool, tls_port: int = 0, folder: Path | None = None, certified: str = "127.0.0.1"
) -> str:
    """Return the wire tests' configuration with what this run needs; its certificate is for ``certified``.

    Its algorithm is MD5: baresip, the other side of every call, gives up at a challenge of another.
    """
    text = CONFIG
    if tls_port:
        assert folder is not None
        certificate, key = Authority(folder).issue_literally(certified, BAD_HOST)
        text = text.replace(
            '"tcp://127.0.0.1:{sip}"]', f'"tcp://127.0.0.1:{{sip}}", "tls://127.0.0.1:{tls_port}"]'
        )
        tls = f'[sip.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
        text = text.replace("[media]", f"{tls}\n[media]")
    if impaired:
        text = text.replace("[sip]", f'[sip]\nadvertise = "{BAD_HOST}"')
        text = text.replace('domain = "127.0.0.1"', f'domain = ["127.0.0.1", "{BAD_HOST}"]')
        text = text.replace("[media]", f'[media]\nadvertise = "{BAD_HOST}"')
    return text


class Run:
    """One phone over one transport; ``results`` are the cells of its line in the table."""

    steps = ("register", "call", "dtmf", "hold", "bad net", "sha-256")

    def __init__(self, kind: Any, transport: str, folder: Path) -> None:
        self.kind = kind
        self.transport = transport
        self.folder = folder
        self.results: dict[str, str] = {}
        self.why = ""  # of the first failure

    def do(self) -> dict[str, str]:
        """Do everything; a step after a failed one is not tried."""
        self._story(impaired=False)
        if not self.why:
            self._story(impaired=True)
        if not self.why:
            self._strong_digest()
        return self.results

    def talk_plainly(self) -> None:
        """Do what is done without a bad network."""
        self._story(impaired=False)

    def _strong_digest(self) -> None:
        """Whether it registers where SHA-256 is offered first (RFC 8760): a quirk if not, no failure."""
        folder = self.folder / "sha256"
        folder.mkdir(parents=True)
        tls_port = free_port() if self.transport == "tls" else 0
        text = config(False, tls_port, folder).replace('["MD5"]', '["SHA-256", "MD5"]')
        with Switch(folder, config=text) as switch:
            admin = switch.rpc()
            with self.kind(Where(folder, self.transport, "127.0.0.1", tls_port or switch.sip_port)):
                try:
                    registered(admin, 6, count=1)
                except AssertionError:
                    self.results["sha-256"] = "no"
                else:
                    self.results["sha-256"] = "ok"

    def _story(self, *, impaired: bool) -> None:
        folder = self.folder / ("impaired" if impaired else "plain")
        folder.mkdir(parents=True)
        first = free_media_ports(MEDIA_PORTS)
        ports = (first, first + MEDIA_PORTS - 2)
        tls_port = free_port() if self.transport == "tls" else 0
        with Switch(folder, config=config(impaired, tls_port, folder), ports=ports) as switch:
            self.switch = switch
            port = tls_port or switch.sip_port
            if not impaired:
                self._talk(folder, Where(folder, self.transport, "127.0.0.1", port), impaired)
                return
            span = range(first, first + MEDIA_PORTS)
            with Impair(BAD_HOST, "127.0.0.1", [switch.sip_port, *span], stream_ports=(port,)) as network:
                self._talk(folder, Where(folder, self.transport, BAD_HOST, port), impaired)
            counts = network.counts
            if not self.why and min(counts["lost"], counts["duplicated"], counts["reordered"]) < 10:
                self._fail("bad net", f"the network was not bad: {counts}")

    def _talk(self, folder: Path, where: Where, impaired: bool) -> None:
        other = Baresip(
            folder,
            "2002",
            port=free_port(),
            control=free_port(),
            rtp=free_media_ports(BARESIP_PORTS),
            sip_port=self.switch.sip_port,
            frequency=OTHER_FREQUENCY,
            answer="auto",
            host=where.host,
        )
        with other, self.kind(where) as phone:
            try:
                if impaired:
                    self._impaired_steps(where, self.switch.rpc(), phone, other)
                else:
                    self._plain_steps(where, self.switch.rpc(), phone, other)
            except (AssertionError, Failed) as error:
                step = next(name for name in self.steps if name not in self.results)
                self._fail(step, f"{error}\n{phone.story()}")

    def _fail(self, step: str, why: str) -> None:
        self.results[step] = "FAILED"
        self.why = f"{self.kind.name} over {self.transport}, {step}: {why}"

    def _plain_steps(self, where: Where, admin: Rpc, phone: Phone, other: Baresip) -> None:
        registered(admin)
        self.results["register"] = "ok"
        phone.dial(f"sip:2002@{where.host}:{where.port}")
        talking(admin, TALK)
        self.results["call"] = "ok"
        self._press(phone, other, tries=1)
        self.results["dtmf"] = "ok"
        self._hold(admin, phone, 5)
        self._end(admin, phone)
        self.results["hold"] = "ok"
        self._listen(phone, other, CLEAR)
        # baresip 1.0 writes no recording behind a hold, so packets say that audio came back.
        packets = self._packets()
        if min(packets) < (2 * TALK - 0.5) * 50:
            self._fail("hold", f"{packets} packets were sent to the two: too few for before and after")

    def _impaired_steps(self, where: Where, admin: Rpc, phone: Phone, other: Baresip) -> None:
        """The same once more, with the patience that a lost message asks for."""
        registered(admin, 40)
        phone.dial(f"sip:2002@{where.host}:{where.port}")
        talking(admin, 2 * TALK, 40)
        self._press(phone, other, tries=3)
        self._hold(admin, phone, 40)
        self._end(admin, phone)
        self.results["bad net"] = "ok"
        self._listen(phone, other, CLEAR_ENOUGH)
        packets = self._packets()
        if min(packets) < (3 * TALK - 0.5) * 50 * 0.8:
            self._fail("bad net", f"{packets} packets were sent to the two: too few for before and after")

    def _press(self, phone: Phone, other: Baresip, tries: int) -> None:
        """Both digits arrive, in order. Where packets get lost a digit may, and is pressed again."""
        log = other.folder / "out.log"
        for left in reversed(range(tries)):
            phone.dtmf("15")
            try:
                wait_until("both digits", lambda: once_each(digits(log)).endswith("15"), 8 if not left else 3)
                return
            except AssertionError:
                if not left:
                    raise

    def _hold(self, admin: Rpc, phone: Phone, within: float) -> None:
        phone.hold()
        wait_until("the call is held", lambda: states(admin) == ["held"], within)
        time.sleep(TALK)
        phone.resume()
        wait_until("the call goes on", lambda: states(admin) == ["talking"], within)
        time.sleep(TALK)

    def _end(self, admin: Rpc, phone: Phone) -> None:
        phone.hang_up()
        wait_until("the call is over", lambda: not states(admin), 40)
        time.sleep(0.5)  # the recordings are closed

    def _packets(self) -> list[int]:
        """Return how many packets were sent to each of the two."""
        return [stream["packets_sent"] for stream in rows_when_complete(self.switch, "streams", 2)]

    def _listen(self, phone: Phone, other: Baresip, clear: float) -> None:
        """Each heard the other's tone and not its own."""
        step = "call" if clear == CLEAR else "bad net"
        samples, rate = phone.heard()
        mine = [tone_share(window, OTHER_FREQUENCY, rate) for window in windows(samples, rate)]
        echo = [tone_share(window, FREQUENCY, rate) for window in windows(samples, rate)]
        theirs = [tone_share(window, FREQUENCY) for window in windows(all_heard(other), 8000)]
        if sum(share > clear for share in mine) < 5 or max(echo) > FAINT:
            self._fail(step, f"it heard {rounded(mine)} of 1000 Hz and {rounded(echo)} of its own tone")
        if sum(share > clear for share in theirs) < 5:
            self._fail(step, f"the other heard {rounded(theirs)} of 440 Hz")


def registered(admin: Rpc, within: float = 15, count: int = 2) -> None:
    """Wait until ``count`` phones are registered, and until there are ports for audio."""
    wait_until(
        f"{count} are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= count, within
    )
    wait_until("ports for audio", lambda: free_ports(admin) > 3)


def free_ports(admin: Rpc) -> int:
    """Return how many ports for audio the switch has ready."""
    workers = admin.call("admin.status")["media"]["workers"]
    return sum(worker["ports"]["free"] for worker in workers)


def talking(admin: Rpc, seconds: float, within: float = 15) -> None:
    """Wait until the call has been talked in for some seconds."""
    wait_until("they talk", lambda: states(admin) == ["talking"], within)
    time.sleep(seconds)


def states(admin: Rpc) -> list[str]:
    """Return the state of each call."""
    return [call["state"] for call in admin.call("call.list")]


def digits(log: Path) -> str:
    """Return the DTMF digits that baresip says it has received; from 1.1 on it says it in other words."""
    said = log.read_text(errors="replace")
    return "".join(re.findall(r"received (?:in-band DTMF )?event: '(.)' \(end=1\)", said))


def once_each(pressed: str) -> str:
    """Return the digits with repetitions of one left out."""
    return re.sub(r"(.)\1+", r"\1", pressed)


def windows(samples: list[int], rate: int) -> list[list[int]]:
    """Cut into half seconds."""
    size = rate // 2
    return [samples[at : at + size] for at in range(0, len(samples) - size, size)]


def rounded(shares: list[float]) -> str:
    """Return shares as a short text."""
    return " ".join(f"{share:.1f}" for share in shares)
