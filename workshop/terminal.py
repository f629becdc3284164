"""Output for a terminal or a pipe whose encoding has no ✓: what it lacks is written in letters, no traceback."""

from __future__ import annotations

import codecs
import io
import sys

WORDS = {
    "✓": "ok", "✗": "FAIL", "–": "-", "−": "-", "→": "->", "…": "...", "·": "-", "×": "x",
    "“": '"', "”": '"', "’": "'", "│": "|", "─": "-", "█": "#", "━": "-", "╸": "-", "╺": "-",
}  # fmt: skip
NAME = "workshop.words"


def write_all() -> None:
    """From here on, standard output and standard error take any text."""
    codecs.register_error(NAME, _in_letters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=NAME)


def _in_letters(error: UnicodeError) -> tuple[str, int]:
    """Half of a surrogate pair, for a byte in a path that is no text, is written as `\\udcfc`."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return "".join(WORDS.get(char) or ascii(char)[1:-1] for char in missing), error.end
