"""What each function takes and gives (promql/parser/functions.go, 3.14)."""

from __future__ import annotations

from dataclasses import dataclass

from pocket.query.promql.ast import SCALAR_FUNCTIONS, ValueType


@dataclass(frozen=True, slots=True)
class Signature:
    """`optional` arguments may be left out at the end; `repeated`: the last may come any number of times."""

    arguments: tuple[ValueType, ...]
    optional: int = 0
    repeated: bool = False
    needs_flag: bool = False  # refused without --enable-feature=promql-experimental-functions

    @property
    def fewest(self) -> int:
        return len(self.arguments) - (self.optional or self.repeated)


_TYPES: dict[str, ValueType] = {"v": "vector", "m": "matrix", "s": "scalar", "t": "string"}


def _signatures(arguments: str, names: str, **more: bool | int) -> dict[str, Signature]:
    types = tuple(_TYPES[letter] for letter in arguments)
    return {name: Signature(types, **more) for name in names.split()}  # type: ignore[arg-type]


NATIVE_HISTOGRAM_FUNCTIONS = frozenset(
    {"histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"}
)
SIGNATURES: dict[str, Signature] = {
    **_signatures(
        "v",
        "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad scalar sgn sin "
        "sinh sort sort_desc sqrt tan tanh timestamp " + " ".join(sorted(NATIVE_HISTOGRAM_FUNCTIONS)),
    ),
    **_signatures(
        "m",
        "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate "
        "last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time "
        "stdvar_over_time sum_over_time",
    ),
    **_signatures("v", "day_of_month day_of_week day_of_year days_in_month hour minute month year", optional=1),
    **_signatures("", "pi time"),
    **_signatures("s", "vector"),
    **_signatures("vs", "clamp_max clamp_min"),
    **_signatures("vss", "clamp"),
    **_signatures("vs", "round", optional=1),
    **_signatures("ms", "predict_linear"),
    **_signatures("sm", "quantile_over_time"),
    **_signatures("sv", "histogram_quantile"),
    **_signatures("ssv", "histogram_fraction"),
    **_signatures("vtttt", "label_replace"),
    **_signatures("vttt", "label_join", repeated=True),
    **_signatures(
        "",
        "double_exponential_smoothing end histogram_quantiles info mad_over_time max_of min_of range start step "
        "sort_by_label sort_by_label_desc start_timestamp ts_of_first_over_time ts_of_last_over_time "
        "ts_of_max_over_time ts_of_min_over_time",
        needs_flag=True,
    ),
}
assert set(SIGNATURES) >= SCALAR_FUNCTIONS
