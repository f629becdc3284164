# ruff: noqa: E501 - a case a line reads best
"""Templates on one line of a log; results and errors are those of Loki."""

from __future__ import annotations

import pytest

from pocket.query.logql.record import Record
from pocket.query.logql.template import compile_template
from pocket.query.logql.template_types import TemplateError
from pocket.rows import LogEntry

LABELS = {
    "ts": "2023-01-15T16:08:09.902Z",
    "epoch": "1673798889",
    "ms": "1673798889902",
    "day": "19373",
    "bad": "12",
    "text": "a\nb",
}
RECORD = LogEntry(LABELS, 1_700_000_000 * 10**9, "x")

RESULTS = [
    ('{{ int "7.50" }} {{ int ".5" }} {{ int "-.5" }} {{ int "1_000" }} {{ int "0x1f" }} {{ int " 5" }} {{ int "x.5" }}', "7 0 0 1000 31 0 0"),
    ('{{ trunc (int 3) .epoch }}', '167'),
    ('{{ lt .epoch "2" }}', 'true'),
    ('{{ bytes "2,048" }} {{ duration "1m" }}', '2048 60'),
    ('{{ b64dec "!!" }}', 'illegal base64 data at input byte 0'),
    ('{{ unixToTime .epoch }} {{ unixToTime .ms }} {{ unixToTime .day }}', '2023-01-15 16:08:09 +0000 UTC 2023-01-15 16:08:09.902 +0000 UTC 2023-01-16 00:00:00 +0000 UTC'),
    ('{{ (unixToTime .ms).Year }} {{ (unixToTime .ms).Month }} {{ (unixToTime .ms).Weekday }} {{ (unixToTime .ms).YearDay }} {{ (unixToTime .ms).Nanosecond }}', '2023 January Sunday 15 902000000'),
    ('{{ (unixToTime .ms).Format "2006-01-02T15:04:05.000Z07:00" }}', '2023-01-15T16:08:09.902Z'),
    ('{{ toDate "2006-01-02T15:04:05.000Z07:00" .ts }}', '2023-01-15 16:08:09.902 +0000 UTC'),
    ('{{ toDate "2006" .ts }}', '0001-01-01 00:00:00 +0000 UTC'),
    ('{{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2023-07-01 12:00" }}', '2023-07-01 12:00:00 +0200 CEST'),
    ('{{ toDateInZone "2006-01-02 15:04" "Nowhere" "2023-07-01 12:00" | unixEpoch }}', '1688212800'),
    ('{{ .ts | toDate "2006-01-02T15:04:05.999Z" | unixEpochMillis }} {{ .ts | toDate "2006-01-02T15:04:05Z07:00" | unixEpochNanos }}', '1673798889902 1673798889902000000'),
    ('{{ date "Monday, 02-Jan-06 15:04:05 MST" (unixToTime .epoch) }}', 'Sunday, 15-Jan-23 16:08:09 UTC'),
    ('{{ date "2006-01-02 3:4:5 PM _2 002 .000000 -0700" 1673798889 }}', '2023-01-15 4:8:9 PM 15 015 .000000 +0000'),
    ('{{ date "2006" .epoch | len }}', '4'),
    ('{{ now | unixEpoch | len }} {{ now.Year | lt 2000 }} {{ (now).UTC.Year | lt 2000 }}', '10 true true'),
    ('{{ nindent 2 .text }}|{{ indent 2 .text }}|{{ .text | nindent 4 }}', '\n  a\n  b|  a\n  b|\n    a\n    b'),
    ('{{ __timestamp__.Nanosecond }} {{ (__timestamp__).Second | lt 100 }}', '0 false'),
    ('{{ .a -}}  x {{- .a }} {{/* c */}}{{- /* d */ -}} y', 'x y'),
    ("{{ 1 }} {{ 1.50 }} {{ 1e3 }} {{ 0x10 }} {{ 'a' }} {{ -5 }} {{ 1_000 }} {{ 010 }}", '1 1.5 1000 16 97 -5 1000 8'),
    ('{{ true }} {{ print 1 2 "a" "b" 3 }} {{ println 1 2 }}|{{ printf "%d %s %v %q" 1 "a" 2.5 "q" }}', 'true 1 2ab3 1 2\n|1 a 2.5 "q"'),
    ('{{ .nope }}|{{ .nope | len }}|{{ default "x" .nope }}|{{ not .nope }}', '|0|x|true'),
    ('{{ add 1 "2" 3.9 .day }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 4 }} {{ max 1 2 3 }} {{ min 3 1 }}', '19379 3 6 3 3 3 1'),
    ('{{ int "12abc" }} {{ float64 "1.5" }} {{ int 3.9 }} {{ int .nope }} {{ int "0x10" }} {{ add "012" 1 }}', '0 1.5 3 0 16 11'),
    ('{{ and 1 0 }} {{ or 0 "x" }} {{ and .a .b }} {{ or .a }} {{ not 1 }}', '0 x   false'),
    ('{{ if and (eq .bad "12") (ne .day "1") }}yes{{ else if .a }}b{{ else }}no{{ end }}', 'yes'),
    ('{{ title "hello wORLD" }} {{ lower "ÄB" }} {{ upper "äß" }} {{ trim "  a " }} {{ trimAll "$" "$5$" }} {{ trimSuffix "-" "a-" }} {{ trimPrefix "-" "-a" }}', 'Hello WORLD äb Äß a 5 a a'),
    ('{{ (fromJson "{\\"a\\":{\\"b\\":[1,2.5,null]},\\"t\\":true}").a.b }} {{ (fromJson "{\\"a\\":1}").zz }} {{ fromJson "{\\"b\\":1e21,\\"a\\":null}" }}', '[1 2.5 <nil>] <no value> map[a:<nil> b:1e+21]'),
    ('{{ Replace .epoch "8" "x" 2 }} {{ replace "8" "x" .epoch }} {{ Trim "--a--" "-" }} {{ TrimLeft "--a--" "-" }} {{ alignLeft 5 "ab" }}| {{ alignRight 5 "ab" }}|{{ alignLeft 1 "ab" }}|{{ alignRight 1 "ab" }}', '167379xx89 167379xxx9 a a-- ab   |    ab|a|b'),
    ('{{ contains "67" .epoch }} {{ hasPrefix "16" .epoch }} {{ hasSuffix "x" .epoch }} {{ ToLower "AB" }} {{ eq .bad "1" "12" }} {{ urlencode "a b&ä" }} {{ b64enc "ä" }}', 'true true false ab true a+b%26%C3%A4 w6Q='),
    ('{{ ((unixToTime .ms).Sub (unixToTime .epoch)).Seconds }} {{ (unixToTime .ms).Sub (unixToTime .epoch) }} {{ (unixToTime .ms).UnixMilli }} {{ ((unixToTime .epoch).AddDate 0 1 0).Format "Jan 2" }}', '0.902 902ms 1673798889902 Feb 15'),
]  # fmt: skip
ERRORS = [  # behind `template: line:`
    ('{{ div 1 0 }}', '1:3: executing "line" at <div 1 0>: error calling div: runtime error: integer divide by zero'),
    ('ä\nabc {{ div 1 0 }}', '2:7: executing "line" at <div 1 0>: error calling div: runtime error: integer divide by zero'),
    ('{{ if eq (mod 1 0) 2 }}{{end}}', '1:10: executing "line" at <mod 1 0>: error calling mod: runtime error: integer divide by zero'),
    ('{{ .bad | trunc 2 | substr 5 1 }}', '1:20: executing "line" at <substr 5 1>: error calling substr: runtime error: slice bounds out of range [5:1]'),
    ('{{ substr 5 9 .bad }}', '1:3: executing "line" at <substr 5 9 .bad>: error calling substr: runtime error: slice bounds out of range [5:2]'),
    ('{{ substr -1 9 .bad }}', '1:3: executing "line" at <substr -1 9 .bad>: error calling substr: runtime error: slice bounds out of range [:9] with length 2'),
    ('{{ substr 2 1 .epoch }}', '1:3: executing "line" at <substr 2 1 .epoch>: error calling substr: runtime error: slice bounds out of range [2:1]'),
    ('{{ repeat -1 .bad }}', '1:3: executing "line" at <repeat -1 .bad>: error calling repeat: strings: negative Repeat count'),
    ('{{ trunc .bad 5 }}', '1:9: executing "line" at <.bad>: wrong type for value; expected int; got string'),
    ('{{ trunc "a" .bad }}', '1:9: executing "line" at <"a">: expected integer; found "a"'),
    ('{{ trunc (add 1 2) .epoch }}', '1:16: executing "line" at <2>: wrong type for value; expected int; got int64'),
    ('{{ trunc 1.5 .epoch }}', '1:9: executing "line" at <1.5>: expected integer; found 1.5'),
    ('{{ upper 5 }}', '1:9: executing "line" at <5>: expected string; found 5'),
    ('{{ upper }}', '1:3: executing "line" at <upper>: wrong number of args for upper: want 1 got 0'),
    ('{{ upper .a .b }}', '1:3: executing "line" at <upper>: wrong number of args for upper: want 1 got 2'),
    ('{{ printf }}', '1:3: executing "line" at <printf>: wrong number of args for printf: want at least 1 got 0'),
    ('{{ .a.b }}', '1:5: executing "line" at <.a.b>: can\'t evaluate field b in type string'),
    ('{{ (add 1 2).b }}', '1:10: executing "line" at <2>: can\'t evaluate field b in type int64'),
    ('{{ eq 1 "1" }}', '1:3: executing "line" at <eq 1 "1">: error calling eq: incompatible types for comparison: int and string'),
    ('{{ lt true false }}', '1:3: executing "line" at <lt true false>: error calling lt: invalid type for comparison'),
    ('{{ lt 1 1.5 }}', '1:3: executing "line" at <lt 1 1.5>: error calling lt: incompatible types for comparison: int and float64'),
    ('{{ regexReplaceAll "(" .epoch "x" }}', '1:3: executing "line" at <regexReplaceAll "(" .epoch "x">: error calling regexReplaceAll: error parsing regexp: missing closing ): `(`'),
    ('{{ count "[" .epoch }}', '1:3: executing "line" at <count "[" .epoch>: error calling count: error parsing regexp: missing closing ]: `[`'),
    ('{{ duration .bad }}', '1:3: executing "line" at <duration .bad>: error calling duration: time: missing unit in duration "12"'),
    ('{{ bytes "x" }}', '1:3: executing "line" at <bytes "x">: error calling bytes: strconv.ParseFloat: parsing "": invalid syntax'),
    ('{{ urldecode "%zz" }}', '1:3: executing "line" at <urldecode "%zz">: error calling urldecode: invalid URL escape "%zz"'),
    ('{{ unixToTime .bad }}', '1:3: executing "line" at <unixToTime .bad>: error calling unixToTime: unable to parse time \'12\': %!w(<nil>)'),
    ('{{ unixToTime "x" }}', '1:3: executing "line" at <unixToTime "x">: error calling unixToTime: unable to parse time \'x\': strconv.ParseInt: parsing "x": invalid syntax'),
    ('{{ unixEpoch .epoch }}', '1:13: executing "line" at <.epoch>: wrong type for value; expected time.Time; got string'),
    ('{{ __timestamp__.Nope }}', '1:3: executing "line" at <__timestamp__>: can\'t evaluate field Nope in type time.Time'),
    ('{{ __timestamp__.Year 5 }}', '1:3: executing "line" at <__timestamp__>: wrong number of args for Year: want 0 got 1'),
    ('{{ __timestamp__.Format }}', '1:3: executing "line" at <__timestamp__>: wrong number of args for Format: want 1 got 0'),
    ('{{ __timestamp__.Format 5 }}', '1:24: executing "line" at <5>: expected string; found 5'),
    ('{{ .a .b }}', '1:3: executing "line" at <.a>: a is not a method but has arguments'),
    ('{{ 5 .b }}', '1:3: executing "line" at <5>: can\'t give argument to non-function 5'),
    ('{{ addf 1 2.5 }} {{ subf 5 2.2 }} {{ mulf 2 3.3 }} {{ divf 7 2 }} {{ divf 1 0 }} {{ maxf 1 2.5 }} {{ minf 3 1.5 }} {{ ceil 1.2 }} {{ floor -1.2 }} {{ round 1.256 2 }}', '1:69: executing "line" at <divf 1 0>: error calling divf: decimal division by 0'),
    ('{{ len 5 }}', '1:3: executing "line" at <len 5>: error calling len: len of type int'),
]  # fmt: skip
REFUSED = [  # behind `template: line:1: `
    ('{{ nope .a }}', 'function "nope" not defined'),
    ('{{ .a', 'unclosed action'),
    ('{{ if .a }}', 'unexpected EOF'),
    ('{{ end }}', 'unexpected {{end}}'),
    ('{{ "a }}', 'unterminated quoted string'),
    ('{{ 5 | 6 }}', 'non executable command in pipeline stage 2'),
    ('{{ }}', 'missing value for command'),
    ('{{ (.a }}', 'unclosed left paren'),
    ('{{ .a) }}', 'unexpected right paren'),
    ('{{ ä }}', 'function "ä" not defined'),
]  # fmt: skip


