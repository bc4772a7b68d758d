"""Phrases: what is said with numbers in it, as names of sounds in a row, in English and Chinese. Pure.

The sounds are those of ``media/voice``: ``voice:LANGUAGE/NAME``. Chinese counts with 两, orders with 二, and
reads a one among digits as 幺.
"""

from math import ceil, floor

LANGUAGES = ("en", "zh")
NUMBER_MAX = 999  # what can be said
MINUTES_MAX = 60  # a wait is not told more exactly than "more than an hour"

Sounds = tuple[str, ...]

_NUMBERS_EN = (*range(21), *range(30, 100, 10))
_NAMES = {
    "en": (
        *map(str, _NUMBERS_EN),
        *("hundred", "star", "hash", "and", "you-are-number", "in-line", "at-least", "callers-before-you"),
        *("wait-is", "less-than", "more-than", "between", "minute", "minutes", "seat-number"),
        *("call-waiting", "rate-us", "thank-you", "has-waited", "second", "seconds"),
        *("leave-message", "message-thanks"),
    ),
    "zh": (
        *map(str, range(11)),
        *("hundred", "two-of", "one-of-a-number", "star", "hash", "and", "you-are-number", "in-line"),
        *("at-least", "callers-before-you", "wait-is", "less-than", "more-than", "minutes", "seat-number"),
        *("serves-you", "call-waiting", "rate-us", "thank-you", "has-waited", "seconds"),
        *("leave-message", "message-thanks"),
    ),
}
NAMES: dict[str, Sounds] = {language: tuple(names) for language, names in _NAMES.items()}


def sounds(language: str, *names: str) -> Sounds:
    """Return the sounds of these names."""
    return tuple(f"voice:{language}/{name}" for name in names)


def number(language: str, value: int) -> Sounds:
    """Return a number of 0 to :data:`NUMBER_MAX` as it is read where it orders: you are number 22."""
    return sounds(language, *(_chinese(value) if language == "zh" else _english(value)))


def count(language: str, value: int) -> Sounds:
    """Return a number as it is read before what is counted: 2 minutes."""
    if language == "zh" and value == 2:
        return sounds(language, "two-of")
    return number(language, value)


def _english(value: int) -> list[str]:
    assert 0 <= value <= NUMBER_MAX, f"{value} cannot be said"
    hundreds, rest = divmod(value, 100)
    names = [str(hundreds), "hundred"] if hundreds else []
    if rest or not hundreds:
        ten, one = divmod(rest, 10)
        names += [str(rest)] if rest in _NUMBERS_EN else [str(ten * 10), str(one)]
    return names


def _chinese(value: int) -> list[str]:
    assert 0 <= value <= NUMBER_MAX, f"{value} cannot be said"
    hundreds, rest = divmod(value, 100)
    ten, one = divmod(rest, 10)
    names = [str(hundreds), "hundred"] if hundreds else []
    if hundreds and one and not ten:
        names.append("0")
    if ten:
        names += [str(ten), "10"] if ten > 1 or hundreds else ["10"]
    if one or not names:
        names.append(str(one))
    return names


def digits(language: str, text: str) -> Sounds:
    """Return a number of the telephone digit by digit; what is no key is left out."""
    marks = {"*": "star", "#": "hash"}
    if language == "zh":
        marks["1"] = "one-of-a-number"
    return sounds(language, *(marks.get(key, key) for key in text if key in "0123456789*#"))


def position(language: str, place: int) -> Sounds:
    """You are number ``place`` in line; nothing beyond what can be said."""
    if not 1 <= place <= NUMBER_MAX:
        return ()
    return sounds(language, "you-are-number") + number(language, place) + sounds(language, "in-line")


def at_least(language: str, before: int) -> Sounds:
    """There are at least so many callers before you."""
    if not 1 <= before <= NUMBER_MAX:
        return ()
    return sounds(language, "at-least") + count(language, before) + sounds(language, "callers-before-you")


def wait(language: str, low: float, high: float) -> Sounds:
    """The wait is likely to be between ``low`` and ``high`` seconds: in whole minutes that hold this range.

    Nothing where all that could be said is that it may be anything.
    """
    least, most = floor(low / 60), max(ceil(high / 60), floor(low / 60) + 1)
    if most > MINUTES_MAX:
        least = min(least, MINUTES_MAX)
        said = () if least < 1 else sounds(language, "more-than") + _minutes(language, least)
    elif not least:
        said = sounds(language, "less-than") + _minutes(language, most)
    else:
        between = sounds(language, "between") if language == "en" else ()
        upper = sounds(language, "and") + _minutes(language, most)
        said = between + count(language, least) + upper
    return sounds(language, "wait-is") + said if said else ()


def waited(language: str, seconds: float) -> Sounds:
    """The caller has waited so long: in seconds below a minute, then in minutes; nothing below a second."""
    if seconds < 1:
        return ()
    if seconds < 60:
        said = _counted(language, floor(seconds), "second")
    elif seconds >= 60 * (MINUTES_MAX + 1):
        said = sounds(language, "more-than") + _minutes(language, MINUTES_MAX)
    else:
        said = _minutes(language, floor(seconds / 60))
    return sounds(language, "has-waited") + said


def _minutes(language: str, value: int) -> Sounds:
    return _counted(language, value, "minute")


def _counted(language: str, value: int, unit: str) -> Sounds:
    """Return a number and its unit, which has a form of its own after a one in English alone."""
    ending = "" if language == "en" and value == 1 else "s"
    return count(language, value) + sounds(language, unit + ending)


def seat(language: str, number: str) -> Sounds:
    """You are speaking to seat ``number``."""
    after = sounds(language, "serves-you") if language == "zh" else ()
    return sounds(language, "seat-number") + digits(language, number) + after
