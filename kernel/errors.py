"""Three kinds of wrong. The peer's and the operator's are exceptions that know what to say; ours is an
assertion.
"""


class PeerError(Exception):
    """Somebody outside broke a rule; a subclass carries the answer that deserves."""


class OperatorError(Exception):
    """The configuration or the machine is not as it must be; names the place, so that it can be mended.

    ``where`` is a file, a key or both: ``"demo.toml: queue.junior.ring_for"``.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class OperationRefused(PeerError):
    """A seat, supervisor or client asked for what cannot be done now.

    ``word`` is the fixed word of the JSON-RPC error (``NOT_IN_QUEUE``, ``QUOTA``, ...); the message says what
    to do.
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(f"{word}: {message}")
        self.word = word
        self.message = message
