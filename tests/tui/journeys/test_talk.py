"""The talk of two beside their film: what one writes, the other reads, and who reads and writes is seen."""

import pytest

from tests.tui.journeys.conftest import OpenEvening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


async def test_what_one_says_the_other_reads_at_the_place_of_the_film_and_the_first_sees_it_read(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        await two.both_play()
        two.host.press("slash")
        two.host.type("two bowls")
        await two.guest.sees("ana is writing…")
        two.host.press("enter")
        await two.guest.sees("ana", "two bowls")
        await two.host.sees("two bowls", "read")
        two.host.type("/me waves")
        two.host.press("enter")
        await two.guest.sees("ana waves")
        two.host.type("/react joy")
        two.host.press("enter")
        await two.host.sees("you reacted")
        await two.guest.sees("ana reacted")


async def test_a_key_reacts_to_the_moment(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        await two.both_play()
        two.guest.press("r")
        await two.guest.sees("What do you feel?")
        two.guest.press("1")
        await two.host.sees("bea reacted")


async def test_what_was_said_is_changed_taken_back_and_answered(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        two.host.press("slash")
        two.host.type("pocorn")
        two.host.press("enter")
        await two.guest.sees("pocorn")
        await two.host.back_to_film()
        two.host.press("e")
        await two.host.sees("editing your line")
        two.host.press("end")
        two.host.type("!")
        two.host.press("enter")
        await two.guest.sees("pocorn!", "(edited)")
        two.guest.press("slash")
        two.guest.type("/reply salted")
        two.guest.press("enter")
        await two.host.sees("salted")
        await two.host.back_to_film()
        two.host.press("d")
        await two.guest.sees("message deleted")


async def test_what_is_typed_wrongly_stays_and_says_what_is_wrong_and_commands_do_as_keys_do(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        two.host.press("slash")
        two.host.type("/pley")
        two.host.press("enter")
        await two.host.sees("There is no /pley. Did you mean /play?", "> /pley")
        two.host.press("backspace", "backspace", "backspace")
        await two.host.sees_no("/pley")
        two.host.type("lay")
        two.host.press("enter")
        await two.both_see("PLAYING", "in sync")
        two.host.type("/where")
        two.host.press("enter")
        await two.host.sees("The film is at 0:", "bea at 0:")
        two.host.type("/at 41:12")
        two.host.press("enter")
        await two.host.sees("Your player tells where it is by itself.")
        two.host.type("/seek 41:00")
        two.host.press("enter")
        await two.guest.sees("ana wants to GO TO 0:41:00")
        two.guest.press("slash")
        two.guest.type("/accept")
        two.guest.press("enter")
        await two.guest.sees_no("GO TO")
        await two.both_see("0:41:", "in sync")
        two.guest.type("/pause")
        two.guest.press("enter")
        await two.both_see("PAUSED", "paused together")
        two.guest.type("/quit")
        two.guest.press("enter")
        await two.guest.sees("Leave the film?")
