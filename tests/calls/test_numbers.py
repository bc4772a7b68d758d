"""Numbers: E.164 in and out, per country; what is no possible number stays as it is."""

import pytest

from calls.numbers import _KNOWN_MAX, Numbers, is_country, is_number


@pytest.mark.parametrize(
    ("country", "text", "e164"),
    [
        ("CN", "13800000000", "+8613800000000"),
        ("CN", "010 1234 5678", "+861012345678"),
        ("CN", "8613800000000", "+8613800000000"),
        ("CN", "008613800000000", "+8613800000000"),
        ("CN", "+49 (30) 1234567", "+49301234567"),
        ("CN", "4008001234", "+864008001234"),
        ("DE", "030/1234567", "+49301234567"),
        ("DE", "49301234567", "+49301234567"),
        # Short numbers, hotlines, extensions, names and nonsense mean something here alone.
        ("CN", "96198", "96198"),
        ("CN", "110", "110"),
        ("CN", "8001", "8001"),
        ("CN", "*72#", "*72#"),
        ("CN", "alice", "alice"),
        ("CN", "", ""),
        ("", "13800000000", "13800000000"),
    ],
)
def test_into_e164(country: str, text: str, e164: str) -> None:
    numbers = Numbers(country)
    assert numbers.e164(text) == e164
    assert numbers.e164(text) == e164  # remembered
    assert numbers.e164(e164) == e164


@pytest.mark.parametrize(
    ("country", "number", "style", "written"),
    [
        ("CN", "+8613800000000", "national", "13800000000"),
        ("CN", "+861012345678", "national", "01012345678"),
        ("CN", "+49301234567", "national", "0049301234567"),
        ("DE", "+49301234567", "national", "0301234567"),
        ("CN", "+8613800000000", "e164", "8613800000000"),
        ("CN", "+8613800000000", "+e164", "+8613800000000"),
        ("CN", "96198", "national", "96198"),
        ("", "+8613800000000", "national", "8613800000000"),
    ],
)
def test_out_of_e164(country: str, number: str, style: str, written: str) -> None:
    assert Numbers(country).write(number, style) == written


def test_what_can_be_dialled() -> None:
    assert all(is_number(text) for text in ("110", "+8613800000000", "*72#"))
    assert not any(is_number(text) for text in ("", "+", "8001a", "1" * 33, "1+2", "\u0661"))


def test_what_a_country_is() -> None:
    assert is_country("CN")
    assert not is_country("China")


@pytest.mark.parametrize(
    ("country", "begins", "found"),
    [
        ("CN", "138", "+86138"),
        ("CN", "0108", "+86108"),
        ("CN", "+49 30", "+4930"),
        ("CN", "004930", "+4930"),
        ("", "138", "138"),
    ],
)
def test_how_numbers_begin(country: str, begins: str, found: str) -> None:
    assert Numbers(country).prefix(begins) == found


def test_another_country_forgets_what_was_remembered() -> None:
    numbers = Numbers("CN")
    assert numbers.e164("030 1234567") == "+86301234567"
    numbers.read_as("DE")
    assert numbers.e164("030 1234567") == "+49301234567"


# A-TOLL: Global networks (+882), dialled so that it looks like a number of China, or like none.
ABROAD_IN_DISGUISE = (
    *("+86008821300000001", "+860008821300000", "0086008821300000001", "008821300000001"),
    *("*67008821300000001", "008821300000001#", "9008821300000001", "8821300000001", "179090088213000"),
)


@pytest.mark.parametrize(
    ("country", "text", "is_national"),
    [
        ("CN", "13800000000", True),
        ("CN", "+8613800000000", True),
        ("CN", "110", True),
        ("CN", "96198", True),
        ("CN", "+493012345678", False),
        ("CN", "00493012345678", False),
        ("CN", "4008001234", True),
        ("CN", "057112345678", True),
        ("CN", "+8601012345678", True),  # a national 0 too much
        ("US", "2125550100", True),
        ("IT", "+390612345678", True),  # where the 0 is part of it
        *(("CN", text, False) for text in ABROAD_IN_DISGUISE),
        ("US", "011493012345678", False),
        ("US", "+10114930123", False),
        ("US", "9005550100", False),
        ("DE", "09001234567", False),
        ("", "13800000000", True),
        ("", "0049301234567", False),
        ("", "+8613800000000", False),
    ],
)
def test_which_numbers_are_of_the_own_country(country: str, text: str, is_national: bool) -> None:
    """Without a country nothing with a country code is."""
    assert Numbers(country).is_national(text) is is_national


def test_what_is_remembered_of_numbers_has_an_end() -> None:
    numbers = Numbers("")
    for number in range(_KNOWN_MAX):
        numbers.e164(str(number))
    assert len(numbers._known) == _KNOWN_MAX
    numbers.e164("one more")
    assert list(numbers._known) == ["one more"]
