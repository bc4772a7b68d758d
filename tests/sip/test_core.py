"""The core: what settings become."""

from kernel.outbox import Outbox
from kernel.timers import TimerQueue
from sip.core import ALLOW, Core
from sip.settings import Timing
from tests.sip.scene import seeded, settings


def test_settings_are_taken_at_start_and_on_a_reload() -> None:
    core = Core(settings(), TimerQueue(), seeded(), Outbox(), Outbox())
    assert core.realm == "example.com"
    assert core.agent == "Server: seatswitch\r\n"
    assert core.trunks["carrier"].accept == ("10.0.0.0/24",)
    core.configure(settings(realm="house", user_agent="", trunks=(), timing=Timing(t1=1.0)))
    assert (core.realm, core.agent, core.trunks) == ("house", "", {})
    assert core.answer_headers == f"{ALLOW}Supported: 100rel, norefersub, replaces, timer\r\n"
    assert core.transactions.give_up_after == 64.0
