"""Where things are: the project's folder, its stages, and the data of a run."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from workshop.errors import WorkshopError

COMPOSE_FILE = "docker-compose.yml"


def program() -> str:
    """How to type this command: its name where the shell finds it, else the way to it from here."""
    if shutil.which("workshop"):
        return "workshop"
    return os.path.relpath(Path(sys.executable).parent / "workshop")


def project_root() -> Path:
    """The folder with stage1/ … and stack/: `WORKSHOP_ROOT`, else the checkout this package lies in."""
    given = os.environ.get("WORKSHOP_ROOT")
    root = Path(given).expanduser() if given else Path(__file__).parent.parent
    if not root.is_dir():
        raise WorkshopError(f"WORKSHOP_ROOT={given} is not a folder: set it to the checkout, or unset it.")
    return root.resolve()


def stages(root: Path) -> list[int]:
    """The stages that can be run: folders named stageN with a compose file in them."""
    found = (re.fullmatch(r"stage(\d+)", path.parent.name) for path in root.glob(f"stage*/{COMPOSE_FILE}"))
    return sorted(int(match[1]) for match in found if match)


def stage_folder(root: Path, stage: int) -> Path:
    """The stage's folder; says which stages there are when this is none of them."""
    folder = root / f"stage{stage}"
    if (folder / COMPOSE_FILE).is_file():
        return folder
    if folder.is_dir():
        raise WorkshopError(f"{folder} has no {COMPOSE_FILE}: restore it (git checkout {folder.name}).")
    known = ", ".join(map(str, stages(root))) or f"none in {root} (set WORKSHOP_ROOT to the project's checkout)"
    raise WorkshopError(f"there is no stage {stage}. Stages here: {known}.")


@dataclass(frozen=True)
class RunPaths:
    """The files of one run; a run is known by its data folder, by default one for each port offset."""

    data_dir: Path

    @property
    def state(self) -> Path:
        return self.data_dir / "run.json"

    @property
    def lock(self) -> Path:
        return self.data_dir / "lock"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def positions(self) -> Path:
        return self.data_dir / "positions.json"

    @property
    def pocket(self) -> Path:
        return self.data_dir / "pocket"

    @property
    def checklist(self) -> Path:
        return self.data_dir / "check.json"

    @property
    def stopped(self) -> Path:
        return self.data_dir / "stopped.json"

    @property
    def postgres(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def passwords(self) -> Path:
        return self.postgres / "passwords.json"


def runs_folder(root: Path) -> Path:
    return root / ".workshop"


def run_paths(root: Path, offset: int, data_dir: Path | None) -> RunPaths:
    """By default a folder for each port offset, below .workshop."""
    return RunPaths((data_dir or runs_folder(root) / f"offset-{offset}").expanduser().resolve())


def require_utf8(path: Path) -> None:
    """WorkshopError for a folder whose name is not UTF-8, with which DuckDB and PostgreSQL cannot work."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise WorkshopError(f"the name of {path} is not UTF-8: no database can open it; rename it.") from None


def flags(paths: RunPaths, offset: int) -> str:
    """What a command needs to mean this very run, with a space before it; nothing for the usual one."""
    port_offset = f" --port-offset {offset}" if offset else ""
    usual = paths.data_dir.name == f"offset-{offset}"
    return port_offset if usual else f"{port_offset} --data-dir {paths.data_dir}"
