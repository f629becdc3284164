"""The check's table: ✓ and ✗, a hint for every ✗; a long group that is all ✓ is one line."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workshop.check import dashboards
from workshop.check.outcome import FAIL, PASS, SKIP, Answer, Result

MARKS = {PASS: "[green]✓[/]", FAIL: "[red]✗[/]", SKIP: "[yellow]–[/]"}
LONG_GROUP = 8
MEANING = {dashboards.GROUP: ", every panel has data"}  # of all ✓


def show(console: Console, result: Result) -> None:
    """A table of the checks, what failed and why, and the sum."""
    console.print(_table(result))
    for answer in result.answers:
        if answer.status == FAIL:
            console.print(f"[red]✗[/] {escape(answer.title)}: {escape(answer.detail)}", highlight=False)
            console.print(f"  → {escape(answer.hint)}", highlight=False, soft_wrap=True)
    style = "green" if result.ok else "red"
    skipped = f", {result.count(SKIP)} skipped" if result.count(SKIP) else ""
    failed = f", {result.count(FAIL)} ✗" if result.count(FAIL) else ""
    line = f"Stage {result.stage}: {result.count(PASS)} ✓{failed}{skipped} ({result.stack} stack)"
    console.print(f"[bold {style}]{line}[/]", highlight=False)


def _table(result: Result) -> Table:
    table = Table("", "", "", "", box=None, show_header=False, pad_edge=False)
    for group, members in groupby(result.answers, key=lambda answer: answer.group):
        answers = list(members)
        if len(answers) > LONG_GROUP and all(answer.status == PASS for answer in answers):
            slowest = max(answer.seconds for answer in answers)
            table.add_row(MARKS[PASS], group, f"all {len(answers)}{MEANING.get(group, '')}", f"{slowest:.1f} s")
            continue
        for answer in answers:
            table.add_row(MARKS[answer.status], group, escape(_first(answer)), f"{answer.seconds:.1f} s")
    return table


def _first(answer: Answer) -> str:
    return answer.title if answer.status == FAIL else f"{answer.title}: {answer.detail}"
