"""What a forecast is told. Frozen; built by :mod:`seatswitch.forecast.scenario`. Durations in seconds."""

import msgspec

from acd.settings import AcdSettings, SeatSettings


class Law(msgspec.Struct, frozen=True):
    """A law of positive random durations."""

    kind: str  # exponential, lognormal, constant
    mean: float
    cv: float = 1.0  # standard deviation over mean, of a lognormal


class CallClass(msgspec.Struct, frozen=True):
    """One kind of callers; the queue they join has its name."""

    name: str
    rates: tuple[float, ...]  # calls per second in successive intervals, over and over
    interval: float
    handle: Law
    patience: Law | None  # None: never abandons
    queued: bool  # False: a call that finds no seat at once is lost
    threshold: float  # of the service level


class Group(msgspec.Struct, frozen=True):
    """The seats of one level."""

    name: str
    seats: tuple[SeatSettings, ...]
    template: SeatSettings  # what one more seat would be like
    speed: float = 1.0  # handle times are divided by it


class Scenario(msgspec.Struct, frozen=True):
    """Everything a forecast is told."""

    calls: int  # offered calls counted per replication, after the warm-up
    replications: int
    warm_up: float
    seed: int
    lines: int  # calls there may be at the same time, waiting ones included; 0: no limit
    classes: tuple[CallClass, ...]
    groups: tuple[Group, ...]
    acd: AcdSettings  # without seats: those are in the groups
