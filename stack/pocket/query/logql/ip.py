"""Addresses: the filters `|= ip("10.0.0.0/8")` and `| addr = ip("10.0.0.1")` (pkg/logql/log/ip.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address
Test = Callable[[str], bool]

# Where an address may begin: a digit with a dot near it, or up to four hexadecimal digits and a colon.
_HINT = re.compile(
    r"(?P<v4>[0-9](?=\.|.\.|..\.)(?=...))|(?=::[0-9a-fA-F]|[0-9a-fA-F]{1,4}:)(?=.....)(?P<v6>.)", re.DOTALL
)
_SPAN = {"v4": re.compile(r"[0-9.]*"), "v6": re.compile(r"[0-9a-fA-F:.]*")}


@lru_cache(maxsize=256)
def finder(pattern: str) -> Test:
    """The test whether a text has an address of `pattern` in it: an address, a network, or `from-to`.

    Raises ValueError on what is none of these.
    """
    try:
        holds = _matcher(pattern)
    except ValueError:
        raise ValueError(f'ip: invalid pattern: "{pattern}"') from None

    def run(text: str) -> bool:
        position = 0
        while hint := _HINT.search(text, position):
            span = _SPAN[hint.lastgroup or ""].match(text, hint.start())
            assert span is not None
            address = _address(span[0])
            if address is not None and holds(address):
                return True
            position = span.end() + 1
        return False

    return run


def _matcher(pattern: str) -> Callable[[Address], bool]:
    single = _address(pattern)
    if single is not None:
        return lambda address: address == single
    if re.fullmatch(r"[^/]+/[0-9]+", pattern):
        network = ip_network(pattern, strict=False)
        return lambda address: address in network
    first, _, last = pattern.partition("-")
    low, high = ip_address(first), ip_address(last)
    if low.version != high.version or low > high:  # type: ignore[operator]
        raise ValueError
    return lambda address: address.version == low.version and low <= address <= high  # type: ignore[operator]


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
