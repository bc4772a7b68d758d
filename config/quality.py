"""How often and for what calls of a tenant's seats are checked, as a configuration gives it."""

from acd.settings import QualitySettings
from config.reading import Reader, show
from config.tables import QualityTable

CHECKS_MAX = 1_000  # a month
ITEMS_MAX = 20


def build_quality(reader: Reader, where: str, table: QualityTable) -> QualitySettings:
    """Return a tenant's checks; ``where`` is the tenant."""
    place = f"{where}.quality"
    if table.target < table.minimum:
        reader.refuse(f"{place}.target", f"{table.target} is less than minimum, {table.minimum}")
    elif table.target > CHECKS_MAX:
        reader.refuse(f"{place}.target", f"{table.target} checks of each seat a month are not made")
    if not 1 <= len(table.items) <= ITEMS_MAX:
        reader.refuse(f"{place}.items", f"are {len(table.items)}, not 1 to {ITEMS_MAX}")
    for index, item in enumerate(table.items, 1):
        where_item = f"{place}.items[{index}]"
        if not item.strip() or len(item) > 64 or not item.isprintable():
            reader.refuse(where_item, f"{show(item)} is no name of 1 to 64 printable characters")
        elif item in table.items[: index - 1]:
            reader.refuse(where_item, f"{show(item)} is given twice")
    return QualitySettings(table.minimum, table.target, table.items)
