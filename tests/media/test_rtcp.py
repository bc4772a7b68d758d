from struct import pack, unpack_from

from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import PeerReport, build_report


def read(report: PeerReport, data: bytes, now: float = 5.0) -> bool:
    return report.receive(bytearray(data) + bytearray(64), len(data), now)


SENDER_REPORT = pack(">BBHIIIIII", 0x80, 200, 6, 7, 0x11223344, 0x55667788, 160, 1, 160)


def test_sender_report_gives_the_middle_of_its_time() -> None:
    """RFC 3550 6.4.1: LSR is the middle 32 bits of the 64 of NTP."""
    report = PeerReport()
    assert read(report, SENDER_REPORT)
    assert (report.middle, report.reported_at) == (0x33445566, 5.0)


def test_lies_are_malformed() -> None:
    """RFC 3550 A.2: version, first type, and lengths that add up."""
    lies = [
        b"",
        SENDER_REPORT[:8],
        b"\x00" + SENDER_REPORT[1:],
        pack(">BBHI", 0x80, 203, 1, 7),
        pack(">BBHI", 0x9F, 201, 1, 7),
        pack(">BBH", 0x9F, 200, 6) + SENDER_REPORT[4:],
        pack(">BBHI", 0x80, 201, 9, 7),
        SENDER_REPORT + b"\x81",
        SENDER_REPORT + b"\x81\xca\x00\x09",
    ]
    assert not any(read(PeerReport(), lie) for lie in lies)


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    read(PeerReport(), data)


def test_what_we_build_is_what_we_would_read() -> None:
    block = (9, 1 << 24 | 5, 70_000, 12, 0x33445566, 65_536)
    for sent in (None, (1600, 10, 1720)):
        for reported in (None, block):
            built = build_report(0x01020304, 12.5, sent, reported)
            assert len(built) % 4 == 0
            report = PeerReport()
            assert read(report, built)
            assert report.middle == (0 if sent is None else 12 << 16 | 0x8000)
    assert unpack_from(">IIIIII", build_report(1, 0.0, None, block), 8) == block
    assert build_report(0x01020304, 0.0, None, None).endswith(b"\x01\x0801020304\0\0")
