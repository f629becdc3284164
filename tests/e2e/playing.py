"""Plays a lesson's exercises as printed: edit, run, look, and the way back, on a copy of the checkout.

Left out is what a program cannot judge: what you see in the UI, and the answers in words.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stages.exercises import Exercise, Step, printed, source_of
from tests.stages.lessons import Block
from tests.stages.live_lessons import found

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("stage*", "stack", "traffic-gen", "Makefile", "pyproject.toml", "requirements*.lock")
IGNORED = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache")
COMMAND_SECONDS, ANSWER_SECONDS = 180, 60
BEFORE_SECONDS = 15  # an answer from then is no sign of an exercise
QUERIES = {"promql", "logql", "traceql"}


@dataclass
class Shell:
    """One bash, as the reader's terminal: what is left in the background by one block can be ended by the next."""

    root: Path
    offset: int
    home: Path = field(default_factory=Path.home)
    output: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        environment = os.environ | {
            "PORT_OFFSET": str(self.offset),
            "WORKSHOP_ROOT": str(self.root),
            "COLUMNS": "200",
            "HOME": str(self.home),
        }
        self.bash = subprocess.Popen(
            ["bash"], cwd=self.root, env=environment, text=True, encoding="utf-8", process_group=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.bash.stdout
        for line in self.bash.stdout:
            self.output.put(line)

    def run(self, commands: str) -> tuple[str, int]:
        """What the commands print, and the last one's exit code."""
        assert self.bash.stdin
        self.bash.stdin.write(f"{self.shifted(commands)}\necho; echo END-OF-BLOCK $?\n")
        self.bash.stdin.flush()
        said: list[str] = []
        while not (said and said[-1].startswith("END-OF-BLOCK")):
            try:
                said.append(self.output.get(timeout=COMMAND_SECONDS))
            except queue.Empty:
                pytest.fail(f"{commands}\nis not done after {COMMAND_SECONDS} s: {''.join(said)}")
        return "".join(said[:-1]), int(said[-1].split()[1])

    def shifted(self, commands: str) -> str:
        """As the lessons say: the offset is added to the ports of their URLs."""
        commands = re.sub(r"(localhost:|--port )(\d{4,5})", lambda m: f"{m[1]}{int(m[2]) + self.offset}", commands)
        return commands.replace("offset-0", f"offset-{self.offset}")

    def close(self) -> None:
        assert self.bash.stdin
        assert self.bash.stdout
        self.bash.stdin.close()
        self.bash.wait(20)
        with suppress(ProcessLookupError):  # what an exercise that failed half way left in the background
            os.killpg(self.bash.pid, signal.SIGKILL)
        self.reader.join(20)
        self.bash.stdout.close()


@dataclass(frozen=True)
class Checkout:
    """A copy of the lessons with a git history, in which `git checkout` is the way back."""

    root: Path
    offset: int

    def get(self, port: int, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port + self.offset}{path}", params=parameters, timeout=10)

    def workshop(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "workshop", *arguments]
        where = {"PORT_OFFSET": str(self.offset), "WORKSHOP_ROOT": str(self.root)}
        done = subprocess.run(command, cwd=self.root, env=os.environ | where, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=reader", "-c", "user.email=reader@example.com")
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout


def copy_of_the_lessons(root: Path, offset: int) -> Checkout:
    for path in (path for pattern in COPIED for path in ROOT.glob(pattern)):
        if path.is_dir():
            shutil.copytree(path, root / path.name, ignore=IGNORED)
        else:
            shutil.copy2(path, root)
            os.utime(root / path.name, (0, 0))  # older than .venv, so that make does not install the copy
    (root / ".venv").symlink_to(ROOT / ".venv")
    (root / ".gitignore").write_text(".venv\n.workshop\n__pycache__\n")
    copy = Checkout(root, offset)
    copy.git("init", "--quiet")
    copy.git("add", ".")
    copy.git("commit", "--quiet", "-m", "the lessons")
    return copy


def play_through(exercise: Exercise, stage: Checkout) -> None:
    """Its queries have answers with it that they had not before; then all is as it was."""
    queries = [Block(stage.root, step.language, step.text) for step in exercise.steps if step.language in QUERIES]
    before = [query for query in queries if not found(query, stage.get, BEFORE_SECONDS)]
    assert before or not queries, "its queries have answers without it, too"
    try:
        play(exercise, stage)
        assert stage.git("status", "--porcelain") == ""
        if "make run" not in exercise.steps[-1].text:  # which has checked
            stage.workshop("check", str(exercise.stage))
    except BaseException:  # the next exercise begins afresh
        stage.git("checkout", "--quiet", ".")
        stage.workshop("down", "--volumes")
        stage.workshop("up", str(exercise.stage), "--detach", "--traffic")
        raise


def play(exercise: Exercise, copy: Checkout) -> None:
    shell = Shell(copy.root, copy.offset)
    try:
        for step, behind in zip(exercise.steps, (*exercise.steps[1:], None), strict=True):
            play_step(step, behind, shell, copy)
    finally:
        shell.close()


def play_step(step: Step, behind: Step | None, shell: Shell, copy: Checkout) -> None:
    if step.language == "bash":
        said, code = shell.run(step.text)
        print(f"$ {step.text}\n{said}")
        if behind and behind.language == "text":
            deadline = time.monotonic() + ANSWER_SECONDS
            while step.text.startswith("curl") and not printed(behind.text, said) and time.monotonic() < deadline:
                time.sleep(1)
                said, code = shell.run(step.text)  # to look again changes nothing
            assert printed(behind.text, said), f"{step.text}\nprints\n{said}\nand not\n{behind.text}"
        else:
            assert code == 0, f"{step.text}\n{said}"
    elif step.language == "diff":
        file = source_of(step, copy.root)
        assert step.fits(file.read_text()), step
        file.write_text(step.applied(file.read_text()))
    elif step.language in QUERIES:
        answered(Block(copy.root, step.language, step.text), copy)


def answered(query: Block, copy: Checkout) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while not found(query, copy.get):
        assert time.monotonic() < deadline, f"no answer within {ANSWER_SECONDS} s: {query.text}"
        time.sleep(0.5)
