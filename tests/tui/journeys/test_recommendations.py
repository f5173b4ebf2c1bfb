"""What to watch next, on a real service: what is shown, why, and what one of two wants no more of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dateflicks.client.recommendations import Recommendations
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.recommendations import RecommendationsScreen
from tests.fuzz.deployment import served
from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd
from tests.tui.stage import Stage


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Stage]:
    """A deployment with three films in its collection."""
    folder = tmp_path / "data"
    folder.mkdir()
    with served(folder) as server:
        deployment = Deployment(server.url, is_ours=True)
        yield Stage(deployment, Crowd(deployment), tmp_path)


async def test_two_look_for_a_film_and_hide_one_and_begin_a_session_with_another(library: Stage) -> None:
    ana, bea = await library.crowd.stranger("ana"), await library.crowd.stranger("bea")
    async with library.client(bea) as client:
        await client.accept((await library.invite(ana, bea)).id)
    async with library.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("o")
        await actor.until_at(RecommendationsScreen)
        await actor.until_sees("3 films")
        assert actor.sees(f"for {ana.name[:11]}")
        assert actor.sees("[ both ]")
        await actor.press("w")
        await actor.until_sees("Made from ")
        await actor.press("escape")
        await actor.until_at(RecommendationsScreen)
        first = actor.app.screen._marked  # type: ignore[attr-defined]  # the screen of recommendations
        await actor.press("h")
        await actor.until_sees("2 films")
        async with library.client(bea) as client:
            recommendations = Recommendations(client)
            theirs = await recommendations.page(ana.id)
            assert first not in {one.video_id for one in theirs.items}
            assert first in {one.video_id for one in (await recommendations.page()).items}
        await actor.press("u")
        await actor.until_sees("3 films")
        await actor.press("enter")
        await actor.until_at(NewSessionScreen)
        assert actor.sees(bea.name)
