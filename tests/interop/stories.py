"""What is not in the table of phones and transports: transfers, reliable ringing and session timers with
pjsua2 and linphone, and a phone in a browser.

A story gets a folder and raises AssertionError or Failed when something goes otherwise.
"""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.certificates import Authority
from tests.interop import browser
from tests.interop.browser import Browser, Site
from tests.interop.phones import (
    BARESIP_PORTS,
    FREQUENCY,
    BaresipPhone,
    LinphonePhone,
    PjsuaPhone,
    Where,
    all_heard,
)
from tests.interop.story import config, registered, states, windows
from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, Sipp, tone_share
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until

CLEAR = 0.8  # share of a half second's energy
THIRD = """
[[extension]]
number = "2003"
tenant = "demo"
password = "demo"
"""
TALK = 3.0  # seconds
SESSION_EXPIRES = 90  # seconds, the least that RFC 4028 allows


class Story(NamedTuple):
    """One line of the second table."""

    phone: str
    what: str
    version: Callable[[], str]  # "" where the phone is not here
    do: Callable[[Path], None]


def held_phone(where: Where) -> PjsuaPhone:
    """Return 2002, which answers, plays 1000 Hz, and records on behind a hold."""
    return PjsuaPhone(where, "2002", 1000.0, auto=True)


def third_phone(where: Where) -> Baresip:
    """Return 2003, which answers and plays 700 Hz."""
    return Baresip(
        where.folder,
        "2003",
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(BARESIP_PORTS),
        sip_port=where.port,
        frequency=700.0,
        answer="auto",
    )


def transfers(kind: Any, *, consults: bool) -> Callable[[Path], None]:
    """Return the story of 2001, who hands 2002 to 2003: at once, or after a word with 2003 (RFC 5589)."""

    def do(folder: Path) -> None:
        with Switch(folder, config=CONFIG + THIRD) as switch:
            admin, where = switch.rpc(), Where(folder, "udp", "127.0.0.1", switch.sip_port)
            uri = f"sip:{{}}@127.0.0.1:{switch.sip_port}"
            with held_phone(where) as held, third_phone(where) as third, kind(where) as phone:
                registered(admin, count=3)
                phone.dial(uri.format("2002"))
                wait_until("they talk", lambda: states(admin) == ["talking"])
                time.sleep(1)
                if consults:
                    consult(admin, phone, uri.format("2003"))
                else:
                    phone.transfer(uri.format("2003"))
                row = wait_until("the first call has ended", lambda: switch.rows("calls"), 20)[0]
                assert (row["called"], row["verdict"]) == ("2002", "success:transferred"), row
                wait_until("2002 and 2003 talk alone", lambda: states(admin) == ["talking"])
                time.sleep(TALK)
                check_tone("2003", lambda: (all_heard(third), 8000), 1000.0)
                check_tone("2002", held.heard, 700.0)

    return do


