"""The Go templates of `line_format` and `label_format`: fields, functions, methods, pipes, and if/else/end.

Loops, variables and `with` are refused. A template is compiled once to a function of a record. Every text it makes
is held against the query's budget, for as long as the record lives (streams.records). What fails on a line is told
in Go's words, with the node that text/template was at (exec.go).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pocket.budget import current, size_of
from pocket.query.logql import template_tree as tree
from pocket.query.logql.go_time import Time
from pocket.query.logql.go_values import kind, plain, truth
from pocket.query.logql.record import Record
from pocket.query.logql.template_functions import FUNCTIONS
from pocket.query.logql.template_times import METHODS
from pocket.query.logql.template_types import Function, TemplateError

Value = Callable[[Record], Any]
Template = Callable[[Record], str]
_NO_VALUE = "<no value>"
_CONSTANTS = {"string": "string", "int": "integer", "float64": "float", "bool": "bool", "time.Duration": "integer"}
_LINE, _TIMESTAMP = "__line__", "__timestamp__"


@lru_cache(maxsize=128)
def compile_template(text: str, name: str = "line") -> Template:
    """Compile; the function raises TemplateError when a call fails. Raises ValueError on what is no template.

    `name` is Go's for the template, which its messages begin with.
    """
    return _Compiler(text, name).body(tree.parse(text))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A part of a template, and the node Go is at when it has been evaluated: errors that follow name it."""

    run: Value
    last: tree.Operand


