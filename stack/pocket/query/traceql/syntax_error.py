"""What Tempo says to text that is no TraceQL, and what its yacc grammar calls the tokens."""

from __future__ import annotations

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pocket.query import syntax_error
from pocket.query.syntax_error import Words, end, unexpected

_SHOWN = {
    "LBRACE": "{", "RBRACE": "}", "LPAR": "(", "RPAR": ")", "COMMA": ",", "VBAR": "|", "AND": "&&", "OR": "||",
    "EQ": "=", "NEQ": "!=", "RE": "=~", "NRE": "!~", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "ADD": "+",
    "SUB": "-", "MUL": "*", "DIV": "/", "MOD": "%", "POW": "^", "NOT": "!", "$END": "$end",
}  # fmt: skip
_BARE = re.compile(r"[A-Za-z_]\w*\Z")
_NAMED = ("IDENTIFIER", "STRING", "INTEGER", "FLOAT", "DURATION")
_ORDER = (*_NAMED, "LBRACE", "RBRACE", "LPAR", "RPAR", "COMMA", "BY", "TOPK", "BOTTOMK", "WITH", "VBAR")


def at(token: Token) -> str:
    """The head of a message about a token."""
    return syntax_error.at(token.line or 0, token.column or 0)


def describe(error: UnexpectedInput, text: str) -> str:
    """`parse error at line 1, col 5: syntax error: unexpected …`."""
    if isinstance(error, UnexpectedCharacters):
        return syntax_error.at(error.line, error.column) + _bad_character(text, error)
    assert isinstance(error, UnexpectedToken)
    if error.token.type == "ATTRIBUTE" and (bare := _BARE.search(text, 0, error.token.start_pos or 0)):
        # A scope is missing, as in {service.name = "x"}.
        column = (error.column or 0) - len(bare[0])
        return f"{syntax_error.at(error.line, column)}unknown identifier: {bare[0]}"
    where = syntax_error.at(*end(text)) if error.token.type == "$END" else at(error.token)
    accepted = set(error.accepts or ())
    if "VBAR" in accepted:  # goyacc has made a pipeline of the spanset by then, to which no operator belongs
        accepted -= {"AND", "OR"}
    return where + unexpected(error.token, accepted, _WORDS)


def _bad_character(text: str, error: UnexpectedCharacters) -> str:
    quote = text[error.pos_in_stream or 0] in '"`'
    return "literal not terminated" if quote else "syntax error: unexpected IDENTIFIER"


def _shown(token: Token) -> str:
    return token.type if token.type in _NAMED else _SHOWN.get(token.type, str(token))


def _terminal(name: str) -> str:
    return name if name in _NAMED else _SHOWN.get(name, name.lower())


_WORDS = Words(_terminal, _shown, _ORDER)
