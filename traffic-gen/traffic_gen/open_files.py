"""How many connections this process may have open at once: at first 256 on macOS, 1024 on most Linux machines."""

from __future__ import annotations

import contextlib
import resource

MOST = 10240  # what macOS allows, whatever its hard limit says


def raise_limit() -> int:
    """Raises the soft limit as far as the hard one allows; what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST
    allowed = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if allowed > soft:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            return allowed
    return soft
