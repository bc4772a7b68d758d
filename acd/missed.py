"""What an offer that came to nothing costs the seat, per cause.

Only what the seat or its phone did counts: no answer, a refusal, a phone that cannot be rung. A lost race, a
caller who hung up or an offer called off never do.
"""

from enum import StrEnum

from queues.settings import MissedRule, MissedRules


class Cause(StrEnum):
    """Why an offer came to nothing, as far as it costs anything."""

    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


def rule_for(rules: MissedRules, cause: Cause) -> MissedRule:
    """Return the queue's rule for ``cause``."""
    if cause is Cause.NO_ANSWER:
        return rules.no_answer
    return rules.refused if cause is Cause.REFUSED else rules.unreachable


def count_miss(misses: dict[str, int], rule: MissedRule, cause: Cause) -> bool:
    """Count one more in a row; say whether the seat must be paused (then the row starts anew)."""
    in_a_row = misses.get(cause, 0) + 1
    if rule.pause_after and in_a_row >= rule.pause_after:
        misses.clear()
        return True
    misses[cause] = in_a_row
    return False
