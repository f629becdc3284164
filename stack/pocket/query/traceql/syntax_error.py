"""What Tempo says to text that is no TraceQL."""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

_SHOWN = {
    "LBRACE": "{", "RBRACE": "}", "LPAR": "(", "RPAR": ")", "COMMA": ",", "VBAR": "|", "AND": "&&", "OR": "||",
    "EQ": "=", "NEQ": "!=", "RE": "=~", "NRE": "!~", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "ADD": "+",
    "SUB": "-", "MUL": "*", "DIV": "/", "MOD": "%", "POW": "^", "NOT": "!", "$END": "$end",
}  # fmt: skip
_NAMED = ("IDENTIFIER", "STRING", "INTEGER", "FLOAT", "DURATION")


def at(token: Token) -> str:
    return f"parse error at line {token.line}, col {token.column}: "


def describe(error: UnexpectedInput, text: str) -> str:
    """`parse error at line 1, col 5: syntax error: unexpected …`."""
    if isinstance(error, UnexpectedCharacters):
        return f"parse error at line {error.line}, col {error.column}: {_bad_character(text, error)}"
    assert isinstance(error, UnexpectedToken)
    token = error.token
    if token.type == "$END":
        line, column = _end(text)
    else:
        line, column = token.line or 0, token.column or 0
    return f"parse error at line {line}, col {column}: syntax error: unexpected {_shown(token)}"


def _bad_character(text: str, error: UnexpectedCharacters) -> str:
    return (
        "literal not terminated"
        if text[error.pos_in_stream or 0] in '"`'
        else "syntax error: unexpected IDENTIFIER"
    )


def _end(text: str) -> tuple[int, int]:
    if not text.strip():
        return 0, 0
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _shown(token: Token) -> str:
    if token.type in _NAMED:
        return token.type
    return _SHOWN.get(token.type, str(token))
