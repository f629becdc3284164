"""Range functions over (t − range, t] (pkg/logql/range_vector.go), on one series' samples, oldest first."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
# (values, times, end of the range in ns, range in ns) → result; never called without a sample
RangeFunction = Callable[[Values, Times, int, int], float]


def _sum(values: Values) -> float:
    return float(np.cumsum(values)[-1])  # one after the other, as Loki adds; np.sum adds in pairs


def _mean(values: Values, *_: object) -> float:
    """The running mean; an infinite one stays what it is unless the other infinity or a NaN comes."""
    mean = 0.0
    for count, value in enumerate(values.tolist(), 1):
        if not (math.isinf(mean) and (value == mean or math.isfinite(value))):
            mean += value / count - mean / count
    return mean


def _variance(values: Values, *_: object) -> float:
    """Welford's algorithm."""
    total = mean = 0.0
    for count, value in enumerate(values.tolist(), 1):
        delta = value - mean
        mean += delta / count
        total += delta * (value - mean)
    return total / len(values)


def _extreme(reduce: Callable[[Values], np.float64]) -> RangeFunction:
    def run(values: Values, *_: object) -> float:
        numbers = values[~np.isnan(values)]
        return float(reduce(numbers)) if numbers.size else math.nan

    return run


def quantile(q: float) -> RangeFunction:
    """Between two samples the quantile is interpolated; outside [0, 1] it is infinite."""

    def run(values: Values, *_: object) -> float:
        if not 0 <= q <= 1:
            return math.nan if math.isnan(q) else math.copysign(math.inf, q)
        ordered = np.sort(values)
        rank = q * (len(ordered) - 1)
        lower = math.floor(rank)
        upper = min(len(ordered) - 1, lower + 1)
        weight = rank - lower
        return float(ordered[lower] * (1 - weight) + ordered[upper] * weight)

    return run


def _rate_counter(values: Values, times: Times, end_ns: int, range_ns: int) -> float:
    """Prometheus' extrapolated rate, with resets, from values in log lines."""
    if len(values) < 2:
        return 0.0
    increase = float(values[-1] - values[0] + values[:-1][np.diff(values) < 0].sum())
    sampled = (int(times[-1]) - int(times[0])) / 1e9
    to_start = (int(times[0]) - (end_ns - range_ns)) / 1e9
    to_end = (end_ns - int(times[-1])) / 1e9
    between = sampled / (len(values) - 1)
    if sampled == 0:
        return math.nan
    if to_start >= between * 1.1:
        to_start = between / 2
    if increase > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * float(values[0]) / increase)
    if to_end >= between * 1.1:
        to_end = between / 2
    return increase * (sampled + to_start + to_end) / sampled / (range_ns / 1e9)


FUNCTIONS: dict[str, RangeFunction] = {
    "rate": lambda values, _t, _e, range_ns: _sum(values) / (range_ns / 1e9),
    "rate_counter": _rate_counter,
    "count_over_time": lambda values, *_: float(len(values)),
    "bytes_rate": lambda values, _t, _e, range_ns: _sum(values) / (range_ns / 1e9),
    "bytes_over_time": lambda values, *_: _sum(values),
    "sum_over_time": lambda values, *_: _sum(values),
    "avg_over_time": _mean,
    "max_over_time": _extreme(np.max),
    "min_over_time": _extreme(np.min),
    "stdvar_over_time": _variance,
    "stddev_over_time": lambda values, *_: math.sqrt(_variance(values)),
    "first_over_time": lambda values, *_: float(values[0]),
    "last_over_time": lambda values, *_: float(values[-1]),
    "absent_over_time": lambda *_: 1.0,
}
