"""systemd's notification protocol (sd_notify): one datagram of ``KEY=value`` lines to ``$NOTIFY_SOCKET``."""

import os
import socket


def notify(state: str, address: str | None = None) -> bool:
    """Tell the service manager ``state`` ("READY=1", "STOPPING=1", "STATUS=..."); False if there is none.

    ``address`` is a path, or ``@name`` for an abstract socket; default: ``$NOTIFY_SOCKET``. A manager that
    cannot be told is no reason to stop taking calls.
    """
    address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
    if not address:
        return False
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        try:
            link.sendto(state.encode(), name)
        except OSError:
            return False
    return True
