"""A stage that is played with: on a copy of the checkout, whose files an exercise may edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.playing import Checkout, copy_of_the_lessons


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]
) -> Iterator[Checkout]:
    """The stage that the module names as STAGE."""
    copy = copy_of_the_lessons(tmp_path_factory.mktemp("checkout"), next_offset())
    copy.workshop("up", str(request.module.STAGE), "--detach", "--traffic")
    yield copy
    copy.workshop("down", "--volumes")
