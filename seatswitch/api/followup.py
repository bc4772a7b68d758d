"""``voicemail.*``, ``recording.*``, ``quality.*``: what is left to do after a call."""

from typing import Annotated, Any

from msgspec import Meta

from seatswitch.api.method import AGENT, SUPERVISOR, Method, Nothing, Params
from seatswitch.api.shapes import CallNumber, Done, Name, Text


class OneVoicemail(Params, frozen=True):
    """A voicemail by its id."""

    voicemail: Name


class OneRecording(Params, frozen=True):
    """The recording of a call."""

    call: CallNumber


class Score(Params, frozen=True):
    """A quality check of a call: points per item, and remarks."""

    call: CallNumber
    scores: dict[str, Annotated[int, Meta(ge=0, le=100)]]
    remarks: Text = ""


METHODS = (
    Method("voicemail.list", AGENT, "Voicemails.", Nothing, list[dict[str, Any]]),
    Method("voicemail.get", AGENT, "One voicemail.", OneVoicemail, dict[str, Any]),
    Method("voicemail.mark", AGENT, "Mark a voicemail as dealt with.", OneVoicemail, Done),
    Method("recording.list", SUPERVISOR, "Recordings.", Nothing, list[dict[str, Any]]),
    Method("recording.get", SUPERVISOR, "One recording.", OneRecording, dict[str, Any]),
    Method("quality.list", SUPERVISOR, "Quality checks.", Nothing, list[dict[str, Any]]),
    Method("quality.score", SUPERVISOR, "Score a call.", Score, Done),
)
