"""YAML whose mappings and lists remember where in the file they stand, so that an error can point there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from workshop.errors import WorkshopError


class LocatedMap(dict[str, Any]):
    """A mapping; `lines[key]` is the 1-based line of the key."""

    line: int = 0
    lines: dict[str, int]


class LocatedList(list[Any]):
    line: int = 0


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps line numbers and, unlike PyYAML, refuses a key given twice, as Compose does."""


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> Iterator[LocatedMap]:
    result = LocatedMap()
    result.line, result.lines = node.start_mark.line + 1, {}
    yield result
    own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    _refuse_duplicates(own)
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        result[key] = loader.construct_object(value_node, deep=True)
        result.lines[key] = key_node.start_mark.line + 1


def _refuse_duplicates(keys: list[yaml.Node]) -> None:
    seen: set[str] = set()
    for key in keys:
        if str(key.value) in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is twice here", key.start_mark)
        seen.add(str(key.value))


def _construct_list(loader: _Loader, node: yaml.SequenceNode) -> Iterator[LocatedList]:
    result = LocatedList()
    result.line = node.start_mark.line + 1
    yield result
    result.extend(loader.construct_sequence(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:seq", _construct_list)


def load(path: Path) -> LocatedMap:
    """The file's top mapping; WorkshopError with file, line and column when it cannot be read as one."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise WorkshopError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise WorkshopError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    except yaml.MarkedYAMLError as error:
        fail_at_mark(path, error)
    except yaml.YAMLError as error:
        raise WorkshopError(f"{path}: not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(document, LocatedMap):
        raise WorkshopError(f"{path}:1: expected a mapping with `services:`, found {kind(document)}.")
    return document


def fail_at_mark(path: Path, error: yaml.MarkedYAMLError) -> NoReturn:
    """Raises WorkshopError that names file and line."""
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    context = f" {error.context}" if error.context else ""
    raise WorkshopError(f"{where}: not valid YAML: {error.problem}{context}.") from None


def kind(value: object) -> str:
    """What a YAML author calls this value."""
    if value is None:
        return "nothing"
    names: dict[Any, str] = {
        dict: "a mapping",
        list: "a list",
        str: "a string",
        bool: "a truth value",
        (int, float): "a number",
    }
    return next((name for types, name in names.items() if isinstance(value, types)), type(value).__name__)
