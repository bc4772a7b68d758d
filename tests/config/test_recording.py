"""Whose calls are recorded, where to and for how long."""

import pytest

from calls.settings import RecordingSettings
from config.load import load_settings
from config.reading import ConfigErrors

TEXT = """
[recording]
folder = "/srv/recordings"
keep = "30d"

[[tenant]]
name = "demo"
record = true

[[tenant]]
name = "other"
record_outbound = true
own_recordings = true

[[level]]
name = "junior"
"""


def queue(name: str, tenant: str, more: str = "") -> str:
    return f'[[queue]]\nname = "{name}"\ntenant = "{tenant}"\n{more}\n'


def test_nothing_is_recorded_unless_it_is_said() -> None:
    settings = load_settings("", file="s")
    assert settings.calls.recording == RecordingSettings()
    assert settings.media.recordings == "var/recordings"


def test_queues_are_recorded_as_their_tenant_says_unless_they_say_otherwise() -> None:
    text = TEXT + queue("a", "demo") + queue("b", "demo", "record = false") + queue("c", "other")
    text += queue("d", "other", "record = true\nrecord_pausable = false")
    settings = load_settings(text, file="s")
    told = {media.name: (media.record, media.record_pausable) for media in settings.calls.queues}
    assert told == {"a": (True, True), "b": (False, True), "c": (False, True), "d": (True, False)}
    assert settings.calls.recording == RecordingSettings(("demo",), ("other",), ("other",), 2_592_000.0)
    assert settings.media.recordings == "/srv/recordings"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('folder = ""', "s: recording.folder: is empty: recordings need a folder"),
        ('keep = "2h"', "s: recording.keep: 7200 s is shorter than a day"),
        ("kept = 3", "s: recording.kept: unknown key (did you mean keep?); there are folder, keep"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, error: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_settings(f"[recording]\n{text}\n", file="s")
    assert str(caught.value) == error
