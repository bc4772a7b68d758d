"""What the plane knows of its streams and workers, and the commands that wait to be sent to workers."""

from kernel.ids import StreamId
from kernel.outbox import Outbox
from media.messages import Command, SetRemote, encode_commands
from media.ports import PortPool


class Stream:
    """One stream as the plane knows it."""

    __slots__ = (
        *("collects", "heard_by", "hears", "id", "loops", "peer", "plays", "port", "prompts", "remote"),
        "worker",
    )

    def __init__(self, stream: StreamId) -> None:
        self.id = stream
        self.worker = -1  # -1: still waits for a port
        self.port = 0
        self.remote: SetRemote | None = None  # as last told; the worker knows of the stream
        self.peer: StreamId | None = None
        self.hears: tuple[StreamId, ...] = ()  # in a mix, instead of the peer
        self.heard_by: tuple[StreamId, ...] = ()  # in their mixes
        self.prompts: tuple[str, ...] = ()
        self.plays = 0  # times that what is played has changed: reports of what was before are no news
        self.loops = False
        self.collects = False


class Worker:
    """One media worker as the plane knows it."""

    __slots__ = ("closing", "is_alive", "pool", "streams")

    def __init__(self) -> None:
        self.is_alive = False
        self.pool = PortPool()
        self.streams: dict[StreamId, Stream] = {}
        self.closing: dict[StreamId, int] = {}  # told to close, not reported yet -> port


class CommandBox(Outbox[tuple[int, bytes]]):
    """Commands by worker, encoded as one message each when they are taken."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        super().__init__()
        self._pending: dict[int, list[Command]] = {}

    def tell(self, worker: int, command: Command) -> None:
        """Add a command to the worker's next message."""
        pending = self._pending.get(worker)
        if pending is None:
            self._pending[worker] = [command]
        else:
            pending.append(command)

    def forget(self, worker: int) -> None:
        """Drop what was meant for a worker that died."""
        self._pending.pop(worker, None)

    def take(self) -> list[tuple[int, bytes]]:
        """Return one message per worker that has commands."""
        if not self._pending:
            return []
        taken = [(worker, encode_commands(commands)) for worker, commands in self._pending.items()]
        self._pending.clear()
        return taken

    def __len__(self) -> int:
        return len(self._pending)
