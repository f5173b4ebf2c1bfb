"""Guessing codes is slow; using good ones is not."""

from pathlib import Path

import pytest

from dateflicks.server.services.session import handler
from tests.server.services.session.deployment import deployed


async def test_an_address_has_few_wrong_codes_and_any_number_of_good_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "CODES_PER_WINDOW", 4)
    async with deployed(tmp_path) as deployment:
        host = await deployment.person()
        links = [await host.link() for _ in range(4 + 2)]
        for link in links[:-1]:
            response = await deployment.client.post(f"/invitations/{link['invitation']}/redeem")
            assert response.status_code == 200

        for _ in range(4):
            response = await deployment.client.post("/invitations/nonsense/redeem")
            assert response.status_code == 404
        for code in ("nonsense", links[-1]["invitation"]):
            response = await deployment.client.post(f"/invitations/{code}/redeem")
            assert response.status_code == 429
            assert int(response.headers["Retry-After"]) >= 1
