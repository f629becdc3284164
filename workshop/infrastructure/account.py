"""Who runs PostgreSQL, and where that user can reach its data. PostgreSQL refuses to run as root.

Run by root, the server runs as the system user `pgserver` (the embedded package's own name for it). That user must
be able to enter every folder above the data and the programs. We never widen a folder's mode for that: what lies
below a closed folder, such as a home, goes under /var/tmp instead. What we make there has explicit modes, so that
the umask does not count.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from workshop.errors import WorkshopError

OUTSIDE = Path("/var/tmp")  # noqa: S108 - every folder made there is checked for its owner
PASSABLE = 0o711  # for a folder of root's: the account gets through to its own, and nobody else sees what is there


class RunAs(TypedDict, total=False):
    """Keyword arguments of subprocess.run and Popen."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """`uid` is None where the server runs as whoever we are."""

    uid: int | None = None
    gid: int = -1

    def run_as(self) -> RunAs:
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    @property
    def name(self) -> str:
        return pwd.getpwuid(os.geteuid() if self.uid is None else self.uid).pw_name

    def own(self, path: Path) -> None:
        """Gives the path itself to the account."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Whether every folder above this one lets the account through."""
        return self.uid is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.parents)

    def temporary_folder(self) -> Path:
        """A private folder with a short path, as a Unix socket needs (at most some 100 characters)."""
        within = None if self.uid is None else "/tmp"  # noqa: S108 - mkdtemp makes it 0700
        folder = Path(tempfile.mkdtemp(prefix="dice-pg-", dir=within))
        self.own(folder)
        return folder


def current_account() -> Account:
    """Root gets the user `pgserver`, which is made when it is missing; where it cannot be made, `nobody`."""
    if os.geteuid() != 0:
        return Account()
    entry = _user("pgserver")
    if entry is None:
        with contextlib.suppress(OSError):
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "pgserver"], capture_output=True, check=False
            )
        entry = _user("pgserver") or pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def data_folder(asked: Path, account: Account) -> Path:
    """The folder to work in: the asked one, or one of its own under /var/tmp which `asked`/elsewhere names.

    Without that file the asked folder was removed or never used, so what an earlier run left outside goes too.
    """
    asked.mkdir(parents=True, exist_ok=True)
    asked.chmod(0o700 if account.uid is None else PASSABLE)
    if account.reaches(asked / "data"):
        return asked
    elsewhere, note = outside("data", asked), asked / "elsewhere"
    if not note.exists():
        shutil.rmtree(elsewhere, ignore_errors=True)
        note.write_text(f"{elsewhere}\n", encoding="utf-8")
    return own_folder(elsewhere, PASSABLE)


def remove(asked: Path) -> None:
    """Removes a data folder, wherever it came to lie. Its server must have been stopped."""
    shutil.rmtree(outside("data", asked.resolve()), ignore_errors=True)
    shutil.rmtree(asked, ignore_errors=True)


def outside(purpose: str, original: Path) -> Path:
    """Where what cannot stay at `original` lies instead."""
    name = hashlib.sha256(str(original).encode()).hexdigest()[:12]
    return OUTSIDE / f"dice-workshop-{purpose}-{name}"


def own_folder(path: Path, mode: int) -> Path:
    """Makes the folder, or makes sure that nobody else made it: /var/tmp is open to all."""
    path.mkdir(exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise WorkshopError(f"{path} belongs to someone else: remove it.")
    path.chmod(mode)
    return path
