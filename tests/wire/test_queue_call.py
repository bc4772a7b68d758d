"""A caller reaches a seat over real sockets: SIPp on both sides of a real switch."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.wire.phones import Sipp, register
from tests.wire.switch import Rpc, Switch, wait_until

pytestmark = pytest.mark.wire


def sign_in(switch: Switch, seats: list[str]) -> list[Rpc]:
    """Sign ``seats`` in, one connection each as desks do; closing a connection would sign its seat out later.
    """
    desks = []
    for seat in seats:
        desk = switch.rpc()
        desk.call("session.login", hotline="96198", seat=seat, password="demo")
        desks.append(desk)
    return desks


def rows_when_complete(switch: Switch, table: str, count: int, within: float = 20.0) -> list[dict[str, Any]]:
    """Return the rows of ``table`` once the row writer has caught up with ``count`` of them."""
    wait_until(f"{count} rows in {table}", lambda: len(switch.rows(table)) >= count, within)
    rows = switch.rows(table)
    assert len(rows) == count, f"{len(rows)} rows in {table}"
    return rows


@pytest.mark.parametrize("workers", [1, 0])
def test_one_call_from_invite_to_rows(tmp_path: Path, workers: int) -> None:
    phone_port, caller_port = free_port(), free_port()
    with Switch(tmp_path, workers=workers) as switch:
        register(tmp_path, switch.sip_port, ["8001"], port=phone_port)
        desk = sign_in(switch, ["8001"])[0]
        admin = switch.rpc()
        assert admin.call("seat.get", seat="8001")["activity"] == "idle"
        with Sipp(tmp_path, "seat", port=phone_port) as seat:
            target = f"127.0.0.1:{switch.sip_port}"
            with Sipp(
                tmp_path, "caller", port=caller_port, target=target, options=("-d", "1500")
            ) as caller:
                talking = wait_until(
                    "the call talks",
                    lambda: [call for call in admin.call("call.list") if call["state"] == "talking"],
                )
                assert talking[0]["seat"] == "8001"
                assert talking[0]["queue"] == "junior"
                assert admin.call("seat.get", seat="8001")["activity"] == "talking"
                caller.finish()
            seat.finish()
        wait_until("the seat is ready again", lambda: desk.call("seat.get")["presence"] == "ready")
        call = rows_when_complete(switch, "calls", 1)[0]
        visit = rows_when_complete(switch, "visits", 1)[0]
        offer = rows_when_complete(switch, "offers", 1)[0]
        assert (call["verdict"], call["seat"], call["ended_by"]) == ("success", "8001", "caller")
        assert (visit["call"], visit["outcome"], visit["seat"]) == (call["call"], "answered", "8001")
        assert (offer["visit"], offer["outcome"], offer["eligible"]) == (visit["visit"], "answered", 1)
        assert call["talked"] == pytest.approx(call["ended_at"] - call["answered_at"], abs=0.01)


def test_hundred_calls_a_second_for_a_minute(tmp_path: Path) -> None:
    """6,000 calls of 1 s over 200 seats: each answered by one seat, no seat with two, rows = counters."""
    calls, seats = 6000, [str(8001 + n) for n in range(200)]
    phone_port, caller_port = free_port(), free_port()
    with Switch(tmp_path, seats=200) as switch:
        register(tmp_path, switch.sip_port, seats, port=phone_port)
        desks = sign_in(switch, seats)
        target = f"127.0.0.1:{switch.sip_port}"
        load = ("-d", "1000", "-l", "2000")
        with (
            Sipp(tmp_path, "seat", port=phone_port, calls=calls, timeout=150) as phones,
            Sipp(
                tmp_path,
                "caller",
                port=caller_port,
                target=target,
                calls=calls,
                rate=100,
                options=load,
                timeout=150,
            ) as callers,
        ):
            callers.finish()
            phones.finish()
        rows = rows_when_complete(switch, "calls", calls, 60)
        visits = rows_when_complete(switch, "visits", calls, 60)
        assert Counter(row["verdict"] for row in rows) == {"success": calls}
        assert Counter(visit["outcome"] for visit in visits) == {"answered": calls}
        assert len({visit["call"] for visit in visits}) == calls
        assert_no_seat_had_two_calls(rows)
        offers = rows_when_complete(switch, "offers", calls, 60)
        assert Counter(offer["outcome"] for offer in offers) == {"answered": calls}
        statistics = switch.rpc().call("queue.statistics", queue="junior")
        assert statistics["answered"] == calls
        assert statistics["offered"] == calls
        for desk in desks:
            desk.close()


def assert_no_seat_had_two_calls(rows: list[dict[str, Any]]) -> None:
    """Assert that no two conversations of one seat overlap."""
    by_seat: dict[str, list[tuple[Any, Any]]] = {}
    for row in rows:
        by_seat.setdefault(row["seat"], []).append((row["answered_at"], row["ended_at"]))
    for seat, talks in by_seat.items():
        talks.sort()
        for (_, ended), (answered, _) in itertools.pairwise(talks):
            assert ended <= answered, f"seat {seat} talked twice at {answered}"
