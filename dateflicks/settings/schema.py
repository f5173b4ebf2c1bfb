"""The JSON Schema of a settings file, for editors: made from the settings' own declaration and their model file."""

from typing import Any

import msgspec

from dateflicks.settings.loader import SERVICES
from dateflicks.settings.models import explanations


def schema_of(service: str) -> dict[str, Any]:
    """What may stand in the file of a service, with the default and the meaning of each key."""
    shared: dict[str, Any] = {}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{service}.toml of dateflicks",
        **_section(SERVICES[service](), explanations(service), shared),
    }
    return {**schema, "$defs": shared} if shared else schema


def _section(
    defaults: msgspec.Struct, said: dict[str, str], shared: dict[str, Any], prefix: str = ""
) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in msgspec.structs.fields(type(defaults)):
        name, default = f"{prefix}{field.name}", getattr(defaults, field.name)
        if isinstance(default, msgspec.Struct):
            properties[field.name] = _section(default, said, shared, f"{name}.")
            continue
        leaf = msgspec.json.schema(field.type)
        shared.update(leaf.pop("$defs", {}))
        properties[field.name] = {**leaf, "default": msgspec.to_builtins(default)}
        if words := said.get(name):
            properties[field.name]["description"] = words
    return {"type": "object", "properties": properties, "additionalProperties": False}
