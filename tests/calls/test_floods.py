"""Floods: one address sends what it likes, another one's calls are set up all the same."""

from sip.events import StraysSeen
from tests.calls.office import Office, sdp
from tests.sip.scene import STRANGER, request

RATE = 2_000  # bad messages a second


def bad(number: int) -> bytes:
    """One of ten kinds of rubbish, no two alike."""
    name = f"bad{number}"
    kind = number % 10
    if kind < 4:
        return request("INVITE", branch=f"z9hG4bK{name}", call_id=name, via="203.0.113.5", body=sdp(4000))
    if kind < 7:
        method = ("BYE", "ACK", "CANCEL")[kind - 4]
        return request(method, branch=f"z9hG4bK{name}", call_id=name, to="<sip:a@b>;tag=t", via="203.0.113.5")
    if kind == 7:
        uri = "sip:example.com"
        return request("REGISTER", uri, branch=f"z9hG4bK{name}", call_id=name, via="203.0.113.5")
    if kind == 8:
        return b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%d\r\n\r\n" % number
    return b"INVITE sip:x@h SIP/2.0\r\nnonsense %d\r\n\r\n" % number


def test_a_flood_from_one_address_hurts_nobody_else() -> None:
    """A-FLOOD1, A-FLOOD3: 100,000 bad messages at 2,000 a second from one address, a good call every 5 s:
    each good call is answered at once, the flooder draws few answers, and nothing of it is kept.
    """
    office = Office()
    number = good = answers = most = 0
    storms = []
    for _ in range(10):
        for _ in range(5 * RATE):
            office.stack.receive_datagram(bad(number), STRANGER, office.now + (number % RATE) / RATE)
            number += 1
            if number % RATE == 0:
                office.advance(1.0)
                storms += office.events(StraysSeen)
                answers += sum(sent.flow.host == STRANGER.host for sent in office.sent)
                most = max(most, int(str(office.stack.snapshot()["server_transactions"])))
                office.sent.clear()
                office.told.clear()
        good += 1
        call = office.dial("96198", f"good{good}")
        assert call is not None
        office.caller_says("ACK", office.last("200"), 1)
        office.caller_says("BYE", office.last("200"), 2)
        assert office.verdicts()[-1][1] == "caller:abandoned"
        office.rows.clear()
    assert (number, good) == (100_000, 10)
    assert answers < number / 5
    assert most < 10_000
    assert 0 < len(storms) <= 6  # one a window of ten seconds
    office.advance(70.0)
    assert office.is_quiet()
    assert office.stack.snapshot()["server_transactions"] == 0
