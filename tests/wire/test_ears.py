"""What a supervisor's ear does not do on the wire: cost the two who talk anything, or outlive a kill."""

from pathlib import Path

import pytest

from tests.wire.switch import CONFIG, Rpc, Switch, wait_until
from tests.wire.test_audio import FAINT, conversation, is_heard, shares
from tests.wire.test_queue_call import rows_when_complete, sign_in
from tests.wire.test_supervision import CALLER, LEADER, SEAT, SUPERVISOR, phone, supervising

pytestmark = pytest.mark.wire


def test_the_two_who_talk_do_not_notice_that_somebody_listens(tmp_path: Path) -> None:
    """SIPp fails at any request it does not expect, a re-INVITE among them; of the audio no packet is missing
    and none is another's, before, while and after a supervisor's phone listens.
    """
    with Switch(tmp_path, config=CONFIG + SUPERVISOR) as switch:
        leader = phone(tmp_path, switch, "8090", LEADER)
        with leader, conversation(tmp_path, switch, "caller", 9.0, streams=3) as voices:
            admin = switch.rpc()
            wait_until("it is registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= 2)
            begun = [len(voice.heard) for voice in voices]
            (lead,) = sign_in(switch, ["8090"])
            lead.call("supervisor.monitor", seat="8001")
            wait_until("it listens", lambda: (supervising(lead) or {}).get("attached"))
            told = [len(voice.heard) for voice in voices]
            wait_until("for two seconds", lambda: len(voices[0].heard) - told[0] > 100)
            lead.call("call.hangup")
            wait_until("it is gone", lambda: lead.call("seat.get")["activity"] == "idle")
            ended = [len(voice.heard) for voice in voices]
            wait_until("for half a second more", lambda: len(voices[1].heard) - ended[1] > 25)
            for voice, at, tone in zip(voices, begun, (SEAT, CALLER), strict=True):
                sequences = [sequence for sequence, _ in voice.heard[at:]]
                assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(sequences))]
                assert is_heard(voice.samples(at), tone)
                assert max(shares(voice.samples(at), LEADER)) < FAINT / 10
        heard = leader.heard()[-1]
        both = [min(pair) for pair in zip(shares(heard, CALLER), shares(heard, SEAT), strict=True)]
        assert sum(share > FAINT for share in both) >= 3
        rows = {row["entry"]: row["verdict"] for row in rows_when_complete(switch, "calls", 2)}
        assert rows == {"queue:junior": "success", "supervise:8001": "success"}


def test_an_ear_does_not_outlive_the_switch_and_the_conversation_does(tmp_path: Path) -> None:
    """kill -9 while a supervisor barges in: its phone gets BYE of the next process, the two talk on."""
    with Switch(tmp_path, config=CONFIG + SUPERVISOR) as switch:
        trio = [
            phone(tmp_path, switch, user, tone)
            for user, tone in (("2001", CALLER), ("8001", SEAT), ("8090", LEADER))
        ]
        with trio[0] as caller, trio[1], trio[2]:
            admin = switch.rpc()
            wait_until("all are registered", lambda: admin.call("admin.status")["sip"]["bindings"] >= 3)
            _, lead = sign_in(switch, ["8001", "8090"])
            caller.command("dial", f"sip:96198@127.0.0.1:{switch.sip_port}")
            wait_until("they talk", lambda: [it["state"] for it in admin.call("call.list")] == ["talking"])
            lead.call("supervisor.barge", seat="8001")
            wait_until("it is there", lambda: (supervising(lead) or {}).get("attached"))
            assert switch.process is not None
            switch.process.kill()
            switch.process.wait(5)
            switch.start()
            admin = switch.rpc()
            wait_until("the supervisor's seat is idle", lambda: activity(admin, "8090") == "idle")
            wait_until("they talk", lambda: [it["state"] for it in admin.call("call.list")] == ["talking"])
            begun = admin.call("call.list")[0]["talked"]
            wait_until("for 3 s more", lambda: admin.call("call.list")[0]["talked"] > begun + 3.0)
            admin.call("call.hangup", call=admin.call("call.list")[0]["call"])
            wait_until("the call is over", lambda: not admin.call("call.list"))
            rows = {row["entry"]: row["verdict"] for row in rows_when_complete(switch, "calls", 2)}
        assert rows == {"queue:junior": "success", "supervise:8001": "us:interrupted"}
        log = (trio[2].folder / "out.log").read_text(errors="replace")
        assert "terminated" in log or "session closed" in log
        last = shares(caller.heard()[-1], SEAT)[-4:]
        assert sum(share > 0.8 for share in last) >= 3, f"the caller hears {last} of the seat"


def activity(admin: Rpc, seat: str) -> str:
    return str(admin.call("seat.get", seat=seat)["activity"])
