"""G.711 to 16-bit linear samples and back, and their sum, for whole frames at once (in C)."""

import warnings
from collections.abc import Callable

with warnings.catch_warnings():
    # Python 3.13 has it no more; there it is audioop-lts, as pyproject.toml says.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

WIDTH = 2  # bytes of a sample, in the order of the machine

DECODE: dict[str, Callable[[bytes, int], bytes]] = {"PCMU": audioop.ulaw2lin, "PCMA": audioop.alaw2lin}
ENCODE: dict[str, Callable[[bytes, int], bytes]] = {"PCMU": audioop.lin2ulaw, "PCMA": audioop.lin2alaw}
loudness: Callable[[bytes, int], int] = audioop.rms  # root mean square; 0 of nothing
add: Callable[[bytes, bytes, int], bytes] = audioop.add  # saturates; both are of one length
