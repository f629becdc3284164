"""Reads a lesson's exercises: the edits, commands, expected lines and queries below *Try it*, in their order.

An exercise is a `###` section. Its blocks mean, by their language:

- `bash`: commands, from the repository's root. A `text` block behind it is what they print (`…`: whatever varies);
  without one they must succeed.
- `diff`: an edit, at the file and line that the text before it names last (`file`, line N).
- `promql`, `logql`, `traceql`: a query that then has an answer.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.stages.lessons import FENCE, ROOT, lessons

PLACE = re.compile(r"`([^`\s]+)`, line\s+(\d+)")


@dataclass(frozen=True)
class Step:
    """A block of an exercise; `file` (from the repository's root) and `line` are an edit's place."""

    language: str
    text: str
    file: str = ""
    line: int = 0

    @property
    def removed(self) -> list[str]:
        return [line[1:] for line in self.text.splitlines() if line.startswith("-")]

    @property
    def added(self) -> list[str]:
        return [line[1:] for line in self.text.splitlines() if line.startswith("+")]

    def fits(self, source: str) -> bool:
        """Whether the lines that the edit removes stand where it says."""
        start = self.line - 1
        return source.splitlines()[start : start + len(self.removed)] == self.removed

    def applied(self, source: str) -> str:
        lines, start = source.splitlines(), self.line - 1
        lines[start : start + len(self.removed)] = self.added
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Exercise:
    lesson: Path
    title: str
    text: str
    steps: tuple[Step, ...]

    @property
    def stage(self) -> int:
        return int(self.lesson.parent.name.removeprefix("stage"))

    @property
    def edits(self) -> list[Step]:
        return [step for step in self.steps if step.language == "diff"]

    def __str__(self) -> str:
        return f"stage{self.stage}: {self.title}"


def exercises() -> list[Exercise]:
    return [exercise for lesson in lessons() for exercise in of_lesson(lesson)]


def of_stage(number: int) -> list[Exercise]:
    return [exercise for exercise in exercises() if exercise.stage == number]


def of_lesson(lesson: Path) -> list[Exercise]:
    text = lesson.read_text(encoding="utf-8")
    section = text[text.index("## Try it") : text.index("## Check it")]
    parts = re.split(r"^### ", section, flags=re.M)[1:]
    return [Exercise(lesson, part.partition("\n")[0], part, tuple(_steps(part))) for part in parts]


def _steps(text: str) -> list[Step]:
    return [_step(match, text[: match.start()]) for match in FENCE.finditer(text)]


def _step(block: re.Match[str], before: str) -> Step:
    text = textwrap.dedent(block[3]).strip("\n")
    if block[2] != "diff":
        return Step(block[2], text)
    places = PLACE.findall(before)
    assert places, f"an edit without `file`, line N: {text}"
    return Step("diff", text, places[-1][0], int(places[-1][1]))


def printed(expected: str, output: str) -> bool:
    """Whether the output has the expected lines in their order. `…` is anything, a space any white space."""
    position = 0
    for line in filter(None, (line.strip() for line in expected.splitlines())):
        words = [r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("…")]
        found = re.compile(r".*?".join(words)).search(output, position)
        if not found:
            return False
        position = found.end()
    return True


def source_of(step: Step, root: Path = ROOT) -> Path:
    return root / step.file
