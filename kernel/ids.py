"""The ids of the node, as types of their own so that they are not mixed up.

A visit's id is its call's with a number behind, an offer's is its visit's with a number behind
(``k3v9.1``, ``k3v9.1.2``): globally unique when the call's id is, and a row tells whose it is.
"""

from typing import NewType

CallId = NewType("CallId", str)  # ours; SIP's Call-ID header is always ``sip_call_id``
LegId = NewType("LegId", str)
VisitId = NewType("VisitId", str)
OfferId = NewType("OfferId", str)
SeatId = NewType("SeatId", str)  # the seat number: "8001"
QueueName = NewType("QueueName", str)
TenantName = NewType("TenantName", str)
StreamId = NewType("StreamId", int)  # of one media stream; unique in the life of a node
RecordingId = NewType("RecordingId", str)  # letters, digits, dots and dashes: it names a file


def visit_id(call: CallId, number: int) -> VisitId:
    """Return the id of a call's ``number``-th visit, counted from 1."""
    return VisitId(f"{call}.{number}")


def offer_id(visit: VisitId, number: int) -> OfferId:
    """Return the id of a visit's ``number``-th offer, counted from 1."""
    return OfferId(f"{visit}.{number}")
