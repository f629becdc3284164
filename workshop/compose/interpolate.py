"""Compose's variable interpolation: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${VAR:+other}`, `$$`.

The rules are those of the Compose specification, chapter "Interpolation"; defaults may contain variables again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class InterpolationError(ValueError):
    """The text cannot be interpolated; the message says why."""


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """`text` with its variables replaced; an unset variable without a default is empty, as with Compose."""
    out, position = [], 0
    while (dollar := text.find("$", position)) >= 0:
        out.append(text[position:dollar])
        replaced, position = _variable(text, dollar + 1, variables)
        out.append(replaced)
    return "".join(out) + text[position:]


def _variable(text: str, start: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """The replacement for what follows a `$`, and the position behind it."""
    if text.startswith("$", start):
        return "$", start + 1
    if text.startswith("{", start):
        end = _closing_brace(text, start)
        return _braced(text[start + 1 : end], variables), end + 1
    if match := NAME.match(text, start):
        return variables.get(match[0], ""), match.end()
    raise InterpolationError(f"`$` without a variable name in {text!r} (write `$$` for a dollar sign)")


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return position
    raise InterpolationError(f"`${{` without its `}}` in {text!r}")


def _braced(body: str, variables: Mapping[str, str]) -> str:
    match = NAME.match(body)
    if match is None:
        raise InterpolationError(f"no variable name in `${{{body}}}`")
    name, rest = match[0], body[match.end() :]
    if not rest:
        return variables.get(name, "")
    operator = rest[:2] if rest[:1] == ":" else rest[:1]
    if operator not in {":-", "-", ":?", "?", ":+", "+"}:
        raise InterpolationError(f"unknown operator in `${{{body}}}`")
    return _with_operator(name, operator, rest[len(operator) :], variables)


def _with_operator(name: str, operator: str, operand: str, variables: Mapping[str, str]) -> str:
    value = variables.get(name)
    present = bool(value) if operator[0] == ":" else value is not None  # with a colon, empty counts as unset
    if operator[-1] == "+":
        return interpolate(operand, variables) if present else ""
    if present:
        return value or ""
    if operator[-1] == "-":
        return interpolate(operand, variables)
    raise InterpolationError(f"{name} is not set: {interpolate(operand, variables) or 'a value is required'}")
