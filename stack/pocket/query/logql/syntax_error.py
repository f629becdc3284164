"""What Loki says to text that is no LogQL: the position, the token, and up to four that would have been right."""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

_PUNCTUATION = {
    "LPAR": "(", "RPAR": ")", "LBRACE": "{", "RBRACE": "}", "COMMA": ",", "EQ": "=", "NEQ": "!=", "RE": "=~",
    "NRE": "!~", "NPA": "!>", "PIPE": "|", "PIPE_EXACT": "|=", "PIPE_MATCH": "|~", "PIPE_PATTERN": "|>",
    "CMP_EQ": "==", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "ADD": "+", "SUB": "-", "MUL": "*",
    "DIV": "/", "MOD": "%", "POW": "^", "LINE_FMT": "line_format", "LABEL_FMT": "label_format",
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
_PARTS = {"CONVERSION": ("BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV")}
_NAMED = {
    "BYTES_CONV",
    "DURATION_CONV",
    "DURATION_SECONDS_CONV",
    "IDENTIFIER",
    "STRING",
    "NUMBER",
    "DURATION",
    "RANGE",
    "BYTES",
    "FUNCTION_FLAG",
}


def describe(error: UnexpectedInput, text: str) -> str:
    """`parse error at line 1, col 5: syntax error: unexpected …`, as Loki's goyacc parser says it."""
    if isinstance(error, UnexpectedCharacters):
        return _bad_character(text, error)
    assert isinstance(error, UnexpectedToken)
    accepted = {part for name in error.accepts or () for part in _PARTS.get(name, (name,))}
    expected = [_shown(name) for name in sorted(accepted, key=_rank)]
    wanted = f", expecting {' or '.join(expected)}" if 0 < len(expected) <= 4 else ""
    return f"{at(*_position(error.token, text))}syntax error: unexpected {_shown_token(error.token)}{wanted}"


def at(line: int, column: int) -> str:
    return f"parse error at line {line}, col {column}: " if column else "parse error : "


def _bad_character(text: str, error: UnexpectedCharacters) -> str:
    rest = text[error.pos_in_stream :]
    if rest[0] in '"`':
        return f"{at(error.line, error.column)}literal not terminated"
    if rest[0] == "[":  # Loki's scanner has lost the line when it reads a range
        return f"{at(0, error.column)}missing closing ']' in duration"
    return f"{at(error.line, error.column)}syntax error: unexpected IDENTIFIER"


def _position(token: Token, text: str) -> tuple[int, int]:
    if token.type == "$END" and not text.strip():
        return 0, 0
    if token.type == "$END":
        return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
    # Loki's scanner forgets the line when it has looked at a second character.
    peeked = token.type == "RANGE" or (len(token) == 2 and not token[0].isalnum())
    return 0 if peeked else token.line or 0, token.column or 0


def _rank(terminal: str) -> tuple[int, str]:
    """Tokens in the order of Loki's grammar, which is that of its messages."""
    name = terminal.lstrip("_")
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER)), name


def _shown(terminal: str) -> str:
    """A terminal's name as Loki's yacc grammar prints it."""
    name = terminal.lstrip("_")
    if name == "$END":
        return "$end"
    return name if name in _NAMED else _PUNCTUATION.get(name, name.lower())


def _shown_token(token: Token) -> str:
    return str(token).upper() if token.type in ("RANGE_OP", "VECTOR_OP", "CONVERSION") else _shown(token.type)
