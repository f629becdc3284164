"""Each exercise of a lesson is complete, and its edits fit the files. tests/e2e/playing.py plays them."""

from __future__ import annotations

import re

import pytest

from tests.stages.exercises import Exercise, exercises, of_lesson, printed, source_of
from tests.stages.lessons import lessons

CHANGES = re.compile(r"workshop stop|kill -STOP|make down|> stage\d|INSERT INTO|v1/logs .*\"user")


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.parent.name)
def test_every_lesson_has_exercises(lesson: object) -> None:
    assert len([each for each in exercises() if each.lesson == lesson]) >= 3


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_an_exercise_has_a_command_and_an_answer(exercise: Exercise) -> None:
    assert any(step.language == "bash" for step in exercise.steps)
    assert exercise.text.count("<details><summary>Answer</summary>") == 1


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_what_an_exercise_changes_has_a_way_back(exercise: Exercise) -> None:
    before, _, back = exercise.text.partition("</details>")
    if exercise.edits or CHANGES.search(before):
        assert re.search(r"^Back\b.*:\n\n```bash", back.strip(), re.M)
    if exercise.edits:
        assert "git checkout" in back


@pytest.mark.parametrize("exercise", [each for each in exercises() if each.edits], ids=str)
def test_an_edit_stands_where_the_lesson_says(exercise: Exercise) -> None:
    for edit in exercise.edits:
        file = source_of(edit)
        assert file.is_file(), edit.file
        assert file.relative_to(exercise.lesson.parents[1]).parts[0] == exercise.lesson.parent.name
        assert edit.fits(file.read_text(encoding="utf-8")), f"{edit.file} has another line {edit.line}"
        assert edit.added != edit.removed


def test_expected_lines_are_looked_for_in_their_order() -> None:
    output = "INSERT 0 1\n\n  event | username \n roll  | the roller\n"
    assert printed("INSERT 0 1\nroll | the roller", output)
    assert printed("event…roller", output.replace("\n", " "))
    assert not printed("roll | the roller\nINSERT 0 1", output)
    assert not printed("INSERT … 2", output)


def test_a_section_without_exercises_has_none() -> None:
    assert all(of_lesson(lesson) for lesson in lessons())
