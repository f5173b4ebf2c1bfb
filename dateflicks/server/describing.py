"""What services say of themselves while none of them runs: the document that programs read."""

from collections.abc import Sequence

from dateflicks.server.deployment import declared
from dateflicks.server.web.openapi import openapi_document


async def document(name: str, services: Sequence[str]) -> str:
    """The OpenAPI document of a deployment of this name with these services, as indented JSON."""
    import msgspec

    async with declared(services) as found:
        return msgspec.json.format(msgspec.json.encode(openapi_document(name, found)), indent=2).decode() + "\n"
