"""Reads the lessons: their fenced blocks, and what they say has changed."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = re.compile(r"^## Try it$.*?(?=^## )", re.M | re.S)
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)
CHANGE = re.compile(r"((?:`[^`]+`(?:, | ))+)\((new|changed|removed)\)(?=[:,])")


@dataclass(frozen=True)
class Block:
    """A fenced block of a lesson, without its indentation."""

    lesson: Path
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.strip()]

    def __str__(self) -> str:
        return f"{self.lesson.parent.name}: {self.text.splitlines()[0][:60]}"


def lessons() -> list[Path]:
    return sorted(ROOT.glob("stage[0-9]/README.md"))


def blocks(*languages: str) -> list[Block]:
    return [
        block for lesson in lessons() for block in _blocks(lesson, lesson.read_text(encoding="utf-8"), languages)
    ]


def outside_exercises(stage: int, *languages: str) -> list[Block]:
    """Those that have an answer on a stage as it is: all but the exercises'."""
    (lesson,) = [lesson for lesson in lessons() if lesson.parent.name == f"stage{stage}"]
    return _blocks(lesson, EXERCISES.sub("", lesson.read_text(encoding="utf-8")), languages)


def _blocks(lesson: Path, text: str, languages: tuple[str, ...]) -> list[Block]:
    found = (match for match in FENCE.finditer(text) if match[2] in languages)
    return [Block(lesson, match[2], textwrap.dedent(match[3]).strip()) for match in found]


def changes(lesson: Path) -> dict[str, str]:
    """Path (relative to the stage; a folder ends in /) → new, changed or removed."""
    text = " ".join(lesson.read_text(encoding="utf-8").split())  # an item may be on two lines
    return {path: match[2] for match in CHANGE.finditer(text) for path in re.findall(r"`([^`]+)`", match[1])}
