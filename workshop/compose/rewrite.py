"""Moves a service from its container network to this machine: host names → 127.0.0.1, ports → port + offset.

Ports inside and outside a container are equal, so a URL moves by swapping its host; with a port offset, each
port number that belongs to the project moves too. What only looks like a host or a port (a service *name* such
as OTEL_SERVICE_NAME=dice-roller, a user or a database called postgres) stays. So does `localhost`: in a container
that is nobody else, so it is what a browser on this machine is told, for which 127.0.0.1 is another site, with a
theme and a history of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property

from pocket.addresses import FROM_CONTAINERS, LOOPBACK
from workshop.compose.model import Service

LOCAL = ("localhost", LOOPBACK, "0.0.0.0", FROM_CONTAINERS)  # noqa: S104 - replaced, not bound
HOST_VARIABLE = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS)$")
PORT_VARIABLE = re.compile(r"PORT$")
HOST_FLAG = re.compile(r"--?([\w-]*-)?host(name)?$")
PORT_FLAG = re.compile(r"--?([\w-]*-)?port$")


@dataclass(frozen=True)
class Rewriter:
    hosts: Collection[str]
    ports: Collection[int]
    offset: int = 0
    extra_hosts: tuple[str, ...] = field(default=LOCAL)

    @cached_property
    def _url_host(self) -> re.Pattern[str]:
        """A known host behind `//` or `@`, or before `:port`; group 1 is the port with its colon, if any."""
        longest_first = sorted({*self.hosts, *self.extra_hosts}, key=len, reverse=True)
        names = "|".join(re.escape(name) for name in longest_first)
        authority = rf"(?:(?<=//)|(?<=@))(?:{names})(?::(\d{{1,5}}))?(?![\w.:@-])"
        bare = rf"(?<![\w./@:-])(?:{names}):(\d{{1,5}})(?![\w.@-])"
        return re.compile(f"{authority}|{bare}")

    def port(self, number: int) -> int:
        """A port of the project, moved by the offset; any other stays."""
        return number + self.offset if number in self.ports else number

    def text(self, value: str) -> str:
        """Any string: URLs and host:port pairs in it; `0.0.0.0` wherever it stands."""
        moved = self._url_host.sub(self._authority, value)
        return re.sub(r"(?<![\w.])0\.0\.0\.0(?![\w.])", LOOPBACK, moved)

    def _authority(self, match: re.Match[str]) -> str:
        host = "localhost" if match[0].startswith("localhost") else LOOPBACK
        port = match[1] or match[2]
        return f"{host}:{self.port(int(port))}" if port else host

    def variable(self, name: str, value: str) -> str:
        """A variable's value, moved where its name says that it is a host or a port."""
        if HOST_VARIABLE.search(name) and value in self.hosts:
            return LOOPBACK
        if PORT_VARIABLE.search(name) and value.isdigit():
            return str(self.port(int(value)))
        return self.text(value)

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """All variables, moved."""
        return {name: self.variable(name, value) for name, value in variables.items()}

    def command(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """An argument vector; knows `--host X`, `--port N` and their `--flag=value` form."""
        moved, previous = [], ""
        for word in argv:
            flag, equals, value = word.partition("=")
            if equals and flag.startswith("-"):
                moved.append(f"{flag}={self._flag_value(flag, value)}")
            else:
                moved.append(self._flag_value(previous, word))
            previous = word
        return tuple(moved)

    def _flag_value(self, flag: str, value: str) -> str:
        if PORT_FLAG.match(flag) and value.isdigit():
            return str(self.port(int(value)))
        if HOST_FLAG.match(flag) and value in self.hosts:
            return LOOPBACK
        return self.text(value)

    def service(self, service: Service) -> Service:
        """The service as it runs here."""
        check = service.healthcheck
        return replace(
            service,
            command=self.command(service.command),
            environment=self.environment(service.environment),
            ports=tuple(self.port(number) for number in service.ports),
            healthcheck=check and replace(check, test=self.command(check.test)),
        )
