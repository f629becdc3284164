"""Which room may import which. Data flows one way, receive → route → store → derive → query → api → ui, and what
two rooms share lies below both. Below stands a room's whole list: what it does not name, it may not import.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASE = "addresses budget config own_metrics process_memory regex rows wire"  # single modules below all rooms
POCKET = {
    "asgi": BASE,
    "store": BASE,
    "admission": f"{BASE} asgi",
    "receive": f"{BASE} asgi admission store",
    "route": f"{BASE} asgi admission store",
    "derive": f"{BASE} store",
    "query": BASE,
    "api": f"{BASE} asgi query store",
    "ui": f"{BASE} asgi",
    "server": f"{BASE} asgi admission receive route store derive api ui",
    "__main__": f"{BASE} receive server store",
    **dict.fromkeys(BASE.split(), BASE),
}
BELOW = "errors paths guard terminal"
WORKSHOP = {
    **dict.fromkeys(BELOW.split(), BELOW),
    "compose": BELOW,
    "infrastructure": BELOW,
    "plan": f"{BELOW} compose",
    "run": f"{BELOW} compose infrastructure plan",
    "check": f"{BELOW} plan run",
    **dict.fromkeys(("diff", "display", "logs", "status", "traffic"), f"{BELOW} plan run"),
    "psql": f"{BELOW} compose infrastructure plan run",
    "up": f"{BELOW} check display plan run traffic",
    "cli": f"{BELOW} check diff display logs psql run status traffic up",
    "__main__": "cli",
}
ROOMS = {"pocket": (ROOT / "stack" / "pocket", POCKET), "workshop": (ROOT / "workshop", WORKSHOP)}
OURS = ("pocket", "workshop", "traffic_gen", "dashboards", "bench", "tests")
OTHERS = {"pocket": (), "workshop": ("pocket.addresses", "traffic_gen")}  # what it may have of other packages


def imports(module: Path) -> Iterator[str]:
    """What a module imports, wherever in it: `pocket.store`, `pocket.store.writer.Rows`."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", ROOMS)
def test_a_room_imports_what_it_may(package: str) -> None:
    folder, rooms = ROOMS[package]
    for module in sorted(folder.rglob("*.py")):
        room = module.relative_to(folder).parts[0].removesuffix(".py")
        allowed = (*OTHERS[package], *(f"{package}.{name}" for name in (room, *rooms.get(room, "").split())))
        ours = [name for name in imports(module) if name.startswith(tuple(f"{one}." for one in OURS))]
        wrong = [name for name in ours if not f"{name}.".startswith(tuple(f"{one}." for one in allowed))]
        assert not wrong, f"{module.relative_to(ROOT)} imports {', '.join(wrong)}"


@pytest.mark.parametrize("package", ROOMS)
def test_no_modules_import_each_other(package: str) -> None:
    folder, _ = ROOMS[package]
    paths = {
        path: ".".join(path.relative_to(folder.parent).with_suffix("").parts) for path in folder.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__"): path for path, name in paths.items()}
    graph = {name: {_known(one, modules) for one in imports(path)} - {name} for name, path in modules.items()}
    TopologicalSorter(graph).prepare()  # CycleError names them


def _known(name: str, modules: Container[str]) -> str:
    """The module that a name is of: `pocket.store.writer.Rows` is of `pocket.store.writer`."""
    return name if name in modules or "." not in name else _known(name.rpartition(".")[0], modules)
