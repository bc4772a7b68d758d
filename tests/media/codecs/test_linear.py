from array import array

from media.codecs.g711 import alaw_to_linear, ulaw_to_linear
from media.codecs.linear import DECODE, ENCODE, WIDTH, add

CODES = bytes(range(256))


def test_tables_of_c_are_ours() -> None:
    """What is decoded here is what the rest of the media floor takes it for."""
    for codec, ours in (("PCMU", ulaw_to_linear), ("PCMA", alaw_to_linear)):
        samples = array("h", DECODE[codec](CODES, WIDTH))
        assert list(samples) == [ours(code) for code in CODES]


def test_every_code_comes_back() -> None:
    """But for the second zero of u-law."""
    assert ENCODE["PCMA"](DECODE["PCMA"](CODES, WIDTH), WIDTH) == CODES
    assert ENCODE["PCMU"](DECODE["PCMU"](CODES, WIDTH), WIDTH) == CODES.replace(b"\x7f", b"\xff")


def test_sum_saturates_and_does_not_wrap() -> None:
    one, other = array("h", [30_000, -30_000, 1000, 0]), array("h", [30_000, -30_000, -3000, 5])
    total = array("h", add(one.tobytes(), other.tobytes(), WIDTH))
    assert list(total) == [32_767, -32_768, -2000, 5]
