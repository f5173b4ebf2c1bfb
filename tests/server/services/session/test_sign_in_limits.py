"""Guessing passwords is slow, for one name and from one address."""

from pathlib import Path

from dateflicks.settings.services import SessionSettings
from tests.server.services.session.deployment import PASSWORD, Deployment, deployed


async def guess(deployment: Deployment, name: str, password: str = "wrong horse") -> int:
    response = await deployment.client.post("/tokens", json={"name": name, "password": password})
    if response.status_code == 429:
        assert int(response.headers["Retry-After"]) >= 1
    return response.status_code


async def test_too_many_guesses_are_told_to_wait_even_with_the_right_password(tmp_path: Path) -> None:
    settings = SessionSettings(sign_in_tries_per_name=3, sign_in_tries_per_address=6)
    async with deployed(tmp_path, settings) as deployment:
        person, other = await deployment.pair()

        assert [await guess(deployment, person.name.upper()) for _ in range(4)] == [401, 401, 401, 429]
        assert await guess(deployment, person.name, PASSWORD) == 429

        assert await guess(deployment, other.name, PASSWORD) == 201
        assert [await guess(deployment, f"nobody-{number}") for number in range(4)] == [401, 401, 401, 429]
        assert await guess(deployment, other.name, PASSWORD) == 429


async def test_signing_in_often_is_no_guessing(tmp_path: Path) -> None:
    settings = SessionSettings(sign_in_tries_per_name=2, sign_in_tries_per_address=2)
    async with deployed(tmp_path, settings) as deployment:
        person = await deployment.person()

        assert [await guess(deployment, person.name, PASSWORD) for _ in range(6)] == [201] * 6
