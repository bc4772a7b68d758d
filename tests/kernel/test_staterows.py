"""What lives after a row: the last state row of whatever has not ended."""

import msgspec

from kernel.rows import OfferRow, VisitRow
from kernel.staterows import (
    AudioState,
    CallStateRow,
    DialogState,
    InviteState,
    JournalRow,
    LeftStateRow,
    LegState,
    Living,
    OfferStateRow,
    VisitStateRow,
)

DIALOG = DialogState(
    "id@host", "ours", "theirs", "<sip:a@b>;tag=ours", "<sip:c@d>;tag=theirs", ("<sip:p;lr>",), "sip:c@h",
    "udp/0/127.0.0.1/5080/0", "", "", True, 2, -1, "",
)  # fmt: skip
AUDIO = AudioState("127.0.0.1", 4000, "PCMU", 0, 0, 101, None, 20, "sendrecv", 0)
LEG = LegState(
    "1390", "", "", "8001", "k.1.1", "trunk", "127.0.0.1", 20000, DIALOG, AUDIO, 20000, 1, (), (("PCMU", 0),)
)
CALL = CallStateRow(
    "k", "demo", "in", "1390", "96198", "trunk", "queue:junior", "junior", 1.0, 2.0, 3.5, None, 0.0, 0, False,
    LEG, None, None, (InviteState(b"INVITE", "udp/0/127.0.0.1/5071/0", "t"),),
)  # fmt: skip
VISIT = VisitStateRow("k.1", "k", 1, "junior", "1390", "96198", 1.0, 1.0, 0.0, (("english", 3),), 1)
OFFER = OfferStateRow("k.1.1", "k.1", "8001", "softphone:8001", 2.0, "longest-idle", "1", 2, "")
LEFT = LeftStateRow("j.1", "junior", "1390", 1.0, 0.0, 2.0)


def test_state_rows_survive_the_journals_encoding() -> None:
    for row in (CALL, VISIT, OFFER, LEFT):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=JournalRow) == row


def test_what_has_ended_lives_no_more() -> None:
    living = Living()
    living.take([CALL, VISIT, OFFER])
    assert living.rows() == [CALL, VISIT, OFFER]
    offer = OfferRow("k.1.1", "k.1", "8001", "", 2.0, 3.0, 1.0, "answered", 200, "", "", 1, "")
    visit = VisitRow("k.1", "k", "junior", 1.0, 3.0, 2.0, 0.0, "answered", "", "8001", True)
    living.take([offer, visit])
    assert living.rows() == [CALL]
    later = msgspec.structs.replace(CALL, resumed=1)
    living.take([later])
    assert living.rows() == [later]


def test_a_place_given_up_lives_until_it_is_taken_again() -> None:
    living = Living()
    living.take([LEFT, CALL])
    assert living.rows() == [CALL, LEFT]
    again = msgspec.structs.replace(VISIT, resumes="j.1")
    living.take([again])
    assert living.rows() == [CALL, again]
