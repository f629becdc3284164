"""How this command fails: in one clear line that names the thing and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pocket.addresses import MAX_OFFSET

if TYPE_CHECKING:
    from typer.exceptions import TyperException  # 0.1 s, which the supervisor need not spend

# What a parameter has to be; for those without words of ours, the library's own.
WANTED = {
    "stage": "the stage has to be a number from 1 to 6.",
    "service": "which service? `{program} status` lists them.",
    "port_offset": f"--port-offset (or PORT_OFFSET) has to be a number from 0 to {MAX_OFFSET}.",
    "deadline": "--deadline has to be a number of seconds, 1 or more.",
}


class WorkshopError(Exception):
    """Shown to the learner as `workshop: <message>`, exit code `code`; never as a traceback."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def in_a_line(error: TyperException, program: str) -> str:
    """What is wrong with a command line; nothing for an empty one, after which the help was shown."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if parameter is not None and parameter.name in WANTED:
        return WANTED[parameter.name].format(program=program)
    message = error.format_message().rstrip(".")
    if not message:
        return ""
    command = (context.command_path if context else "workshop").replace("workshop", program, 1)
    return f"{message[:1].lower()}{message[1:]}{'' if message.endswith('?') else '.'} See {command} --help"
