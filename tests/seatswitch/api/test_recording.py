"""Who finds and hears which recordings."""

import json
from base64 import b64decode
from typing import Any

import pytest

from kernel.rows import RecordingRow
from seatswitch.api.audio import CHUNK_MAX, Found, Wanted
from tests.seatswitch.api.stub import CONFIG, Desk, Office
from tests.seatswitch.api.test_voicemail import TEAM

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
    assert (told["size"], told["offset"], told["audio"]) == (None, 0, None)


def traces(here: Office) -> list[tuple[str, str]]:
    return [(by, fields["detail"]) for what, by, _, fields in here.node.recorded if what == "listen"]


def test_audio_comes_in_pieces_and_each_listening_is_written_down_once() -> None:
    here = office()
    files = {f"{name}.wav": bytes(range(256)) * 4 for name in ("r1", "r2")}
    here.files = dict(files)
    admin = here.desk("admin")
    heard, size = b"", 1
    while len(heard) < size:
        piece = admin.ask("recording.get", recording="r1", offset=len(heard), length=1000)
        heard += b64decode(piece["audio"])
        size = piece["size"]
    assert heard == files["r1.wav"]
    assert (piece["offset"], piece["state"], piece["file"]) == (1000, "kept", "var/recordings/r1.wav")
    assert traces(here) == [("admin", "r1")]
    admin.ask("recording.get", recording="r2", offset=1, length=1000)
    assert traces(here)[1:] == [("admin", "r2")], "without the first byte it is listened to all the same"
    admin.ask("recording.get", recording="r2", offset=1001, length=1000)
    assert len(traces(here)) == 2
    admin.ask("recording.get", recording="r2", length=1000)
    assert len(traces(here)) == 3
    for wrong in ({"length": CHUNK_MAX + 1}, {"offset": -1, "length": 1}, {"offset": 2**63, "length": 1}):
        assert admin.refusal("recording.get", recording="r1", **wrong) == "-32602"
    desk = here.desk()
    desk.sign_in()
    assert desk.refusal("recording.get", recording="r1", length=1) == "NO_RIGHT"
    assert desk.refusal("recording.get", recording="r4", length=1) == "NO_SUCH_RECORDING"
    assert len(traces(here)) == 3


def test_audio_that_is_not_there_says_why() -> None:
    here = office()
    add = here.node.catalogue.add
    add(row("gone", state="removed"))
    add(row("never", state="failed", bytes=0, seconds=0.0, cause="No space left on device"))
    add(row("half", state="failed", cause="No space left on device"))
    admin = here.desk("admin")

    def told(recording: str) -> tuple[str, str]:
        error = admin.response("recording.get", recording=recording, length=1)["error"]
        return error["data"]["word"], error["message"]

    assert told("gone") == ("NO_AUDIO", "recording gone was removed when its time was over")
    assert told("never") == ("NO_AUDIO", "recording never was never written: No space left on device")
    assert told("r1") == ("NO_AUDIO", "file r1.wav cannot be read")
    assert here.node.recorded == []
    files = [admin.ask("recording.get", recording=name)["file"] for name in ("gone", "never", "half")]
    assert files == [None, None, "var/recordings/half.wav"]
    here.files = {"half.wav": b"RIFF"}
    assert admin.ask("recording.get", recording="half", length=4)["audio"] == "UklGRg=="


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


def test_a_leader_hears_those_of_its_queues_and_of_none_those_of_seats_it_leads() -> None:
    rows = (
        row("junior"), row("night", "8005", "night"), row("dialled", "8001", ""),
        row("dialled at night", "8001,8005", ""), row("nobody", "", ""), row("south", "9001", tenant="south"),
    )  # fmt: skip
    for config, heard in (
        (TEAM, ["dialled at night", "night"]),
        (CONFIG, ["nobody", "dialled at night", "dialled", "night", "junior"]),
    ):
        here = office(config, *rows)
        leader = here.desk()
        leader.sign_in("8019", "lead")
        assert found(leader) == heard
        assert leader.refusal("recording.get", recording="south") == "NO_SUCH_RECORDING"
    assert office(TEAM, *rows).desk("admin").ask("recording.get", recording="nobody")["seats"] == []


GET = {
    "jsonrpc": "2.0", "id": "get", "method": "recording.get", "params": {"recording": "r1", "length": 4},
}  # fmt: skip


def hearing() -> tuple[Office, Desk]:
    """An operator has asked for a piece, and the disk has not answered yet."""
    here = office()
    here.files = None
    admin = here.desk("admin")
    assert admin.say(json.dumps(GET)) == []
    return here, admin


def test_while_the_disk_is_silent_everything_else_is_answered() -> None:
    """And nobody has listened yet. What comes then is the answer to its own request."""
    here, admin = hearing()
    assert found(admin, limit=1) == ["r4"]
    assert traces(here) == []
    ((number, wanted),) = here.api.reads.take()
    here.turn(lambda now: here.read(number, wanted, b"RIFFWAVE"))
    assert admin.heard[-1]["result"]["audio"] == "UklGRg=="
    assert (admin.heard[0]["id"], admin.heard[-1]["id"]) == (1, "get")
    assert traces(here) == [("admin", "r1")]


def test_a_disk_that_does_not_answer_in_time_is_an_error_of_its_own() -> None:
    here, admin = hearing()
    ((number, _),) = here.api.reads.take()
    here.turn(lambda now: here.api.audio_read(number, Found(why="AUDIO_LATE"), now))
    (answer,) = admin.heard
    assert answer["error"]["data"]["word"] == "AUDIO_LATE"
    assert answer["error"]["message"] == "file r1.wav cannot be read now: the disk does not answer"
    assert traces(here) == []
    here.turn(lambda now: here.read(number, Wanted("r1.wav", 0, 4), b"RIFF"))  # it is too late
    assert len(admin.heard) == 1


def test_who_has_gone_meanwhile_has_heard_nothing() -> None:
    here, admin = hearing()
    ((number, wanted),) = here.api.reads.take()
    here.turn(lambda now: here.api.closed(admin.number, now))
    here.turn(lambda now: here.read(number, wanted, b"RIFF"))
    assert (admin.heard, traces(here)) == ([], [])
