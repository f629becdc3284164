"""What of a request was refused while the rest was taken."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Rejected:
    """Items of a request that were refused while the others were taken (OTLP's partial success)."""

    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int = 1) -> None:
        self.count += count
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    @property
    def message(self) -> str:
        return "; ".join(f"{reason} ({count})" for reason, count in self.reasons.items())
