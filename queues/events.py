"""Outcomes of visits: every stay of a call in a queue ends in exactly one."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a visit ended (docs/contract.md, table visits)."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    OVERFLOWED = "overflowed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CALLBACK = "callback"
