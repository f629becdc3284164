"""your-own-service.md, as printed: its main.py runs beside a stage, and then as a service of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.playing import QUERIES, Checkout, Shell, answered, copy_of_the_lessons
from tests.stages.lessons import FENCE, ROOT, Block

PAGE = ROOT / "your-own-service.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [(match[2], match[3]) for match in FENCE.finditer(TEXT)]
QUESTIONS = [Block(PAGE, language, text.strip()) for language, text in BLOCKS if language in QUERIES]
COPY, RUN, CURL, MOVE = (text for language, text in BLOCKS if language == "bash")
STATIC_JOB, SERVICE, FOUND_JOB = (text for language, text in BLOCKS if language == "yaml")
DISTRIBUTIONS = {
    "opentelemetry": "opentelemetry-sdk",
    "prometheus_client": "prometheus-client",
    "prometheus_fastapi_instrumentator": "prometheus-fastapi-instrumentator",
    "pyroscope": "pyroscope-io",
    "pythonjsonlogger": "python-json-logger",
}
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, next_offset: Callable[[], int]) -> Iterator[Checkout]:
    copy = copy_of_the_lessons(tmp_path_factory.mktemp("own"), next_offset())
    yield copy
    copy.workshop("down", "--volumes")


@pytest.fixture
def shell(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A terminal whose ~ is a folder of the test's."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    made = Shell(checkout.root, checkout.offset, home)
    yield made
    made.run("kill %% 2>/dev/null")
    made.close()


def numbered_lines() -> list[str]:
    return re.findall(r"^.*  # (\d+)\b.*$", next(text for language, text in BLOCKS if language == "python"), re.M)


def test_there_are_ten_lines() -> None:
    assert numbered_lines() == [str(number) for number in range(1, 11)]


def test_it_names_what_the_folder_imports() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "stage1/dice-roller/telemetry").glob("*.py")]
    imported = {name for text in sources for name in re.findall(r"^\s*(?:from|import) (\w+)", text, re.M)}
    foreign = imported - set(sys.stdlib_module_names) - {"telemetry", "starlette"}  # FastAPI brings the latter
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= set(re.findall(r"[a-z][a-z-]+[a-z]", TEXT))


def test_it_runs_beside_a_stage(checkout: Checkout, shell: Shell) -> None:
    done(shell, COPY)
    main = next(text for language, text in BLOCKS if language == "python")
    (shell.home / "my-service" / "main.py").write_text(main, encoding="utf-8")
    append(checkout.root / "stack/prometheus/prometheus.yml", shell.shifted(STATIC_JOB))
    done(shell, re.sub(r"^uvicorn .*$", r"\g<0> > /dev/null & sleep 5", RUN, flags=re.M))
    done(shell, CURL)
    for question in QUESTIONS:
        answered(question, checkout)


def test_it_runs_as_a_service_of_a_stage(checkout: Checkout, shell: Shell) -> None:
    checkout.workshop("down", "--volumes")
    checkout.git("checkout", "stack")
    done(shell, MOVE)
    compose = checkout.root / "stage1/docker-compose.yml"
    compose.write_text(compose.read_text().replace("services:\n", f"services:\n{SERVICE}\n"))
    append(checkout.root / "stack/prometheus/prometheus.yml", FOUND_JOB)
    checkout.workshop("up", "1", "--detach")
    done(shell, CURL)
    for question in QUESTIONS:
        answered(question, checkout)


def append(file: Path, text: str) -> None:
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")


def done(shell: Shell, commands: str) -> None:
    said, code = shell.run(commands)
    assert code == 0, f"{commands}\n{said}"
