"""Why a text is no PromQL and where, in Prometheus' words: `line:column: parse error: reason`.

promql-parser gives a reason and no place. The place is looked for by the reason: in the words of the query, or as
the first bracketed part that is refused for the same reason when parsed alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from pocket import regex
from pocket.query.promql.fault_grammar import CLOSING, behind_pair, fault
from pocket.query.promql.text import Token, position

_TYPES = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}
_TYPE_FAULT = re.compile(r"expected type (\w+) in call to function '(\w+)', got (\w+)")
_COMPARISONS = frozenset(["==", "!=", "<=", ">=", "<", ">"])
# What Prometheus 3.14 says in other words.
_WORDINGS = {
    "unexpected end of input in offset, expected duration":
        "unexpected end of input in offset, expected number, duration, step(), or range()",
    "unexpected character inside brackets: ')'": 'unexpected ")" in subquery or range, expected ":" or "]"',
    "unexpected right brace '}'": "unexpected character: '}'",
    "unexpected second colon(:) in brackets": "unexpected colon ':'",
    "vector matching only allowed between vectors": "vector matching only allowed between instant vectors",
}  # fmt: skip
_MAX_TRIED = 5000  # characters: parts of a longer query are not parsed one by one

Refusal = Callable[[str], str | None]  # the parser's reason against a text, None if it takes it


def explain(text: str, words: Sequence[Token], reason: str, refusal: Refusal) -> str:
    """The whole message; at 1:1 where the place cannot be found."""
    offset, reason = _located(text, words, reason, refusal)
    where = position(text, offset) if text.strip() else "unknown position"
    return f"{where}: parse error: {_worded(reason)}"


def _worded(reason: str) -> str:
    """Prometheus' names of types, and its double quotes; a quoted character keeps its own."""
    if wrong := _TYPE_FAULT.fullmatch(reason):
        expected, name, got = wrong.groups()
        types = _TYPES.get(expected, expected), _TYPES.get(got, got)
        return f'expected type {types[0]} in call to function "{name}", got {types[1]}'
    if reason in _WORDINGS or re.match("unexpected (character|right|colon)", reason):
        return _WORDINGS.get(reason, reason)
    return re.sub(r"'([^']*)'", r'"\1"', reason)


def _located(text: str, words: Sequence[Token], reason: str, refusal: Refusal) -> tuple[int, str]:
    if not words:
        return 0, reason
    if reason in ("invalid promql query", "missing unit character in duration") or "label matcher" in reason:
        found = fault(words, len(text))
        return (found.offset, found.reason) if found else (0, reason)
    if "end of input" in reason or reason == "unclosed left parenthesis":
        return len(text), reason
    if reason.startswith("illegal regex for "):
        return _illegal_regex(words, reason)
    by_word = _by_word(text, words, reason)
    return by_word or (_of_part(text, words, reason, refusal), reason)


def _by_word(text: str, words: Sequence[Token], reason: str) -> tuple[int, str] | None:
    """Where the reason has the word in it, or says which word to look for."""
    if (mark := re.fullmatch(r"unexpected right \w+ '(.)'", reason)) is not None:
        return _unopened(words, mark[1]), reason
    if after := re.fullmatch(r"unexpected character after '(.)': '(.)'", reason):
        shown = "unexpected character: '.'" if after[1] == "." else reason
        return max(0, text.find(after[1] + after[2])), shown
    if quote := re.fullmatch(r"unterminated quoted string (.)", reason):
        lone = (w.start for w in words if w.text == quote[1])
        return next(lone, 0), "unterminated quoted string"
    for pattern, found in _SOUGHT:
        if match := re.search(pattern, reason):
            at = found(text, words, match)
            return (at, reason) if at is not None else None
    return None


