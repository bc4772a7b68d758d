"""How a queue calls back, as a configuration gives it."""

from config.entry import Calendars, calendar_of
from config.reading import Reader
from config.tables import QueueTable
from queues.hours import HoursSettings
from queues.settings import CallbackSettings


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
    )
