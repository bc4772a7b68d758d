"""Errors of the JSON-RPC side: the protocol's own codes, and one fixed code for each word of the switch.

A word never changes its code and a code is never given to another word; new words take free codes.
"""

from kernel.errors import OperationRefused

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

UNKNOWN_WORD = -32099  # a refusal whose word is missing below: a bug of ours, still answered

# word: (code, what it means)
WORDS: dict[str, tuple[int, str]] = {
    "TOO_MANY_CONNECTIONS": (-32000, "the switch serves as many clients as it may"),
    "NO_RIGHT": (-32001, "this connection may not do that"),
    "BAD_LOGIN": (-32002, "hotline, seat or password, or the token, is wrong"),
    "TRY_LATER": (-32003, "too many failed sign-ins; right ones are refused too until some time has passed"),
    "NO_SESSION": (-32004, "there is no such session, or it was lost too long ago to be resumed"),
    "RESYNC": (-32005, "the events asked for are no longer kept: subscribe without since"),
    "NOT_AVAILABLE": (-32006, "a method of the contract whose feature is not built yet"),
    "TOO_LARGE": (-32007, "the answers of the batch have become too long; the rest was not done"),
    "NOT_IN_QUEUE": (-32010, "the seat serves no queue"),
    "QUOTA": (-32011, "all seats the tenant may use at the same time are in use"),
    "BAD_PAUSE": (-32012, "the reason is not one of the tenant's pause reasons"),
    "PHONE_NOT_REGISTERED": (-32013, "the seat has no such phone, or it is not registered"),
    "PHONE_IN_USE": (-32014, "the phone is bound to another seat"),
    "TENANT_SUSPENDED": (-32015, "the tenant is suspended"),
    "NOT_LOGGED_IN": (-32016, "nobody is signed in at the seat, or this connection has no seat"),
    "ALREADY_READY": (-32017, "the seat is ready"),
    "FORCED_PAUSE": (-32018, "the seat was paused by a supervisor, who alone can lift it"),
    "STATUS_NOT_IDLE": (-32019, "the seat's phone is in use"),
    "BAD_STATE": (-32020, "this cannot be done in the present state"),
    "NOT_RINGING": (-32021, "no call rings"),
    "NOT_IN_CALL": (-32022, "the seat is in no call"),
    "BUSY": (-32023, "the seat is busy"),
    "ALREADY_HELD": (-32024, "the call is on hold"),
    "NOT_HELD": (-32025, "the call is not on hold"),
    "NO_BRIDGE": (-32026, "the two sides do not hear each other yet"),
    "NO_CONSULT": (-32027, "there is no such consultation"),
    "TARGET_BUSY": (-32028, "the target cannot take a call now"),
    "NO_SUCH_TARGET": (-32029, "the target does not exist"),
    "TARGET_NOT_TALKING": (-32030, "the seat to be supervised is in no conversation"),
    "NOT_ATTACHED": (-32031, "the supervisor is not in that call"),
    "CALL_RIGHT": (-32032, "the seat may not call that number"),
    "BLACKLIST": (-32033, "the number is on a list of numbers not to be called"),
    "BAD_DISPLAY_NUMBER": (-32034, "the number to show is none of the tenant's"),
    "OUT_OF_HOURS": (-32035, "not at this time of the day"),
    "NOT_RECORDED": (-32036, "the call is not recorded"),
    "ALREADY_SUSPENDED": (-32037, "the recording is suspended"),
    "NOT_SUSPENDED": (-32038, "the recording is not suspended"),
    "NO_SUCH_CALL": (-32040, "there is no such call"),
    "NO_SUCH_SEAT": (-32041, "there is no such seat"),
    "NO_SUCH_QUEUE": (-32042, "there is no such queue"),
    "NO_SUCH_CALLBACK": (-32043, "there is no such callback, or it has ended"),
    "NO_SUCH_LIST": (-32044, "there is no such list of callers"),
    "NOT_LISTED": (-32045, "the number is not on that list"),
    "NO_SUCH_LEVEL": (-32046, "there is no such level"),
    "NO_SUCH_TENANT": (-32047, "there is no such tenant"),
    "NO_SUCH_RECORDING": (-32048, "there is no such recording"),
    "NO_SUCH_CLASS": (-32054, "there is no such class of follow-ups"),
    "BAD_SCORE": (-32055, "the check names no call, or not exactly the items of the tenant's checks"),
    "NO_SUCH_VOICEMAIL": (-32049, "there is no such voicemail, or it is nobody's that asks"),
    "NO_AUDIO": (-32056, "the audio is not there"),
    "AUDIO_LATE": (-32057, "the disk with the audio does not answer; ask again later"),
    "ALREADY_BOOKED": (-32050, "the number is to be called back by that queue already"),
    "CALLBACKS_FULL": (-32051, "the queue has as many callbacks due as its seats can make"),
    "BAD_NUMBER": (-32052, "that is no number that can be called"),
    "LIST_FULL": (-32053, "the list has as many numbers as one may have"),
}


class Refusal(OperationRefused):
    """A refusal of the JSON-RPC side itself; ``more`` joins ``data`` beside the word."""

    def __init__(self, word: str, message: str, **more: float | str) -> None:
        super().__init__(word, message)
        self.more = more


def error_object(error: OperationRefused) -> dict[str, object]:
    """Return the JSON-RPC error object of a refusal."""
    code = WORDS.get(error.word, (UNKNOWN_WORD, ""))[0]
    data: dict[str, object] = {"word": error.word}
    if isinstance(error, Refusal):
        data.update(error.more)
    return {"code": code, "message": error.message, "data": data}
