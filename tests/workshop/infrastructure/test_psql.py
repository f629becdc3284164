"""`workshop psql` finds the database that the compose file describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from workshop.paths import run_paths
from workshop.plan import passwords
from workshop.run import state

from .embedded import PASSWORD, Database, free_port

PORT = 15432


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stage6").mkdir()
    access = {"PGUSER": "dice", "PGPASSWORD": "${SERVICES_DATABASE_PASSWORD:-no}", "PGDATABASE": "dice"}
    postgres = {"image": "postgres:18", "ports": [f"127.0.0.1:{PORT}:{PORT}"]}
    services = {"postgres": postgres, "die-service": {"image": "die-service", "environment": access}}
    (tmp_path / "stage6" / "docker-compose.yml").write_text(yaml.safe_dump({"services": services}))
    return tmp_path


def psql(
    root: Path, port: int, *arguments: str, said: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workshop", "psql", "--port-offset", str(port - PORT), *arguments]
    environment = os.environ | {"WORKSHOP_ROOT": str(root), "PGUSER": "somebody", "PGPORT": "1"}
    environment |= {"SERVICES_DATABASE_PASSWORD": PASSWORD} | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, input=said)


def test_a_query_and_psqls_own_exit_code(root: Path, database: Database) -> None:
    with database.running():
        done = psql(root, database.port, "-Atc", "SELECT current_user, current_database(), sum(a) FROM t")
        assert (done.returncode, done.stdout, done.stderr) == (0, "dice|dice|3\n", "")
        wrong = psql(root, database.port, "-c", "SELECT nothing")
    assert wrong.returncode == 1
    assert 'column "nothing" does not exist' in wrong.stderr


def test_the_password_of_the_run_that_is_alive(root: Path, database: Database) -> None:
    paths = run_paths(root, database.port - PORT, None)
    passwords.make(paths, 0)
    paths.passwords.write_text(json.dumps({"SERVICES_DATABASE_PASSWORD": PASSWORD}))
    held = state.lock(paths)
    assert held is not None
    paths.state.write_text(json.dumps({"supervisor": os.getpid()}))
    with database.running():
        done = psql(root, database.port, "-Atc", "SELECT 1", SERVICES_DATABASE_PASSWORD="another one's")
        os.close(held)
        docker = psql(root, database.port, "-Atc", "SELECT 1", SERVICES_DATABASE_PASSWORD="another one's")
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert docker.returncode == 2


def test_what_is_typed(root: Path, database: Database) -> None:
    with database.running():
        done = psql(root, database.port, "-At", said="INSERT INTO t VALUES (5);\nTABLE t;\n")
        assert database.query("SELECT count(*) FROM t") == 3
    assert done.stdout.split() == ["INSERT", "0", "1", "1", "2", "5"]


def test_no_database_there(root: Path) -> None:
    port = max(free_port(), PORT)
    done = psql(root, port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"workshop: no database on port {port}. Stages 5 and 6 have one. Is it stopped")
