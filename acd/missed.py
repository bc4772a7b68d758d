"""What an offer that came to nothing costs the seat, per cause.

Only what the seat or its phone did counts: no answer, a refusal, a phone that cannot be rung. A lost race, a
caller who hung up or an offer called off never do.
"""

from enum import StrEnum
from math import inf

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


def count_miss(
    misses: dict[str, tuple[int, float]], rule: MissedRule, cause: Cause, now: float, since_call: float = inf
) -> str:
    """Count one more in a row; say what it costs: ``pause``, ``logout`` or "" (then the row goes on).

    A row is of one cause. It starts anew with an answer, a sign-in, with what it has cost, or when
    ``forget_after`` has passed since the miss before. A miss within the ``grace`` after the seat's last queue
    call, ``since_call`` seconds ago, is none.
    """
    if since_call < rule.grace:
        return ""
    count, last_at = misses.get(cause, (0, now))
    if rule.forget_after and now - last_at >= rule.forget_after:
        count = 0
    count += 1
    for costs, most in (("logout", rule.logout_after), ("pause", rule.pause_after)):
        if most and count >= most:
            misses.clear()
            return costs
    misses[cause] = (count, now)
    return ""
