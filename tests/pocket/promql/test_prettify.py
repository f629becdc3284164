"""Queries in Prometheus' canonical layout."""
# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

from typing import Any

import pytest

from pocket.query import promql

LONG = 'request_duration_seconds_bucket{instance=~"a.*",job="api"}'
CASES = [
    ("sum(a)by(b)", "sum by (b) (a)"),
    ("sum without()(a)", "sum without () (a)"),
    ("topk  (3,a)", "topk(3, a)"),
    ("-(1)", "-(1)"),
    ("a[300s]", "a[5m]"),
    ("a[90000s]", "a[1d1h]"),
    ("a offset 1d1h @ 5.5", "a @ 5.500 offset 1d1h"),
    ("a{c=\"d\",b!='e'}", 'a{b!="e",c="d"}'),
    ('{"a b","c d"=~"e"}', '{"c d"=~"e",__name__="a b"}'),
    ('sum by ("a b",c)(x)', 'sum by ("a b", c) (x)'),
    ("a==bool on()b", "a == bool on () b"),
    ("a*on(x)group_left(y)b", "a * on (x) group_left (y) b"),
    ("a and ignoring()b", "a and b"),
    ("a[1h/2:step()]offset -(1m+5)", "a[1h / 2:step()] offset -(1m + 5)"),
    ("a[max_of(1m,-2)]", "a[max_of(1m, -2)]"),
    ("a offset step()*2", "a offset step() * 2"),
    ("1e3+0x10+5m", "1000 + 16 + 5m"),
    ('"\\u00e9\\n\\x00"', '"é\\n\\x00"'),
    ("rate(a[5m]offset 1m)[1h:]@end()", "rate(a[5m] offset 1m)[1h:] @ end()"),
    ("- a", "-a"),
    ("+a", "+a"),
    ("sum by (le) (rate(LONG[5m])) / ignoring (le) group_left sum(rate(LONG[5m] offset 1w)) > bool 1", "    sum by (le) (rate(LONG[5m]))\n  / ignoring (le) group_left ()\n    sum(rate(LONG[5m] offset 1w))\n> bool\n  1"),
    ("histogram_quantile(0.99,sum by (le) (rate(LONG[5m])+rate(LONG[10m])))", "histogram_quantile(\n  0.99,\n  sum by (le) (\n      rate(LONG[5m])\n    +\n      rate(LONG[10m])\n  )\n)"),
    ('label_replace(((LONG and LONG)),"a","b","c","d")', 'label_replace(\n  (\n    (\n        LONG\n      and\n        LONG\n    )\n  ),\n  "a",\n  "b",\n  "c",\n  "d"\n)'),
    ("quantile(0.5,-LONG - LONG)", "quantile(\n  0.5,\n    -LONG\n  -\n    LONG\n)"),
    ("max_over_time((LONG or LONG)[1h:1m])", "max_over_time(\n  (\n      LONG\n    or\n      LONG\n  )[1h:1m]\n)"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "layout"), CASES)
def test_layout(query: str, layout: str) -> None:
    laid_out = promql.prettify(query.replace("LONG", LONG))
    assert laid_out == layout.replace("LONG", LONG)
    assert promql.prettify(laid_out) == laid_out


def test_the_layout_is_prometheus_own(real_prometheus: Any) -> None:
    for query, layout in CASES:
        answer = real_prometheus.query("format_query", {"query": query.replace("LONG", LONG)})
        assert answer["data"] == layout.replace("LONG", LONG)
