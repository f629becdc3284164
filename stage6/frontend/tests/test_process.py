"""The frontend as it runs: uvicorn, its routes, its log lines."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

SERVICE = Path(__file__).parent.parent
DEADLINE = 30.0


@pytest.fixture(scope="module")
def frontend() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "main:app", "--no-access-log", "--port", str(port)]
    process = subprocess.Popen(command, cwd=SERVICE, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}", process
    process.kill()
    process.communicate()


def test_healthz_and_the_page(frontend: tuple[str, subprocess.Popen[str]]) -> None:
    url, _ = frontend
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    assert "<title>Streamlit</title>" in httpx.get(f"{url}/").text


def test_metrics_are_negotiated(frontend: tuple[str, subprocess.Popen[str]]) -> None:
    url, _ = frontend
    plain = httpx.get(f"{url}/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    assert httpx.get(f"{url}/metrics", headers=accept).text.endswith("# EOF\n")


def test_every_line_is_json_to_the_end(frontend: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = frontend
    httpx.get(f"{url}/")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=DEADLINE)
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["service"] for line in lines} == {"streamlit-frontend"}
    assert "uvicorn.access" not in {line["logger"] for line in lines}
    assert err == ""


def test_the_two_settings_that_save_the_throughput() -> None:
    settings = tomllib.loads((SERVICE / ".streamlit/config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    assert settings["server"]["fileWatcherType"] == "none"


def test_streamlit_has_read_them() -> None:
    asked = ["runner.postScriptGC", "server.fileWatcherType"]
    code = f"import main, streamlit; print(*map(streamlit.get_option, {asked}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=SERVICE, capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == ["False", "none"], run.stderr


@pytest.mark.parametrize("url", ["roller:8001", "http://[", "", "ftp://dice-roller"])
def test_a_malformed_url_refuses_to_start_and_says_why(url: str) -> None:
    command, environment = [sys.executable, "-c", "import main"], os.environ | {"ROLLER_URL": url}
    run = subprocess.run(command, cwd=SERVICE, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert run.stderr.strip() == f"frontend: ROLLER_URL must be like http://127.0.0.1:8001, not {url!r}"
