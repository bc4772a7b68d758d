"""``voicemail.*``, ``recording.*``: what is left to do after a call."""

from typing import Any

from seatswitch.api.method import AGENT, SUPERVISOR, Method, Nothing, Params
from seatswitch.api.shapes import CallNumber, Done, Name


class OneVoicemail(Params, frozen=True):
    """A voicemail by its id."""

    voicemail: Name


class OneRecording(Params, frozen=True):
    """The recording of a call."""

    call: CallNumber


METHODS = (
    Method("voicemail.list", AGENT, "Voicemails.", Nothing, list[dict[str, Any]]),
    Method("voicemail.get", AGENT, "One voicemail.", OneVoicemail, dict[str, Any]),
    Method("voicemail.mark", AGENT, "Mark a voicemail as dealt with.", OneVoicemail, Done),
    Method("recording.list", SUPERVISOR, "Recordings.", Nothing, list[dict[str, Any]]),
    Method("recording.get", SUPERVISOR, "One recording.", OneRecording, dict[str, Any]),
)
