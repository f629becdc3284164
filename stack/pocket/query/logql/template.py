"""The Go templates of `line_format` and `label_format`: fields, function calls, pipes, and if/else/end.

Loops, variables and `with` are refused. A template is compiled once to a function of a record. Every text it makes
is held against the query's budget, for as long as the record lives (streams.records).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from pocket.budget import current, size_of
from pocket.query.grammar import load
from pocket.query.logql.record import Record
from pocket.query.logql.template_functions import FUNCTIONS, TemplateError, show, truth
from pocket.query.quoting import unquote

Value = Callable[[Record], Any]
Template = Callable[[Record], str]

_PART = re.compile(
    r"(?:\s*\{\{-(?=\s)|\{\{)((?:`[^`]*`|\"(?:\\.|[^\"\\])*\"|[^`\"])*?)(?:(?<=\s)-\}\}\s*|\}\})", re.DOTALL
)
_REFUSED = ("range", "with", "define", "template", "block", "break", "continue")


@lru_cache(maxsize=128)
def compile_template(text: str) -> Template:
    """Compile; the function raises TemplateError when a call fails. Raises ValueError on what is no template."""
    parts = _split(text)
    body, rest = _block(parts)
    if rest:
        raise ValueError(f"template: line:1: unexpected {{{{{rest[0][1]}}}}}")
    return body


def _split(text: str) -> list[tuple[bool, str]]:
    """(is an action, text) pieces; comments are dropped."""
    pieces: list[tuple[bool, str]] = []
    position = 0
    for found in _PART.finditer(text):
        pieces.append((False, text[position : found.start()]))
        pieces.append((True, found[1].strip()))
        position = found.end()
    tail = text[position:]
    if "{{" in tail:
        raise ValueError("template: line:1: unclosed action")
    pieces.append((False, tail))
    return [piece for piece in pieces if piece[1] and not (piece[0] and piece[1].startswith("/*"))]


def _block(parts: list[tuple[bool, str]]) -> tuple[Template, list[tuple[bool, str]]]:
    """Everything up to the enclosing block's `else` or `end`, and what is left from there on."""
    nodes: list[Template] = []
    while parts:
        (is_action, text), rest = parts[0], parts[1:]
        keyword = text.split(None, 1)[0] if is_action else ""
        if keyword in ("end", "else"):
            break
        if keyword == "if":
            node, parts = _condition(text.removeprefix("if"), rest)
        else:
            node, parts = _node(is_action, keyword, text), rest
        nodes.append(node)
    return _joined(nodes), parts


def _joined(nodes: list[Template]) -> Template:
    if len(nodes) == 1:
        return nodes[0]

    def run(record: Record) -> str:
        budget, texts = current(), [node(record) for node in nodes]
        size = size_of(*texts)
        budget.room(size)
        text = "".join(texts)
        budget.hold(size)
        return text

    return run


def _node(is_action: bool, keyword: str, text: str) -> Template:
    if not is_action:
        return lambda _: text
    if keyword in _REFUSED or text.startswith("$"):
        raise ValueError(f"{{{{{text}}}}} is not supported here")
    value = _expression(text)
    return lambda record: show(value(record))


def _condition(test_text: str, parts: list[tuple[bool, str]]) -> tuple[Template, list[tuple[bool, str]]]:
    test = _expression(test_text.strip())
    then, parts = _block(parts)
    otherwise: Template = _joined([])
    if parts and parts[0][1].startswith("else"):
        text, parts = parts[0][1].removeprefix("else").strip(), parts[1:]
        if text.startswith("if"):
            nested, parts = _condition(text.removeprefix("if"), parts)
            return (lambda record: then(record) if truth(test(record)) else nested(record)), parts
        otherwise, parts = _block(parts)
    if not parts or parts[0][1] != "end":
        raise ValueError("template: line:1: unexpected EOF")
    return (lambda record: then(record) if truth(test(record)) else otherwise(record)), parts[1:]


def _expression(text: str) -> Value:
    try:
        value: Value = _grammar().parse(text)  # type: ignore[assignment]
        return value
    except UnexpectedInput:
        raise ValueError(f"template: line:1: unexpected {text!r} in command") from None


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def start(self, value: Value) -> Value:
        return value

    def field(self, token: Token) -> Value:
        name = str(token)[1:]
        return lambda record: record.value(name)

    def string(self, token: Token) -> Value:
        text = unquote(str(token))
        return lambda _: text

    def number(self, token: Token) -> Value:
        number = float(token) if "." in token else int(token)
        return lambda _: number

    def boolean(self, token: Token) -> Value:
        return lambda _: token == "true"  # noqa: S105

    def name(self, token: Token) -> Token:
        if token not in FUNCTIONS and token not in ("__line__", "__timestamp__"):
            raise ValueError(f'template: line:1: function "{token}" not defined')
        return token

    def command(self, *operands: Any) -> tuple[Any, ...]:
        return operands

    def pipeline(self, *commands: tuple[Any, ...]) -> Value:
        value: Value | None = None
        for command in commands:
            value = _call(command, value)
        assert value is not None
        return value


def _call(command: tuple[Any, ...], piped: Value | None) -> Value:
    head, arguments = command[0], [_operand(part) for part in command[1:]]
    if piped is not None:
        arguments.append(piped)
    if not isinstance(head, Token):
        if arguments:
            raise ValueError("can't give argument to non-function")
        value: Value = head
        return value
    if head not in FUNCTIONS:
        return _operand(head)
    return _apply(str(head), arguments)


def _operand(part: Any) -> Value:
    if not isinstance(part, Token):
        value: Value = part
        return value
    if part == "__line__":
        return lambda record: record.line
    if part == "__timestamp__":
        return lambda record: record.t_ns
    return _apply(str(part), [])


def _apply(name: str, arguments: list[Value]) -> Value:
    function = FUNCTIONS[name]

    def call(record: Record) -> Any:
        try:
            result = function(*[argument(record) for argument in arguments])
        except (ValueError, TypeError, ArithmeticError, IndexError) as error:
            raise TemplateError(f"error calling {name}: {error}") from None
        if isinstance(result, str):
            current().hold(size_of(result))
        return result

    return call


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return load(Path(__file__).parent / "template.lark", _Builder())
