"""Policies by name."""

from random import Random

import pytest

from kernel.chance import Chance
from kernel.errors import OperatorError
from policies.registry import NAMES, build_policies, policy_named


def test_every_name_has_its_policy() -> None:
    policies = build_policies(Chance(Random(1).randbytes))
    assert tuple(policies) == NAMES
    assert all(policy.name == name for name, policy in policies.items())
    assert NAMES[0] == "least-skilled-first"


def test_unknown_name_says_where_and_what_there_is() -> None:
    policies = build_policies(Chance(Random(1).randbytes))
    with pytest.raises(OperatorError, match=r"queue\.a\.policy: 'linear' is not a policy; there are least-"):
        policy_named(policies, "linear", "queue.a.policy")
