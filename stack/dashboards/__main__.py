"""`python -m dashboards` writes every stage's dashboard JSON; `--check` only says which files differ (exit 1)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.stages import STAGES, build

ROOT = Path(__file__).resolve().parents[2]


def path(stage: int, root: Path = ROOT) -> Path:
    return root / f"stage{stage}" / "grafana-dashboards" / f"dice-roller-stage{stage}.json"


def render(stage: int) -> str:
    return JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode(build(stage)) + "\n"


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Exit code 0, or 1 when --check finds a file that is not what the Python says."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    differing = []
    for stage in STAGES:
        file, text = path(stage, root), render(stage)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            differing.append(file)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    for file in differing:
        print(f"{'differs' if check else 'wrote'}: {file.relative_to(root)}")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
