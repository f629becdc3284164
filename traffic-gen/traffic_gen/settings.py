"""What can be set, by flag or environment variable, and the limits that keep a typing error harmless."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

MAX_OFFSET = 65535 - 15432  # PostgreSQL's port is the highest


@dataclass(frozen=True)
class Settings:
    """Times in seconds, rate in actions a second; 0 is no limit for rolls and duration, a closed loop for rate."""

    num_users: int = 5
    max_rolls_per_user: int = 20
    async_probability: float = 0.3
    max_async_rolls: int = 10
    think_time_seconds: float = 0.5
    duration_seconds: float = 60.0
    rate: float = 0.0
    seed: int = 1

    @property
    def expected_actions(self) -> int | None:
        """How many actions a full run takes; None when only the duration ends it."""
        return self.num_users * self.max_rolls_per_user or None


def port_offset() -> int:
    """How far `workshop up` shifted all ports. Exits with one line, and 2, when PORT_OFFSET is no such number."""
    text = os.getenv("PORT_OFFSET") or "0"
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MAX_OFFSET:
        return int(text)
    print(f"traffic: PORT_OFFSET is {text!r}, not a whole number from 0 to {MAX_OFFSET}.", file=sys.stderr)
    raise SystemExit(2)


def base_url(variable: str, port: int) -> str:
    """The URL that `variable` holds, else that of the shifted port here; without a slash at its end."""
    return (os.getenv(variable) or f"http://127.0.0.1:{port + port_offset()}").rstrip("/")


def roller_url() -> str:
    return base_url("ROLLER_URL", 8001)


def frontend_url() -> str:
    return base_url("FRONTEND_URL", 8501)
