"""Carry a changed file to its copies: a file that a stage's idea does not touch is the same in all stages.

`make propagate FILE=stage3/dice-roller/dice.py` copies to the later stages, and to other services that have the
same file, wherever the copy still equals the last commit. It stops at the first stage that has its own version.
Without FILE it takes every changed file. New and removed files go to the later stages alike.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

Content = bytes | None  # None: there is no such file
DASHBOARDS = "grafana-dashboards"  # each stage's own, made by `make dashboards`


def changed(root: Path, names: Sequence[str]) -> list[str]:
    """The files of the stages that differ from the last commit, earlier stages first; only those below `names`."""
    wanted = list(names) or ["stage[0-9]/*"]
    tracked = _git(root, "diff", "--name-only", "-z", "HEAD", "--", *wanted)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *wanted)
    found = {name for name in (tracked + new).decode().split("\0") if name.startswith("stage")}
    return sorted(name for name in found if not {DASHBOARDS, "README.md"} & set(PurePosixPath(name).parts))


def committed(root: Path, name: str) -> Content:
    """The file as the last commit has it."""
    shown = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=root, capture_output=True)
    return shown.stdout if shown.returncode == 0 else None


def behind(root: Path, name: str) -> list[Path]:
    """The copies of a changed file that still are what it was."""
    before, now = committed(root, name), _content(root / name)
    return [path for path in _copies(root, PurePosixPath(name), before, now) if _content(path) == before != now]


def carry(root: Path, name: str) -> list[Path]:
    """Brings the copies of a changed file up to it; those it wrote or removed."""
    now, written = _content(root / name), behind(root, name)
    for path in written:
        if now is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(now)
            path.chmod((root / name).stat().st_mode)
    return written


def _copies(root: Path, name: PurePosixPath, before: Content, now: Content) -> Iterator[Path]:
    yield from _later(root, name, (before, now))
    if before:  # of an empty file, or a new one, nobody can say that another service's is a copy
        yield from _beside(root, name)


def _later(root: Path, name: PurePosixPath, either: tuple[Content, Content]) -> Iterator[Path]:
    stage, service, *rest = name.parts
    for folder in _stages(root, from_stage=stage)[1:]:
        path = folder.joinpath(service, *rest)
        if _content(path) not in either or (rest and not (folder / service).is_dir()):
            return
        yield path


def _beside(root: Path, name: PurePosixPath) -> Iterator[Path]:
    """The file of the same name in other services, of this stage and the later ones."""
    stage, service, *rest = name.parts
    for folder in _stages(root, from_stage=stage) if rest else ():
        others = (other for other in sorted(folder.iterdir()) if other.is_dir() and other.name != service)
        yield from (other.joinpath(*rest) for other in others)


def _stages(root: Path, from_stage: str) -> list[Path]:
    return [folder for folder in sorted(root.glob("stage[0-9]")) if folder.name >= from_stage]


def _content(path: Path) -> Content:
    return path.read_bytes() if path.is_file() else None


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True).stdout


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make propagate", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="copy nothing; fail if there is something to copy")
    parser.add_argument("file", nargs="*", help="a changed file or folder; by default every changed file")
    options = parser.parse_args(arguments)
    root = Path.cwd()
    act = behind if options.check else carry
    found = [(path.relative_to(root), name) for name in changed(root, options.file) for path in act(root, name)]
    for path, name in found:
        print(f"{path} {'is behind' if options.check else '←'} {name}")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
