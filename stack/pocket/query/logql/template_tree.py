"""A Go template's text → actions, conditions and plain text, each with its place (text/template/parse)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from pocket.query.grammar import load
from pocket.query.numbers import go_float
from pocket.query.quoting import quoted, unquote

_PART = re.compile(
    r"(?:\s*\{\{-(?=\s)|\{\{)((?:`[^`]*`|\"(?:\\.|[^\"\\])*\"|[^`\"])*?)(?:(?<=\s)-\}\}\s*|\}\})", re.DOTALL
)
_OPEN_QUOTE = re.compile(r'\{\{(?:`[^`]*`|"(?:\\.|[^"\\\n])*"|[^`"])*(`|")')
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|\'(?:\\.|[^\'\\])*\'')
_REFUSED = ("range", "with", "define", "template", "block", "break", "continue")


@dataclass(frozen=True, slots=True)
class Operand:
    """`at` is where it begins in the template, `shown` what Go's messages call it.

    kind: field (value: the names), dot, name (a function), text, number, boolean, or pipeline. `chain` are the
    fields of a function's or a pipeline's result: `(now).Year`.
    """

    kind: str
    value: Any
    at: int
    shown: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    operands: tuple[Operand, ...]

    @property
    def node(self) -> Operand:
        """The whole command as an error calls it."""
        parts = (f"({o.shown})" if o.kind == "pipeline" and not o.chain else o.shown for o in self.operands)
        return Operand("command", None, self.operands[0].at, " ".join(parts))


Pipeline = tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class If:
    test: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = str | Pipeline | If


def parse(text: str) -> tuple[Node, ...]:
    """Raises ValueError on what is no template, or has a loop or a variable in it."""
    body, rest = _block(_split(text))
    if rest:
        raise ValueError(f"template: line:1: unexpected {{{{{rest[0].text}}}}}")
    return body


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    at: int
    is_action: bool

    @property
    def keyword(self) -> str:
        return re.split(r"[\s(]", self.text, maxsplit=1)[0] if self.is_action else ""


def _split(text: str) -> list[_Piece]:
    """Plain texts and actions; comments are dropped."""
    pieces: list[_Piece] = []
    position = 0
    for found in _PART.finditer(text):
        pieces.append(_Piece(text[position : found.start()], position, False))
        inner = found[1]
        pieces.append(_Piece(inner.strip(), found.start(1) + len(inner) - len(inner.lstrip()), True))
        position = found.end()
    tail = text[position:]
    if "{{" in tail:
        quote = _OPEN_QUOTE.search(tail)
        raise ValueError(f"template: line:1: {'unterminated quoted string' if quote else 'unclosed action'}")
    pieces.append(_Piece(tail, position, False))
    return [piece for piece in pieces if piece.is_action or piece.text if not piece.text.startswith("/*")]


def _block(pieces: list[_Piece]) -> tuple[tuple[Node, ...], list[_Piece]]:
    """Everything up to the enclosing block's `else` or `end`, and what is left from there on."""
    nodes: list[Node] = []
    while pieces:
        first, rest = pieces[0], pieces[1:]
        if first.keyword in ("end", "else"):
            break
        if first.keyword == "if":
            condition, pieces = _condition(first, "if", rest)
            nodes.append(condition)
        else:
            nodes.append(_node(first))
            pieces = rest
    return tuple(nodes), pieces


def _node(piece: _Piece) -> Node:
    if not piece.is_action:
        return piece.text
    if piece.keyword in _REFUSED or piece.text.startswith("$"):
        raise ValueError(f"{{{{{piece.text}}}}} is not supported here")
    return _pipeline(piece.text, piece.at)


def _condition(piece: _Piece, keyword: str, pieces: list[_Piece]) -> tuple[If, list[_Piece]]:
    """An `if`, or the `if` behind an `else`: `keyword` is all that stands before the test."""
    test = _pipeline(piece.text[len(keyword) :], piece.at + len(keyword), "if")
    then, pieces = _block(pieces)
    otherwise: tuple[Node, ...] = ()
    if pieces and (chained := re.match(r"else\s+if\b", pieces[0].text)):
        nested, pieces = _condition(pieces[0], chained[0], pieces[1:])
        return If(test, then, (nested,)), pieces
    if pieces and pieces[0].keyword == "else":
        otherwise, pieces = _block(pieces[1:])
    if not pieces or pieces[0].text != "end":
        raise ValueError("template: line:1: unexpected EOF")
    return If(test, then, otherwise), pieces[1:]


