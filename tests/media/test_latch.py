from media.latch import CONFIRM_ELSEWHERE, CONFIRM_PRIVATE, CONFIRM_REBOUND, CONFIRM_SAME_HOST, Address, Latch

SDP: Address = ("192.0.2.1", 4000)
NAT: Address = ("198.51.100.9", 61_000)
MALLORY: Address = ("203.0.113.66", 6666)
NOTHING = (-1, -1, -1.0)


def count_needed(
    latch: Latch, source: Address, known: tuple[int, int, float] = NOTHING, ssrc: int = 7
) -> int:
    """Return after how many packets in sequence ``source`` is taken; 0 if never within 50."""
    for index in range(50):
        if latch.admit(source, ssrc, 100 + index, 10.0 + 0.02 * index, known):
            return index + 1
    return 0


def latch_to(sdp: Address | None, is_private: bool = False) -> Latch:
    latch = Latch()
    latch.expect(sdp, is_private)
    return latch


def test_address_of_sdp_is_taken_at_once() -> None:
    latch = latch_to(SDP)
    assert count_needed(latch, SDP) == 1
    assert (latch.source, latch.target) == (SDP, SDP)


def test_another_port_of_the_host_is_taken_soon_and_sent_to() -> None:
    """A NAT in front of a phone that knows its outer address, but not its outer port."""
    latch = latch_to(SDP)
    assert count_needed(latch, ("192.0.2.1", 5555)) == CONFIRM_SAME_HOST
    assert latch.target == ("192.0.2.1", 5555)


def test_private_host_is_heard_from_where_it_comes() -> None:
    latch = latch_to(("10.0.0.5", 4000), is_private=True)
    assert latch.target == ("10.0.0.5", 4000)
    assert count_needed(latch, NAT) == CONFIRM_PRIVATE
    assert (latch.source, latch.target) == (NAT, NAT)


def test_nobody_else_is_sent_to_when_the_host_is_public() -> None:
    """A-RTP1: what SDP says is where we send; a peer that sends from elsewhere is heard all the same."""
    latch = latch_to(SDP)
    assert count_needed(latch, MALLORY) == CONFIRM_ELSEWHERE
    assert (latch.source, latch.target) == (MALLORY, SDP)
    known = (7, 110, 10.2)
    assert not latch.admit(SDP, 9, 500, 10.22, known)
    assert not latch.admit(SDP, 9, 501, 10.24, known)
    assert latch.admit(SDP, 9, 502, 10.26, known)
    assert (latch.source, latch.target) == (SDP, SDP)


def test_who_was_never_sent_to_does_not_become_so_by_moving() -> None:
    latch = latch_to(SDP)
    count_needed(latch, MALLORY)
    assert count_needed(latch, NAT, (7, 100, 9.0)) == CONFIRM_REBOUND
    assert (latch.source, latch.target) == (NAT, SDP)


def test_locked_is_locked() -> None:
    latch = latch_to(SDP)
    count_needed(latch, SDP)
    assert count_needed(latch, MALLORY, (1, 100, 10.0), ssrc=2) == 0
    assert count_needed(latch, ("192.0.2.1", 5555), (1, 100, 10.0), ssrc=2) == 0


def test_rebound_peer_is_taken_again_when_its_old_source_is_silent() -> None:
    """A-RTP3: same SSRC, the sequence goes on, nothing from the old source for 0.2 s."""
    latch = latch_to(SDP)
    count_needed(latch, SDP)
    known = (7, 90, 9.7)
    assert count_needed(latch, NAT, known) == CONFIRM_REBOUND
    assert (latch.source, latch.target) == (NAT, NAT)


def test_rebinding_needs_the_silence_and_the_sequence() -> None:
    latch = latch_to(SDP)
    count_needed(latch, SDP)
    for index in range(20):  # the old source goes on
        now = 10.0 + 0.02 * index
        assert not latch.admit(NAT, 7, 100 + index, now, (7, 100 + index, now - 0.01))
    assert count_needed(latch, NAT, (7, 20_000, 9.0)) == 0  # a sequence from the past


def test_packets_out_of_sequence_confirm_nothing() -> None:
    latch = latch_to(("10.0.0.5", 4000), is_private=True)
    assert not any(latch.admit(NAT, 7, 100 + 10 * index, 10.0, NOTHING) for index in range(20))
    assert not any(latch.admit(NAT, index, 100 + index, 10.0, NOTHING) for index in range(20))


def test_new_address_in_sdp_opens_the_lock_and_the_same_does_not() -> None:
    latch = latch_to(SDP)
    count_needed(latch, SDP)
    latch.expect(SDP, False)
    assert latch.source == SDP
    latch.expect(NAT, False)
    assert (latch.source, latch.target) == (None, NAT)
    latch.expect(None, False)
    assert latch.target is None
