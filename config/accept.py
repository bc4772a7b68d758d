"""By which key an outside phone takes a seat's call, as a configuration gives it."""

from config.reading import Reader, show
from config.tables import SwitchTable

KEYS = "0123456789*#"  # that every telephone has


def check_accept(reader: Reader, where: str, table: SwitchTable) -> str:
    """Return the key; "" where the answer of an outside phone is enough."""
    if table.accept_key and (len(table.accept_key) != 1 or table.accept_key not in KEYS):
        why = f"{show(table.accept_key)} is no key that can be said: {KEYS}"
        reader.refuse(f"{where}.accept_key", f'{why}; "" for none')
    if not 5 <= table.accept_for <= 60:
        reader.refuse(f"{where}.accept_for", f"{table.accept_for:g} s is not between 5 and 60 s")
    return table.accept_key
