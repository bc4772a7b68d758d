"""Voicemail of a tenant, as a configuration gives it."""

from collections.abc import Sequence

from calls.settings import VoicemailSettings
from config.reading import Reader, show, suggest
from config.tables import VoicemailTable

LIMIT_MAX = 3600.0  # seconds
KEEP_MIN = 86_400.0


def build_voicemail(
    reader: Reader, where: str, table: VoicemailTable, language: str, sounds: Sequence[str]
) -> VoicemailSettings:
    """Return a tenant's voicemail; ``sounds`` are those there are, ``where`` is the tenant."""
    place = f"{where}.voicemail"
    if table.greeting and table.greeting not in sounds:
        told = f"unknown sound {show(table.greeting)}{suggest(table.greeting, sounds)}"
        reader.refuse(f"{place}.greeting", told)
    if not 5 <= table.limit <= LIMIT_MAX:
        reader.refuse(f"{place}.limit", f"{table.limit:g} s is not between 5 s and an hour")
    if table.silence and not 2 <= table.silence <= 60:
        reader.refuse(f"{place}.silence", f"{table.silence:g} s is neither 0 nor between 2 and 60 s")
    if table.minimum >= table.limit:
        reader.refuse(f"{place}.minimum", f"{table.minimum:g} s is not less than limit, {table.limit:g} s")
    if table.keep < KEEP_MIN:
        reader.refuse(f"{place}.keep", f"{table.keep:g} s is less than a day")
    return VoicemailSettings(
        table.greeting,
        language,
        float(table.limit),
        float(table.silence),
        float(table.minimum),
        float(table.keep),
        table.agents,
    )
