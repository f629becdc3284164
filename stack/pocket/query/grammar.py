"""Grammars of the query languages: LALR(1) files beside the engines, and how deep a query may nest."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer
from lark.lexer import Lexer

_LOADED: dict[Path, Lark] = {}
_LOADING = threading.Lock()


def load(
    path: Path,
    builder: Transformer[Token, Any],
    *,
    lexer: Literal["basic", "contextual"] | type[Lexer] = "basic",
    start: Sequence[str] = ("start",),
) -> Lark:
    """The parser of the grammar at `path`, which builds with `builder` while it reads from one of `start` on.

    Made once, which takes a tenth of a second: a dashboard's first queries come all at once, each in its thread.
    The basic lexer is that of Loki and Tempo: it takes no notice of where the parser is, so that a keyword is one
    everywhere.
    """
    with _LOADING:
        if path not in _LOADED:
            text = path.read_text(encoding="utf-8")
            _LOADED[path] = Lark(
                text, parser="lalr", lexer=lexer, transformer=builder, start=list(start), maybe_placeholders=True
            )
        return _LOADED[path]


def nesting(text: str) -> int:
    """No fewer brackets than can stand in one another: evaluation recurses, and Python's stack is short."""
    return max(text.count("("), text.count("{"))
