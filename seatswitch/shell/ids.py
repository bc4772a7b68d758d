"""Where a daemon's ids come from: the randomness of the operating system."""

import os

from kernel.chance import Chance


def system_chance() -> Chance:
    """Return the node's source of ids and random draws: 64 unguessable bits per token."""
    return Chance(os.urandom)
