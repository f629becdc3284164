"""A query's tokens, or why there is none, in the words of Prometheus' lexer (promql/parser/lex.go, 3.14).

It reads in three ways: outside, between braces, and between brackets until the first number there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token
from lark.lexer import Lexer as LarkLexer

from pocket.query.promql import literals
from pocket.query.promql.syntax_error import INVALID, SyntaxFault, rune

MAX_NESTING = 200  # evaluation recurses; Python allows about 1000 frames, of which a level takes up to three

_WORDS = {
    "AND": "and unless", "OR": "or", "ATAN2": "atan2", "OFFSET": "offset", "EXTENDED": "smoothed anchored",
    "AGGREGATION":
        "sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio",
    "BY": "by", "WITHOUT": "without", "MATCHING": "on ignoring", "GROUP": "group_left group_right", "FILL": "fill",
    "FILL_LEFT": "fill_left", "FILL_RIGHT": "fill_right", "BOOL": "bool", "START_OR_END": "start end",
    "SPAN": "step range", "LIMIT": "max_of min_of", "NUMBER": "inf nan",
}  # fmt: skip
_KEYWORDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_DURATION_WORDS = {word: kind for word, kind in _KEYWORDS.items() if kind in ("SPAN", "LIMIT")}
_SIGNS = {
    "(": "LEFT_PAREN", ")": "RIGHT_PAREN", "[": "LEFT_BRACKET", "]": "RIGHT_BRACKET", "{": "LEFT_BRACE",
    "}": "RIGHT_BRACE", ",": "COMMA", "+": "SIGN", "-": "SIGN", "*": "FACTOR", "/": "FACTOR", "%": "FACTOR",
    "^": "POWER", "@": "AT", ":": "COLON", "=": "EQUAL",
    **dict.fromkeys(("==", "!=", "<=", ">=", "<", ">", "</", ">/"), "COMPARISON"),
}  # fmt: skip
_NESTING = frozenset({"LEFT_PAREN", "LEFT_BRACKET", "SIGN", "FACTOR", "POWER", "COMPARISON", "AND", "OR", "ATAN2"})

# Named groups are the methods of _Tokens.
_SPACE = r"(?P<space>[ \t\r\n]+)"
_COMMENT = r"|(?P<comment>\#[^\r\n]*)"
_NUMBER = r"|(?P<number>\.?[0-9])"
_STRING = r"|(?P<string>[\"'`])"
_REST = r"|(?P<end>\Z)|(?P<other>.)"
_OUTSIDE = re.compile(
    _SPACE + _COMMENT + r"|(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)" + _NUMBER + _STRING
    + r"|(?P<sign>==|!=|<=|>=|</|>/|=(?!~)|[-+*/%^<>,@])|(?P<bracket>[()\[\]{])" + _REST,
    re.DOTALL,
)  # fmt: skip
_IN_BRACES = re.compile(
    _SPACE + _COMMENT + r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)" + _STRING
    + r"|(?P<match>=~|!~|!=|=)|(?P<sign>,)|(?P<bracket>\})" + _REST,
    re.DOTALL,
)  # fmt: skip
_IN_BRACKETS = re.compile(
    _SPACE + _NUMBER + r"|(?P<duration_word>[srmSRM][A-Za-z_]*)|(?P<colon>:)|(?P<sign>[-+*/%^,])"
    + r"|(?P<bracket>[()\]])" + _REST,
    re.DOTALL,
)  # fmt: skip
_WHERE = {_OUTSIDE: "", _IN_BRACES: " inside braces", _IN_BRACKETS: " in duration expression"}
_LETTERS = re.compile("[A-Za-z_]+")
_OPENING = re.compile(r"[ \t\r\n]*\(")


class Lexer(LarkLexer):
    """As Lark wants it: made once, then asked for the tokens of each text."""

    def __init__(self, _: object) -> None:
        pass

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # Lark hands the text on
        return iter(_Tokens(text))


class _Tokens:
    """Ends with a token INVALID, the reason as its text, where the lexer refuses the query."""

    def __init__(self, text: str) -> None:
        self._text, self._start, self._at = text, 0, 0
        self._mode = _OUTSIDE
        self._parentheses = self._levels = 0
        self._in_bracket = self._got_colon = self._got_duration = False

    def __iter__(self) -> Iterator[Token]:
        try:
            while True:
                found = self._mode.match(self._text, self._at)
                assert found is not None and found.lastgroup is not None  # noqa: PT018 - the groups take everything
                self._start, self._at = self._at, found.end()
                if found.lastgroup in ("space", "comment"):
                    continue
                if found.lastgroup == "end":
                    return self._end()
                yield getattr(self, f"_{found.lastgroup}")(found[0])
        except literals.LexicalError as error:
            yield Token(INVALID, error.reason, self._start)

    def _token(self, kind: str) -> Token:
        self._levels += kind in _NESTING
        if self._levels > MAX_NESTING:
            raise SyntaxFault(0, f"query has more than {MAX_NESTING} operators and brackets")
        return Token(kind, self._text[self._start : self._at], self._start)

    def _end(self) -> None:
        if self._mode is _IN_BRACES:
            raise literals.LexicalError("unexpected end of input inside braces")
        if self._mode is _IN_BRACKETS:
            raise literals.LexicalError("unexpected end of input in duration expression")
        if self._parentheses:
            raise literals.LexicalError("unclosed left parenthesis")
        if self._in_bracket:
            raise literals.LexicalError("unclosed left bracket")

    def _other(self, character: str) -> Token:
        where, following = _WHERE[self._mode], self._text[self._at : self._at + 1]
        reason = f"unexpected character{where}: {rune(character)}"
        if self._mode is not _IN_BRACKETS and character in "=!":
            reason = f"unexpected character after '{character}'{where}: {rune(following)}"
        elif self._mode is _IN_BRACES and character == "{":
            reason = "unexpected left brace '{'"
        raise literals.LexicalError(reason)

    # ---- literals, signs, brackets
    def _number(self, _: str) -> Token:
        kind, self._at = literals.number(self._text, self._start)
        if self._in_bracket:
            self._mode, self._got_duration = _OUTSIDE, True
        return self._token(kind)

    def _string(self, _: str) -> Token:
        self._at = literals.string_end(self._text, self._start)
        return self._token("STRING")

    def _sign(self, sign: str) -> Token:
        return self._token(_SIGNS[sign])

    def _match(self, _: str) -> Token:
        return self._token("MATCH")

    def _bracket(self, bracket: str) -> Token:
        match bracket:
            case "(":
                self._parentheses += 1
            case ")":
                self._close_parenthesis()
            case "[" | "]":
                self._turn_bracket(bracket)
            case _:
                self._mode = _IN_BRACES if bracket == "{" else _OUTSIDE
        return self._token(_SIGNS[bracket])

    def _close_parenthesis(self) -> None:
        self._parentheses -= 1
        if self._parentheses < 0:
            self._start = self._at  # Prometheus has handed the parenthesis out already
            raise literals.LexicalError("unexpected right parenthesis ')'")

    def _turn_bracket(self, bracket: str) -> None:
        opens = bracket == "["
        if opens == self._in_bracket:
            raise literals.LexicalError(f"unexpected {'left' if opens else 'right'} bracket '{bracket}'")
        self._in_bracket, self._got_colon = opens, False
        self._mode = _IN_BRACKETS if opens else _OUTSIDE

    # ---- words
    def _name(self, _: str) -> Token:
        return self._token("IDENTIFIER")

    def _word(self, word: str) -> Token:
        if self._in_bracket:
            return self._word_behind_duration(word)
        kind = _KEYWORDS.get(word.lower())
        if kind is None or (kind.startswith("FILL") and not _OPENING.match(self._text, self._at)):
            kind = "METRIC_IDENTIFIER" if ":" in word else "IDENTIFIER"
        return self._token(kind)

    def _word_behind_duration(self, word: str) -> Token:
        if word[0] == ":":
            self._at = self._start + 1
            if self._got_colon:
                raise literals.LexicalError("unexpected colon ':'")
            self._got_colon = True
            return self._token("COLON")
        letters = _LETTERS.match(word)
        kind = _DURATION_WORDS.get(letters[0].lower()) if letters else None
        if letters is None or kind is None:
            raise literals.LexicalError(f"unexpected character: {rune(word[0])}, expected ':'")
        self._at = self._start + letters.end()
        return self._token(kind)

    def _duration_word(self, word: str) -> Token:
        if word.lower() not in _DURATION_WORDS:
            raise literals.LexicalError(f"unexpected character in duration expression: {rune(word[0])}")
        return self._token(_DURATION_WORDS[word.lower()])

    def _colon(self, _: str) -> Token:
        if not self._got_duration or self._got_colon:
            self._start = self._at  # as a closing parenthesis too many
            what = "repeated colon" if self._got_duration else "colon before duration"
            raise literals.LexicalError(f"unexpected {what} in duration expression")
        self._got_colon = True
        return self._token("COLON")
