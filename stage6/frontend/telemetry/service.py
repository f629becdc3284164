"""Who sends: the attributes that all signals of this process share."""

import os
from dataclasses import dataclass

from opentelemetry.sdk.resources import Resource


@dataclass(frozen=True)
class Service:
    name: str
    version: str
    instance: str  # a UUID of this process; OTEL_RESOURCE_ATTRIBUTES may set another
    resource: Resource

    @classmethod
    def from_environment(cls, name: str) -> "Service":
        """As OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say; `name` is for when they say nothing."""
        os.environ.setdefault("OTEL_SERVICE_NAME", name)
        resource = Resource.create()
        keys = ("service.name", "service.version", "service.instance.id")
        name, version, instance = (str(resource.attributes.get(key, "unknown")) for key in keys)
        return cls(name, version, instance, resource)
