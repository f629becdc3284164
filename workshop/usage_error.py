"""A mistake in the command line, in the command's own voice."""

from __future__ import annotations

from typer.exceptions import TyperException

from workshop.paths import program

MAX_OFFSET = 65535 - 15432  # PostgreSQL's port is the highest
# What a parameter has to be; for those without words of ours, the library's own.
WANTED = {
    "stage": "the stage has to be a number from 1 to 6.",
    "service": f"which service? `{program()} status` lists them.",
    "port_offset": f"--port-offset (or PORT_OFFSET) has to be a number from 0 to {MAX_OFFSET}.",
    "deadline": "--deadline has to be a number of seconds, 1 or more.",
}


def in_a_line(error: TyperException) -> str:
    """What is wrong; nothing for an empty command line, after which the help was shown."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if parameter is not None and parameter.name in WANTED:
        return WANTED[parameter.name]
    message = error.format_message().rstrip(".")
    if not message:
        return ""
    command = (context.command_path if context else "workshop").replace("workshop", program(), 1)
    return f"{message[:1].lower()}{message[1:]}{'' if message.endswith('?') else '.'} See {command} --help"
