"""Pipeline stages → functions of a record that say whether the line stays (pkg/logql/log)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pocket.query.durations import go_duration_ns
from pocket.query.logql import ast, extract, ip, literals, patterns, wanted
from pocket.query.logql.arithmetic import COMPARISON
from pocket.query.logql.record import ERROR, ERROR_DETAILS, Record
from pocket.query.logql.template import Template, compile_template
from pocket.query.logql.template_types import TemplateError
from pocket.query.numbers import go_float
from pocket.rows import LogEntry, Matcher

Step = Callable[[Record], bool]

# What a terminal understands as colour and cursor movement (Loki's fmt.go, from acarl005/stripansi).
_ANSI = re.compile(
    "[\u001b\u009b][\\[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u0007)"
    "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"
)
_PARSE_QUANTITY: dict[str, Callable[[str], float]] = {
    "number": go_float,
    "duration": go_duration_ns,
    "bytes": literals.size_bytes,
}


def pipeline(
    stages: Sequence[ast.Stage], names: wanted.Names | None = None
) -> Callable[[LogEntry], Record | None]:
    """Compile stages to one function: a log entry's record after all of them, or None when one drops it.

    `names` are the labels that anyone asks for, if not all.
    """
    steps = [step(stage, names) for stage in stages]

    def run(entry: LogEntry) -> Record | None:
        record = Record(entry)
        for process in steps:
            if not process(record):
                return None
        return record

    return run


def step(stage: ast.Stage, names: wanted.Names | None = None) -> Step:
    match stage:
        case ast.LineFilter(op, needles):
            return _line_filter(op, needles)
        case ast.FilterStage(condition):
            return label_filter(condition)
        case ast.Json() | ast.Unpack() | ast.Logfmt() | ast.Regexp() | ast.Pattern():
            return _always(extract.parser(stage, names))
        case ast.LineFormat(template):
            return _always(_line_format(compile_template(template)))
        case ast.LabelFormats(formats):
            return _always(_label_formats(formats))
        case ast.Decolorize():
            return _always(_decolorize)
        case ast.Drop(labels):
            return _always(_drop(labels))
        case ast.Keep(labels):
            return _always(_keep(labels))


def _always(act: Callable[[Record], None]) -> Step:
    def run(record: Record) -> bool:
        act(record)
        return True

    return run


# ---- line filters
def _line_filter(op: str, needles: Iterable[str | ast.Ip]) -> Step:
    """`|= "a" or "b"`: any of them; `!= "a" or "b"`: none of them."""
    tests = [_line_test(op, needle) for needle in needles]
    wanted = op[0] == "|"
    return lambda record: any(test(record.line) for test in tests) == wanted


def _line_test(op: str, needle: str | ast.Ip) -> Callable[[str], bool]:
    if isinstance(needle, ast.Ip):
        return ip.finder(needle.pattern)
    if op in ("|~", "!~"):
        search = literals.go_regex(needle).search
        return lambda line: search(line) is not None
    if op in ("|>", "!>"):
        pieces = patterns.line_pattern(needle)
        return lambda line: patterns.matches(pieces, line)
    return lambda line: needle in line


# ---- label filters
def label_filter(condition: ast.LabelFilter) -> Step:
    match condition:
        case ast.MatcherFilter(Matcher(name, "=", value)):
            return lambda record: record.value(name) == value
        case ast.MatcherFilter(matcher):
            return lambda record: matcher.matches({matcher.name: record.value(matcher.name)})
        case ast.QuantityFilter():
            return _quantity(condition)
        case ast.IpFilter():
            return _address(condition)
        case ast.BinaryFilter(op, left, right):
            first, second = label_filter(left), label_filter(right)
            if op == "or":
                return lambda record: first(record) or second(record)
            return lambda record: _both(first(record), second(record))


def _both(left: bool, right: bool) -> bool:
    return left and right  # both sides run, so that both can set an error, as in Loki


def _address(condition: ast.IpFilter) -> Step:
    """A line that failed before the label was found stays: only filters of texts drop it."""
    finds = ip.finder(condition.pattern)

    def run(record: Record) -> bool:
        text = record.get(condition.name)
        if record.error and condition.name not in record.extracted:
            return True
        return text is not None and finds(text) == condition.equal

    return run


def _quantity(condition: ast.QuantityFilter) -> Step:
    """A missing label drops the line; a value that does not parse keeps it, marked with an error."""
    parse, compare = _PARSE_QUANTITY[condition.unit], COMPARISON[condition.op]

    def run(record: Record) -> bool:
        text = record.get(condition.name)
        if text is None:
            return False
        try:
            return compare(parse(text), condition.value)
        except ValueError as error:
            record.fail_first("LabelFilterErr", str(error))
            return True

    return run


# ---- formats
def _line_format(template: Template) -> Callable[[Record], None]:
    def run(record: Record) -> None:
        try:
            record.line = template(record)
        except TemplateError as error:
            record.fail("TemplateFormatErr", str(error))

    return run


def _label_formats(formats: Sequence[ast.LabelFormat]) -> Callable[[Record], None]:
    actions = [_label_format(item) for item in formats]

    def run(record: Record) -> None:
        for act in actions:
            act(record)

    return run


def _label_format(item: ast.LabelFormat) -> Callable[[Record], None]:
    if item.rename:
        return lambda record: _rename(record, item.label, item.source)
    template = compile_template(item.source, "label")

    def run(record: Record) -> None:
        try:
            record.set(item.label, template(record))
        except TemplateError as error:
            record.fail("TemplateFormatErr", str(error))

    return run


def _rename(record: Record, target: str, source: str) -> None:
    value = record.get(source)
    if value is not None:
        record.set(target, value)
        record.delete(source)


def _decolorize(record: Record) -> None:
    record.line = _ANSI.sub("", record.line)


# ---- drop and keep
def _drop(labels: Sequence[str | Matcher]) -> Callable[[Record], None]:
    def run(record: Record) -> None:
        for label in labels:
            if isinstance(label, Matcher):
                record.drop_matching(label)
            else:
                record.drop(label)

    return run


def _keep(labels: Sequence[str | Matcher]) -> Callable[[Record], None]:
    def kept(name: str, value: str) -> bool:
        return any(
            label == name if isinstance(label, str) else label.name == name and label.matches({name: value})
            for label in labels
        )

    def run(record: Record) -> None:
        for name, value in list(record.labels().items()):
            if name not in (ERROR, ERROR_DETAILS) and not kept(name, value):
                record.delete(name)

    return run
