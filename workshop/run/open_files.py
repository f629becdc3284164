"""How many files and connections a process may have open at once.

The limit that holds (the soft one) is 256 on macOS and 1024 on most Linux machines; the hard one, up to which
everybody may raise it, is far above. A visitor of the frontend takes some three.
"""

from __future__ import annotations

import contextlib
import resource

ENOUGH = 1024
MOST = 65536  # some programs, PostgreSQL's forks among them, go through all that they might have open


def raise_limit() -> str:
    """Raises it for this process and its children. What to say where that is not ENOUGH, else nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ""
    for wanted in (MOST, 10240):  # macOS refuses more than 10240, whatever its hard limit says
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if allowed > soft:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
                soft = allowed
                break
    if soft >= ENOUGH:
        return ""
    return (
        f"A process may open only {soft} files and connections here (ulimit -Hn), which does for some {soft // 6} "
        f"users: with more, services will refuse connections. {ENOUGH} are enough for the workshop."
    )
