"""A mutation loop of our own: no coverage, but the same seed gives the same inputs everywhere."""

from random import Random

LENGTH_MAX = 4_096
PIECES = (
    b"\r\n", b"\r\n ", b"\r", b"\n", b"\0", b" ", b"\t", b",", b";", b":", b"=", b"@", b"?", b"&", b"<", b">",
    b'"', b"\\", b'\\"', b"%", b"%00", b"%0d%0a", b"[", b"]", b"{", b"}", b"*", b"0", b"-1", b"65536",
    b"4294967296", b"99999999999999999999", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"null", b"1e999",
    b"\r\n\r\n", b"Content-Length: 0\r\n", b"Via: SIP/2.0/UDP h\r\n", b"Route: <sip:a;lr>\r\n", b"OURTAG",
    b"\n--next--\n",
)  # fmt: skip


def mutate(seeds: list[bytes], chance: Random) -> bytes:
    """Return one input made of one or two of ``seeds``, changed in one to six places."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((0, 1, 1, 2, 4, 16, 64)))
        kind = chance.randrange(6)
        if kind == 0:  # put in
            data[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 1, 2, 40))
        elif kind == 1:  # take away
            del data[at:end]
        elif kind == 2:  # put in the place of
            data[at:end] = chance.choice(PIECES)
        elif kind == 3:  # say twice
            data[at:at] = data[at:end]
        elif kind == 4 and data:  # flip a bit
            data[at - 1] ^= 1 << chance.randrange(8)
        else:  # cross with another
            other = chance.choice(seeds)
            cut = chance.randint(0, len(other))
            data[at:] = other[cut:]
    return bytes(data[:LENGTH_MAX])
