"""`workshop diff`: files first, then what changed in them; without git."""

from __future__ import annotations

import shutil

from .conftest import Project


def test_added_changed_and_removed_files_and_their_lines(project: Project) -> None:
    one, two = project.root / "stage1", project.root / "stage2"
    (one / "gone.txt").write_text("old\n")
    (one / "binary").write_bytes(b"\xff\x00")
    shutil.copytree(one, two)
    (two / "gone.txt").unlink()
    (two / "new.txt").write_text("brand new\n")
    (two / "binary").write_bytes(b"\xff\x01")
    service = two / "one" / "service.py"
    service.write_text(service.read_text() + "# the idea of stage two\n")
    (two / "one" / "__pycache__").mkdir()
    (two / "one" / "__pycache__" / "x.pyc").write_bytes(b"x")

    shown = project.run("diff", "2", COLUMNS="120")
    assert shown.returncode == 0, shown.stderr
    summary = shown.stdout.partition("---")[0]
    rows = [line.split() for line in summary.splitlines()]
    assert ["added", "new.txt", "1", "0"] in rows
    assert ["changed", "one/service.py", "1", "0"] in rows
    assert ["removed", "gone.txt", "0", "1"] in rows
    assert ["changed", "binary", "0", "0"] in rows
    assert "docker-compose.yml" not in summary
    assert "pycache" not in shown.stdout
    assert "+# the idea of stage two" in shown.stdout
    assert "-old" in shown.stdout


def test_equal_stages_differ_in_nothing(project: Project) -> None:
    shutil.copytree(project.root / "stage1", project.root / "stage2")
    shown = project.run("diff", "2")
    assert shown.returncode == 0
    assert "changed" not in shown.stdout


def test_a_pipe_gets_whole_lines_and_the_readme_last(project: Project) -> None:
    one, two = project.root / "stage1", project.root / "stage2"
    shutil.copytree(one, two)
    (two / "README.md").write_text("the lesson\n")
    (two / "zzz.py").write_text(f"x = '{'long ' * 40}end'\n")
    shown = project.run("diff", "2", COLUMNS="80").stdout
    assert f"+x = '{'long ' * 40}end'\n" in shown
    assert shown.index("+the lesson") > shown.index("+x = ")


def test_tests_and_copies_are_named_and_shown_on_request(project: Project) -> None:
    one, two = project.root / "stage1", project.root / "stage2"
    shutil.copytree(one, two)
    (two / "new" / "tests").mkdir(parents=True)
    (two / "new" / "tests" / "test_new.py").write_text("proof = True\n")
    shutil.copy(two / "one" / "service.py", two / "new" / "service.py")
    (two / "new" / "main.py").write_text("idea = True\n")

    brief, whole = (project.run("diff", "2", *flags, COLUMNS="120").stdout for flags in ((), ("--all",)))
    assert ["copied", "new/service.py", "(=", "one/service.py)"] in [
        line.split()[:4] for line in brief.splitlines()
    ]
    assert "+idea = True" in brief
    assert "+proof = True" not in brief
    assert "+++ after/new/service.py" not in brief
    assert "Not shown: 1 test files and 1 copies" in brief
    assert "+proof = True" in whole
    assert "+++ after/new/service.py" in whole