def _illegal_regex(words: Sequence[Token], reason: str) -> tuple[int, str]:
    """RE2's reason instead of that of Rust's regex, at the matcher's label."""
    value = reason.removeprefix("illegal regex for ")
    try:
        regex.compile(value, dot_all=True)
    except regex.InvalidPatternError as refused:
        reason = f"error parsing regexp: {refused}"
    triples = zip(words, words[1:], words[2:], strict=False)
    return next((a.start for a, b, c in triples if b.text in ("=~", "!~") and c.text[1:-1] == value), 0), reason


Seek = Callable[[str, Sequence[Token], "re.Match[str]"], int | None]


def _token(words: Sequence[Token], text: str, nth: int = 0) -> int | None:
    return next(iter([word.start for word in words if word.text == text][nth:]), None)


def _before(words: Sequence[Token], text: str) -> int | None:
    pairs = itertools.pairwise(words)
    return next((a.start for a, b in pairs if b.text.lower() == text), None)


def _range_of_no_selector(words: Sequence[Token]) -> int | None:
    pairs = itertools.pairwise(words)
    return next((b.start for a, b in pairs if a.text == ")" and b.text == "["), None)


# The reason, and which word it is about.
_SOUGHT: list[tuple[str, Seek]] = [
    (r"^unexpected identifier '([^']*)'", lambda _, words, match: _token(words, match[1])),
    (r"^unexpected character\b.*'(.)'$", lambda _, words, match: _token(words, match[1])),
    (r"second colon", lambda _, words, __: _token(words, ":", 1)),
    (r"^bool modifier can only", lambda _, words, __: _before(words, "bool")),
    (r"^ranges only allowed", lambda _, words, __: _range_of_no_selector(words)),
    (r"^bad number or duration syntax: (.+)$", lambda text, _, match: max(0, text.find(match[1]))),
]


def _unopened(words: Sequence[Token], mark: str) -> int:
    """The closing bracket without an opening one. Prometheus counts a parenthesis as read already."""
    depth = 0
    for word in words:
        depth += (CLOSING.get(word.text) == mark) - (word.text == mark)
        if depth < 0:
            return word.start + (mark == ")")
    return 0


# ---- what the types refuse: the part that is refused alone


def _of_part(text: str, words: Sequence[Token], reason: str, refusal: Refusal) -> int:
    if len(text) > _MAX_TRIED:
        return 0
    for first, opening, behind in _calls(words):
        end = words[behind - 1].start + 1
        if refusal(text[words[first].start : end]) == reason:
            return _in_call(words[opening:behind], words[first].start, reason)
    return _of_comparison(words) if "BOOL" in reason else words[0].start


def _calls(words: Sequence[Token]) -> Iterator[tuple[int, int, int]]:
    """First word, opening parenthesis and end of every call, inner ones and those on the left first."""
    found = [
        (i - 1 if i and words[i - 1].kind == "word" else i, i, behind_pair(words, i))
        for i, word in enumerate(words)
        if word.text == "("
    ]
    yield from sorted(found, key=lambda call: call[2])


def _in_call(words: Sequence[Token], start: int, reason: str) -> int:
    """Of an argument of the wrong type, the argument; else the call. `words` begin at the parenthesis."""
    wrong = _TYPE_FAULT.fullmatch(reason)
    if wrong is None:
        return start if "BOOL" not in reason else _of_comparison(words)
    # Scalars and texts come first, and of two arguments the quantiles' vector is the second.
    second = "quantile" in wrong[2] and wrong[1] != "scalar"
    arguments = list(_arguments(words))
    return arguments[1 if second and len(arguments) > 1 else 0].start


def _arguments(words: Sequence[Token]) -> Iterator[Token]:
    """The first word of each argument of a call."""
    depth = 0
    for before, word in itertools.pairwise(words):
        depth += (before.text in CLOSING) - (before.text in CLOSING.values())
        if depth == 1 and before.text in ("(", ","):
            yield word


def _of_comparison(words: Sequence[Token]) -> int:
    return next((word.start for word in words if word.text in _COMPARISONS), 0)
