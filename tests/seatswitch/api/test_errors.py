"""Every word has one code for ever, in the range that JSON-RPC leaves to servers."""

import re
from pathlib import Path

from kernel.errors import OperationRefused
from seatswitch.api.errors import UNKNOWN_WORD, WORDS, Refusal, error_object

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("acd", "calls", "queues", "seatswitch")

# The words clients were told of first; a change here breaks them.
FIXED = {
    "NO_RIGHT": -32001,
    "BAD_LOGIN": -32002,
    "NO_SESSION": -32004,
    "RESYNC": -32005,
    "NOT_AVAILABLE": -32006,
    "NOT_IN_QUEUE": -32010,
    "QUOTA": -32011,
    "STATUS_NOT_IDLE": -32019,
    "TARGET_BUSY": -32028,
    "NO_SUCH_SEAT": -32041,
}


def test_codes_are_unique_and_in_range() -> None:
    codes = [code for code, _ in WORDS.values()]
    assert len(codes) == len(set(codes))
    assert all(-32099 < code <= -32000 for code in codes)
    for word, code in FIXED.items():
        assert WORDS[word][0] == code


def test_every_word_the_switch_uses_has_a_code() -> None:
    used: dict[str, str] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for word in re.findall(r'(?:OperationRefused|Refusal)\(\s*"([A-Z_]+)"', text):
                used[word] = str(path)
    assert len(used) > 10
    assert {word: path for word, path in used.items() if word not in WORDS} == {}


def test_an_unknown_word_is_answered_all_the_same() -> None:
    error = error_object(OperationRefused("NO_SUCH_WORD", "why"))
    assert error == {"code": UNKNOWN_WORD, "message": "why", "data": {"word": "NO_SUCH_WORD"}}


def test_a_refusal_may_say_more() -> None:
    error = error_object(Refusal("TRY_LATER", "wait", retry_after=5.0))
    assert error["data"] == {"word": "TRY_LATER", "retry_after": 5.0}
