"""``voicemail.*``, ``recording.*``: what is left to do after a call."""

from typing import Any

from seatswitch.api.method import AGENT, Method, Nothing, Params
from seatswitch.api.shapes import Done, Name


class OneVoicemail(Params, frozen=True):
    """A voicemail by its id."""

    voicemail: Name


METHODS = (
    Method("voicemail.list", AGENT, "Voicemails.", Nothing, list[dict[str, Any]]),
    Method("voicemail.get", AGENT, "One voicemail.", OneVoicemail, dict[str, Any]),
    Method("voicemail.mark", AGENT, "Mark a voicemail as dealt with.", OneVoicemail, Done),
)
