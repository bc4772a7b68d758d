"""How callers rate their calls, as a configuration gives it."""

from collections.abc import Sequence

from config.accept import KEYS
from config.reading import Reader, show, suggest
from config.tables import SurveyTable
from kernel.announce import SurveySettings

DEFAULT = SurveySettings()


def build_survey(reader: Reader, where: str, table: SurveyTable, sounds: Sequence[str]) -> SurveySettings:
    """Return a queue's survey; ``sounds`` are those there are, ``where`` is the queue."""
    place = f"{where}.survey"
    if table.sound and table.sound not in sounds:
        reader.refuse(f"{place}.sound", f"unknown sound {show(table.sound)}{suggest(table.sound, sounds)}")
    for key, result in table.results.items():
        if len(key) != 1 or key not in KEYS:
            reader.refuse(f"{place}.results.{key}", f"{show(key)} is no key of a telephone: {KEYS}")
        elif not result.strip():
            reader.refuse(f"{place}.results.{key}", "is empty: what pressing the key means")
    if table.results and not table.sound:
        reader.refuse(f"{place}.sound", "is missing: the question that is shipped asks for a key from 1 to 5")
    if not 3 <= table.answer_for <= 60:
        reader.refuse(f"{place}.answer_for", f"{table.answer_for:g} s is not between 3 and 60 s")
    return SurveySettings(
        is_automatic=table.automatic,
        sound=table.sound,
        results=tuple(sorted(table.results.items())) or DEFAULT.results,
        answer_for=float(table.answer_for),
    )
