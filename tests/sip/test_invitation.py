from sip.invitation import Invitation


def test_invitation_needs_whom_and_from_whom() -> None:
    """What is left out asks for nothing: no SDP, no known way, no routes, no credentials."""
    invitation = Invitation("sip:8001@127.0.0.1:5071", "<sip:8001@127.0.0.1>", "1390")
    assert (invitation.sdp, invitation.flow, invitation.routes, invitation.trunk) == (b"", None, (), "")
