"""The command line: `workshop up 3`, `down`, `status`, `traffic`, `check`, `diff`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from pocket.addresses import MAX_OFFSET
from workshop.errors import WorkshopError, in_a_line
from workshop.paths import RunPaths, program, project_root, run_paths, stage_folder, stages
from workshop.terminal import write_all

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Runs the workshop's stages on this machine, without Docker.

[bold]Examples[/bold]

  workshop up 3 --traffic --check     stage 3, virtual users, and is every signal there?

  workshop up 1 --detach              return when all is healthy; [bold]workshop down[/bold] stops it

  workshop traffic 3 --num-users 20   more users; its flags: [bold]workshop traffic 3 --help[/bold]

  workshop check 3                    is every signal there?

  workshop diff 3                     what stage 3 adds to stage 2
""",
)

Stage = Annotated[int, typer.Argument(help="Number of the stage, 1 to 6.", show_default=False)]
Offset = Annotated[
    int,
    typer.Option("--port-offset", envvar="PORT_OFFSET", min=0, max=MAX_OFFSET, help="Added to every port."),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar="WORKSHOP_DATA_DIR", help="The run's data; default .workshop/offset-K."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def paths_of(offset: int, data_dir: Path | None) -> RunPaths:
    return run_paths(project_root(), offset, data_dir)


@app.command()
def up(
    stage: Stage,
    traffic: Annotated[bool, typer.Option("--traffic", help="Start virtual users: a burst, then a few.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the stage once it runs.")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is healthy.")] = False,
    port_offset: Offset = 0,
    data_dir: DataDir = None,
) -> None:
    """Start a stage: its services and the pocket stack. Ctrl-C stops everything.

    With --check the exit code is the check's: 0 when all is ✓.
    """
    from workshop.up import Up

    stage_folder(project_root(), stage)
    request = Up(project_root(), stage, port_offset, paths_of(port_offset, data_dir), traffic, check, detach)
    raise typer.Exit(request.run())


@app.command()
def down(
    port_offset: Offset = 0,
    data_dir: DataDir = None,
    volumes: Annotated[bool, typer.Option("--volumes", "--data", "-v", help="Remove the run's data too.")] = False,
) -> None:
    """Stop what `up` started."""
    from workshop.display import busy
    from workshop.run.losses import unwritten
    from workshop.run.neighbours import other_runs
    from workshop.run.stop import end_left, remove_data, stop_run

    paths = paths_of(port_offset, data_dir)
    with busy("Stopping everything"):
        run = stop_run(paths)
        left = "" if run else end_left(paths)
    if volumes:
        remove_data(paths)
    done = f"Stopped stage {run['stage']}." if run else left or f"Nothing runs on port offset {port_offset}."
    typer.echo(done + (" Its data is removed." if volumes else ""))
    if run and (lines := unwritten(run)):
        typer.echo(f"{lines} log lines were never written, as the disk was full: they are lost.")
    for line in [] if run else other_runs(paths, "down"):
        typer.echo(line)


Service = Annotated[str, typer.Argument(help="A service of the stage that runs.", show_default=False)]


@app.command()
def stop(service: Service, port_offset: Offset = 0, data_dir: DataDir = None) -> None:
    """Stop one service and leave the others running: an outage. `workshop start` ends it."""
    from workshop.display import busy
    from workshop.run.control import stop_service

    with busy(f"Stopping {service}"):
        stop_service(paths_of(port_offset, data_dir), service)
    typer.echo(f"Stopped {service}.")


@app.command()
def start(service: Service, port_offset: Offset = 0, data_dir: DataDir = None) -> None:
    """Start a service that `workshop stop` stopped; returns when it is healthy."""
    from workshop.display import busy
    from workshop.run.control import start_service

    with busy(f"Starting {service}"):
        start_service(paths_of(port_offset, data_dir), service)
    typer.echo(f"Started {service}.")


@app.command()
def status(as_json: AsJson = False, port_offset: Offset = 0, data_dir: DataDir = None) -> None:
    """What runs: state, pid, port, restarts, memory; and other runs. Exit code 1 when nothing runs here."""
    from workshop.status import show

    raise typer.Exit(show(paths_of(port_offset, data_dir), port_offset, as_json=as_json))


def tail_lines(value: str) -> int | None:
    """None for `all`."""
    if value != "all" and not value.isdecimal():
        raise WorkshopError(f"--tail has to be a number of lines or `all`, not {value!r}.", code=2)
    return None if value == "all" else int(value)


@app.command()
def logs(
    services: Annotated[list[str] | None, typer.Argument(help="Services; default: every one.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends, or Ctrl-C.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", help="Last lines of each, or `all`.")] = "100",
    port_offset: Offset = 0,
    data_dir: DataDir = None,
) -> None:
    """What the services write, the pocket stack and the database too.

    Works after the run has ended as well. `workshop logs supervisor`: what was started and stopped, and why.
    """
    from workshop.logs import show

    show(paths_of(port_offset, data_dir), services or (), tail_lines(tail), follow=follow)


class TrafficCommand(TyperCommand):
    """`--help` is this command's own only before a stage is named: after it, it is the script's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] in (["--help"], ["-h"]):
            typer.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)


SCRIPT_FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(cls=TrafficCommand, context_settings=SCRIPT_FLAGS)
def traffic(context: typer.Context, stage: Stage, port_offset: Offset = 0, data_dir: DataDir = None) -> None:
    """Drive the stage with virtual users; all further flags go to its script.

    `workshop traffic N --help` shows the flags of stage N's script.
    """
    from workshop.traffic import run_script

    root = project_root()
    code = run_script(root, stage, port_offset, paths_of(port_offset, data_dir), context.args)
    raise typer.Exit(code)


@app.command()
def check(
    stage: Stage,
    as_json: AsJson = False,
    deadline: Annotated[float, typer.Option("--deadline", min=1, help="Seconds to keep trying.")] = 60.0,
    port_offset: Offset = 0,
    data_dir: DataDir = None,
) -> None:
    """Is every signal and every link of the stage there? Asks the pocket stack or the full one.

    Exit code 0: all ✓; 1: something is missing; 2: nothing runs.
    """
    from workshop.check.command import run_check

    stage_folder(project_root(), stage)
    paths = paths_of(port_offset, data_dir)
    raise typer.Exit(run_check(project_root(), stage, port_offset, paths, deadline, as_json=as_json))


PSQL_FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=PSQL_FLAGS)
def psql(context: typer.Context, port_offset: Offset = 0, data_dir: DataDir = None) -> None:
    """The database of stage 5 or 6 at psql's prompt, as the services' role; all further flags go to psql.

    `workshop psql -c "TABLE die_specifications"` shows the dice.
    """
    from workshop.psql import become_psql

    become_psql(project_root(), port_offset, paths_of(port_offset, data_dir), context.args)


@app.command()
def diff(
    stage: Stage,
    everything: Annotated[bool, typer.Option("--all", help="Tests and copied files too.")] = False,
) -> None:
    """What a stage adds to the one before it."""
    from rich.console import Console

    from workshop import diff as stage_diff

    root = project_root()
    folder = stage_folder(root, stage)
    if stage == min(stages(root)):
        raise WorkshopError(f"stage {stage} is the first: there is none before it. Read {folder / 'README.md'}.")
    changes = stage_diff.compare(stage_folder(root, stage - 1), folder)
    stage_diff.show(Console(), changes, stage, everything=everything)


def main() -> None:
    """Entry point: whatever goes wrong is one line on stderr and an exit code, 2 for a wrong command line."""
    write_all()
    try:
        sys.exit(app(prog_name="workshop", standalone_mode=False))
    except WorkshopError as error:
        fail(str(error), error.code)
    except TyperException as error:
        if line := in_a_line(error, program()):
            fail(line, 2)
        sys.exit(2)
    except OSError as error:
        fail(f"{error.filename or 'the machine says'}: {error.strerror or error}", 1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)


def fail(message: str, code: int) -> NoReturn:
    print(f"workshop: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
