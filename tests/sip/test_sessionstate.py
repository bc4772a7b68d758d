"""The session's table; that it is total is asserted in test_session.py."""

from sip.sessionstate import MOVES, SessionInput, SessionState


def test_every_state_leads_to_the_end() -> None:
    """From anywhere a session can end, and from its end it goes nowhere."""
    reach = {SessionState.ENDED}
    for _ in SessionState:
        reach |= {before for (before, _), after in MOVES.items() if after in reach}
    assert reach == set(SessionState)
    assert not any(before is SessionState.ENDED for before, _ in MOVES)


def test_their_bye_ends_whatever_was_answered() -> None:
    for state in (SessionState.ACCEPTED, SessionState.LEAVING, SessionState.CONFIRMED):
        assert MOVES[state, SessionInput.BYE] is SessionState.ENDED
