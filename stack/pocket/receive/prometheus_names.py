"""OTLP's names and bounds as Prometheus writes them (prometheus/otlptranslator)."""

from __future__ import annotations

import re
from functools import lru_cache

_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_NOT_WORD = re.compile(r"[^a-zA-Z0-9:]+")

_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "TiBy": "tibibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
    "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius",
    "Hz": "hertz", "1": "", "%": "percent",
}  # fmt: skip
_PER = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


@lru_cache(4096)
def label_name(name: str) -> str:
    """`http.method` → `http_method`; a digit in front gets `key_`."""
    name = _NOT_LABEL.sub("_", name)
    return f"key_{name}" if name[:1].isdigit() or not name else name


@lru_cache(4096)
def metric_name(name: str, unit: str, *, counter: bool, gauge: bool) -> str:
    """The OTLP metric's name with its unit as suffix, `_total` at a counter, `_ratio` at a gauge of unit 1."""
    words = [word for word in _NOT_WORD.split(name) if word]
    main, _, per = unit.partition("/")
    for suffix in (_unit(main), f"per_{_per(per)}" if _per(per) else ""):
        parts = [part for part in suffix.split("_") if part]
        if parts and words[-len(parts) :] != parts and suffix not in words:
            words += parts
    if counter:
        words = [word for word in words if word != "total"] + ["total"]
    if gauge and unit == "1":
        words = [word for word in words if word != "ratio"] + ["ratio"]
    full = "_".join(words)
    return f"_{full}" if full[:1].isdigit() else full


def unit_name(unit: str) -> str:
    """A UCUM unit in words: `ms` → `milliseconds`, `By/s` → `bytes_per_second`; "" for a unit of 1."""
    main, _, per = unit.partition("/")
    return "_".join(part for part in (_unit(main), f"per_{_per(per)}" if _per(per) else "") if part)


def _unit(text: str) -> str:
    text = text.strip()
    return "" if "{" in text else _UNITS.get(text, "_".join(filter(None, _NOT_WORD.split(text))))


def _per(text: str) -> str:
    text = text.strip()
    return "" if "{" in text else _PER.get(text, "_".join(filter(None, _NOT_WORD.split(text))))


def le(bound: float) -> str:
    """A bucket's bound as Prometheus 3 writes it: always a float, `1.0`, `0.005`, `+Inf`."""
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(bound, repr(float(bound)))
