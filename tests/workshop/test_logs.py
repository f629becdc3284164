"""`workshop logs`: every service's lines in order of time, of a run and of what an ended one left."""

from __future__ import annotations

import signal
import urllib.request

import pytest

from workshop import logs
from workshop.paths import RunPaths

from .conftest import Project, eventually


def ask(project: Project, port: int, path: str) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{port + project.offset}/{path}", timeout=5).close()


def written(project: Project, text: str, *command: str) -> str:
    """What the command prints, once the text is in it."""
    printed = project.run(*command).stdout
    return printed if text in printed else ""


def test_one_service_without_a_prefix_several_with_one_an_ended_run_too(project: Project) -> None:
    project.run("up", "1", "--detach")
    ask(project, 8001, "for-one")
    ask(project, 8002, "for-two")
    for _ in range(2):  # while it runs, and after its end
        one = eventually(lambda: written(project, "for-one", "logs", "one"), "the line of one is in its log")
        assert '\n{"message": "asked for /for-one"}\n' in "\n" + one
        assert "for-two" not in one
        every = eventually(lambda: written(project, "for-two", "logs"), "the line of two is in its log")
        assert 'one    | {"message": "asked for /for-one"}\n' in every
        assert 'two    | {"message": "asked for /for-two"}\n' in every
        assert "supervisor" not in every
        project.run("down")
    assert '"state": "healthy"' in project.run("logs", "supervisor").stdout


def test_tail_counts_lines_of_each_and_has_all(project: Project) -> None:
    project.run("up", "1", "--detach")
    for index in range(3):
        ask(project, 8001, f"number-{index}")
    eventually(lambda: written(project, "number-2", "logs", "one"), "the lines are in the log")
    assert project.run("logs", "one", "-n", "2").stdout.count("number-") == 2
    assert project.run("logs", "one", "--tail", "0").stdout == ""
    assert project.run("logs", "one", "--tail", "all").stdout.count("number-") == 3
    wrong = project.run("logs", "--tail", "some")
    assert wrong.returncode == 2
    assert wrong.stderr == "workshop: --tail has to be a number of lines or `all`, not 'some'.\n"


def test_follow_goes_on_until_the_run_ends(project: Project) -> None:
    project.run("up", "1", "--detach")
    following = project.start("logs", "--follow", "one", "two")
    assert following.stdout is not None
    ask(project, 8001, "seen")
    while "/seen" not in following.stdout.readline():
        pass
    ask(project, 8002, "the-last")
    project.run("down")
    rest, _ = following.communicate(timeout=20)
    assert "two | " in rest
    assert "/the-last" in rest
    assert following.returncode == 0


def test_ctrl_c_ends_following_without_a_word(project: Project) -> None:
    project.run("up", "1", "--detach")
    following = project.start("logs", "-f", "one")
    ask(project, 8001, "seen")
    assert following.stdout is not None
    while "/seen" not in following.stdout.readline():
        pass
    following.send_signal(signal.SIGINT)
    rest, _ = following.communicate(timeout=20)
    assert rest == ""


def test_a_reader_that_has_seen_enough_is_no_error(project: Project) -> None:
    project.run("up", "1", "--detach")
    ask(project, 8001, "seen")
    following = project.start("logs", "-f", "one")
    assert following.stdout is not None
    while "/seen" not in following.stdout.readline():
        pass
    following.stdout.close()

    def ended() -> bool:
        ask(project, 8001, "more")
        return following.poll() is not None

    eventually(ended, "it ends")
    project.started.remove(following)


def test_unknown_service_and_no_logs_at_all(project: Project) -> None:
    nothing = project.run("logs")
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("workshop: there are no logs in ")
    project.run("up", "1", "--detach")
    unknown = project.run("logs", "three")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "workshop: there is no log of three. There are: pocket, one, two, supervisor.\n"
    elsewhere = Project(project.root, project.offset + 10).run("logs")
    assert f"stage 1 on port offset {project.offset}" in elsewhere.stderr


def test_lines_of_several_come_in_order_of_time(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project.data / "logs"
    folder.mkdir(parents=True)
    first, third = (f'{{"timestamp":"2026-01-01T00:00:0{second}.000+00:00"}}' for second in (1, 3))
    (folder / "one.log.1").write_text(f"{first}\n")
    (folder / "one.log").write_text(f"no time\n{third}\nits last wo")
    (folder / "two.log").write_text("2026-01-01 00:00:02.000 UTC [1] LOG: between\n")
    logs.show(RunPaths(project.data), (), None, follow=False)
    assert capsys.readouterr().out.splitlines() == [
        f"one | {first}",
        "one | no time",
        "two | 2026-01-01 00:00:02.000 UTC [1] LOG: between",
        f"one | {third}",
        "one | its last wo",
    ]
