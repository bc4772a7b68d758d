"""What a queue says to those who wait: settings that distribution carries and call control carries out."""

import msgspec


class Announce(msgspec.Struct, frozen=True):
    """Said between the music to callers who wait; durations in seconds."""

    every: float = 0.0  # from the end of one announcement to the next; 0: none
    after: float = 15.0  # from joining to the first
    sounds: tuple[str, ...] = ()  # one of them each time
    order: str = "in-turn"  # or "random"
    position: str = "never"  # or always; of places beyond the limit: up-to nothing, more-than that they are
    position_limit: int = 0
    only_improved: bool = False  # a place that has not become better is not said again
    wait: str = "never"  # or always, once; said where it is known

    @property
    def says_something(self) -> bool:
        """Whether there is anything to announce."""
        return bool(self.sounds) or self.position != "never" or self.wait != "never"