def reliable_ringing(folder: Path) -> None:
    """RFC 3262: both sides insist on 100rel, so the switch acknowledges one's ringing and has its own
    acknowledged by the other.
    """
    with Switch(folder, config=CONFIG + THIRD) as switch:
        admin, where = switch.rpc(), Where(folder, "udp", "127.0.0.1", switch.sip_port)
        with (
            PjsuaPhone(where, "2003", 700.0, auto=True, reliable=1) as called,
            PjsuaPhone(where, reliable=1) as caller,
        ):
            registered(admin)
            caller.dial(f"sip:2003@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin) == ["talking"])
            time.sleep(TALK)
            caller.hang_up()
            wait_until("the call is over", lambda: not states(admin))
            check_tone("2003", called.heard, FREQUENCY)
            check_tone("2001", caller.heard, 700.0)
        for phone in (called, caller):
            assert re.search(r"^RSeq: \d+", phone.log(), re.MULTILINE), f"no reliable ringing: {phone.folder}"
            assert re.search(r"^RAck: \d+ \d+ INVITE", phone.log(), re.MULTILINE), f"no PRACK: {phone.folder}"


def session_timers(folder: Path) -> None:
    """RFC 4028: pjsua2 demands a timer, the switch takes it upon itself to refresh both sides at half of it,
    and the call outlives the whole of it.
    """
    text = CONFIG.replace("[sip]", f'[sip]\nsession_expires = "{SESSION_EXPIRES}s"')
    with Switch(folder, config=text + THIRD) as switch:
        admin, where = switch.rpc(), Where(folder, "udp", "127.0.0.1", switch.sip_port)
        with (
            PjsuaPhone(where, "2003", 700.0, auto=True) as called,
            PjsuaPhone(where, timers=2, expires=SESSION_EXPIRES) as caller,
        ):
            registered(admin)
            caller.dial(f"sip:2003@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: states(admin) == ["talking"])
            time.sleep(SESSION_EXPIRES + 5)
            assert states(admin) == ["talking"], "the session's time ran out"
            caller.hang_up()
            wait_until("the call is over", lambda: not states(admin))
            check_tone("2003", called.heard, FREQUENCY)
        for phone in (caller, called):
            refreshes = re.findall(r"RX \d+ bytes Request msg UPDATE/cseq=(\d+)", phone.log())
            assert len(dict.fromkeys(refreshes)) >= 2, f"refreshed {refreshes}: {phone.folder}"


def consult(admin: Rpc, phone: Any, uri: str) -> None:
    """Hold the one, talk with the other, join both."""
    phone.hold()
    wait_until("the first is held", lambda: states(admin) == ["held"])
    phone.dial(uri)
    wait_until("both calls", lambda: sorted(states(admin)) == ["held", "talking"])
    time.sleep(1)
    phone.join()


def check_tone(who: str, heard: Callable[[], tuple[list[int], int]], frequency: float) -> None:
    """Fail unless the last seconds of what somebody heard are one tone."""

    def is_clear() -> bool:
        samples, rate = heard()
        shares = [tone_share(window, frequency, rate) for window in windows(samples, rate)]
        return sum(share > CLEAR for share in shares[-6:]) >= 2

    wait_until(f"{who} hears {frequency:g} Hz", is_clear, 8)


class Desk:
    """A switch with WebSockets, and the site whose page is the only one that may open them."""

    def __init__(self, folder: Path, algorithms: str = '["MD5"]') -> None:
        self.folder = folder
        self.site = Site(folder / "site")
        self.certificate, key = Authority(folder).issue("127.0.0.1")
        ports = [free_port(), free_port()]
        self.servers = [f"{kind}://127.0.0.1:{port}" for kind, port in zip(("ws", "wss"), ports, strict=True)]
        more = "".join(f', "{server}"' for server in self.servers)
        text = CONFIG.replace('"tcp://127.0.0.1:{sip}"]', f'"tcp://127.0.0.1:{{sip}}"{more}]')
        text = text.replace("[sip]", f'[sip]\nws_origins = ["{self.site.origin}"]').replace(
            '["MD5"]', algorithms
        )
        tls = f'[sip.tls]\ncertificate = "{self.certificate}"\nkey = "{key}"\n'
        self.switch = Switch(folder, config=text.replace("[media]", f"{tls}\n[media]"))

    def __enter__(self) -> "Desk":
        self.site.__enter__()
        self.switch.__enter__()
        self.admin = self.switch.rpc()
        return self

    def __exit__(self, *why: Any) -> None:
        self.switch.__exit__(*why)
        self.site.__exit__(*why)

    def browse(self, site: Site) -> Browser:
        """Return a browser with the page of ``site``."""
        return Browser(self.folder / "browser", site, self.certificate)

    def bindings(self) -> int:
        """Return how many phones are registered."""
        return int(self.admin.call("admin.status")["sip"]["bindings"])


def browser_registers(folder: Path, kind: int) -> None:
    """RFC 7118: registers with digest over ws (0) or wss (1), and takes its binding away when it leaves."""
    with Desk(folder) as desk, desk.browse(desk.site) as phone:
        phone.begin(desk.servers[kind], "2001", "demo")
        wait_until("JsSIP is registered", lambda: phone.told() == ["connected", "registered"])
        assert desk.bindings() == 1
        phone.evaluate("phone.stop()")
        wait_until("JsSIP has left", lambda: "unregistered" in phone.told())
        assert desk.bindings() == 0


def foreign_origin(folder: Path) -> None:
    """A page of another origin, with the right password, gets no WebSocket."""
    with Desk(folder) as desk, Site(folder / "foreign") as foreign, desk.browse(foreign) as phone:
        for server in desk.servers:
            phone.begin(server, "2001", "demo")
        wait_until("both are refused", lambda: phone.told().count("disconnected") == 2)
        assert desk.bindings() == 0


def dead_browser(folder: Path) -> None:
    """A phone whose connection is gone is rung no more: its callers hear 480 at once."""
    with Desk(folder) as desk:
        with desk.browse(desk.site) as phone:
            phone.begin(desk.servers[1], "2001", "demo")
            wait_until("JsSIP is registered", lambda: "registered" in phone.told())
            phone.kill()
        target = f"127.0.0.1:{desk.switch.sip_port}"
        options = {"target": target, "service": "96200", "status": 480, "timeout": 5.0}
        with Sipp(folder, "caller_refused", port=free_port(), **options) as caller:
            caller.finish()


def strong_digest(folder: Path) -> None:
    """Whether JsSIP finds the algorithm it knows behind SHA-256 (RFC 8760)."""
    with Desk(folder, '["SHA-256", "MD5"]') as desk, desk.browse(desk.site) as phone:
        phone.begin(desk.servers[0], "2001", "demo")
        wait_until("an end", lambda: len(phone.told()) > 1)
        if phone.told() != ["connected", "registered"]:
            raise Quirk("no")


def foreign_certificate(folder: Path) -> None:
    """linphone registers where the certificate is ours, not where it is good and somebody else's."""
    for address, is_ours in (("127.0.0.9", False), ("127.0.0.1", True)):
        place = folder / address
        place.mkdir()
        port = free_port()
        with (
            Switch(place, config=config(False, port, place, address)) as switch,
            LinphonePhone(Where(place, "tls", "127.0.0.1", port)) as phone,
        ):
            if is_ours:
                registered(switch.rpc(), count=1)
                continue
            wait_until("it says no", lambda: "SSL handshake failed" in phone.story())
            assert switch.rpc().call("admin.status")["sip"]["bindings"] == 0, "it has registered"


class Quirk(Exception):
    """The phone cannot; that is no failure of the switch. The message is what the table says."""


def both(*versions: Callable[[], str]) -> Callable[[], str]:
    """Return a version that is "" where any of the phones is not here."""

    def version() -> str:
        found = [one() for one in versions]
        return found[0] if all(found) else ""

    return version


_PJSUA = both(PjsuaPhone.version, BaresipPhone.version)
_LINPHONE = both(LinphonePhone.version, PjsuaPhone.version, BaresipPhone.version)
STORIES = (
    Story("pjsua2", "blind transfer by REFER", _PJSUA, transfers(PjsuaPhone, consults=False)),
    Story("pjsua2", "attended transfer with Replaces", _PJSUA, transfers(PjsuaPhone, consults=True)),
    Story("linphone", "attended transfer with Replaces", _LINPHONE, transfers(LinphonePhone, consults=True)),
    Story("linphone", "a foreign certificate is refused", LinphonePhone.version, foreign_certificate),
    Story("pjsua2", "100rel demanded by both sides, PRACK", PjsuaPhone.version, reliable_ringing),
    Story("pjsua2", "session timer demanded, 90 s", PjsuaPhone.version, session_timers),
    Story("jssip", "registers over ws", browser.version, partial(browser_registers, kind=0)),
    Story("jssip", "registers over wss", browser.version, partial(browser_registers, kind=1)),
    Story("jssip", "wrong origin is refused", browser.version, foreign_origin),
    Story("jssip", "browser dies: unreachable at once", browser.version, dead_browser),
    Story("jssip", "SHA-256 offered first", browser.version, strong_digest),
)
