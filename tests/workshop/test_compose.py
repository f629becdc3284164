"""The compose reader: every form a field can take; interpolation by the Compose specification's rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.compose import fields
from workshop.compose.interpolate import InterpolationError, interpolate
from workshop.compose.model import Project
from workshop.compose.reader import read
from workshop.errors import WorkshopError

ROOT = Path(__file__).parents[2]


def project(tmp_path: Path, text: str, **variables: str) -> Project:
    (tmp_path / "app").mkdir(exist_ok=True)
    file = tmp_path / "docker-compose.yml"
    file.write_text(text)
    return read(file, variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A and ${A}", "one and one"),
        ("${NONE}", ""),
        ("${NONE:-default}", "default"),
        ("${EMPTY:-default}|${EMPTY-default}", "default|"),
        ("${A:+set}${NONE:+set}", "set"),
        ("${EMPTY+set}${EMPTY:+set}", "set"),
        ("$$A", "$A"),
        ("${NONE:-${ALSO_NONE:-$A}}", "one"),
        ("http://${HOST:-localhost}:${PORT:-80}/", "http://localhost:80/"),
    ],
)
def test_interpolation(text: str, expected: str) -> None:
    assert interpolate(text, {"A": "one", "EMPTY": ""}) == expected


@pytest.mark.parametrize("text", ["${", "${A", "$", "a$ b", "${1A}", "${A!x}", "${NONE:?told}", "${EMPTY:?told}"])
def test_interpolation_refuses(text: str) -> None:
    with pytest.raises(InterpolationError):
        interpolate(text, {"A": "one", "EMPTY": ""})


@given(st.text(alphabet=st.sampled_from("a${}:-?+A_1 "), max_size=20))
def test_interpolation_ends_in_text_or_its_own_error(text: str) -> None:
    try:
        result = interpolate(text, {"A": "one"})
    except InterpolationError:
        return
    assert isinstance(result, str)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("1.5s", 1.5), (7, 7)]
)
def test_durations(text: str, seconds: float) -> None:
    assert fields.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5 s", "s", "5x", "-5s"])
def test_durations_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        fields.duration(text)


def test_short_and_long_forms_mean_the_same(tmp_path: Path) -> None:
    services = project(
        tmp_path,
        """
services:
  short:
    build: app
    command: run "two words" --flag
    environment: [A=1, B=x=y, FROM_SHELL]
    ports: ["127.0.0.1:80:80", "81:81/tcp", "82"]
    depends_on: [other]
    healthcheck: {test: curl -f localhost}
  long:
    build: {context: app}
    command: [run, two words, --flag]
    environment: {A: 1, B: x=y, FROM_SHELL: }
    ports: [{published: 80, target: 80}, {published: "81", target: 81}, {published: 82, target: 82}]
    depends_on: {other: {condition: service_started}}
    healthcheck: {test: [CMD-SHELL, curl -f localhost]}
  other: {image: x}
""",
        FROM_SHELL="there",
    ).services
    short, long = services["short"], services["long"]
    assert short.command == long.command == ("run", "two words", "--flag")
    assert short.environment == long.environment == {"A": "1", "B": "x=y", "FROM_SHELL": "there"}
    assert short.ports == long.ports == (80, 81, 82)
    assert short.depends_on == long.depends_on == {"other": "service_started"}
    assert short.build == long.build == tmp_path / "app"
    assert short.healthcheck == long.healthcheck
    assert short.healthcheck is not None
    assert short.healthcheck.test == ("/bin/sh", "-c", "curl -f localhost")


def test_healthcheck_times_and_switches(tmp_path: Path) -> None:
    services = project(
        tmp_path,
        """
services:
  timed: {image: x, healthcheck: {test: [CMD, ask], interval: 2s, timeout: 1s, retries: 4, start_period: 1m}}
  none: {image: x, healthcheck: {test: [NONE]}}
  disabled: {image: x, healthcheck: {disable: true, test: [CMD, ask]}}
""",
    ).services
    check = services["timed"].healthcheck
    assert check is not None
    assert (check.test, check.interval, check.timeout, check.retries, check.start_period) == (
        ("ask",),
        2,
        1,
        4,
        60,
    )
    assert services["none"].healthcheck is services["disabled"].healthcheck is None


def test_anchors_merge_keys_and_extensions(tmp_path: Path) -> None:
    services = project(
        tmp_path,
        """
x-common: &common
  restart: always
  environment: &env {A: from anchor, B: from anchor}
services:
  one:
    <<: *common
    image: x
  two:
    <<: *common
    image: x
    environment:
      <<: *env
      B: own
""",
    ).services
    assert services["one"].environment == {"A": "from anchor", "B": "from anchor"}
    assert services["two"].environment == {"A": "from anchor", "B": "own"}
    assert services["one"].restart == services["two"].restart == "always"


def test_the_name_of_what_is_built_changes_nothing(tmp_path: Path) -> None:
    text = "services: {{one: {{build: app, command: run{0}}}}}"
    named = project(tmp_path, text.format(", image: 'postgres:stage3', pull_policy: never")).services["one"]
    bare = project(tmp_path, text.format("")).services["one"]
    assert replace(named, image="") == bare


def test_include_brings_names_and_ports_but_not_services_to_run(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("services:\n  collector: {image: x, ports: ['4318:4318']}\n")
    found = project(
        tmp_path,
        "include: [more.yml]\nservices:\n  one: {image: x, ports: ['80:80'], depends_on: [collector]}\n",
    )
    assert list(found.services) == ["one"]
    assert list(found.included) == ["collector"]
    assert found.hosts == {"one", "collector"}
    assert found.ports == {80, 4318}


def test_include_of_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="includes itself"):
        project(tmp_path, "include: [docker-compose.yml]\nservices: {one: {image: x}}\n")


def test_variables_come_from_the_shell_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\nA=file\nB='quoted'\n")
    text = "services:\n  one: {image: x, environment: {A: $A, B: $B}}\n"
    assert project(tmp_path, text, A="shell").services["one"].environment == {"A": "shell", "B": "quoted"}


def test_env_file_of_a_service(tmp_path: Path) -> None:
    (tmp_path / "one.env").write_text("A=file\nB=file\n")
    text = "services:\n  one: {image: x, env_file: one.env, environment: {B: own}}\n"
    assert project(tmp_path, text).services["one"].environment == {"A": "file", "B": "own"}


def test_profiles_bind_mounts_stop_settings(tmp_path: Path) -> None:
    text = """
services:
  one:
    image: x
    profiles: [traffic]
    volumes:
      - ./init.sql:/docker-entrypoint-initdb.d/init.sql:ro
      - data:/var/lib
      - {type: bind, source: ./a, target: /b}
    stop_signal: SIGINT
    stop_grace_period: 1m
"""
    one = project(tmp_path, text).services["one"]
    assert one.profiles == ("traffic",)
    assert one.volumes == (
        (tmp_path / "init.sql", "/docker-entrypoint-initdb.d/init.sql"),
        (tmp_path / "a", "/b"),
    )
    assert (one.stop_signal, one.stop_grace_period) == ("SIGINT", 60)


@pytest.mark.parametrize("path", sorted(ROOT.glob("stage*/docker-compose.yml")), ids=lambda path: path.parent.name)
def test_every_stage_can_be_read(path: Path) -> None:
    found = read(path, {})
    assert "dice-roller" in found.services
    assert {"alloy", "prometheus", "grafana"} <= found.included.keys()
