"""Why a text is no PromQL and where, in Prometheus' words: `line:column: parse error: reason`.

The original's parser comes from goyacc. Where a token does not fit, it goes back to the last rule that has an
`error`, whose action words the reason; in grammar.lark these are the rules with ERROR. On its way it has finished
what it could, and may have stumbled over the meaning of that: such a reason comes first.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedToken

from pocket.query import syntax_error
from pocket.query.quoting import quoted

INVALID = "INVALID"  # a token that fits nowhere: its text is why the lexer reads no further
# By the name of the rule: where, and what was expected.
_CONTEXTS = {
    "aggregation": ("aggregation", ""),
    "at_timestamp": ("@", "timestamp"),
    "labels_start": ("grouping opts", '"("'),
    "labels_end": ("grouping opts", '"," or ")"'),
    "label_name": ("grouping opts", "label"),
    "matchers_end": ("label matching", '"," or "}"'),
    "matcher_start": ("label matching", 'identifier or "}"'),
    "matcher_operator": ("label matching", "label matching operator"),
    "matcher_value": ("label matching", "string"),
    "offset_duration": ("offset", "number, duration, step(), or range()"),
    "range_start": ("subquery or range selector", "number, duration, step(), or range()"),
    "range_end": ("subquery or range", '":" or "]"'),
    "subquery_step": ("subquery selector", 'number, duration, step(), range(), or "]"'),
    "subquery_end": ("subquery selector", '"]"'),
}
_KEYWORDS = frozenset({
    "BOOL", "BY", "GROUP", "FILL", "FILL_LEFT", "FILL_RIGHT", "MATCHING", "OFFSET", "EXTENDED", "WITHOUT",
})  # fmt: skip
_OPERATORS = frozenset({"AND", "AT", "ATAN2", "COMPARISON", "FACTOR", "MATCH", "OR", "POWER", "SIGN"})
_CLASSES = {
    "IDENTIFIER": "identifier",
    "METRIC_IDENTIFIER": "metric identifier",
    "NUMBER": "number",
    "DURATION": "duration",
    "STRING": "string",
}
_LONGEST_SHOWN = 10


class SyntaxFault(Exception):  # noqa: N818 - the query's, not ours
    """`offset` counts characters; what is told counts bytes."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset, self.reason = offset, reason

    def told(self, text: str) -> str:
        where = position(text, self.offset) if text else "unknown position"
        return f"{where}: parse error: {self.reason}"


def position(text: str, offset: int) -> str:
    """`line:column` of a character, both from 1, the column in bytes, as Prometheus writes it."""
    line, column = syntax_error.position(text, offset)
    before = text[offset - column + 1 : offset]
    return f"{line}:{len(before.encode('utf-8', 'surrogatepass')) + 1}"


def explain(error: UnexpectedToken, text: str) -> SyntaxFault:
    """Raises SyntaxFault itself where a rule that is finished first finds a fault."""
    token, state = error.token, error.state
    if token.type == INVALID:
        _finish(state, certain=True)
        return SyntaxFault(token.start_pos or 0, str(token))
    at_end = token.type == "$END"
    if at_end and len(state.state_stack) == 1 and state.parse_conf.start == "query":
        return SyntaxFault(0, "no expression found in input")
    _finish(state, certain=False)
    where, expected = _context(state)
    reason = f"unexpected {'end of input' if at_end else _described(token)}"
    reason += (f" in {where}" if where else "") + (f", expected {expected}" if expected else "")
    return SyntaxFault(len(text) if at_end else token.start_pos or 0, reason)


# ---- the way of goyacc's parsers, with Lark's tables
def _finish(state: Any, *, certain: bool) -> None:
    """Reduces as long as goyacc would without a token that fits: by the rule that most tokens ask for.

    `certain`: only where any token would, for which goyacc does not even look at the next one.
    """
    while True:
        actions = state.parse_conf.states[state.state_stack[-1]]
        rules = Counter(rule for action, rule in actions.values() if action.name == "Reduce")
        shifts = [name for name, (action, _) in actions.items() if action.name == "Shift"]
        if not rules or "ERROR" in shifts or (certain and (shifts or len(rules) > 1)):
            return
        _reduce(state, rules.most_common(1)[0][0])


def _reduce(state: Any, rule: Any) -> None:
    children = []
    for _ in rule.expansion:
        state.state_stack.pop()
        children.append(state.value_stack.pop())
    state.value_stack.append(state.parse_conf.callbacks[rule](children[::-1]))
    _, following = state.parse_conf.states[state.state_stack[-1]][rule.origin.name]
    state.state_stack.append(following)


def _context(state: Any) -> tuple[str, str]:
    """Of the innermost rule begun that has a reason of its own."""
    states = state.parse_conf.states
    for number in reversed(state.state_stack):
        action, following = states[number].get("ERROR", (None, None))
        if action is not None and action.name == "Shift":
            rules = {str(rule.alias) for _, rule in states[following].values()}
            return next(_CONTEXTS[name] for name in rules if name in _CONTEXTS)
    return "", ""


# ---- tokens as Prometheus calls them
def _described(token: Token) -> str:
    if token.type in _KEYWORDS:
        return f"<{token}>"
    if token.type in _OPERATORS and str(token) != "=":
        return f"<op:{token}>"
    if token.type == "AGGREGATION":
        return f"<aggr:{token}>"
    shown = quoted(str(token))
    if len(token.encode("utf-8", "surrogatepass")) > _LONGEST_SHOWN and "IDENTIFIER" not in token.type:
        shown = f"{quoted(token[:_LONGEST_SHOWN])}..."
    return f"{_CLASSES[token.type]} {shown}" if token.type in _CLASSES else shown


def rune(character: str) -> str:
    """fmt's %q of one character: `'x'`; of none, which Go reads as -1, the replacement character."""
    if character in ("'", '"'):
        return "'\\''" if character == "'" else "'\"'"
    return f"'{quoted(character or chr(0xFFFD))[1:-1]}'"
