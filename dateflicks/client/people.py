"""One's own account and the people whom one watches with, over HTTP. Every call raises ClientError."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from dateflicks.client.http import ServiceClient
from dateflicks.client.paging import everything
from dateflicks.protocol import bodies

SERVICE: Final = "session"


async def account(client: ServiceClient) -> bodies.Me:
    """Who one is, and whether there is a password."""
    return await client.call(SERVICE, "GET", "/users/me", bodies.Me)


async def change_password(client: ServiceClient, old: str | None, new: str) -> None:
    """Set another password; all other tokens of the account are worthless from then on."""
    body = {"new": new} if old is None else {"old": old, "new": new}
    await client.call(SERVICE, "PUT", "/users/me/password", None, body=body)


def friends(client: ServiceClient, *, limit: int = 1_000) -> AsyncIterator[bodies.Friend]:
    """One's list by name, page after page, up to `limit`."""

    async def page(size: int, cursor: str | None) -> bodies.FriendPage:
        query = {"limit": str(size), "cursor": cursor}
        return await client.call(SERVICE, "GET", "/users/me/friends", bodies.FriendPage, query=query)

    return everything(page, limit)


async def add_friend(client: ServiceClient, name: str) -> bodies.Friend:
    """Put somebody on one's list."""
    return (await client.call(SERVICE, "PUT", _path(name), bodies.FriendAnswer)).friend


async def remove_friend(client: ServiceClient, name: str) -> None:
    """Take somebody off it."""
    await client.call(SERVICE, "DELETE", _path(name), None)


def _path(name: str) -> str:
    return f"/users/me/friends/{quote(name, safe='')}"
