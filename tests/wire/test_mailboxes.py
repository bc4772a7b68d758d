"""Message waiting on the wire: a phone hears of the messages that baresip leaves (RFC 3842)."""

from pathlib import Path

import pytest

from sip.mailboxes import Waiting, message_summary
from tests.ports import free_media_ports, free_port
from tests.wire.party import TRUNK, Party
from tests.wire.phones import Baresip
from tests.wire.switch import CONFIG, Rpc, Switch, wait_until
from tests.wire.test_voicemail import long_enough

pytestmark = pytest.mark.wire

NOBODY = 'when_empty = "refuse"\non_empty = "voicemail:8001"\n[recording]\nfolder = "%s/recordings"\n'


def phone(folder: Path, switch: Switch, user: str) -> Baresip:
    return Baresip(
        folder,
        user,
        port=free_port(),
        control=free_port(),
        rtp=free_media_ports(100),
        sip_port=switch.sip_port,
        frequency=440,
    )


def leave_a_message(caller: Baresip, switch: Switch, admin: Rpc) -> str:
    """Speak for some seconds after the tone; return the message's name."""
    caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
    folder = switch.folder / "recordings"
    wait_until("it is recorded", lambda: long_enough(folder), 60.0)
    caller.command("hangup")
    (message,) = wait_until("the message is there", lambda: admin.call("voicemail.list")["voicemails"])
    return str(message["voicemail"])


def told(watcher: Party) -> tuple[str, bytes]:
    """Return event and body of the next NOTIFY, which is answered."""
    notify = watcher.hear("NOTIFY")
    watcher.answer(notify, 200)
    return notify.header("event") or "", notify.body


def test_a_phone_shows_its_messages_as_they_come_and_are_heard(tmp_path: Path) -> None:
    """A phone asks; baresip leaves a message in its own voice: none, a new one, a heard one, none."""
    with (
        Switch(tmp_path, queue_extra=NOBODY % tmp_path) as switch,
        Party(switch, "127.0.0.8") as watcher,
        phone(tmp_path, switch, "2001") as caller,
    ):
        assert watcher.register("8001", "demo") == 200
        admin = switch.rpc()
        wait_until("both are there", lambda: admin.call("admin.status")["sip"]["bindings"] >= 2)
        asked = {"from_": f"<sip:8001@{TRUNK}>;tag=w", "headers": ("Event: message-summary", "Expires: 600")}
        assert watcher.ask("SUBSCRIBE", f"sip:8001@{TRUNK}", call_id="box", **asked).status == 200
        heard = [told(watcher)]
        message = leave_a_message(caller, switch, admin)
        heard.append(told(watcher))
        for state in ("heard", "done"):
            admin.call("voicemail.mark", voicemail=message, state=state)
            heard.append(told(watcher))
        assert admin.call("admin.status")["sip"]["subscriptions"] == 1
    counts = (Waiting(), Waiting(1), Waiting(0, 1), Waiting())
    assert heard == [("message-summary", message_summary("8001", TRUNK, each)) for each in counts]


def test_a_phone_is_told_unasked(tmp_path: Path) -> None:
    """With mwi = "unsolicited": at its registration, and as soon as a message is left."""
    config = CONFIG.replace('phones = ["softphone"]', 'phones = ["softphone"]\nmwi = "unsolicited"')
    with (
        Switch(tmp_path, queue_extra=NOBODY % tmp_path, config=config) as switch,
        Party(switch, "127.0.0.8") as watcher,
        phone(tmp_path, switch, "2001") as caller,
    ):
        assert watcher.register("8001", "demo") == 200
        admin = switch.rpc()
        wait_until("both are there", lambda: admin.call("admin.status")["sip"]["bindings"] >= 2)
        heard = []
        for _ in range(2):
            notify = watcher.hear("NOTIFY")
            watcher.answer(notify, 200)
            heard.append((notify.header("event"), notify.header("subscription-state"), notify.body))
            if len(heard) == 1:
                leave_a_message(caller, switch, admin)
        assert heard == [
            ("message-summary", "terminated", message_summary("8001", TRUNK, Waiting(new)))
            for new in (0, 1)
        ]
