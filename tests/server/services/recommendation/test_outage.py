"""Without the database: who has a list keeps it, everything else says so, and afterwards all is as before."""

from pathlib import Path

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.protocol.recommendations import RecommendationsQuery
from tests.server.services.recommendation.scene import Scene, film_of, opened, somebody

QUERY = RecommendationsQuery()


@pytest.mark.slow
async def test_the_last_list_is_told_again_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as database:
        scene = Scene(database)
        await scene.films("Charade", "M")
        ana, bea = somebody(), somebody()
        await scene.run("blend", {ana: ["M", "Charade"]})
        handler = scene.service._handler
        known = await handler.page(ana, QUERY)
        first = await handler.page(ana, RecommendationsQuery(limit=1))
        monkeypatch.setattr("dateflicks.server.services.recommendation.rankings.FRESH_SECONDS", -1.0)
        monkeypatch.setattr("dateflicks.server.services.recommendation.films.FRESH_SECONDS", -1.0)
        with scene.stopped_engine():
            again = await handler.page(ana, QUERY)
            assert again.items == known.items
            assert again.note is not None
            assert "out of reach" in again.note
            second = await handler.page(ana, RecommendationsQuery(cursor=first.next))
            assert [one.title for one in second.items] == ["Charade"]
            for refused in (handler.page(bea, QUERY), handler.rate(ana, film_of("M"), "hide")):
                with pytest.raises(Unavailable):
                    await refused
            assert await scene.signed_in(ana)
        await database.wait_up()
        assert (await handler.page(ana, QUERY)).note is None
        assert (await handler.rate(ana, film_of("M"), "hide")).rating == "hide"
        assert [one.title for one in (await handler.page(ana, QUERY)).items] == ["Charade"]


@pytest.mark.long
async def test_it_starts_without_the_database_and_answers_when_it_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        scene = Scene(database)
        await scene.films("Charade")
        service = scene.service
        with scene.stopped_engine():
            await service.start()
            assert service.condition == "nothing is known of the lists yet"
            with pytest.raises(Unavailable):
                await service._handler.page(somebody(), QUERY)
        await database.wait_up()
        assert [one.title for one in (await service._handler.page(somebody(), QUERY)).items] == ["Charade"]
        await service.stop()
