"""One log line on its way through a pipeline, with its labels in Loki's three categories."""

from __future__ import annotations

from pocket.rows import LogEntry, Matcher

DUPLICATE = "_extracted"
ERROR = "__error__"
ERROR_DETAILS = "__error_details__"


class Record:
    """A mutable line: `stream` labels, structured `metadata`, `parsed` labels; a name is in one of them at a time.

    Parsed labels hide structured metadata, which hides stream labels (pkg/logql/log/labels.go).
    """

    __slots__ = (
        "_base", "entry", "error", "error_details", "extracted", "line", "metadata", "parsed", "stream", "t_ns",
    )  # fmt: skip

    def __init__(self, entry: LogEntry) -> None:
        self.entry = entry
        self.t_ns = entry.t_ns
        self.line = entry.line
        self._base = self.stream = entry.labels
        self.metadata: dict[str, str] = {}
        self.parsed: dict[str, str] = {}
        self.extracted: set[str] = set()
        self.error = ""
        self.error_details = ""
        for name, value in entry.structured_metadata.items():
            self.metadata[name + DUPLICATE if name in self._base else name] = value

    def get(self, name: str) -> str | None:
        for category in (self.parsed, self.metadata, self.stream):
            if name in category:
                return category[name]
        return None

    def value(self, name: str) -> str:
        """The label as a filter sees it: "" when absent, and `__error__` like any other (but not its details)."""
        return self.error if name == ERROR else self.get(name) or ""

    def extract(self, name: str, value: str) -> None:
        """Add a label a parser found; a name the stream has gets a suffix; the first parser to find it wins."""
        name = self.unused(name)
        if name not in self.extracted:
            self.set(name, value)

    def unused(self, name: str) -> str:
        """The name a parsed label gets: with a suffix where the stream or the structured metadata has it."""
        return name + DUPLICATE if name in self._base or name in self.metadata else name

    def set(self, name: str, value: str) -> None:
        self.metadata.pop(name, None)
        if name in self.stream:
            self._remove_stream(name)
        self.parsed[name] = value
        self.extracted.add(name)

    def delete(self, name: str) -> None:
        self.parsed.pop(name, None)
        self.metadata.pop(name, None)
        if name in self.stream:
            self._remove_stream(name)

    def drop(self, name: str) -> None:
        if name == ERROR:
            self.error = ""
        elif name == ERROR_DETAILS:
            self.error_details = ""
        else:
            self.delete(name)

    def drop_matching(self, matcher: Matcher) -> None:
        value = self.error_details if matcher.name == ERROR_DETAILS else self.value(matcher.name)
        if matcher.matches({matcher.name: value}):
            self.drop(matcher.name)

    def fail(self, kind: str, details: str) -> None:
        self.error, self.error_details = kind, details

    def fail_first(self, kind: str, details: str) -> None:
        """Set the error unless there is one already, which is likely to be the cause."""
        if not self.error:
            self.fail(kind, details)

    def errors(self) -> dict[str, str]:
        found = {ERROR: self.error, ERROR_DETAILS: self.error_details}
        return {name: value for name, value in found.items() if value}

    def labels(self) -> dict[str, str]:
        """All labels in one, errors included."""
        if not (self.parsed or self.metadata or self.error):
            return self.stream
        return {**self.stream, **self.metadata, **self.parsed, **self.errors()}

    def _remove_stream(self, name: str) -> None:
        self.stream = {key: value for key, value in self.stream.items() if key != name}
