"""Findings of Inspector Classic in Security Hub (2018 to 2026), with its attributes as product fields.

Shape: Inspector Classic user guide, "Security Hub integration". An attribute is a field like `attributes/PORT`; until
2019 it was two, `attributes:3/key` and `attributes:3/value`, whose number says nothing.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import Finding
from handler.reporters import _asff as asff
from handler.reporters import _classic_attributes as classic
from handler.reporters import _fields as fields

RESOURCE: str | None = "AwsEc2Instance"

_OTHER = "A finding of another rules package of Inspector Classic, not about an open port"
_NAMED, _INDEXED = "attributes/", "attributes:"


def unwanted(received: asff.Received) -> str | None:
    """Tell findings about the network by their attributes or their rule."""
    if classic.is_network(_attributes(received)):
        return None
    rule = fields.text(asff.product_fields(received), "aws/inspector/id", f"{received.path}ProductFields.")
    return None if classic.is_network_rule(rule) else _OTHER


def ended(received: asff.Received) -> bool | None:  # noqa: ARG001  every product is asked
    """Classic ends nothing but by archiving it."""
    return None


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give the one finding of an instance, with everything that its attributes say is open."""
    attributes, server = _attributes(received), asff.server(received, resource, path, RESOURCE)
    instance, group = attributes.get("INSTANCE_ID", server.id), attributes.get("SECURITY_GROUP")
    if instance != server.id:
        raise UnreadableError(f"{path}Id", f"ends with {server.id!r}, but INSTANCE_ID is {instance!r}")
    yield asff.finding(
        received,
        replace(server, security_groups=(group,) if group else ()),
        classic.exposures(attributes, f"{received.path}ProductFields.{_NAMED}"),
        now,
        reach=classic.reach(attributes),
        notes=classic.notes(attributes),
    )


def _attributes(received: asff.Received) -> dict[str, str]:
    """Read the attributes, in today's form or in the old one."""
    attributes: dict[str, str] = {}
    path = f"{received.path}ProductFields."
    product = fields.mapping(received.finding, "ProductFields", received.path)
    for name in product:
        number, _, part = name.removeprefix(_INDEXED).partition("/")
        if name.startswith(_NAMED):
            key, holder = name.removeprefix(_NAMED), name
        elif name.startswith(_INDEXED) and part == "key":
            key, holder = fields.text(product, name, path), f"{_INDEXED}{number}/value"
        elif name.startswith(_INDEXED) and part == "value":
            continue
        elif fields.squeezed(name).startswith("attribute"):
            raise UnreadableError(path + name, f"is close to {_NAMED}..., and is none")
        else:
            continue
        if not isinstance(product.get(holder, ""), str):
            raise fields.refusal(product, holder, path, "a text")
        if key in attributes:
            raise UnreadableError(path + name, f"gives {key} a second time")
        attributes[key] = product.get(holder, "")
    return attributes
