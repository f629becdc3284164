"""Every query of every panel, to the full stack and to the pocket stack: the same series.

Both have to run the same stage and to have had its traffic within the last five minutes:

    cd stage3 && docker compose up -d --build --wait && docker compose --profile traffic run --rm --build traffic
    workshop up 3 --port-offset 700 --detach && workshop traffic 3 --port-offset 700
    POCKET_OFFSET=700 pytest tests/stack/test_panels.py
"""

import asyncio
import os

import httpx
import pytest

from tests.stack import panels
from tests.stack.panels import Comparison

POCKET_OFFSET = int(os.environ.get("POCKET_OFFSET", "0"))


@pytest.fixture(scope="module")
def compared() -> list[Comparison]:
    if not POCKET_OFFSET:
        pytest.skip("POCKET_OFFSET does not say where a pocket stack runs beside the full one")
    try:
        stages = [asyncio.run(panels.running_stage(offset)) for offset in (0, POCKET_OFFSET)]
    except httpx.HTTPError as error:
        pytest.skip(f"not both stacks run: {error}")
    if stages[0] != stages[1]:
        pytest.skip(f"stage {stages[0]} runs with Docker, stage {stages[1]} without")
    return asyncio.run(panels.compare(stages[0], POCKET_OFFSET))


def test_every_query_has_an_answer_from_both(compared: list[Comparison]) -> None:
    assert compared
    empty = [str(one.query) for one in compared if not (one.full and one.pocket)]
    assert empty == []


def test_the_series_are_the_same(compared: list[Comparison]) -> None:
    apart = {
        str(one.query): {"only full": sorted(one.only_full), "only pocket": sorted(one.only_pocket)}
        for one in compared
        if one.full != one.pocket
    }
    assert apart == {}


@pytest.mark.parametrize("stage", range(1, 7))
def test_every_target_is_read(stage: int) -> None:
    found = panels.queries(stage)
    assert {query.kind for query in found} <= set(panels.ASK)
    assert all(query.text and "$__" not in query.text for query in found)


def test_labels_leave_out_what_differs_from_run_to_run() -> None:
    here = panels.labels({"instance": "127.0.0.1:8001", "trace_id": "ab12", "job": "dice-roller"})
    there = panels.labels({"job": "dice-roller", "trace_id": "cd34", "instance": "172.18.0.4:8001"})
    assert here == there == '{instance="*", job="dice-roller", trace_id="*"}'
