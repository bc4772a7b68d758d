"""The state machine of a session: the INVITE usage of a dialog (RFC 3261 13 to 15)."""

from enum import IntEnum, auto


class SessionState(IntEnum):
    """How far a session has come."""

    INVITING = auto()  # our INVITE is out
    CANCELLING = auto()  # hung up before the final answer; CANCEL is out, or held until a provisional
    ARRIVED = auto()  # their INVITE, no final answer yet
    ACCEPTED = auto()  # our 2xx is out, its ACK not here
    LEAVING = auto()  # hung up in ACCEPTED: BYE is owed once the ACK is here or given up
    CONFIRMED = auto()
    ENDING = auto()  # our BYE is out
    ENDED = auto()


# For who asks in every call: an attribute of an enum costs Python 3.11 ten times what a name costs.
INVITING, ARRIVED = SessionState.INVITING, SessionState.ARRIVED
ACCEPTED, CONFIRMED = SessionState.ACCEPTED, SessionState.CONFIRMED
CANCELLING, LEAVING = SessionState.CANCELLING, SessionState.LEAVING
ENDING, ENDED = SessionState.ENDING, SessionState.ENDED


class SessionInput(IntEnum):
    """What can happen to a session."""

    SUCCESS = auto()  # a 2xx to our INVITE
    FAILURE = auto()  # another final answer to our INVITE, or none
    ACCEPT = auto()  # our user answers their INVITE or re-INVITE
    REFUSE = auto()  # our user refuses, or the caller gives up before the answer
    ACK = auto()
    NO_ACK = auto()
    HANG_UP = auto()
    BYE = auto()  # theirs
    GONE = auto()  # 481 or 408 to a request of ours inside the dialog (12.2.1.2)
    BYE_DONE = auto()  # ours was answered or given up


_S, _I = SessionState, SessionInput
# (state, input) -> next state. What is missing is dropped on purpose; the tests walk every pair.
MOVES: dict[tuple[SessionState, SessionInput], SessionState] = {
    (_S.INVITING, _I.SUCCESS): _S.CONFIRMED,
    (_S.INVITING, _I.FAILURE): _S.ENDED,
    (_S.INVITING, _I.HANG_UP): _S.CANCELLING,
    (_S.CANCELLING, _I.SUCCESS): _S.ENDING,  # the 200 crossed our CANCEL: ACK and BYE
    (_S.CANCELLING, _I.FAILURE): _S.ENDED,
    (_S.ARRIVED, _I.ACCEPT): _S.ACCEPTED,
    (_S.ARRIVED, _I.REFUSE): _S.ENDED,
    (_S.ACCEPTED, _I.ACK): _S.CONFIRMED,
    (_S.ACCEPTED, _I.NO_ACK): _S.ENDING,
    (_S.ACCEPTED, _I.HANG_UP): _S.LEAVING,
    (_S.ACCEPTED, _I.BYE): _S.ENDED,
    (_S.ACCEPTED, _I.GONE): _S.ENDING,
    (_S.LEAVING, _I.ACK): _S.ENDING,
    (_S.LEAVING, _I.NO_ACK): _S.ENDING,
    (_S.LEAVING, _I.BYE): _S.ENDED,
    (_S.CONFIRMED, _I.ACCEPT): _S.ACCEPTED,  # a re-INVITE
    (_S.CONFIRMED, _I.HANG_UP): _S.ENDING,
    (_S.CONFIRMED, _I.BYE): _S.ENDED,
    (_S.CONFIRMED, _I.GONE): _S.ENDING,
    (_S.ENDING, _I.BYE): _S.ENDING,  # BYEs crossed: theirs is answered
    (_S.ENDING, _I.BYE_DONE): _S.ENDED,
}


def _pairs(state: SessionState, *causes: SessionInput) -> set[tuple[SessionState, SessionInput]]:
    return {(state, cause) for cause in causes}


DROPPED: frozenset[tuple[SessionState, SessionInput]] = frozenset(
    # What belongs to the other end of an INVITE, or to a dialog that is not there yet.
    _pairs(_S.INVITING, _I.ACCEPT, _I.REFUSE, _I.ACK, _I.NO_ACK, _I.BYE, _I.GONE, _I.BYE_DONE)
    | _pairs(_S.CANCELLING, _I.ACCEPT, _I.REFUSE, _I.ACK, _I.NO_ACK, _I.HANG_UP, _I.BYE, _I.GONE, _I.BYE_DONE)
    | _pairs(_S.ARRIVED, _I.SUCCESS, _I.FAILURE, _I.ACK, _I.NO_ACK, _I.HANG_UP, _I.BYE, _I.GONE, _I.BYE_DONE)
    | _pairs(_S.ACCEPTED, _I.SUCCESS, _I.FAILURE, _I.ACCEPT, _I.REFUSE, _I.BYE_DONE)
    # The user has left: only what lets the peer go counts.
    | _pairs(_S.LEAVING, _I.SUCCESS, _I.FAILURE, _I.ACCEPT, _I.REFUSE, _I.HANG_UP, _I.GONE, _I.BYE_DONE)
    # A repeated ACK, and answers to an INVITE long settled.
    | _pairs(_S.CONFIRMED, _I.SUCCESS, _I.FAILURE, _I.REFUSE, _I.ACK, _I.NO_ACK, _I.BYE_DONE)
    | _pairs(_S.ENDING, _I.SUCCESS, _I.FAILURE, _I.ACCEPT, _I.REFUSE, _I.ACK, _I.NO_ACK, _I.HANG_UP, _I.GONE)
    | _pairs(_S.ENDED, *_I)
)