@pytest.mark.parametrize(("template", "text"), RESULTS)
def test_a_template_gives(template: str, text: str) -> None:
    assert compile_template(template)(Record(RECORD)) == text


@pytest.mark.parametrize(("template", "message"), ERRORS)
def test_a_template_fails_with_its_position_and_in_gos_words(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as failed:
        compile_template(template)(Record(RECORD))
    assert str(failed.value) == f"template: line:{message}"


@pytest.mark.parametrize(("template", "message"), REFUSED)
def test_what_is_no_template_is_refused(template: str, message: str) -> None:
    with pytest.raises(ValueError) as failed:  # noqa: PT011 - the whole message is compared
        compile_template(template)
    assert str(failed.value) == f"template: line:1: {message}"


def test_a_labels_template_has_a_name_of_its_own() -> None:
    with pytest.raises(TemplateError, match=r'^template: label:1:3: executing "label" at <div 1 0>: '):
        compile_template("{{ div 1 0 }}", "label")(Record(RECORD))


DATES = [
    ("2006-01-02T15:04:05Z07:00", "2023-01-15T16:08:09+02:00", "2023-01-15 16:08:09 +0200 +0200", "2023-01-15T16:08:09+02:00"),
    ("02/Jan/2006:15:04:05 -0700", "05/Mar/2024:01:02:03 +0000", "2024-03-05 01:02:03 +0000 UTC", "05/Mar/2024:01:02:03 +0000"),
    ("Monday, January 2 2006 3:04PM", "Friday, March 1 2024 1:05PM", "2024-03-01 13:05:00 +0000 UTC", "Friday, March 1 2024 1:05PM"),
    ("06-1-_2 15.04.05,000", "24-3- 7 08.09.10,250", "2024-03-07 08:09:10.25 +0000 UTC", "24-3- 7 08.09.10,250"),
    ("2006 002", "2024 060", "2024-02-29 00:00:00 +0000 UTC", "2024 060"),
    ("2006-01-02", "2024-02-30", "0001-01-01 00:00:00 +0000 UTC", "0001-01-01"),
    ("2006", "nope", "0001-01-01 00:00:00 +0000 UTC", "0001"),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "text", "shown", "again"), DATES)
def test_dates_are_read_and_written_by_a_layout(layout: str, text: str, shown: str, again: str) -> None:
    read = f"toDate {layout!r} {text!r}".replace("'", '"')
    assert compile_template(f"{{{{ {read} }}}}")(Record(RECORD)) == shown
    written = f"({read}).Format {layout!r}".replace("'", '"')
    assert compile_template(f"{{{{ {written} }}}}")(Record(RECORD)) == again
