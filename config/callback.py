"""How a queue calls back, as a configuration gives it."""

from config.entry import Calendars, calendar_of
from config.reading import Reader
from config.tables import CallBackAbandonedTable, QueueTable
from queues.hours import HoursSettings
from queues.settings import AbandonedSettings, CallbackSettings

AFTER_MIN = 5.0  # seconds from a hang-up to a call that nobody asked for
PER_NUMBER_MAX = 10


def build_callback(
    reader: Reader,
    where: str,
    queue: QueueTable,
    tenant: str,
    calendars: Calendars,
    usual: HoursSettings | None,
) -> CallbackSettings:
    """Return a queue's callback rules; ``usual`` are the hours of the queue itself."""
    table = queue.callback
    if not 5 <= table.ring_for <= 60:
        reader.refuse(f"{where}.callback.ring_for", f"{table.ring_for:g} s is not between 5 and 60 s")
    if table.retry_after < 1:
        reader.refuse(f"{where}.callback.retry_after", f"{table.retry_after:g} s would be harassment")
    if table.expires_after < 60:
        reader.refuse(f"{where}.callback.expires_after", f"{table.expires_after:g} s: nobody could keep that")
    hours = calendar_of(reader, f"{where}.callback.hours", table.hours, tenant, calendars)
    return CallbackSettings(
        attempts=table.attempts,
        retry_after=float(table.retry_after),
        ring_for=float(table.ring_for),
        expires_after=float(table.expires_after),
        per_seat=table.per_seat,
        hours=hours or usual,
        abandoned=_abandoned(reader, f"{where}.call_back_abandoned", queue.call_back_abandoned),
    )


def _abandoned(reader: Reader, where: str, table: CallBackAbandonedTable | None) -> AbandonedSettings | None:
    if table is None:
        return None
    if table.after < AFTER_MIN:
        reader.refuse(f"{where}.after", f"{table.after:g} s is too soon: {AFTER_MIN:g} s at least")
    if table.per_number > PER_NUMBER_MAX:
        wrong = f"{table.per_number} a day would be harassment: {PER_NUMBER_MAX} at most"
        reader.refuse(f"{where}.per_number", wrong)
    return AbandonedSettings(float(table.after), float(table.min_waited), table.per_number)
