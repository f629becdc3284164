"""Each lesson's "What changed" against the real difference of its folder and the one before.

What is not listed is byte-identical: a difference that no item covers fails, and so does an item that covers none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stages.lessons import ROOT, changes, lessons

IGNORED = {"__pycache__", ".pytest_cache", ".hypothesis", "first-steps"}
DASHBOARDS = "grafana-dashboards/"
LATER = [lesson for lesson in lessons() if lesson.parent.name != "stage1"]


def files(stage: Path) -> dict[str, bytes]:
    """Path in the stage → content; the dashboard has the stage in its name, so its folder stands for it."""
    found: dict[str, bytes] = {}
    for path in sorted(stage.rglob("*")):
        name = str(path.relative_to(stage))
        if path.is_file() and not IGNORED & set(path.parts) and name != "README.md":
            found[DASHBOARDS if name.startswith(DASHBOARDS) else name] = path.read_bytes()
    return found


def difference(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, str]:
    new = dict.fromkeys(after.keys() - before.keys(), "new")
    removed = dict.fromkeys(before.keys() - after.keys(), "removed")
    common = before.keys() & after.keys()
    return new | removed | {name: "changed" for name in common if before[name] != after[name]}


def covers(item: str, name: str) -> bool:
    return name == item or (item.endswith("/") and name.startswith(item))


@pytest.mark.parametrize("lesson", LATER, ids=lambda lesson: lesson.parent.name)
def test_the_list_is_the_difference(lesson: Path) -> None:
    stage = lesson.parent
    previous = ROOT / f"stage{int(stage.name[-1]) - 1}"
    real, listed = difference(files(previous), files(stage)), changes(lesson)
    assert listed
    for name, status in real.items():
        items = sorted((item for item in listed if covers(item, name)), key=len)
        says = listed[items[-1]] if items else "nothing"  # the longest item says it best
        assert says == status, f"{stage.name}/{name} is {status}, the lesson says {says}"
    for item in listed:
        assert any(covers(item, name) for name in real), f"{stage.name}: {item} is listed and has not changed"


@pytest.mark.parametrize("lesson", LATER, ids=lambda lesson: lesson.parent.name)
def test_the_list_stands_under_its_heading(lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    section = text[text.index("## What changed") : text.index("## Run it")]
    for item in changes(lesson):
        assert f"`{item}`" in section


@pytest.mark.parametrize("stage", sorted(ROOT.glob("stage[0-9]")), ids=lambda stage: stage.name)
def test_a_service_imports_nothing_from_outside_its_folder(stage: Path) -> None:
    for source in [*stage.glob("*/*.py"), *stage.glob("*/telemetry/*.py")]:
        if "traffic-gen" not in source.parts:
            text = source.read_text()
            for word in ("sys.path", "traffic_gen", "pocket", "workshop"):
                assert f"import {word}" not in text, source
                assert f"from {word}" not in text, source
