"""A house: the services that run somewhere, with two accounts, for tests of two who watch."""

import secrets
from dataclasses import dataclass

from dateflicks.client.http import ServiceClient


@dataclass(frozen=True)
class Account:
    """Somebody with a token."""

    name: str
    token: str


@dataclass(frozen=True)
class House:
    """The services, and two people who are known there."""

    url: str
    host: Account
    guest: Account


async def house_at(url: str) -> House:
    """Two fresh accounts at a server."""
    async with ServiceClient(url) as host, ServiceClient(url) as guest:
        accounts = []
        for client, name in ((host, "ana"), (guest, "bea")):
            await client.register(name, secrets.token_urlsafe(12))
            assert client.token is not None
            accounts.append(Account(name, client.token))
    return House(url, *accounts)
