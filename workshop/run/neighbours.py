"""The runs that live on this machine beside the one a command is about: other port offsets, the same project."""

from __future__ import annotations

from workshop.paths import RunPaths, program, project_root, runs_folder
from workshop.run import state


def neighbours(paths: RunPaths) -> list[state.RunState]:
    """The other live runs by port offset. One whose folder was chosen with --data-dir is known to nobody else."""
    folders = (folder for folder in runs_folder(project_root()).glob("offset-*") if folder != paths.data_dir)
    runs = (state.running(RunPaths(folder)) for folder in folders)
    return sorted((run for run in runs if run), key=lambda run: run["offset"])


def neighbours_ports(paths: RunPaths) -> dict[int, tuple[str, state.RunState]]:
    """Port → what it is for, and the run it belongs to, whether anything listens there now or not."""
    return {
        port: (purpose, run)
        for run in neighbours(paths)
        for service in run["services"]
        for purpose, port in service["ports"].items()
    }


def other_runs(paths: RunPaths, verb: str) -> list[str]:
    """A line for each, with the command about it."""
    return [_about(run, verb) for run in neighbours(paths)]


def _about(run: state.RunState, verb: str) -> str:
    stage, offset = run["stage"], run["offset"]
    return f"Stage {stage} runs on port offset {offset}: {program()} {verb} --port-offset {offset}"


def pointer(paths: RunPaths) -> str:
    """What runs elsewhere, and how to mean it: ends a message that nothing runs here, begins with a space."""
    found = [f"stage {run['stage']} on port offset {run['offset']}" for run in neighbours(paths)]
    if not found:
        return ""
    return f" But elsewhere: {', '.join(found)}; say which with --port-offset."
