"""The catalogue: the latest recordings whose files are closed, to be listed and fetched.

It is what the table ``recordings`` says, as far as it is kept in memory; older ones are in the table alone.
"""

from collections.abc import Callable

from kernel.rows import RecordingRow

MOST = 20_000  # recordings, some 15 MB


class Catalogue:
    """The recordings of one switch, in the order in which they ended."""

    def __init__(self, folder: str = "", most: int = MOST) -> None:
        """``folder`` is where their files are."""
        self.folder = folder
        self._most = most
        self._rows: dict[str, RecordingRow] = {}

    def add(self, row: RecordingRow) -> None:
        """Take a recording that has ended."""
        rows = self._rows
        rows[row.recording] = row
        if len(rows) > self._most:
            del rows[next(iter(rows))]

    def update(self, row: RecordingRow) -> None:
        """Take what has become of a recording; one that is too old to be here takes nobody's place."""
        if row.recording in self._rows:
            self._rows[row.recording] = row

    def get(self, recording: str) -> RecordingRow | None:
        """Return one recording, None for one that is not known (any more)."""
        return self._rows.get(recording)

    def find(
        self, matches: Callable[[RecordingRow], bool], after: str | None, most: int
    ) -> tuple[list[RecordingRow], str | None]:
        """Return up to ``most`` recordings that match, the last one first, and the id to go on after, None at
        the end. ``after`` is such an id; one that is not known (any more) is behind all.
        """
        found: list[RecordingRow] = []
        is_behind = after is None
        for recording, row in reversed(self._rows.items()):
            if not is_behind:
                is_behind = recording == after
            elif matches(row):
                if len(found) == most:
                    return found, found[-1].recording
                found.append(row)
        return found, None

    def __len__(self) -> int:
        return len(self._rows)
