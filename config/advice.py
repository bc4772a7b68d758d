"""What a configuration may say but probably does not mean, as notes of ``seatswitch check``."""

from collections.abc import Iterator
from ipaddress import ip_address

from config.schema import Settings

FILES_SPARE = 512  # descriptors that are not RTP: sockets, files, clients


def advise(settings: Settings, files_max: int | None) -> list[str]:
    """Return notes for the operator. ``files_max`` is the limit of open files of a process, None without."""
    return [
        *_unserved(settings),
        *_phones(settings),
        *_exposed(settings),
        *_limits(settings, files_max),
    ]


def files_needed(settings: Settings) -> int:
    """Return how many files a media worker has open when all its ports are in use."""
    first, last = settings.media.ports
    return (last - first + 2) // max(1, settings.media.workers) + FILES_SPARE


def _unserved(settings: Settings) -> Iterator[str]:
    served = {name for seat in settings.acd.seats for name in seat.queues}
    for queue in settings.acd.queues:
        if queue.name not in served:
            yield f"queue {queue.name}: no seat serves it, calls wait for nobody"
        if queue.max_wait == 0 and queue.on_timeout != "hangup":
            yield f"queue {queue.name}: max_wait is 0, so on_timeout never happens"
    if not settings.calls.hotlines:
        yield "no hotline leads anywhere: no caller can reach a queue"
    for tenant in settings.acd.tenants:
        if tenant.suspended:
            yield f"tenant {tenant.name} is suspended: its calls are refused"


def _phones(settings: Settings) -> Iterator[str]:
    outward = {trunk.tenant for trunk in settings.calls.trunks if trunk.contact}
    for seat in settings.acd.seats:
        outside = any(phone.kind == "pstn" for phone in seat.phones)
        if outside and seat.tenant not in outward and "" not in outward:
            yield f"seat {seat.number}: no trunk of {seat.tenant} has a contact to ring its outside phone"


def _exposed(settings: Settings) -> Iterator[str]:
    for url in settings.rpc.listen:
        host = url.removeprefix("tcp://").rpartition(":")[0].strip("[]")
        if url.startswith("tcp://") and not _is_loopback(host):
            yield f"rpc.listen {url}: passwords and tokens cross the network in the clear"
    for listener in settings.sip.listen:
        if listener.host in ("0.0.0.0", "::") and not settings.sip.advertise:
            yield f"sip.listen {listener.host}: phones are told this address; give sip.advertise"
            break
    if settings.media.address in ("0.0.0.0", "::") and not settings.media.advertise:
        yield f"media.address {settings.media.address}: peers are told this address; give media.advertise"
    if not _is_loopback(settings.sip.listen[0].host):
        for number, secret in settings.seat_secrets.items():
            if secret.password and (len(secret.password) < 8 or secret.password == number):
                yield f"seat {number}: its password is short enough to be guessed by strangers"
                break


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _limits(settings: Settings, files_max: int | None) -> Iterator[str]:
    first, last = settings.media.ports
    needed = files_needed(settings)
    if files_max is not None and needed > files_max:
        yield f"media.ports needs {needed} open files in a process, the limit is {files_max} (ulimit -n)"
    pairs = (last - first) // 2 + 1
    seats = len(settings.acd.seats)
    if pairs < 4 * seats:
        yield f"media.ports has room for {pairs // 2} calls, {seats} seats and waiting callers may need more"