class _Compiler:
    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name

    # ---- the whole
    def body(self, nodes: Sequence[tree.Node]) -> Template:
        runs = [self._node(node) for node in nodes]
        return runs[0] if len(runs) == 1 else _joined(runs)

    def _node(self, node: tree.Node) -> Template:
        match node:
            case str():
                return lambda _: node
            case tree.If(test, then, otherwise):
                holds, yes, no = self._pipeline(test).run, self.body(then), self.body(otherwise)
                return lambda record: yes(record) if truth(holds(record)) else no(record)
        value = self._pipeline(node).run
        return lambda record: _shown(value(record))

    def _fail(self, node: tree.Operand, message: str) -> TemplateError:
        before = self._text[: node.at]
        column = len(before[before.rfind("\n") + 1 :].encode())
        place = f"{self._name}:{before.count(chr(10)) + 1}:{column}"
        return TemplateError(f'template: {place}: executing "{self._name}" at <{node.shown}>: {message}')

    def _failing(self, node: tree.Operand, message: str) -> _Compiled:
        def run(_: Record) -> Any:
            raise self._fail(node, message)

        return _Compiled(run, node)

    # ---- pipelines
    def _pipeline(self, pipeline: tree.Pipeline) -> _Compiled:
        value: _Compiled | None = None
        for command in pipeline:
            value = self._command(command, value)
        assert value is not None
        return value

    def _command(self, command: tree.Command, piped: _Compiled | None) -> _Compiled:
        head, arguments = command.operands[0], command.operands[1:]
        if head.kind == "name" and not head.chain:
            return self._call(head, command.node, arguments, piped)
        if head.chain:
            return self._chain(head, arguments, piped)
        if not arguments and piped is None:
            return self._operand(head)
        if head.kind == "field":
            return self._failing(head, f"{head.value[-1]} is not a method but has arguments")
        return self._failing(head, f"can't give argument to non-function {head.shown}")

    def _operand(self, operand: tree.Operand) -> _Compiled:
        if operand.chain:
            return self._chain(operand, (), None)
        match operand.kind:
            case "field":
                return self._field(operand)
            case "name":
                return self._call(operand, operand, (), None)
            case "pipeline":
                return self._pipeline(operand.value)
            case "dot":
                return _Compiled(lambda record: record.labels(), operand)
        value = operand.value
        return _Compiled(lambda _: value, operand)

    def _field(self, operand: tree.Operand) -> _Compiled:
        name, *further = operand.value
        if further:
            # Go places a field of a field at the second one.
            node = tree.Operand("field", operand.value, operand.at + 1 + len(name), operand.shown)
            return self._failing(node, f"can't evaluate field {further[0]} in type string")
        return _Compiled(lambda record: record.value(name), operand)

    # ---- functions
    def _call(
        self, head: tree.Operand, node: tree.Operand, arguments: Sequence[tree.Operand], piped: _Compiled | None
    ) -> _Compiled:
        name = head.value
        if name in (_LINE, _TIMESTAMP):
            function = Function(lambda: None)
        elif name in FUNCTIONS:
            function = FUNCTIONS[name]
        else:
            raise ValueError(f'template: line:1: function "{name}" not defined')
        if (wrong := function.wrong_count(name, len(arguments), piped is not None)) is not None:
            return self._failing(head, wrong)
        if name == _LINE:
            return _Compiled(lambda record: record.line, head)
        if name == _TIMESTAMP:
            return _Compiled(lambda record: Time(record.t_ns), head)
        values = self._arguments(function, arguments, piped, head)
        runs = [value.run for value in values]
        if name in ("and", "or"):
            return _Compiled(_first(runs, stops_at=name == "or"), values[-1].last)
        call = function.call

        def run(record: Record) -> Any:
            try:
                result = call(*[value(record) for value in runs])
            except ValueError as error:
                raise self._fail(node, f"error calling {name}: {error}") from None
            except (ArithmeticError, LookupError):  # of Python's own, such as a year beyond its calendar
                raise self._fail(node, f"error calling {name}: runtime error: value out of range") from None
            if isinstance(result, str):
                current().hold(size_of(result))
            return result

        return _Compiled(run, values[-1].last if values else head)

    def _arguments(
        self, function: Function, arguments: Sequence[tree.Operand], piped: _Compiled | None, head: tree.Operand
    ) -> list[_Compiled]:
        values = [self._argument(operand, function.type_of(n)) for n, operand in enumerate(arguments)]
        if piped is not None:
            last = values[-1].last if values else head
            values.append(self._checked(_Compiled(piped.run, last), function.type_of(len(values))))
        return values

    def _argument(self, operand: tree.Operand, wanted: str) -> _Compiled:
        if operand.kind in ("text", "number", "boolean"):
            return self._constant(operand, wanted)
        value = self._operand(operand)
        known = operand.kind == "field" and wanted == "string"
        return value if known else self._checked(value, wanted)

    def _constant(self, operand: tree.Operand, wanted: str) -> _Compiled:
        """A constant takes the type that is wanted, if it can: 1 is an integer and a float."""
        value = operand.value
        match operand.kind, wanted:
            case ("text", "string") | ("boolean", "bool") | (_, "any"):
                pass
            case ("number", "float64"):
                value = float(value)
            case ("number", "int" | "time.Duration") if value == int(value):
                value = int(value)
            case (_, "time.Time"):
                return self._failing(operand, f"can't handle {operand.shown} for arg of type time.Time")
            case _:
                return self._failing(operand, f"expected {_CONSTANTS[wanted]}; found {operand.shown}")
        return _Compiled(lambda _: value, operand)

    def _checked(self, value: _Compiled, wanted: str) -> _Compiled:
        if wanted == "any":
            return value
        run = value.run

        def check(record: Record) -> Any:
            found = run(record)
            if not (type(found) is str and wanted == "string") and kind(found) != wanted:
                raise self._fail(value.last, f"wrong type for value; expected {wanted}; got {kind(found)}")
            return found

        return _Compiled(check, value.last)

    # ---- fields and methods of what a call gives
    def _chain(self, head: tree.Operand, arguments: Sequence[tree.Operand], piped: _Compiled | None) -> _Compiled:
        inner = (
            self._pipeline(head.value)
            if head.kind == "pipeline"
            else self._operand(tree.Operand("name", head.value, head.at, head.value))
        )
        value = inner
        for name in head.chain[:-1]:
            value = self._member(value, name, head, (), None)
        return self._member(value, head.chain[-1], head, arguments, piped)

    def _member(
        self, receiver: _Compiled, name: str, node: tree.Operand, arguments: Sequence[tree.Operand],
        piped: _Compiled | None,
    ) -> _Compiled:  # fmt: skip
        """A method of a value, or a member of a map. What there is the value's type says, when it is there."""
        calls = {
            go_type: self._method(receiver, methods[name], name, node, arguments, piped)
            for go_type, methods in METHODS.items()
            if name in methods
        }
        last = receiver.last

        def run(record: Record) -> Any:
            value = receiver.run(record)
            if (call := calls.get(kind(value))) is not None:
                return call(record, value)
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self._fail(last, f"can't evaluate field {name} in type {kind(value)}")
            if arguments or piped is not None:
                raise self._fail(last, f"{name} is not a method but has arguments")
            return value.get(name)

        return _Compiled(run, last)

    def _method(
        self, receiver: _Compiled, method: Function, name: str, node: tree.Operand,
        arguments: Sequence[tree.Operand], piped: _Compiled | None,
    ) -> Callable[[Record, Any], Any]:  # fmt: skip
        wrong = method.wrong_count(name, len(arguments), piped is not None)
        values = [] if wrong is not None else self._arguments(method, arguments, piped, receiver.last)

        def call(record: Record, value: Any) -> Any:
            if wrong is not None:
                raise self._fail(receiver.last, wrong)
            given = [argument.run(record) for argument in values]
            try:
                return method.call(value, *given)
            except ValueError as error:
                raise self._fail(node, f"error calling {name}: {error}") from None
            except (ArithmeticError, LookupError):
                raise self._fail(node, f"error calling {name}: runtime error: value out of range") from None

        return call


def _first(runs: Sequence[Value], *, stops_at: bool) -> Value:
    """`and` ends with the first value that is false, `or` with the first that is true: Go evaluates no further."""

    def run(record: Record) -> Any:
        for value in runs:
            found = value(record)
            if truth(found) == stops_at:
                break
        return found

    return run


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return _NO_VALUE if value is None else plain(value)


def _joined(runs: Sequence[Template]) -> Template:
    def run(record: Record) -> str:
        budget, texts = current(), [part(record) for part in runs]
        size = size_of(*texts)
        budget.room(size)
        text = "".join(texts)
        budget.hold(size)
        return text

    return run
