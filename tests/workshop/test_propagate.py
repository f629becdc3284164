"""`make propagate`: a changed file reaches its copies, and nothing that a stage made its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from workshop import propagate

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four stages: `same` is equal in all; `own` differs from stage 3 on; `shared` is in both services."""
    for number in range(1, 5):
        write(tmp_path, f"stage{number}/roller/same.py", "same")
        write(tmp_path, f"stage{number}/roller/own.py", "first" if number < 3 else "third")
        write(tmp_path, f"stage{number}/roller/shared/log.py", "shared")
        if number > 1:
            write(tmp_path, f"stage{number}/page/shared/log.py", "shared")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "stages")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, timeout=30)


def texts(root: Path, pattern: str) -> list[str]:
    return [path.read_text() for path in sorted(root.glob(pattern))]


def test_later_stages_follow_and_earlier_ones_do_not(stages: Path) -> None:
    write(stages, "stage2/roller/same.py", "new")
    assert propagate.main(["stage2/roller/same.py"]) == 0
    assert texts(stages, "stage?/roller/same.py") == ["same", "new", "new", "new"]


def test_a_stage_with_a_version_of_its_own_keeps_it(stages: Path) -> None:
    write(stages, "stage1/roller/own.py", "new")
    propagate.main(["stage1/roller/own.py"])
    assert texts(stages, "stage?/roller/own.py") == ["new", "new", "third", "third"]


def test_what_was_edited_since_the_last_commit_is_not_overwritten(stages: Path) -> None:
    write(stages, "stage1/roller/same.py", "new")
    write(stages, "stage3/roller/same.py", "edited")
    propagate.main(["stage1"])
    assert texts(stages, "stage?/roller/same.py") == ["new", "new", "edited", "same"]
    propagate.main([])
    assert texts(stages, "stage?/roller/same.py") == ["new", "new", "edited", "edited"]


def test_other_services_that_have_the_file_follow(stages: Path) -> None:
    write(stages, "stage1/roller/shared/log.py", "new")
    propagate.main(["stage1/roller/shared"])
    assert set(texts(stages, "stage?/*/shared/log.py")) == {"new"}


def test_a_new_file_and_a_removed_one(stages: Path) -> None:
    write(stages, "stage2/page/new.py", "new")
    (stages / "stage2/roller/same.py").unlink()
    propagate.main([])
    assert texts(stages, "stage?/page/new.py") == ["new"] * 3
    assert not (stages / "stage1/page").exists()
    assert texts(stages, "stage?/roller/same.py") == ["same"]


def test_check_copies_nothing_and_fails(stages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert propagate.main(["--check"]) == 0
    write(stages, "stage3/roller/same.py", "new")
    assert propagate.main(["--check"]) == 1
    assert texts(stages, "stage?/roller/same.py") == ["same", "same", "new", "same"]
    assert capsys.readouterr().out == "stage4/roller/same.py is behind stage3/roller/same.py\n"


def test_no_copy_here_is_behind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing to compare with")
    monkeypatch.chdir(ROOT)
    assert propagate.main(["--check"]) == 0, f"run `make propagate`:\n{capsys.readouterr().out}"
