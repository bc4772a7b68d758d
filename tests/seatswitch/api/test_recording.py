"""Who finds and hears which recordings."""

from typing import Any

import pytest

from kernel.rows import RecordingRow
from tests.seatswitch.api.stub import CONFIG, Desk, Office

OWN = CONFIG.replace('name = "north"\n', 'name = "north"\nown_recordings = true\n', 1)


def row(
    recording: str, seats: str = "8001", queue: str = "junior", began_at: float = 100.0, **more: Any
) -> RecordingRow:
    fields: dict[str, Any] = {
        "recording": recording,
        "call": f"c-{recording}",
        "tenant": "north",
        "queue": queue,
        "seat": seats.partition(",")[0],
        "seats": seats,
        "number": "13800000001",
        "began_at": began_at,
        "ended_at": began_at + 60.0,
        "seconds": 60.0,
        "bytes": 960_058,
        "suspended": 0.0,
        "state": "kept",
        "cause": "asked",
    }
    return RecordingRow(**(fields | more))


def office(config: str = CONFIG, *rows: RecordingRow) -> Office:
    here = Office(config=config)
    for one in rows or (
        row("r1"),
        row("r2", "8002,8001"),
        row("r3", "8002"),
        row("r4", "9001", tenant="south"),
    ):
        here.node.catalogue.add(one)
    return here


def found(desk: Desk, **wanted: Any) -> list[str]:
    return [one["recording"] for one in desk.ask("recording.list", **wanted)["recordings"]]


def test_an_operator_finds_them_by_what_is_known_of_a_call() -> None:
    here = office()
    here.node.catalogue.add(
        row("r5", "8001", "other", 200.0, number="139", bytes=0, state="failed", cause="full")
    )
    admin = here.desk("admin")
    assert found(admin) == ["r5", "r4", "r3", "r2", "r1"]
    assert found(admin, seat="8001") == ["r5", "r2", "r1"]
    assert found(admin, queue="other") == found(admin, number="139") == found(admin, call="c-r5") == ["r5"]
    assert found(admin, **{"from": "1970-01-01T00:03:00Z"}) == ["r5"]
    assert found(admin, to="1970-01-01T00:03:00Z", limit=2) == ["r4", "r3"]
    page = admin.ask("recording.list", limit=3)
    assert found(admin, limit=3, cursor=page["cursor"]) == ["r2", "r1"]
    first = page["recordings"][0]
    assert (first["bytes"], first["state"], first["cause"], first["queue"]) == (
        None,
        "failed",
        "full",
        "other",
    )
    assert first["began_at"] == "1970-01-01T00:03:20.000Z"


def test_whoever_gets_one_leaves_a_trace() -> None:
    here = office()
    admin = here.desk("admin")
    told = admin.ask("recording.get", recording="r2")
    assert (told["file"], told["seats"]) == ("var/recordings/r2.wav", ["8002", "8001"])
    ((what, _, tenant, fields),) = here.node.recorded
    assert (what, tenant) == ("listen", "north")
    assert (fields["call"], fields["detail"]) == ("c-r2", "r2")
    assert admin.refusal("recording.get", recording="r9") == "NO_SUCH_RECORDING"
    here.node.catalogue.add(row("r1", state="removed"))
    assert admin.ask("recording.get", recording="r1")["file"] is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "a\x00"])
def test_a_name_that_is_no_id_is_refused(name: str) -> None:
    assert office().desk("admin").refusal("recording.get", recording=name) == "-32602"


def test_an_agent_hears_its_own_where_its_tenant_says_so() -> None:
    here = office()
    desk = here.desk()
    desk.sign_in()
    assert found(desk) == []
    assert desk.refusal("recording.get", recording="r1") == "NO_RIGHT"
    assert desk.refusal("recording.get", recording="r4") == "NO_SUCH_RECORDING"
    here = office(OWN)
    desk = here.desk()
    desk.sign_in()
    assert found(desk) == ["r2", "r1"]
    assert desk.ask("recording.get", recording="r1")["recording"] == "r1"
    assert desk.refusal("recording.get", recording="r3") == "NO_RIGHT"
