"""Lines that are cut, services and terminal clients that die: what stands on the screens meanwhile, and after."""

from pathlib import Path

import pytest

from dateflicks.tui.kept import KeptEvening
from tests.houses import house_at
from tests.journeys.deployment import running_server
from tests.tui.journeys.conftest import OpenEvening
from tests.tui.journeys.people import evening_of_two

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_without_a_line_the_film_goes_on_unsynced_what_is_said_waits_and_all_is_well_again_afterwards(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        await two.both_play()
        await two.guest.relay.cut()
        await two.guest.sees("offline", "PLAYING (unsynced)", "the film goes on here", "— try ")
        await two.host.sees("bea is away")
        two.guest.press("slash")
        two.guest.type("are you there?")
        two.guest.press("enter")
        await two.guest.sees("are you there? (sending)", "1 message queued")
        await two.guest.back_to_film()
        two.guest.press("space")
        await two.guest.sees("only your own player hears this", "PAUSED (unsynced)", "the film stands here")
        two.guest.press("space")
        await two.guest.sees("PLAYING (unsynced)")
        two.guest.press("right")
        await two.guest.sees("nobody can move the film until it is back")
        two.guest.relay.mend()
        two.guest.press("s")
        await two.guest.sees("live", "in sync")
        await two.guest.sees_no("(sending)")
        await two.host.sees("are you there?", "in sync")


async def test_services_that_are_killed_and_started_again_find_both_where_they_were(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with running_server(data) as first:
        house = await house_at(first.url)
        async with evening_of_two(house, tmp_path) as two:
            await two.both_play()
            two.host.press("slash")
            two.host.type("before it fell")
            two.host.press("enter")
            await two.guest.sees("before it fell")
            await two.host.back_to_film()
            first.kill()
            await two.both_see("offline", "PLAYING (unsynced)")
            first.close()
            with running_server(data) as second:
                for person in (two.host, two.guest):
                    person.relay.mend(second.url)
                    person.press("s")
                await two.both_see("live", "in sync", "before it fell")
                two.guest.press("slash")
                two.guest.type("and after")
                two.guest.press("enter")
                await two.host.sees("and after")


async def test_a_terminal_client_that_broke_off_is_gone_on_with_session_place_and_what_was_written(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        await two.both_play()
        two.host.press("g")
        await two.host.sees("Where to?")
        two.host.type("41:00")
        two.host.press("enter")
        await two.guest.sees("ana wants to GO TO")
        two.guest.press("y")
        await two.guest.sees_no("GO TO")
        await two.both_see("0:41:", "in sync")
        await two.guest.relay.cut()
        await two.guest.sees("offline")
        two.guest.press("slash")
        two.guest.type("queued")
        two.guest.press("enter")
        await two.guest.sees("queued (sending)")
        two.guest.type("half a thought")
        await two.guest.sees("> half a thought")
        await two.guest.leave()
        kept = KeptEvening.read(two.guest.surroundings.resume_file)
        assert kept is not None
        assert (kept.session_id, kept.draft) == (two.session.id, "half a thought")
        assert kept.position is not None
        assert kept.position > 2400

        two.guest.relay.mend()
        two.guest.open_again()
        two.guest.sit_down(await two.guest.client.session(two.session.id), kept=kept)
        await two.guest.sees("live", "0:4", "in sync", "> half a thought", "queued")
        await two.host.sees("queued", "in sync")
