"""Speaks what the switch says to callers: ``python -m docs.build_voice [FOLDER]``, only when a text changes.

Reads ``media/voice/LANGUAGE.tsv`` (name, tab, what is said) and writes ``LANGUAGE/NAME.ulaw`` beside it, or
in FOLDER: G.711 u-law, 8 kHz. Needs the commands ``espeak-ng`` and ``sox``, which the switch itself does not.
"""

import subprocess
import sys
from pathlib import Path

VOICE = Path(__file__).resolve().parent.parent / "media" / "voice"
SPEAKERS = {"en": ("en-us", "140"), "zh": ("cmn", "150")}  # voice and words a minute
_LOUD = "-6"  # dB of the loudest sample
_QUIET = "1%"  # below it, it is silence at the ends


def texts(language: str) -> dict[str, str]:
    """Return what is said in a language, by the name of its sound."""
    lines = (VOICE / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def speak(language: str, text: str) -> bytes:
    """Return ``text`` as u-law, without the silence at its ends."""
    voice, speed = SPEAKERS[language]
    said = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", speed, "--stdout", text], check=True, capture_output=True
    ).stdout
    trim = ["silence", "1", "0.01", _QUIET, "reverse"]
    effects = ["rate", "8000", *trim, *trim, "norm", _LOUD, "pad", "0", "0.05"]
    return subprocess.run(
        ["sox", "-V1", "-D", "-t", "wav", "-", "-t", "ul", "-r", "8000", "-c", "1", "-", *effects],
        input=said,
        check=True,
        capture_output=True,
    ).stdout


def main(folder: Path) -> None:
    """Write every sound of every language."""
    for language in SPEAKERS:
        (folder / language).mkdir(parents=True, exist_ok=True)
        for name, text in texts(language).items():
            (folder / language / f"{name}.ulaw").write_bytes(speak(language, text))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else VOICE)