def _pipeline(text: str, at: int, context: str = "command") -> Pipeline:
    if not text.strip():
        raise ValueError(f"template: line:1: missing value for {context}")
    try:
        tree: Any = _grammar().parse(text)
    except UnexpectedInput:
        raise ValueError(f"template: line:1: {_fault(text)}") from None
    return _placed(tree, at)


def _fault(text: str) -> str:
    bare = _QUOTED.sub("", text)
    if bare.count("(") != bare.count(")"):
        return "unclosed left paren" if bare.count("(") > bare.count(")") else "unexpected right paren"
    return f"unexpected {text.strip()!r} in command"


def _placed(pipeline: Pipeline, at: int) -> Pipeline:
    """The same at its place in the whole template; the grammar counts from the action's beginning."""
    return tuple(Command(tuple(_moved(operand, at) for operand in command.operands)) for command in pipeline)


def _moved(operand: Operand, at: int) -> Operand:
    value = _placed(operand.value, at) if operand.kind == "pipeline" else operand.value
    return Operand(operand.kind, value, operand.at + at, operand.shown, operand.chain)


def shown(pipeline: Sequence[Command]) -> str:
    return " | ".join(command.node.shown for command in pipeline)


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def start(self, pipeline: Pipeline) -> Pipeline:
        for number, command in enumerate(pipeline[1:], 2):
            if command.operands[0].kind in ("text", "number", "boolean", "dot"):
                raise ValueError(f"template: line:1: non executable command in pipeline stage {number}")
        return pipeline

    def pipeline(self, *commands: Command) -> Pipeline:
        return commands

    def command(self, *operands: Operand) -> Command:
        return Command(operands)

    def field(self, token: Token) -> Operand:
        return _operand("field", tuple(token[1:].split(".")), token)

    def dot(self, token: Token) -> Operand:
        return _operand("dot", None, token)

    def string(self, token: Token) -> Operand:
        return _operand("text", unquote(str(token)), token)

    def char(self, token: Token) -> Operand:
        text = unquote(str(token))
        if len(text) != 1:
            raise ValueError(f"template: line:1: malformed character constant: {token}")
        return _operand("number", ord(text), token)

    def number(self, token: Token) -> Operand:
        return _operand("number", _number(str(token)), token)

    def boolean(self, token: Token) -> Operand:
        return _operand("boolean", token == "true", token)  # noqa: S105

    def name(self, token: Token) -> Operand:
        name, *chain = token.split(".")
        return Operand("name", name, token.start_pos or 0, str(token), tuple(chain))

    def parenthesized(self, opening: Token, pipeline: Pipeline, closing: Token) -> Operand:
        chain = tuple(closing.split(".")[1:])
        text = shown(pipeline)
        first = pipeline[0].operands[0].at
        if chain:
            return Operand("pipeline", pipeline, closing.start_pos or 0, f"({text}){closing[1:]}", chain)
        return Operand("pipeline", pipeline, first, text)


def _operand(kind: str, value: Any, token: Token) -> Operand:
    return Operand(kind, value, token.start_pos or 0, str(token))


def _number(text: str) -> int | float:
    if re.fullmatch(r"[+-]?0[0-9]*[89][0-9]*", text):
        raise ValueError(f"template: line:1: integer overflow: {quoted(text)}")
    try:
        return int(text, 0)
    except ValueError:
        pass
    if re.fullmatch(r"[+-]?0[0-7_]+", text):  # octal, as in C
        return int(text, 8)
    try:
        return go_float(text)
    except ValueError:
        raise ValueError(f"template: line:1: bad number syntax: {text!r}") from None


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return load(Path(__file__).parent / "template.lark", _Builder())
