"""The words of a query and where they stand: positions for annotations, which the parser does not give, and the
measure of depth, which it does not limit (its recursion ends in a segmentation fault at some thousand levels)."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"(?P<skip>\s+|\#[^\n]*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:ms|[smhdwy]))+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_:]*|:[A-Za-z_:][A-Za-z0-9_:]*)"
    r"|(?P<sign>==|!=|<=|>=|=~|!~|.)",
    re.DOTALL,
)
NESTING = frozenset("(-+*/%^<>") | {"==", "!=", "<=", ">=", "and", "or", "unless", "atan2"}
MAX_LENGTH = 100_000
# Evaluation and parser recurse per level; Python allows about 1000 frames, of which a level takes up to three.
MAX_NESTING = 200


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # string, number, word, sign
    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """All tokens but white space and comments, in order."""
    found = TOKEN.finditer(text)
    return [Token(m.lastgroup or "", m[0], m.start()) for m in found if m.lastgroup != "skip"]


def too_deep(words: list[Token]) -> bool:
    """Whether the query could nest deeper than is safe: each bracket and operator adds at most one level."""
    braces = 0
    levels = 0
    for token in words:
        if token.kind == "sign" and token.text in "{}":
            braces += 1 if token.text == "{" else -1
        elif not braces and token.text.lower() in NESTING and token.kind in ("sign", "word"):
            levels += 1
    return levels > MAX_NESTING


def misread(words: list[Token]) -> str | None:
    """What the parser would silently read otherwise than Prometheus: it drops the fraction of a bare number of
    seconds (`[1.5]`, `offset 1.5`), and the sign of an `@` before 1970. None if there is nothing of the kind."""
    for i, token in enumerate(words):
        before = [w.text.lower() for w in words[max(0, i - 2) : i]]
        if before[-1:] == ["@"] and token.text == "-":
            return "timestamp out of bounds for @ modifier"
        duration = before[-1:] in (["["], [":"], ["offset"]) or before in (["offset", "-"], ["offset", "+"])
        if duration and "." in token.text and token.kind == "number":
            return f"duration {token.text} has a fraction of a second: write it with a unit, as in 1500ms"
    return None


def position(text: str, offset: int) -> str:
    """`line:column` of a character, both from 1, as Prometheus writes it."""
    before = text[:offset]
    return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"


class Cursor:
    """Walks the tokens in step with the syntax tree, whose nodes come in the order of the text."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0

    @property
    def offset(self) -> int:
        """Where the next token starts."""
        return self._words[self._at].start if self._at < len(self._words) else 0

    def find(self, *texts: str, kind: str | None = None) -> int:
        """Moves behind the next token that is one of `texts` (or of the kind); gives where it starts."""
        for i in range(self._at, len(self._words)):
            token = self._words[i]
            if token.text in texts or token.text.lower() in texts or token.kind == kind:
                self._at = i + 1
                return token.start
        return self.offset

    def skip_group(self, *openers: str) -> None:
        """Moves behind the bracket pair that comes next, after the words `openers` if given; else stays."""
        i = self._at
        if openers and i < len(self._words) and self._words[i].text.lower() in openers:
            i += 1
        elif openers:
            return
        if i < len(self._words) and self._words[i].text in "({[":
            self._at = self._behind_pair(i)

    def skip_modifiers(self) -> None:
        """Moves behind `offset …` and `@ …`, in any order."""
        while self._at < len(self._words) and self._words[self._at].text.lower() in ("offset", "@"):
            self._at += 1
            while self._at < len(self._words) and self._words[self._at].text in ("-", "+"):
                self._at += 1
            self._at += 1  # a number, or start and end with their brackets
            self.skip_group()

    def _behind_pair(self, i: int) -> int:
        depth = 0
        for j in range(i, len(self._words)):
            token = self._words[j]
            depth += (token.text in "({[") - (token.text in ")}]") if token.kind == "sign" else 0
            if depth == 0:
                return j + 1
        return len(self._words)
