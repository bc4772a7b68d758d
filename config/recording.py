"""What a configuration says about recordings: whose calls, where to, and for how long they are kept."""

from collections.abc import Sequence

from calls.settings import RecordingSettings
from config.reading import Read, Reader
from config.tables import RecordingTable

KEEP_MIN = 86_400.0  # seconds


def build_recording(
    reader: Reader, where: str, table: RecordingTable, tenants: Sequence[Read]
) -> RecordingSettings:
    """Return what call control is told of recordings, beside what queues say."""
    if not table.folder:
        reader.refuse(f"{where}.folder", "is empty: recordings need a folder")
    if table.keep < KEEP_MIN:
        reader.refuse(f"{where}.keep", f"{table.keep:g} s is shorter than a day")
    return RecordingSettings(
        tenants_in=tuple(tenant.name for _, tenant in tenants if tenant.record),
        tenants_out=tuple(tenant.name for _, tenant in tenants if tenant.record_outbound),
        tenants_own=tuple(tenant.name for _, tenant in tenants if tenant.own_recordings),
        keep=float(table.keep),
    )
