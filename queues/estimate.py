"""Estimated wait: from the place in the queue and the seats that work for it, as a range or not at all.

The delay law of Erlang A (M/M/n+M): who finds ``j`` calls before it waits the sum of ``Exp(n mu + i theta)``
for i = 0..j, where n seats serve at the rate mu each and everybody waiting gives up at the rate theta
(Garnett, Mandelbaum and Reiman 2002). mu is one over the smoothed handling time, wrap-up included; theta is
abandoned calls over all seconds waited, the maximum-likelihood estimate from waits that were cut short.
"""

from math import log

SAMPLES_MIN = 5  # handled calls before a wait is estimated; abandoned ones before patience is
SPREAD = 1.28  # deviations either side: four of five waits end in the range
_SUMMED_MAX = 32  # terms added one by one; the rest as an integral, so that a place of 1,000 costs the same


def estimate(
    position: int, seats: int, samples: int, handled_for: float, abandoned: int, waited_for: float
) -> tuple[float, float] | None:
    """Return the likely wait of the call at ``position`` (from 1) as (low, high) seconds.

    ``seats`` work for it, ``samples`` calls have kept them ``handled_for`` seconds each; ``abandoned`` gave
    up in ``waited_for`` seconds of everybody's waiting. None while nothing is known: too few calls handled,
    or no seat at work.
    """
    if samples < SAMPLES_MIN or not seats or handled_for <= 0:
        return None
    service = seats / handled_for
    patience = abandoned / waited_for if abandoned >= SAMPLES_MIN and waited_for > 0 else 0.0
    mean = variance = 0.0
    summed = min(position, _SUMMED_MAX)
    for place in range(summed):
        interval = 1.0 / (service + place * patience)
        mean += interval
        variance += interval * interval
    if position > summed:
        low, high = service + (summed - 0.5) * patience, service + (position - 0.5) * patience
        if patience:
            mean += log(high / low) / patience
            variance += (1.0 / low - 1.0 / high) / patience
        else:
            mean += (position - summed) / service
            variance += (position - summed) / (service * service)
    spread = SPREAD * variance**0.5
    return (max(0.0, mean - spread), mean + spread)
