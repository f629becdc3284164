"""The one way this command fails: a single clear line that names the thing and says what to do."""

from __future__ import annotations


class WorkshopError(Exception):
    """Shown to the learner as `workshop: <message>`, exit code `code`; never as a traceback."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
