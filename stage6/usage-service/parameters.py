"""Query parameters as the OpenAPI document has them; what is not written so is the caller's mistake, 422."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

DATE_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"  # RFC 3339, as `format: date-time` says


def written(pattern: str, like: str) -> BeforeValidator:
    """Pydantic alone takes `1e9` for a time and `1_0` for a number."""

    def check(text: Any) -> Any:
        if isinstance(text, str) and not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"must be written like {like}")
        return text

    return BeforeValidator(check)


def in_utc(moment: datetime) -> datetime:
    """The year 1 east of Greenwich is the year 0 there, which nobody can store."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, in UTC") from None


Moment = Annotated[AwareDatetime, written(DATE_TIME, "2026-01-31T12:00:00Z"), AfterValidator(in_utc)]
# Last in its Annotated, or the document loses the limits that stand before it.
WHOLE = written(r"-?\d{1,18}", "10")
