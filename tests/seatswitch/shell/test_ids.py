from seatswitch.shell.ids import system_chance


def test_tokens_are_unguessable_and_differ() -> None:
    """Conformance A-DLG: Call-ID and tags have at least 64 random bits."""
    one, other = system_chance(), system_chance()
    tokens = {chance.token() for chance in (one, other) for _ in range(1000)}
    assert len(tokens) == 2000
    assert {len(token) for token in tokens} == {16}
