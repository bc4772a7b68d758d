"""When a call on hold is recalled, as a configuration gives it."""

from config.reading import Reader
from config.tables import SwitchTable

RECALL_MIN = 10.0  # seconds


def check_recall(reader: Reader, where: str, table: SwitchTable) -> float:
    """Return the seconds between two reminders of a held call; 0: none."""
    every = float(table.hold_recall)
    if every and every < RECALL_MIN:
        reader.refuse(f"{where}.hold_recall", f"{every:g} s is shorter than {RECALL_MIN:g} s")
    elif every and 0 < table.hold_max <= every:
        why = f"never happens: hold_max ends the call after {table.hold_max:g} s"
        reader.refuse(f"{where}.hold_recall", why)
    return every
