"""Every fuzz target on its corpus and on some hundred mutations of it: the same each time, seconds in all."""

from pathlib import Path
from random import Random

import pytest

from sip.address import parse_address
from sip.grammar import SipError
from sip.parser import KEEPALIVE, StreamParser
from sip.uri import parse_uri
from tests.fuzz.__main__ import NAMES
from tests.fuzz.mutation import mutate
from tests.fuzz.targets import TARGETS, seeds
from tests.sip.test_parser import INVITE


def test_every_target_has_a_corpus() -> None:
    assert tuple(TARGETS) == NAMES
    assert all(len(seeds(name)) >= 5 for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_refusals_comes_of_the_corpus_and_its_mutations(name: str, tmp_path: Path) -> None:
    start, chance = seeds(name), Random(name)
    for data in [*start, *(mutate(start, chance) for _ in range(400))]:
        try:
            TARGETS[name](data)
        except Exception as error:
            kept = tmp_path / "input"
            kept.write_bytes(data)
            raise AssertionError(f"{kept}: {data!r}") from error


@pytest.mark.parametrize("sizes", [(1, 3), (2, 2), (3, 1), (1, 1, 1, 1)])
def test_a_ping_is_answered_in_whatever_pieces_it_comes(sizes: tuple[int, ...]) -> None:
    """Found by fuzzing: a ping cut behind its third byte was lost, and the peer gave the flow up (RFC 5626
    4.4.1).
    """
    parser, ping, found = StreamParser(), b"\r\n\r\n", []
    for size in sizes:
        found += parser.feed(ping[:size])
        ping = ping[size:]
    assert found == [KEEPALIVE]
    assert len(parser.feed(INVITE)) == 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sip:a@b;tr%00ansport=udp", "sip:a@b;tr%00ansport=udp"),
        ("sip:a@b;x%0D%0AVia=1", "sip:a@b;x%0d%0avia=1"),
        ("tel:+1;e%0d%0ax=1", "tel:+1;e%0d%0ax=1"),
        ("sip:a@b;%4Cr", "sip:a@b;lr"),
        ("sip:a@b;i%%345", "sip:a@b;i%2545"),
    ],
)
def test_an_escaped_parameter_name_stays_escaped(text: str, written: str) -> None:
    """Found by fuzzing: kept unescaped, it could put a line end into a URI that is written (A-INJ)."""
    assert str(parse_uri(text)) == written
    assert str(parse_uri(written)) == written


def test_a_bare_uri_holds_no_bracket() -> None:
    """Found by fuzzing: ``sip:a@b>`` was taken, and written as another URI than was read."""
    with pytest.raises(SipError):
        parse_address("sip:a@b>")
