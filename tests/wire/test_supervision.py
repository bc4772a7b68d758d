"""A supervisor in a conversation on the wire: three whole phones, each with a tone of its own, and who hears
which is told by frequency.
"""

from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip, tone_share
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

CALLER, SEAT, LEADER = 440, 1000, 1800  # Hz
WINDOW = 4000  # samples: half a second
THERE = 0.25  # share of a window's energy: one of two tones at once
ALL = 0.85  # what the tones make up together, where nothing else is heard
LASTS = 2.5  # seconds that each mode is listened to
SUPERVISOR = """
[[seat]]
number = "8090"
tenant = "demo"
password = "demo"
level = "junior"
queues = []
role = "supervisor"
"""

Phases = list[tuple[tuple[int, ...], int]]


def phases(samples: list[int]) -> Phases:
    """Return which tones were heard and for how many half seconds, one after the other: a second at least.

    A half second in which a phone's sound card stumbled is of no phase, and ends none.
    """
    heard = []
    for start in range(0, len(samples) - WINDOW, WINDOW):
        window = samples[start : start + WINDOW]
        shares = {tone: tone_share(window, tone) for tone in (CALLER, SEAT, LEADER)}
        there = tuple(tone for tone, share in shares.items() if share > THERE)
        heard.append(there if sum(shares.values()) > ALL else ())
    runs = [(tones, len(list(run))) for tones, run in groupby(heard)]
    clear = [(tones, length) for tones, length in runs if tones and length >= 2]
    same = groupby(clear, key=lambda run: run[0])
    return [(tones, sum(length for _, length in run)) for tones, run in same]


def phone(folder: Path, switch: Switch, user: str, frequency: int) -> Baresip:
    return Baresip(
        folder,
        user,
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(100),
        sip_port=switch.sip_port,
        frequency=frequency,
        answer="manual" if frequency == CALLER else "auto",
    )


def talked(admin: Rpc, more: float) -> None:
    """Let the queue call go on for ``more`` seconds."""

    def so_far() -> float:
        (call,) = [it for it in admin.call("call.list") if it["queue"]]
        return float(call["talked"])

    begun = so_far()
    wait_until(f"{more} s more", lambda: so_far() > begun + more)


@pytest.mark.parametrize("workers", [2, 0])
def test_who_hears_whom_in_each_mode(tmp_path: Path, workers: int) -> None:
    """Monitor: heard by nobody. Whisper: by the seat alone. Barge: by both. Takeover: the caller goes on with
    the supervisor. All of it over the RPC socket, and the supervisor never hears itself.
    """
    config = CONFIG + SUPERVISOR
    with Switch(tmp_path, workers=workers, config=config) as switch, ExitStack() as stack:
        tones = (("2001", CALLER), ("8001", SEAT), ("8090", LEADER))
        phones = [stack.enter_context(phone(tmp_path, switch, user, tone)) for user, tone in tones]
        caller = phones[0]
        admin = switch.rpc()
        wait_until("all are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= 3)
        _, lead = sign_in(switch, ["8001", "8090"])
        caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
        wait_until("they talk", lambda: [it["state"] for it in admin.call("call.list")] == ["talking"])
        talked(admin, 1.5)
        lead.call("supervisor.monitor", seat="8001")
        wait_until("it listens", lambda: (supervising(lead) or {}).get("attached"))
        talked(admin, LASTS)
        for mode in ("whisper", "barge"):
            lead.call("supervisor.switch", mode=mode)
            talked(admin, LASTS)
        lead.call("supervisor.takeover")
        assert supervising(lead) is None
        talked(admin, LASTS)
        lead.call("call.hangup")
        wait_until("the call is over", lambda: not admin.call("call.list"))
        rows = {row["entry"]: row for row in rows_when_complete(switch, "calls", 2)}
        told = [row["what"] for row in rows_when_complete(switch, "operations", 5)]
    heard = [phases(each.heard()[-1]) for each in phones]
    assert [tones for tones, _ in heard[0]] == [(SEAT,), (SEAT, LEADER), (LEADER,)], heard
    assert [tones for tones, _ in heard[1]] == [(CALLER,), (CALLER, LEADER)], heard
    assert [tones for tones, _ in heard[2]] == [(CALLER, SEAT), (CALLER,)], heard
    assert heard[0][0][1] >= 2 * (1.5 + 2 * LASTS) - 2, "the caller heard it before it barged in"
    assert heard[1][0][1] >= 2 * (1.5 + LASTS) - 2, "the seat heard it before it whispered"
    queue, own = rows["queue:junior"], rows["supervise:8001"]
    assert (queue["verdict"], queue["seat"], queue["ended_by"]) == ("success", "8001", "seat")
    assert (own["verdict"], own["continued_as"]) == ("success:taken_over", queue["call"])
    assert sorted(told) == ["monitor", "started", "switch", "switch", "takeover"]


def supervising(desk: Rpc) -> dict[str, Any] | None:
    found: dict[str, Any] | None = desk.call("seat.get")["supervising"]
    return found
