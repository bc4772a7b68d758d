"""A recording of phones nobody here wrote, proved by frequency: 440 Hz left, 1000 and then 1700 Hz right."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from media.codecs.g711 import ulaw_to_linear
from tests.media.wires import wav_channels
from tests.ports import free_media_ports, free_port
from tests.wire.phones import Baresip
from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_audio import CLEAR, FAINT, longest_run, registered, shares, states, two_phones
from tests.wire.test_queue_call import rows_when_complete, sign_in

pytestmark = pytest.mark.wire

RECORDED = CONFIG.replace('pause_reasons = ["rest"]', 'pause_reasons = ["rest"]\nrecord = true')
RECORDED += '[recording]\nfolder = "{folder}/recordings"\n'


def test_who_calls_is_left_who_serves_is_right_and_a_transfer_goes_on_in_the_file(tmp_path: Path) -> None:
    """The seat suspends it for two seconds in between, of which the file is silent."""
    with Switch(tmp_path, wrap_up=0, config=RECORDED) as switch:
        caller, seat = two_phones(tmp_path, switch)
        other = Baresip(
            tmp_path,
            "8002",
            port=free_port(),
            control=free_port(),
            rtp=free_media_ports(100),
            sip_port=switch.sip_port,
            frequency=1700,
            answer="auto",
        )
        with caller, seat, other:
            admin = registered(switch)
            wait_until("all are there", lambda: admin.call("admin.status")["sip"]["bindings"] >= 3)
            first, second = sign_in(switch, ["8001", "8002"])
            second.call("seat.pause", reason="rest")
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")

            def talked(seconds: float) -> None:
                wait_until("they talk", lambda: states(admin.call("call.list")) == ["talking"])
                wait_until("for a while", lambda: admin.call("call.list")[0]["talked"] > seconds)

            talked(2.5)
            assert admin.call("call.list")[0]["recording"] == "on"
            first.call("call.record_pause")
            talked(4.5)
            first.call("call.record_resume")
            talked(6.5)
            first.call("call.transfer", to="8002")
            wait_until("the other one talks", lambda: second.call("seat.get")["activity"] == "talking")
            wait_until("alone", lambda: first.call("seat.get")["activity"] == "idle")
            talked(2.5)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
        (row,) = rows_when_complete(switch, "recordings", 1)
        about, fetched = switch.rpc().fetch("recording.get", recording=row["recording"])
        calls = rows_when_complete(switch, "calls", 2)
    assert {call["recording"] for call in calls} == {row["recording"]}
    assert (row["seats"], row["state"], row["cause"]) == ("8001,8002", "kept", "asked")
    assert 1.5 < row["suspended"] < row["seconds"]
    file = (tmp_path / "recordings" / f"{row['recording']}.wav").read_bytes()
    assert len(file) == row["bytes"]
    assert (fetched, about["size"], about["seconds"]) == (file, len(file), row["seconds"])
    left, right = ([ulaw_to_linear(code) for code in channel] for channel in wav_channels(file))
    assert len(left) == len(right)
    assert abs(len(left) - row["seconds"] * 8000) <= 8  # a millisecond
    tones = [share > CLEAR for share in shares(left, 440)]
    assert sum(tones) >= 10
    assert max(shares(left, 1000) + shares(left, 1700) + shares(right, 440)) < FAINT
    before, after = shares(right, 1000), shares(right, 1700)
    assert longest_run([share > CLEAR for share in before]) >= 3
    assert longest_run([share > CLEAR for share in after]) >= 3
    silent = [a == b == c == 0.0 for a, b, c in zip(shares(left, 440), before, after, strict=True)]
    assert longest_run(silent) >= 2
    assert max(index for index, share in enumerate(before) if share > CLEAR) < min(
        index for index, share in enumerate(after) if share > CLEAR
    )


def measured(path: Path) -> tuple[float, int]:
    """Return the seconds that a file plays for, and its size."""
    data = path.read_bytes()
    left, right = wav_channels(data)
    assert len(left) == len(right)
    return round(len(left) / 8_000, 3), len(data)


def test_whatever_is_killed_each_row_says_what_its_file_is_and_all_of_it_can_be_fetched(
    tmp_path: Path,
) -> None:
    """kill -9 of the media worker, then of the switch, then SIGINT: the call goes on in a new file."""
    with Switch(tmp_path, wrap_up=0, config=RECORDED) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            sign_in(switch, ["8001"])
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            folder = tmp_path / "recordings"

            def written(count: int) -> bool:
                """A file number ``count`` has three seconds by now."""
                sizes = sorted(file.stat().st_size for file in folder.glob("*.wav"))
                return len(sizes) == count and sizes[0] > 3 * 16_000

            wait_until("the first file is written", lambda: written(1))
            os.kill(switch.child("media-worker"), signal.SIGKILL)
            wait_until("the second file is written", lambda: written(2))
            switch.stop(signal.SIGKILL)
            switch.start()
            wait_until("the third file is written", lambda: written(3))
            admin = switch.rpc()
            assert [call["recording"] for call in admin.call("call.list")] == ["on"]
            switch.stop()
            switch.start()
            rows = rows_when_complete(switch, "recordings", 3)
            admin = switch.rpc()
            fetched = [admin.fetch("recording.get", recording=row["recording"]) for row in rows]
    rows.sort(key=lambda row: float(row["began_at"]))
    assert [(row["state"], row["cause"]) for row in rows] == [
        ("kept", "worker_lost"), ("kept", "switch_killed"), ("kept", "asked"),
    ]  # fmt: skip
    for row in rows:
        path = folder / f"{row['recording']}.wav"
        seconds, size = measured(path)
        assert (row["seconds"], row["bytes"]) == (seconds, size)
        assert size > 3 * 16_000
        assert path.stat().st_mode & 0o777 == 0o600
    for about, data in fetched:
        path = folder / f"{about['recording']}.wav"
        assert data == path.read_bytes()
        assert about["seconds"] == measured(path)[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for five seconds of a recording."""
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o700)
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(folder)), capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def test_a_disk_that_fills_up_ends_the_file_and_not_the_call_and_without_room_there_is_none(
    tmp_path: Path, small_disk: Path
) -> None:
    with Switch(tmp_path, wrap_up=0, config=RECORDED) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            sign_in(switch, ["8001"])

            def recorded(count: int) -> list[dict[str, Any]]:
                """Call until there are so many recordings; return them, the last first."""
                caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
                wait_until(
                    "it has ended", lambda: len(admin.call("recording.list")["recordings"]) == count, 60.0
                )
                (call,) = admin.call("call.list")
                assert (call["state"], call["recording"]) == ("talking", "off")
                admin.call("call.hangup", call=call["call"])
                wait_until("the call is over", lambda: not admin.call("call.list"))
                return list(admin.call("recording.list")["recordings"])

            (full,) = recorded(1)
            with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
                while True:
                    filler.write(bytes(512))
            never, _ = recorded(2)
            about, data = admin.fetch("recording.get", recording=full["recording"])
            with pytest.raises(RuntimeError, match="was never written: No space left on device"):
                admin.call("recording.get", recording=never["recording"], length=1_000)
    assert [(one["state"], one["cause"]) for one in (full, never)] == [
        ("failed", "No space left on device")
    ] * 2
    assert (never["seconds"], never["bytes"]) == (0.0, None)
    left, _ = wav_channels(data)
    assert about["bytes"] == len(data)
    assert about["seconds"] == full["seconds"] == pytest.approx(len(left) / 8_000, abs=0.001)
    assert full["seconds"] > 2.0
