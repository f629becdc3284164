"""Stage 6's exercises, played. A file for each stage: a test worker takes whole files."""

import pytest

from tests.e2e.playing import Checkout, play_through
from tests.stages.exercises import Exercise, of_stage

STAGE = 6
pytestmark = [pytest.mark.e2e, pytest.mark.exercise]


@pytest.mark.parametrize("exercise", of_stage(STAGE), ids=lambda exercise: exercise.title)
def test_it_does_what_it_says_and_leads_back(exercise: Exercise, stage: Checkout) -> None:
    play_through(exercise, stage)
