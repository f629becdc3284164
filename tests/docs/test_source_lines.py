"""Each pattern in the documents points at the line that shows it."""

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("source_lines", Path(__file__).with_name("source_lines.py"))
assert spec is not None
assert spec.loader is not None
source_lines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(source_lines)

LINKS = [(name, *link) for name in source_lines.DOCUMENTS for link in source_lines.links(name)]


@pytest.mark.parametrize(("document", "fragment", "path", "line"), LINKS)
def test_the_fragment_stands_on_that_line(document: str, fragment: str, path: str, line: int) -> None:
    assert line in source_lines.lines_with(fragment, path), "run: python tests/docs/source_lines.py"


def test_there_are_links() -> None:
    assert len(LINKS) >= 15
