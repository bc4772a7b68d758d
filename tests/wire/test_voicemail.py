"""Voicemail on the wire: what a phone says after the tone is in the file, and nothing else."""

import signal
from pathlib import Path

import pytest

from media.codecs.g711 import ulaw_to_linear
from media.prompts import read_audio
from tests.wire.phones import Baresip
from tests.wire.switch import Rpc, Switch, wait_until
from tests.wire.test_audio import registered, states, two_phones
from tests.wire.test_comfort import frames
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire

SECOND = 8_000  # samples
NOBODY = 'when_empty = "refuse"\non_empty = "voicemail"\n[recording]\nfolder = "%s/recordings"\n'


def long_enough(folder: Path) -> bool:
    """Return whether the one message has 3.5 s by now, as far as it is written: u-law, a byte a sample."""
    return any(file.stat().st_size > 3.5 * SECOND for file in folder.glob("*.wav"))


def speak(caller: Baresip, switch: Switch, admin: Rpc, folder: Path) -> None:
    """Let a caller whom nobody serves speak until the file is long enough."""
    caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
    wait_until("it is greeted", lambda: states(admin.call("call.list")) == ["voicemail"])
    wait_until("it is recorded", lambda: long_enough(folder), 60.0)


@pytest.mark.parametrize("workers", [1, 0])
def test_a_caller_whom_nobody_serves_leaves_a_message_in_its_own_voice(tmp_path: Path, workers: int) -> None:
    """baresip says 440 Hz for some seconds after the tone; the file is that, from its first second on,
    written by a media worker or by the switch itself.
    """
    with Switch(tmp_path, queue_extra=NOBODY % tmp_path, workers=workers) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            speak(caller, switch, admin, tmp_path / "recordings")
            caller.command("hangup")
            wait_until("the call is over", lambda: not admin.call("call.list"))
            wait_until("the message is there", lambda: admin.call("voicemail.list")["voicemails"])
            (message,) = admin.call("voicemail.list")["voicemails"]
            found, data = admin.fetch("voicemail.get", voicemail=message["voicemail"])
            admin.call("voicemail.mark", voicemail=message["voicemail"], state="done")
        (call,) = rows_when_complete(switch, "calls", 1)
        (visit,) = rows_when_complete(switch, "visits", 1)
        wait_until("it is done", lambda: [row["state"] for row in switch.rows("voicemails")] == ["done"])
        (row,) = switch.rows("voicemails")
    assert (call["verdict"], visit["outcome"], visit["target"]) == (
        "success:voicemail", "overflowed", "voicemail",
    )  # fmt: skip
    assert (row["mailbox"], row["cause"], row["bytes"]) == ("queue:junior", "hung_up", len(data))
    assert data == (tmp_path / "recordings" / found["file"]).read_bytes()
    samples = [ulaw_to_linear(code) for code in read_audio("message", data)]
    assert 3.0 < len(samples) / SECOND < call["ended_at"] - call["arrived_at"]
    assert row["seconds"] == pytest.approx(len(samples) / SECOND, abs=0.01)
    # In pieces of 20 ms: a phone on a busy machine skips some, which are silence then.
    said = frames(samples, 440)
    assert sum(said) > 0.7 * len(said)


def test_a_message_in_whose_middle_the_switch_is_killed_is_what_is_in_its_file(tmp_path: Path) -> None:
    with Switch(tmp_path, queue_extra=NOBODY % tmp_path) as switch:
        caller, seat = two_phones(tmp_path, switch)
        with caller, seat:
            admin = registered(switch)
            speak(caller, switch, admin, tmp_path / "recordings")
            switch.stop(signal.SIGKILL)
            switch.start()
            admin = switch.rpc()
            (message,) = admin.call("voicemail.list")["voicemails"]
            found, data = admin.fetch("voicemail.get", voicemail=message["voicemail"])
        (row,) = rows_when_complete(switch, "voicemails", 1)
    assert (row["cause"], row["state"], row["bytes"]) == ("switch_killed", "new", len(data))
    assert data == (tmp_path / "recordings" / found["file"]).read_bytes()
    seconds = len(read_audio("message", data)) / SECOND
    assert seconds > 3.0
    assert row["seconds"] == found["seconds"] == pytest.approx(seconds, abs=0.001)
