"""By which key an outside phone, or one on a standing line, takes a seat's call."""

from collections.abc import Sequence

from config.reading import Read, Reader, show
from config.tables import SwitchTable

KEYS = "0123456789*#"  # that every telephone has


def check_accept(reader: Reader, where: str, table: SwitchTable, seats: Sequence[Read]) -> str:
    """Return the key; "" where the answer of an outside phone is enough, and no seat takes calls by it."""
    if table.accept_key and (len(table.accept_key) != 1 or table.accept_key not in KEYS):
        why = f"{show(table.accept_key)} is no key that can be said: {KEYS}"
        reader.refuse(f"{where}.accept_key", f'{why}; "" for none')
    if not 5 <= table.accept_for <= 60:
        reader.refuse(f"{where}.accept_for", f"{table.accept_for:g} s is not between 5 and 60 s")
    for place, seat in seats:
        if seat.standing == "key" and not table.accept_key:
            reader.refuse(f"{place}.standing", 'is "key", and switch.accept_key is none')
    return table.accept_key
