"""What can be set, by flag or environment variable, and the limits that keep a typing error harmless."""

from __future__ import annotations

import os
from dataclasses import dataclass

ROLLER_URL = "http://127.0.0.1:8001"
FRONTEND_URL = "http://127.0.0.1:8501"


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


def roller_url() -> str:
    """Base URL of the dice-roller, without a slash at its end."""
    return os.getenv("ROLLER_URL", ROLLER_URL).rstrip("/")


def frontend_url() -> str:
    """Base URL of the frontend, without a slash at its end."""
    return os.getenv("FRONTEND_URL", FRONTEND_URL).rstrip("/")
