from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Transformer

from pocket.query import grammar


def test_a_grammar_is_loaded_once_however_many_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, made = tmp_path / "a.lark", []

    def slow(*arguments: Any, **options: Any) -> Lark:
        made.append(arguments)
        time.sleep(0.05)
        return Lark(*arguments, **options)

    file.write_text('start: "a"')
    monkeypatch.setattr(grammar, "Lark", slow)
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: grammar.load(file, Transformer()), range(8)))
    assert len(made) == 1
    assert all(one is loaded[0] for one in loaded)
    assert loaded[0].parse("a") is not None
