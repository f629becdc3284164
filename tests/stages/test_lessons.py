"""What a lesson prints can be pasted: queries parse, commands name what exists. tests/e2e runs them on a stage."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from pocket.query.logql.parse import parse as parse_logql
from pocket.query.promql.parse import parse as parse_promql
from pocket.query.traceql.parse import parse as parse_traceql
from tests.stages.lessons import ROOT, Block, blocks, changes, lessons
from workshop.cli import app

HEADINGS = ("## Run it", "## Look at it", "## Try it", "## Check it", "## Questions", "## What comes next")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("stage1/*/README.md"), *lessons()]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
WORKSHOP_COMMANDS = {
    command.name or command.callback.__name__ for command in app.registered_commands if command.callback
}
SCRIPTS = {"generate_traffic.py", "compare_async.py", "database_load.py", "database_outage.py", "usage_audit.py"}


def ports(stage: Path) -> set[int]:
    services = yaml.safe_load((stage / "docker-compose.yml").read_text())["services"]
    published = {
        int(str(port).split(":")[-1]) for service in services.values() for port in service.get("ports", [])
    }
    return published | {3000, 3100, 3200, 4040, 9090}


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.parent.name)
def test_a_lesson_has_all_its_parts(lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    assert text.startswith("# Stage ")
    assert "**Goal:**" in text
    assert "```mermaid\nflowchart" in text
    positions = [text.index(heading) for heading in HEADINGS]
    assert positions == sorted(positions)
    assert text.count("<details>") == text.count("</details>") >= 3


def test_the_words_are_explained_before_the_first_query() -> None:
    text = (ROOT / "stage1/README.md").read_text(encoding="utf-8")
    before = text[: text.index("```promql")]
    for word in ("span", "trace", "CLIENT, SERVER", "`traceparent`", "OTLP", "label", "bucket", "exemplar"):
        assert f"\n| {word} | " in before
    for store in ("Prometheus", "Loki", "Tempo", "Pyroscope"):
        assert f"| {store} | " in before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        if not target.startswith("http"):
            assert file.exists(), target
            assert file.suffix != ".md" or not anchor or anchor in anchors(file), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.parent.name)
def test_files_named_in_a_lesson_exist(lesson: Path) -> None:
    listed = re.findall(r"^- `([^`]+)`", lesson.read_text(encoding="utf-8"), re.M)
    assert listed
    removed = {name for name, status in changes(lesson).items() if status == "removed"}
    for name in set(listed) - removed:
        assert (lesson.parent / name).exists(), name


@pytest.mark.parametrize("block", blocks("promql"), ids=str)
def test_promql_parses(block: Block) -> None:
    parse_promql(block.text)


@pytest.mark.parametrize("block", blocks("logql"), ids=str)
def test_logql_parses(block: Block) -> None:
    parse_logql(block.text)


@pytest.mark.parametrize("block", blocks("traceql"), ids=str)
def test_traceql_parses(block: Block) -> None:
    parse_traceql(block.text)


@pytest.mark.parametrize("block", blocks("bash"), ids=str)
def test_commands_name_what_exists(block: Block) -> None:
    stage = block.lesson.parent
    for line in block.lines:
        for command in [] if line.startswith(("(", "for ")) else line.split(" && "):  # tests/e2e plays those
            check_command(shlex.split(command.split(" | ")[0], comments=True), stage)


def check_command(words: list[str], stage: Path) -> None:
    match words:
        case ["make", target, *variables]:
            assert target in MAKE_TARGETS
            assert all(re.fullmatch(r"[A-Z_]+=\S+", word) for word in variables)
        case ["curl", *_]:
            (url,) = [word for word in words if word.startswith("http")]
            port = re.match(r"http://localhost:(\d+)", url)
            assert port, url
            assert int(port[1]) in ports(stage), url
        case ["docker", "compose", *_]:
            assert (stage / "docker-compose.yml").exists()
        case [".venv/bin/workshop", command, *_]:
            assert command in WORKSHOP_COMMANDS
        case [".venv/bin/python", script, *_] | ["../.venv/bin/python", script, *_]:
            assert Path(script).name in SCRIPTS
            assert (ROOT / script).exists() or (stage / script).exists(), script
        case ["git", "checkout", path]:
            assert (ROOT / path).exists(), path
        case ["cd", folder]:
            assert (stage / folder).is_dir() or (ROOT / folder).is_dir()
        case ["sleep" | "kill" | "echo" | "rm", *_]:
            pass  # played by tests/e2e/playing.py
        case _:
            pytest.fail(f"a command no test knows: {words}")
