"""Go's time.Time as far as templates use it: written and read by a layout, the parts of a date, differences."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# The parts of a layout, longer ones first (time/format.go nextStdChunk).
_PART = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|-07:00:00|-070000|-07:00|-0700|-07"
    r"|Z07:00:00|Z070000|Z07:00|Z0700|Z07|__2|_2(?!006)|002|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5"
    r"|[.,](?:0+|9+)(?![0-9])"
)
_ZONES = {"-07:00:00": ":s", "-070000": "s", "-07:00": ":", "-0700": "", "-07": "h"}


class Named(int):
    """A number that is shown by a name: time.Month, time.Weekday."""

    go_type: str
    name: str

    def __new__(cls, number: int, go_type: str, name: str) -> Named:
        self = super().__new__(cls, number)
        self.go_type, self.name = go_type, name
        return self

    def __str__(self) -> str:
        return self.name


class Duration(int):
    """Nanoseconds, shown as Go does: 1m30.5s."""

    go_type = "time.Duration"

    def __str__(self) -> str:
        rest, sign = abs(self), "-" if self < 0 else ""
        if not rest:
            return "0s"
        for unit, name in ((1, "ns"), (1000, "µs"), (10**6, "ms")):
            if rest < 1000 * unit:
                return f"{sign}{rest / unit:.9g}{name}"
        minutes, rest = divmod(rest, 60 * SECOND)
        seconds = f"{rest // SECOND}.{rest % SECOND:09d}".rstrip("0").rstrip(".") + "s"
        hours, minutes = divmod(minutes, 60)
        return sign + (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + seconds


@dataclass(frozen=True, slots=True)
class Time:
    """An instant, in ns since 1970, and the zone it is shown in."""

    ns: int
    zone: tzinfo = UTC

    go_type = "time.Time"

    @property
    def local(self) -> datetime:
        """To the second: datetime knows microseconds alone. Years before 1 and behind 9999 are not told apart."""
        try:
            return (_EPOCH + timedelta(seconds=self.ns // SECOND)).astimezone(self.zone)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC) if self.ns > 0 else datetime.min.replace(tzinfo=UTC)

    @property
    def month(self) -> Named:
        return Named(self.local.month, "time.Month", _MONTHS[self.local.month - 1])

    @property
    def weekday(self) -> Named:
        return Named(self.local.isoweekday() % 7, "time.Weekday", _DAYS[self.local.isoweekday() % 7])

    def __str__(self) -> str:
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def __bool__(self) -> bool:
        return True

    def format(self, layout: str) -> str:
        """By a layout of Go's, which shows how 2006-01-02 15:04:05 would look."""
        local = self.local
        return _PART.sub(lambda found: self._part(found[0], local), layout)

    def _part(self, part: str, at: datetime) -> str:
        if part[0] in ".,":
            return self._fraction(part)
        if part[0] in "-Z" and "07" in part:
            return _offset(part, at)
        hour12 = at.hour % 12 or 12
        day_of_year = at.timetuple().tm_yday
        return {
            "January": _MONTHS[at.month - 1], "Jan": _MONTHS[at.month - 1][:3], "Monday": str(self.weekday),
            "Mon": str(self.weekday)[:3], "MST": _zone_name(at), "2006": f"{at.year:04d}",
            "06": f"{at.year % 100:02d}", "01": f"{at.month:02d}", "1": str(at.month), "02": f"{at.day:02d}",
            "2": str(at.day), "_2": f"{at.day:2d}", "002": f"{day_of_year:03d}", "__2": f"{day_of_year:3d}",
            "15": f"{at.hour:02d}", "03": f"{hour12:02d}", "3": str(hour12), "04": f"{at.minute:02d}",
            "4": str(at.minute), "05": f"{at.second:02d}", "5": str(at.second),
            "PM": "PM" if at.hour >= 12 else "AM", "pm": "pm" if at.hour >= 12 else "am",
        }[part]  # fmt: skip

    def _fraction(self, part: str) -> str:
        digits = f"{self.ns % SECOND:09d}"[: len(part) - 1]
        if part[1] == "9":
            digits = digits.rstrip("0")
        return part[0] + digits if digits else ""


def _zone_name(at: datetime) -> str:
    """The offset where the zone was given as one."""
    return _offset("-0700", at) if isinstance(at.tzinfo, timezone) and at.utcoffset() else at.tzname() or "UTC"


def _offset(part: str, at: datetime) -> str:
    seconds = int((at.utcoffset() or timedelta()).total_seconds())
    if part[0] == "Z" and not seconds:
        return "Z"
    style = _ZONES["-" + part[1:]]
    sign, rest = "-" if seconds < 0 else "+", abs(seconds)
    parts = [f"{rest // 3600:02d}", f"{rest // 60 % 60:02d}", f"{rest % 60:02d}"]
    shown = parts[: 1 if "h" in style else 3 if "s" in style else 2]
    return sign + (":" if ":" in style else "").join(shown)


