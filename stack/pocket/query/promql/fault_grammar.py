"""The first word of a query that cannot stand where it does, in Prometheus' words.

promql-parser says "invalid promql query" to all of these. Operand, then operator or the end, and so on: that much
of the grammar suffices to find the place; what it does not know it leaves alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from pocket.query.promql.text import Token

AGGREGATIONS = frozenset({
    "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "count_values",
    "quantile", "limitk", "limit_ratio",
})  # fmt: skip
OPERATORS = frozenset(["+", "-", "*", "/", "%", "^", "==", "!=", "<=", ">=", "<", ">"])
MATCH_OPERATORS = frozenset(["=", "!=", "=~", "!~"])
WORD_OPERATORS = frozenset(["and", "or", "unless", "atan2"])
KEYWORDS = frozenset(["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"])
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Fault(Exception):  # noqa: N818 - it is the answer here
    """Where, as a character's offset, and why."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset, self.reason = offset, reason


class _Unknown(Exception):  # noqa: N818 - as above
    """What comes next is not checked."""


def fault(words: Sequence[Token], end: int) -> Fault | None:
    """None if it is not of the kinds that are checked here. `end` is the length of the text."""
    try:
        _Check(words, end).run()
    except Fault as found:
        return found
    except _Unknown:
        pass
    return None


def behind_pair(words: Sequence[Token], i: int) -> int:
    """Behind the bracket that closes the one at `i`."""
    depth = 0
    for j in range(i, len(words)):
        depth += (words[j].text in CLOSING) - (words[j].text in CLOSING.values())
        if depth == 0:
            return j + 1
    return len(words)


class _Check:
    def __init__(self, words: Sequence[Token], end: int) -> None:
        self._words, self._end, self._at = words, end, 0

    def run(self) -> None:
        operand = True
        while self._at < len(self._words):
            operand = self._operand() if operand else self._behind_operand()
        if operand:
            raise Fault(self._end, "unexpected end of input")

    def _text(self) -> str:
        return self._words[self._at].text.lower() if self._at < len(self._words) else ""

    def _kind(self) -> str:
        return self._words[self._at].kind if self._at < len(self._words) else ""

    def _refuse(self, where: str = "", expected: str = "") -> None:
        here = self._words[self._at : self._at + 1]
        what = _described(here[0]) if here else "end of input"
        context = (f" in {where}" if where else "") + (f", expected {expected}" if expected else "")
        raise Fault(here[0].start if here else self._end, f"unexpected {what}{context}")

    def _operand(self) -> bool:
        """Whether an operand is wanted again."""
        word, text = self._words[self._at], self._text()
        if text in ("+", "-"):
            self._at += 1
            return True
        if word.kind == "sign" and text not in ("(", "{"):
            self._refuse()
        if text != "(" and text != "{":
            self._at += 1
        if text in AGGREGATIONS and self._text() in ("by", "without", ""):
            self._group("by", "without")
            if self._text() != "(":
                self._refuse("aggregation")
        return self._opened() if self._text() == "(" and word.kind != "number" else self._selector()

    def _opened(self) -> bool:
        self._at += 1
        return self._text() != ")"

    def _selector(self) -> bool:
        if self._text() == "{":
            self._matchers()
        while self._text() == "[":
            self._range()
        return False

    def _behind_operand(self) -> bool:
        text = self._text()
        if text in OPERATORS | WORD_OPERATORS or text == ",":
            self._at += 1
            self._at += self._text() == "bool"
            self._group("on", "ignoring")
            self._group("group_left", "group_right")
            return True
        if text == ")":
            self._at += 1
            self._group("by", "without")
        elif text == "[":
            self._range()
        elif text == "@":
            self._at += 1
            if self._text() not in ("start", "end", "+", "-") and self._kind() != "number":
                self._refuse("@", "timestamp")
            raise _Unknown
        elif text == "offset":
            raise _Unknown
        else:
            self._refuse()
        return False

    def _group(self, *openers: str) -> None:
        """`by (a, b)` and its like, where it stands here."""
        if self._text() not in openers:
            return
        optional = self._text().startswith("group_")
        self._at += 1
        if self._text() != "(":
            if optional:
                return
            self._refuse("grouping opts", '"("')
        self._at += 1
        while self._text() != ")":
            self._at += 1
            if self._text() not in (",", ")"):
                self._refuse("grouping opts", '"," or ")"')
            self._at += self._text() == ","
        self._at += 1

    def _matchers(self) -> None:
        self._at += 1
        while self._text() != "}":
            if self._kind() not in ("word", "string"):
                self._refuse("label matching", 'identifier or "}"')
            quoted = self._kind() == "string"
            self._at += 1
            if self._text() in MATCH_OPERATORS:
                self._at += 1
                if self._kind() != "string":
                    self._refuse("label matching", "string")
                self._at += 1
            elif not quoted:
                self._refuse("label matching", "label matching operator")
            if self._text() not in (",", "}"):
                self._refuse("label matching", '"," or "}"')
            self._at += self._text() == ","
        self._at += 1

    def _range(self) -> None:
        if [word.text for word in self._words[self._at + 1 : self._at + 2]] == ["]"]:
            self._at += 1
            self._refuse("subquery or range selector", "number, duration, step(), or range()")
        self._at = behind_pair(self._words, self._at)


def _described(word: Token) -> str:
    lower = word.text.lower()
    if word.text in OPERATORS | MATCH_OPERATORS or lower in WORD_OPERATORS:
        return f"<op:{lower}>"
    if lower in KEYWORDS:
        return f"<{lower}>"
    if word.kind == "sign":
        return f'"{word.text}"'
    quoted = '"' + word.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{'identifier' if word.kind == 'word' else word.kind} {quoted}"
