"""Callers who are kept out, or told why they are not taken, with SIPp and real audio."""

from pathlib import Path

import pytest

from tests.wire.switch import CONFIG, Switch, wait_until
from tests.wire.test_endings import Scene
from tests.wire.test_queue_call import rows_when_complete

pytestmark = pytest.mark.wire

BLACK = CONFIG + '\n[[list]]\nname = "nuisance"\nnumbers = ["1390000*"]\n'
EMPTY = 'when_empty = "refuse"\non_empty = "message:builtin:welcome"\n'
WELCOME = 3.0  # seconds of the shipped sound


def test_a_caller_on_a_black_list_hears_603_and_200_again_when_it_is_taken_off(tmp_path: Path) -> None:
    with Switch(tmp_path, config=BLACK) as switch:
        scene = Scene(tmp_path, switch)
        with scene.caller("caller_refused", status=603) as caller:
            caller.finish()
        assert scene.visit()["cause"] == "barred"
        assert scene.verdict() == "us:barred"
        scene.admin.call("list.remove", list="nuisance", number="1390000*")
        with scene.caller(options=("-d", "300")) as caller:
            caller.finish()
        wait_until("both rows", lambda: len(switch.rows("visits")) == 2)


@pytest.mark.parametrize("answer", ["183", "200"])
def test_who_is_turned_away_hears_the_whole_sound_and_then_the_end(tmp_path: Path, answer: str) -> None:
    """Nobody is signed in. Early media and 480, or answered and BYE, when the three seconds are over."""
    with Switch(tmp_path, queue_extra=f"{EMPTY}message_answer = {answer}\n") as switch:
        scene = Scene(tmp_path, switch)
        name = "caller_stays" if answer == "200" else "caller_refused_late"
        with scene.caller(name, status=480) as caller:
            caller.finish()
        visit = scene.visit()
        assert (visit["outcome"], visit["cause"]) == ("refused", "empty")
        assert visit["target"] == "message:builtin:welcome"
        (call,) = rows_when_complete(switch, "calls", 1)
        assert (call["verdict"], call["sip_status"]) == ("us:empty", 200 if answer == "200" else 480)
        (stream,) = rows_when_complete(switch, "streams", 1)
        assert WELCOME * 50 - 5 <= stream["packets_sent"] <= WELCOME * 50 + 5