ZERO = Time(-62_135_596_800 * SECOND)


def now() -> Time:
    return Time(time.time_ns())


def zone(name: str) -> tzinfo:
    """UTC for a name that is no zone's."""
    try:
        return ZoneInfo(name) if name not in ("", "UTC", "Local") else UTC
    except (OSError, ValueError, KeyError):
        return UTC


# ---- reading
_READ = {
    "January": r"(?P<B>[A-Za-z]+)", "Jan": r"(?P<b>[A-Za-z]{3})", "Monday": "[A-Za-z]+", "Mon": "[A-Za-z]{3}",
    "MST": r"(?P<Z>[A-Z]{3,4}|[+-]\d{2})", "2006": r"(?P<Y>\d{4})", "06": r"(?P<y>\d{2})", "01": r"(?P<m>\d{2})",
    "1": r"(?P<m>\d{1,2})", "02": r"(?P<d>\d{2})", "2": r"(?P<d>\d{1,2})", "_2": r" ?(?P<d>\d{1,2})",
    "002": r"(?P<j>\d{3})", "__2": r" {0,2}(?P<j>\d{1,3})", "15": r"(?P<H>\d{2})", "03": r"(?P<I>\d{2})",
    "3": r"(?P<I>\d{1,2})", "04": r"(?P<M>\d{2})", "4": r"(?P<M>\d{1,2})", "05": r"(?P<S>\d{2})(?P<f>[.,]\d+)?",
    "5": r"(?P<S>\d{1,2})(?P<f>[.,]\d+)?", "PM": "(?P<p>AM|PM)", "pm": "(?P<p>am|pm)",
}  # fmt: skip
_SECONDS = re.compile(r"(05|5)[.,](?:0+|9+)(?![0-9])")


def parse(layout: str, text: str, local: tzinfo = UTC) -> Time:
    """A text in a layout; the year 1 where it does not fit, as of sprig's toDate, which ignores Go's error."""
    try:
        found = re.compile(_pattern(layout)).fullmatch(text)
        return _time(found.groupdict(), local) if found else ZERO
    except (ValueError, re.error, OverflowError):
        return ZERO


def _pattern(layout: str) -> str:
    layout = _SECONDS.sub(r"\1", layout)  # seconds take a fraction anyhow
    pieces, position = list[str](), 0
    for part in _PART.finditer(layout):
        pieces += (re.escape(layout[position : part.start()]), _reading(part[0]))
        position = part.end()
    return "".join(pieces) + re.escape(layout[position:])


def _reading(part: str) -> str:
    if part[0] in "-Z" and "07" in part:
        style = _ZONES["-" + part[1:]]
        colon = ":" if ":" in style else ""
        digits = (
            r"[+-]\d{2}" + ("" if "h" in style else colon + r"\d{2}") + (colon + r"\d{2}" if "s" in style else "")
        )
        return f"(?P<z>Z|{digits})" if part[0] == "Z" else f"(?P<z>{digits})"
    return _READ[part] if part in _READ else re.escape(part)


def _time(found: dict[str, str | None], local: tzinfo) -> Time:
    def number(name: str, default: int) -> int:
        return int(found.get(name) or default)

    hour = number("H", 0)
    if half := found.get("p"):
        hour = number("I", 12) % 12 + (12 if half.upper() == "PM" else 0)
    year = number("Y", 0) or (number("y", 1) + (1900 if number("y", 1) >= 69 else 2000) if found.get("y") else 1)
    at = datetime(
        year, _month(found), number("d", 1), hour, number("M", 0), number("S", 0), tzinfo=_zone(found, local)
    )
    if found.get("j"):
        at = at.replace(month=1, day=1) + timedelta(days=number("j", 1) - 1)
    fraction = (found.get("f") or ".")[1:10].ljust(9, "0")
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    return Time(seconds * SECOND + int(fraction), at.tzinfo or UTC)


def _month(found: dict[str, str | None]) -> int:
    if name := found.get("B") or found.get("b"):
        return next(index for index, month in enumerate(_MONTHS, 1) if month[:3].lower() == name[:3].lower())
    return int(found.get("m") or 1)


def _zone(found: dict[str, str | None], local: tzinfo) -> tzinfo:
    written = found.get("z")
    if not written:
        return UTC if found.get("Z") in ("UTC", "GMT") else local
    if written == "Z":
        return UTC
    digits = written[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return timezone(timedelta(seconds=-seconds if written[0] == "-" else seconds)) if seconds else UTC
