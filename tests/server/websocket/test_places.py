"""How many connections a person and an address may have."""

from collections.abc import Callable

import pytest

from dateflicks.core.errors import TooMany
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.web.address import LOCAL
from dateflicks.server.websocket.frames import Code
from dateflicks.server.websocket.gate import PLACES_TOPIC, Gate
from dateflicks.server.websocket.places import Places
from dateflicks.settings.services import LimitSettings


class Told:
    """Remembers what it was closed with."""

    def __init__(self) -> None:
        self.is_open = True
        self.code: int | None = None

    def close(self, code: int, reason: str = "") -> None:
        self.code = code
        self.is_open = False


class ToldBus(LocalBus):
    """Remembers who wants to know who is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: list[Callable[[str], None]] = []

    def on_gone(self, callback: Callable[[str], None]) -> None:
        self.gone.append(callback)


@pytest.fixture
def places() -> Places:
    return Places(per_person=3, per_address=5)


def enter(places: Places, person: str, count: int, address: str = "10.0.0.1") -> list[Told]:
    found = [Told() for _ in range(count)]
    for connection in found:
        places.enter(connection, person, address)
    return found


def test_one_more_of_a_person_replaces_the_oldest(places: Places) -> None:
    first, second, third = enter(places, "ada", 3)
    assert [one.code for one in (first, second, third)] == [None] * 3
    enter(places, "ada", 1)
    assert [one.code for one in (first, second, third)] == [Code.REPLACED, None, None]


@pytest.mark.parametrize("per_person", [1, 2, 3, 4, 5, 9])
def test_a_person_always_has_the_newest_that_they_may_have(per_person: int) -> None:
    found = enter(Places(per_person, 100), "ada", 12)
    assert [one.is_open for one in found] == [False] * (12 - per_person) + [True] * per_person


def test_people_do_not_replace_each_other(places: Places) -> None:
    everybody = enter(places, "ada", 3) + enter(places, "bob", 3, "10.0.0.2")
    assert all(one.is_open for one in everybody)


def test_one_that_is_closing_already_does_not_cost_an_open_one_its_place(places: Places) -> None:
    first, second, third = enter(places, "ada", 3)
    third.close(Code.TOKEN)
    enter(places, "ada", 1)
    assert first.is_open
    assert second.is_open


def test_one_that_has_left_makes_room(places: Places) -> None:
    first, second, _ = enter(places, "ada", 3)
    places.leave(second, "ada", "10.0.0.1")
    enter(places, "ada", 1)
    assert first.is_open


def test_an_address_that_has_all_it_may_have_is_refused_until_one_leaves(places: Places) -> None:
    found = [(f"p{number}", enter(places, f"p{number}", 1)[0]) for number in range(5)]
    with pytest.raises(TooMany) as caught:
        places.check("10.0.0.1")
    assert caught.value.retry_after > 0
    places.check("10.0.0.2")
    places.leave(found[0][1], found[0][0], "10.0.0.1")
    places.check("10.0.0.1")


def test_one_that_is_closing_still_counts_for_its_address(places: Places) -> None:
    for one in enter(places, "ada", 5):
        one.close(Code.NORMAL)
    with pytest.raises(TooMany):
        places.check("10.0.0.1")


def test_the_addresses_of_one_ipv6_network_of_64_bits_count_as_one(places: Places) -> None:
    for number in range(5):
        enter(places, f"p{number}", 1, f"2001:db8:1:2::{number + 1:x}")
    with pytest.raises(TooMany):
        places.check("2001:db8:1:2:ffff::9")
    places.check("2001:db8:1:3::1")


def test_peers_without_an_address_are_not_counted_as_one(places: Places) -> None:
    for number in range(20):
        enter(places, f"p{number}", 1, LOCAL)
    places.check(LOCAL)


# --- those of other processes -----------------------------------------------------------------------------------------


def enter_elsewhere(places: Places, count: int, process: str = "wrk_b") -> None:
    for number in range(count):
        places.entered_elsewhere("ada", f"{process}:{number}", process)


def test_those_that_came_later_to_other_processes_replace_one_here(places: Places) -> None:
    (only,) = enter(places, "ada", 1)
    enter_elsewhere(places, 2)
    places.left_elsewhere("ada", "wrk_b:0")
    enter_elsewhere(places, 1, "wrk_c")
    assert only.is_open
    enter_elsewhere(places, 1, "wrk_d")
    assert only.code == Code.REPLACED


def test_those_of_a_process_that_is_gone_replace_nobody(places: Places) -> None:
    (only,) = enter(places, "ada", 1)
    for died in ("wrk_b", "wrk_c", "wrk_d"):
        enter_elsewhere(places, 2, died)
        places.forget_process(died)
    assert only.is_open


def test_those_whose_leaving_nobody_may_have_heard_replace_nobody(places: Places) -> None:
    (only,) = enter(places, "ada", 1)
    for number in range(5):
        places.entered_elsewhere("ada", f"con_{number}", "wrk_b")
        places.forget_elsewhere()
    assert only.is_open


def test_a_gate_counts_what_other_processes_tell_of_their_connections_until_they_are_gone() -> None:
    bus = ToldBus()
    gate = Gate("relay", LimitSettings(sockets_per_person=2), bus=bus)
    (only,) = enter(gate._places, "ada", 1)

    def tell(connection: str, process: str, service: str = "relay") -> None:
        hint = {"service": service, "person": "ada", "connection": connection, "left": False, "by": process}
        bus.publish(PLACES_TOPIC, hint)

    tell("con_1", "wrk_b")
    for gone in bus.gone:
        gone("wrk_b")
    tell("con_2", "wrk_c")
    tell("con_3", "wrk_c", "another service")
    tell("con_4", bus.worker_id)
    assert only.is_open
    tell("con_5", "wrk_c")
    assert only.code == Code.REPLACED


def test_nothing_is_kept_of_those_who_have_left(places: Places) -> None:
    for person, address in (("ada", "10.0.0.1"), ("bob", "2001:db8::1"), ("cleo", LOCAL)):
        for connection in enter(places, person, 5, address):
            places.leave(connection, person, address)
    assert not places._people
    assert not places._addresses
