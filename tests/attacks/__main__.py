"""`python -m tests.attacks [WORD …]`: runs the attacks whose name has one of the words, and prints one table."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests import attacks
from tests.attacks.attack import ATTACKS, Attack, Outcome
from tests.attacks.checkout import Checkout
from tests.conftest import free_offsets

ROOT = Path(__file__).resolve().parents[2]
Results = dict[str, dict[str, Any]]


def main() -> int:
    """1 when an attack succeeded."""
    given = arguments()
    before: Results = json.loads(given.before.read_text()) if given.before else {}
    offsets = free_offsets()
    checkout = Checkout(given.checkout.resolve(), lambda: next(offsets))
    console = Console()
    results: Results = {}
    for each in chosen(given.words):
        console.print(f"… {each.name}", highlight=False)
        results[each.name] = carried_out(each, checkout)
    console.print(table(before, results))
    if given.json:
        given.json.write_text(json.dumps(results, indent=2))
    return 0 if all(result["held"] for result in results.values()) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="attacks whose name has it; default: all")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="what is attacked; default: this checkout")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--before", type=Path, metavar="FILE", help="figures of an earlier run, shown beside")
    return parser.parse_args()


def chosen(words: list[str]) -> list[Attack]:
    for module in pkgutil.iter_modules(attacks.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{attacks.__name__}.{module.name}")
    return [each for each in ATTACKS if not words or any(word.lower() in each.name.lower() for word in words)]


def carried_out(each: Attack, checkout: Checkout) -> dict[str, Any]:
    began = time.monotonic()
    try:
        outcome = each.run(checkout)
    except Exception as error:  # the others go on; what an attack breaks may break it too
        outcome = Outcome(held=False, figures={"broke off": f"{type(error).__name__}: {error}"[:300]})
    return {"held": outcome.held, "took s": round(time.monotonic() - began, 1), "figures": outcome.figures}


def table(before: Results, after: Results) -> Table:
    drawn = Table("attack", *(["before"] if before else []), "figures", "held", title="Attacks", show_lines=True)
    for name, result in after.items():
        earlier = [told(before[name]) if name in before else ""] if before else []
        drawn.add_row(name, *earlier, told(result), "yes" if result["held"] else "NO")
    return drawn


def told(result: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in result["figures"].items())


if __name__ == "__main__":
    sys.exit(main())
