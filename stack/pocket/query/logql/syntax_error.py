"""What Loki says to text that is no LogQL, and what its yacc grammar calls the tokens."""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pocket.query.syntax_error import Words, at, end, unexpected

_PUNCTUATION = {
    "LPAR": "(", "RPAR": ")", "LBRACE": "{", "RBRACE": "}", "COMMA": ",", "EQ": "=", "NEQ": "!=", "RE": "=~",
    "NRE": "!~", "NPA": "!>", "PIPE": "|", "PIPE_EXACT": "|=", "PIPE_MATCH": "|~", "PIPE_PATTERN": "|>",
    "CMP_EQ": "==", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "ADD": "+", "SUB": "-", "MUL": "*",
    "DIV": "/", "MOD": "%", "POW": "^", "LINE_FMT": "line_format", "LABEL_FMT": "label_format", "$END": "$end",
}  # fmt: skip
_ORDER = (
    "BYTES", "IDENTIFIER", "STRING", "NUMBER", "FUNCTION_FLAG", "DURATION", "RANGE", "EQ", "RE", "NRE", "NPA",
    "LBRACE", "RBRACE", "COMMA", "PIPE_MATCH", "PIPE_EXACT", "PIPE_PATTERN", "LPAR", "RPAR", "BY", "WITHOUT",
    "RANGE_OP", "VECTOR_OP", "BOOL", "JSON", "REGEXP", "LOGFMT", "PIPE", "LINE_FMT", "LABEL_FMT", "UNWRAP",
    "BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV", "VECTOR", "LABEL_REPLACE", "UNPACK",
    "OFFSET", "PATTERN", "IP", "ON", "IGNORING",
    "GROUP_LEFT", "GROUP_RIGHT",
    "DECOLORIZE", "DROP", "KEEP", "OR", "AND", "UNLESS", "CMP_EQ", "NEQ", "LT", "LTE", "GT", "GTE", "ADD", "SUB",
)  # fmt: skip
# One terminal here, three in Loki's grammar.
_PARTS = {"CONVERSION": {"BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV"}}
_NAMED = {
    *_PARTS["CONVERSION"], "IDENTIFIER", "STRING", "NUMBER", "DURATION", "RANGE", "BYTES", "FUNCTION_FLAG",
}  # fmt: skip


def describe(error: UnexpectedInput, text: str) -> str:
    """`parse error at line 1, col 5: syntax error: unexpected …`, as Loki's goyacc parser says it."""
    if isinstance(error, UnexpectedCharacters):
        return _bad_character(text, error)
    assert isinstance(error, UnexpectedToken)
    accepted = {part for name in error.accepts or () for part in _PARTS.get(name, {name})}
    return at(*_position(error.token, text)) + unexpected(error.token, accepted, _WORDS)


def _bad_character(text: str, error: UnexpectedCharacters) -> str:
    rest = text[error.pos_in_stream :]
    if rest[0] in '"`':
        return f"{at(error.line, error.column)}literal not terminated"
    if rest[0] == "[":  # Loki's scanner has lost the line when it reads a range
        return f"{at(0, error.column)}missing closing ']' in duration"
    return f"{at(error.line, error.column)}syntax error: unexpected IDENTIFIER"


def _position(token: Token, text: str) -> tuple[int, int]:
    if token.type == "$END":
        return end(text)
    # Loki's scanner forgets the line when it has looked at a second character.
    peeked = token.type == "RANGE" or (len(token) == 2 and not token[0].isalnum())
    return 0 if peeked else token.line or 0, token.column or 0


def _shown(terminal: str) -> str:
    name = terminal.lstrip("_")
    return name if name in _NAMED else _PUNCTUATION.get(name, name.lower())


def _shown_token(token: Token) -> str:
    return str(token).upper() if token.type in ("RANGE_OP", "VECTOR_OP", "CONVERSION") else _shown(token.type)


_WORDS = Words(_shown, _shown_token, _ORDER)
