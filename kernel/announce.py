"""What a queue says to its callers: settings that distribution carries and call control carries out."""

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


class SurveySettings(msgspec.Struct, frozen=True):
    """How callers of a queue rate their calls."""

    is_automatic: bool = False  # also when the seat hangs up first, not only when it asks
    sound: str = ""  # the question; "": the one shipped
    results: tuple[tuple[str, str], ...] = (("1", "1"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5"))
    answer_for: float = 10.0  # seconds for the key, from the end of the question
