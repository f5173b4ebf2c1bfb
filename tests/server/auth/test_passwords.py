"""Passwords: argon2id as RFC 9106 has it, no more at once than the machine can bear, and the same work for nobody."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from dateflicks.core.errors import TooMany
from dateflicks.server.auth.passwords import WAITING_MAX, Passwords, Verdict
from dateflicks.server.auth.tries import SignInTries, TryRules


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    with Passwords(CHEAPEST) as passwords:
        yield passwords


async def test_the_right_password_is_right_and_another_is_not(passwords: Passwords) -> None:
    kept = await passwords.hashed("correct horse")

    assert (await passwords.verified("correct horse", kept)).is_right
    assert not (await passwords.verified("correct horse ", kept)).is_right
    assert "correct" not in kept


async def test_what_is_kept_is_argon2id_at_the_cost_of_the_rfc() -> None:
    with Passwords() as passwords:
        kept = await passwords.hashed("correct horse")

    assert kept.startswith("$argon2id$")
    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY


async def test_a_password_typed_in_another_composition_is_the_same(passwords: Passwords) -> None:
    kept = await passwords.hashed("caf\u00e9 cr\u00e8me")

    assert (await passwords.verified("cafe\u0301 cre\u0300me", kept)).is_right


async def test_a_hash_of_another_cost_is_renewed_when_its_owner_signs_in(passwords: Passwords) -> None:
    with Passwords() as before:
        kept = await before.hashed("correct horse")

    right = await passwords.verified("correct horse", kept)
    wrong = await passwords.verified("wrong horse", kept)

    assert right.renewed is not None
    assert extract_parameters(right.renewed) == CHEAPEST
    assert (await passwords.verified("correct horse", right.renewed)).renewed is None
    assert wrong.renewed is None


async def test_nobody_has_no_password_and_a_broken_hash_fits_none(passwords: Passwords) -> None:
    assert not (await passwords.verified("correct horse", None)).is_right
    assert not (await passwords.verified("correct horse", "not a hash")).is_right


async def test_a_name_that_does_not_exist_costs_as_many_hashes_as_one_that_does() -> None:
    class Counted(Passwords):
        def _verdict(self, password: str, kept: str) -> Verdict:
            costs.append(extract_parameters(kept))
            return super()._verdict(password, kept)

    costs: list[object] = []
    with Counted(CHEAPEST) as passwords:
        kept = await passwords.hashed("correct horse")
        await passwords.verified("wrong horse", kept)
        await passwords.verified("wrong horse", None)

    assert costs == [CHEAPEST, CHEAPEST]


async def test_beyond_a_number_that_wait_more_are_told_to_come_back(passwords: Passwords) -> None:
    tries = [asyncio.create_task(passwords.hashed(f"password {number}")) for number in range(WAITING_MAX + 5)]
    results = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(result, TooMany) for result in results) == 5
    assert sum(isinstance(result, str) for result in results) == WAITING_MAX


def test_a_name_and_an_address_have_so_many_tries() -> None:
    tries = SignInTries(TryRules(per_name=2, per_address=3, window_seconds=60))
    tries.begin("ada", "1.1.1.1", 0.0)
    tries.begin("ada", "1.1.1.1", 0.0)
    with pytest.raises(TooMany) as refused:
        tries.begin("ada", "2.2.2.2", 0.0)
    assert refused.value.retry_after == pytest.approx(30.0)

    tries.begin("bob", "1.1.1.1", 0.0)
    with pytest.raises(TooMany):
        tries.begin("cleo", "1.1.1.1", 0.0)
    tries.begin("cleo", "2.2.2.2", 0.0)
    tries.begin("ada", "1.1.1.1", 60.0)


def test_a_good_sign_in_gives_the_name_all_its_tries_and_the_address_one() -> None:
    tries = SignInTries(TryRules(per_name=2, per_address=3, window_seconds=60))
    tries.begin("ada", "1.1.1.1", 0.0)
    tries.begin("bob", "1.1.1.1", 0.0)
    tries.begin("bob", "1.1.1.1", 0.0)
    tries.succeeded("bob", "1.1.1.1", 0.0)

    tries.begin("bob", "1.1.1.1", 0.0)
    with pytest.raises(TooMany):
        tries.begin("cleo", "1.1.1.1", 0.0)
    tries.begin("bob", "3.3.3.3", 0.0)
