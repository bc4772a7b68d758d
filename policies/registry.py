"""Policies by name. A new one is a file beside this and a line in :data:`NAMES` (or in the table below)."""

from kernel.chance import Chance
from kernel.errors import OperatorError
from policies.c_mu import CMu
from policies.fewest_calls import FewestCalls
from policies.fewest_calls_in_queue import FewestCallsInQueue
from policies.fixed_queue_ratio import FixedQueueRatio
from policies.least_skilled_first import LeastSkilledFirst
from policies.least_talk_time import LeastTalkTime
from policies.longest_idle import LongestIdle
from policies.policy import Policy
from policies.random_ import Random
from policies.rank_first import RankFirst
from policies.ring_all import RingAll
from policies.ring_progressively import RingProgressively
from policies.round_robin import RoundRobin
from policies.top_down import TopDown
from policies.weighted_random import WeightedRandom

_PLAIN: tuple[type[Policy], ...] = (
    LeastSkilledFirst,
    LongestIdle,
    RoundRobin,
    FewestCalls,
    FewestCallsInQueue,
    LeastTalkTime,
    TopDown,
    RankFirst,
    RingAll,
    RingProgressively,
    FixedQueueRatio,
    CMu,
)
_DRAWN: tuple[type[Random] | type[WeightedRandom], ...] = (Random, WeightedRandom)  # by chance
NAMES: tuple[str, ...] = tuple(policy.name for policy in (*_PLAIN, *_DRAWN))


def build_policies(chance: Chance) -> dict[str, Policy]:
    """Return one of each; a policy serves all queues that name it."""
    policies: dict[str, Policy] = {policy.name: policy() for policy in _PLAIN}
    policies.update({policy.name: policy(chance) for policy in _DRAWN})
    return policies


def policy_named(policies: dict[str, Policy], name: str, where: str) -> Policy:
    """Return the policy called ``name``; raise :class:`OperatorError` naming ``where`` if there is none."""
    policy = policies.get(name)
    if policy is None:
        raise OperatorError(where, f"{name!r} is not a policy; there are {', '.join(NAMES)}")
    return policy
