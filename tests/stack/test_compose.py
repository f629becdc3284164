"""The Compose file of the full stack: pinned images, loopback ports, health checks, limits, no privileges."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

STAGES = sorted(Path(__file__).parents[2].glob("stage[1-6]/docker-compose.yml"))
COMPONENTS = {"alloy", "prometheus", "loki", "tempo", "pyroscope", "grafana", "otelcol"}
HOST_PORTS = {
    "alloy": {12345, 4317, 4318}, "prometheus": {9090}, "loki": {3100}, "tempo": {3200},
    "pyroscope": {4040}, "grafana": {3000}, "otelcol": {14317, 14318},
}  # fmt: skip
# The one that needs root (the Docker socket is root's), and the one whose image has nothing to ask with.
ROOT_WITHOUT_CAPABILITIES = {"alloy"}
NOTHING_TO_ASK_WITH = {"otelcol"}

# Distroless images have no shell and no wget: the component asks itself.
OWN_PROGRAM = {
    "tempo": "/tempo", "loki": "/usr/bin/loki", "pyroscope": "/usr/bin/profilecli", "prometheus": "promtool",
}  # fmt: skip

Service = dict[str, Any]


def test_names_the_shared_project_and_the_components(compose: dict[str, Any]) -> None:
    assert compose["name"] == "dice-workshop"
    assert set(compose["services"]) == COMPONENTS


def test_images_are_pinned_in_one_place(compose: dict[str, Any]) -> None:
    images = compose["x-images"]
    assert {name: service["image"] for name, service in compose["services"].items()} == images
    for image in images.values():
        assert re.fullmatch(r"[a-z]+/[a-z-]+:v?\d+\.\d+\.\d+", image), f"{image} names no exact release"


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_ports_are_bound_to_loopback(services: dict[str, Service], name: str) -> None:
    ports = [port.split(":") for port in services[name]["ports"]]
    assert {host for host, _, _ in ports} == {"127.0.0.1"}
    assert {int(outside) for _, outside, _ in ports} == HOST_PORTS[name]


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_containers_have_no_privileges(services: dict[str, Service], name: str) -> None:
    service = services[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    is_root = str(service["user"]).split(":")[0] == "0"
    assert is_root == (name in ROOT_WITHOUT_CAPABILITIES)


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_memory_is_limited_and_go_knows_the_limit(services: dict[str, Service], name: str) -> None:
    limit = int(services[name]["mem_limit"].removesuffix("m"))
    soft = int(services[name]["environment"]["GOMEMLIMIT"].removesuffix("MiB"))
    assert 0.7 * limit <= soft < limit  # the collector works harder before the kernel kills


@pytest.mark.parametrize("name", sorted(COMPONENTS - NOTHING_TO_ASK_WITH))
def test_health_check_needs_no_tool_the_image_lacks(services: dict[str, Service], name: str) -> None:
    kind, *command = services[name]["healthcheck"]["test"]
    if name in OWN_PROGRAM:
        assert (kind, command[0]) == ("CMD", OWN_PROGRAM[name])
    assert services[name]["healthcheck"]["timeout"] == "3s"


def test_start_waits_for_health(services: dict[str, Service]) -> None:
    for name, service in services.items():
        for dependency, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}, f"{name} → {dependency}"
            assert dependency not in NOTHING_TO_ASK_WITH


def test_mounted_files_are_there(compose: dict[str, Any], stack: Path) -> None:
    for service in compose["services"].values():
        for source, *_ in (volume.split(":") for volume in service["volumes"]):
            if source.startswith("./"):
                assert (stack / source).exists(), source
            elif not source.startswith(("../stage", "$")):
                assert source in compose["volumes"]


def test_stack_resolves(docker_compose: Callable[..., Any], stack: Path) -> None:
    result = docker_compose("-f", stack / "docker-compose.yml", "config", "-q")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # an unset variable or an obsolete key is a warning there


@pytest.mark.parametrize("file", STAGES, ids=lambda file: file.parent.name)
def test_every_stage_resolves_with_the_stack_included(docker_compose: Callable[..., Any], file: Path) -> None:
    result = docker_compose("--profile", "*", "config", "--format", "json", cwd=file.parent)
    assert result.returncode == 0, result.stderr
    resolved = json.loads(result.stdout)
    assert resolved["name"] == "dice-workshop"
    assert set(resolved["services"]) > COMPONENTS
    for name, service in resolved["services"].items():
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
        assert not any(label.startswith("com.docker.compose") for label in service.get("labels", {})), name


@pytest.mark.parametrize("file", STAGES, ids=lambda file: file.parent.name)
def test_a_stage_with_its_own_alloy_config_mounts_it(docker_compose: Callable[..., Any], file: Path) -> None:
    result = docker_compose("config", "--format", "json", cwd=file.parent)
    assert result.returncode == 0, result.stderr
    volumes = json.loads(result.stdout)["services"]["alloy"]["volumes"]
    source = next(Path(volume["source"]) for volume in volumes if volume["target"] == "/etc/alloy")
    own = file.parent / "alloy" / "config.alloy"
    expected = own.parent if own.exists() else file.parents[1] / "stack" / "alloy"
    assert source.resolve() == expected.resolve()


@pytest.mark.parametrize("file", STAGES, ids=lambda file: file.parent.name)
def test_what_a_stage_builds_has_the_stage_in_its_tag(file: Path) -> None:
    """`up` without --build takes an image that is there: one name for all stages was another stage's service."""
    services = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    own = {name: service for name, service in services.items() if service.get("build") == name}
    assert own
    for name, service in own.items():
        assert service["image"] == f"dice-workshop-{name}:{file.parent.name}"
        assert service["pull_policy"] == "never", name  # else Compose asks Docker Hub for it before it builds
    shared = {service["build"] for name, service in services.items() if "build" in service and name not in own}
    assert shared == {"../traffic-gen"}  # the same folder, so the same image, for all stages
