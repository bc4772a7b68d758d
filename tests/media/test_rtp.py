from hypothesis import given
from hypothesis import strategies as st

from media.rtp import Reception, is_rtcp, payload_bounds


def bounds(data: bytes) -> tuple[int, int]:
    return payload_bounds(bytearray(data), len(data))


def test_payload_is_found_behind_csrcs_and_an_extension_and_before_padding() -> None:
    """RFC 3550 5.1, 5.3.1."""
    assert bounds(bytes((0x80, 0, *bytes(10), 1, 2, 3))) == (12, 15)
    assert bounds(bytes((0x82, 0, *bytes(10), *bytes(8), 1))) == (20, 21)
    assert bounds(bytes((0x90, 0, *bytes(10), 0xBE, 0xDE, 0, 1, *bytes(4), 1, 2))) == (20, 22)
    assert bounds(bytes((0xA0, 0, *bytes(10), 1, 2, 0, 2))) == (12, 14)
    assert bounds(bytes((0x80, 0, *bytes(10)))) == (12, 12)


def test_lies_about_lengths_are_malformed() -> None:
    """A-RTP4: short, wrong version, padding and extension lies, huge CSRC count."""
    nothing = (-1, -1)
    assert bounds(b"") == nothing
    assert bounds(bytes((0x80, *bytes(10)))) == nothing
    assert bounds(bytes((0x40, *bytes(40)))) == nothing
    assert bounds(bytes((0x8F, *bytes(40)))) == nothing
    assert bounds(bytes((0x90, *bytes(13)))) == nothing
    assert bounds(bytes((0x90, 0, *bytes(10), 0, 0, 0xFF, 0xFF, *bytes(100)))) == nothing
    assert bounds(bytes((0xA0, 0, *bytes(10), 0))) == nothing
    assert bounds(bytes((0xA0, 0, *bytes(10), 9))) == nothing


@given(st.binary(max_size=80))
def test_payload_lies_within_the_packet(data: bytes) -> None:
    start, end = bounds(data)
    assert (start, end) == (-1, -1) or 12 <= start <= end <= len(data)


def test_rtcp_on_an_rtp_port_is_told_by_its_type() -> None:
    """RFC 5761 4."""
    assert is_rtcp(bytearray((0x80, 200)), 2)
    assert is_rtcp(bytearray((0x80, 204)), 2)
    assert not is_rtcp(bytearray((0x80, 0x80 | 8)), 2)
    assert not is_rtcp(bytearray((0x80,)), 1)


def heard(sequences: list[int]) -> Reception:
    reception = Reception()
    reception.begin(1, sequences[0])
    for sequence in sequences:
        reception.note_sequence(sequence & 0xFFFF)
    return reception


def test_lost_packets_are_those_expected_and_not_received() -> None:
    """RFC 3550 A.3."""
    reception = heard([10, 11, 12, 15, 16])
    assert (reception.received, reception.lost(), reception.highest()) == (5, 2, 16)


def test_sequence_numbers_wrap() -> None:
    """RFC 3550 A.1: 65535 is followed by 0 of the next cycle, whether it arrives or not."""
    reception = heard([65_534, 65_535, 65_536, 65_537])
    assert (reception.received, reception.lost(), reception.highest()) == (4, 0, 65_537)
    reception = heard([65_533, 65_537, 65_538])
    assert (reception.received, reception.lost(), reception.highest()) == (3, 3, 65_538)
    assert heard([0, 1, 2]).lost() == 0


def test_reordered_and_doubled_packets_are_received_ones() -> None:
    """RFC 3550 A.3: duplicates count as received, so the loss may be negative; we say 0."""
    assert heard([1, 3, 2, 4]).lost() == 0
    reception = heard([1, 2, 2, 2, 4])
    assert (reception.received, reception.lost()) == (5, 0)


def test_jump_is_believed_when_its_successor_comes() -> None:
    """RFC 3550 A.1: one packet far off is ignored, two in sequence are a source that began anew."""
    reception = heard([1, 2, 3, 40_000, 4, 5])
    assert (reception.received, reception.lost(), reception.highest()) == (5, 0, 5)
    reception = heard([1, 2, 4, 40_000, 40_001, 40_002])
    assert (reception.received, reception.lost()) == (5, 1)


def test_loss_of_epochs_adds_up() -> None:
    reception = heard([1, 3])
    reception.begin(2, 500)
    assert reception.note_sequence(500)
    assert reception.note_sequence(503)
    assert (reception.received, reception.lost(), reception.expected_total()) == (4, 3, 7)


def test_jitter_is_the_smoothed_step_of_the_transit_time() -> None:
    """RFC 3550 A.8, by hand: steps of 0, 16 and 16 units give 0, 1 and 1.9375."""
    reception = Reception()
    reception.begin(1, 1)
    jitter = []
    for index, late in enumerate((0.0, 0.0, 0.002, 0.0)):
        reception.note_arrival(1000 + 160 * index, 50.0 + 0.02 * index + late)
        jitter.append(round(reception.jitter, 6))
    assert jitter == [0.0, 0.0, 1.0, 1.9375]


def test_new_clock_is_not_jitter() -> None:
    """A phone that went on after a hold with another timestamp says nothing about the network."""
    reception = Reception()
    reception.begin(1, 1)
    reception.note_arrival(1000, 50.0)
    reception.note_arrival(900_000_000, 50.02)
    assert reception.jitter == 0.0
