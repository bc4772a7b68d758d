"""Telephone numbers: what carriers and people write, in E.164 and back (ITU-T E.164).

A number that is no possible number of its country - a short number, an extension, a hotline such as 96198 -
stays as it is written: it means something to this switch or to this carrier alone.
"""

import re

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

_KNOWN_MAX = 10_000  # numbers whose E.164 form is remembered
_SHORT_MAX = 8  # digits of a number that means something without being a telephone's: 110, 95588
_VISUAL = str.maketrans("", "", " -.()/")  # RFC 3966 5.1.1: separators that mean nothing
_DIALLED = frozenset("0123456789*#")

FORMATS = ("as-is", "+e164", "e164", "national")


def is_number(text: str) -> bool:
    """Return whether ``text`` is something that can be dialled: digits, ``*``, ``#``, a ``+`` before."""
    digits = text.removeprefix("+")
    return 0 < len(digits) <= 32 and _DIALLED.issuperset(digits)


def is_country(code: str) -> bool:
    """Return whether ``code`` is a region with a numbering plan, "CN" or "DE"."""
    return code in phonenumbers.SUPPORTED_REGIONS


class Numbers:
    """Reads and writes numbers as one country does; ``country`` "" leaves every number as it is written."""

    __slots__ = ("_known", "country")

    def __init__(self, country: str) -> None:
        self.country = country
        self._known: dict[str, str] = {}

    def read_as(self, country: str) -> None:
        """Read and write as another country from now on."""
        if country != self.country:
            self.country = country
            self._known.clear()

    def prefix(self, text: str) -> str:
        """Return how :meth:`e164` lets numbers begin that are dialled beginning so: +86138 for 138."""
        bare = text.translate(_VISUAL)
        metadata = PhoneMetadata.metadata_for_region(self.country, None) if self.country else None
        if metadata is None or bare.startswith("+"):
            return bare
        if bare.startswith("00"):
            return f"+{bare[2:]}"
        national = metadata.national_prefix or ""
        return f"+{metadata.country_code}{bare.removeprefix(national)}"

    def e164(self, text: str) -> str:
        """Return ``+8613800000000`` for ``138 0000 0000``, and what is no such number without separators."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            known = self._known[text] = self._e164(text)
        return known

    def is_national(self, text: str) -> bool:
        """Return whether a number dialled is certainly one of this country, at no premium; short ones are.

        What is no possible number and too long for a short one is not: a carrier may read anything into it.
        """
        number = self.e164(text)
        if not number.startswith("+"):
            is_plain = not self.country and number.isdigit()
            return (is_plain or len(number) <= _SHORT_MAX) and not number.startswith("00")
        metadata = PhoneMetadata.metadata_for_region(self.country, None) if self.country else None
        parsed = _parse(number, self.country)
        if metadata is None or parsed is None or parsed.country_code != metadata.country_code:
            return False
        # +86 00 882 ... is a call abroad for a carrier that takes the +86 off.
        abroad = re.compile(metadata.international_prefix or "00")
        rest = number[len(f"+{metadata.country_code}") :]
        if abroad.match(rest) or abroad.match(self.write(number, "national")):
            return False
        return phonenumbers.number_type(parsed) != PhoneNumberType.PREMIUM_RATE

    def write(self, number: str, style: str) -> str:
        """Return a number of :meth:`e164` as a carrier wants it: one of :data:`FORMATS`.

        ``national`` has the trunk prefix of the country, and the international one before foreign numbers.
        """
        if not number.startswith("+") or style in ("as-is", "+e164"):
            return number
        if style == "e164" or not self.country:
            return number[1:]
        try:
            parsed = phonenumbers.parse(number, None)
        except NumberParseException:
            return number[1:]
        return _digits(phonenumbers.format_out_of_country_calling_number(parsed, self.country))

    def _e164(self, text: str) -> str:
        bare = text.translate(_VISUAL)
        if not self.country or not is_number(bare) or "*" in bare or "#" in bare:
            return bare if is_number(bare) else text
        parsed = _parse(bare, self.country)
        if parsed is None and len(bare) > 9:
            # Carriers that mean E.164 often leave the + out.
            parsed = _parse(f"+{bare}", self.country)
        return bare if parsed is None else str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


def _parse(text: str, country: str) -> PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return parsed if possible else None


def _digits(text: str) -> str:
    return "".join(digit for digit in text if digit in "0123456789*#")
