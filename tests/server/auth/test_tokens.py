"""Tokens and tickets: what was signed comes back, and nothing else passes."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.errors import Forbidden, Unauthenticated
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer

KEY = b"k" * 32
NOW = 1_764_000_000.0
ADA = UserToken("tok_a", "usr_ada", "ada", NOW + 60.0)


class Clock:
    """Unix time that stands until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> Signer:
    return Signer(KEY, clock)


def test_a_user_token_says_who_signed_in(signer: Signer) -> None:
    assert signer.verify_user_token(signer.issue_user_token(ADA)) == ADA


def test_a_ticket_says_whose_place_in_which_session_it_is(signer: Signer) -> None:
    ticket = signer.verify_ticket(signer.issue_ticket("ses_1", "usr_ada", "ada", "host", lifetime_seconds=10))

    assert (ticket.session_id, ticket.user_id, ticket.name, ticket.role) == ("ses_1", "usr_ada", "ada", "host")
    assert ticket.expires_at == NOW + 10
    assert ticket.is_host


def test_a_ticket_never_passes_as_a_user_token_nor_the_other_way_round(signer: Signer) -> None:
    ticket = signer.issue_ticket("ses_1", "usr_ada", "ada", "host")
    token = signer.issue_user_token(ADA)

    with pytest.raises(Unauthenticated):
        signer.verify_user_token(ticket)
    with pytest.raises(Unauthenticated):
        signer.verify_ticket(token)


def test_verify_tells_the_two_kinds_apart(signer: Signer) -> None:
    by_token = signer.verify(signer.issue_user_token(ADA))
    by_ticket = signer.verify(signer.issue_ticket("ses_1", "usr_ada", "ada", "guest"))

    assert by_token.ticket is None
    assert by_token.token_id == "tok_a"
    assert by_ticket.ticket is not None
    assert by_ticket.ticket.session_id == "ses_1"
    assert not by_ticket.token_id


def test_a_token_is_good_until_its_last_second_and_not_after(signer: Signer, clock: Clock) -> None:
    token, ticket = signer.issue_user_token(ADA), signer.issue_ticket("ses_1", "u", "n", "host", lifetime_seconds=60)

    clock.now = NOW + 59.9
    signer.verify(token)
    signer.verify(ticket)

    clock.now = NOW + 60.0
    for text in (token, ticket):
        with pytest.raises(Unauthenticated, match="expired"):
            signer.verify(text)


def forged(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, signature])


GOOD: dict[str, Any] = {
    "iss": "dateflicks", "iat": int(NOW), "typ": "user", "aud": "dateflicks:user",
    "jti": "tok_a", "sub": "usr_ada", "name": "ada", "exp": int(NOW) + 60,
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a.b.c", "é.é.é", "x" * 5_000,
        forged({"alg": "none", "typ": "JWT"}, GOOD),
        forged({"alg": "HS256", "typ": "JWT"}, GOOD, "AAAA"),
        jwt.encode(GOOD, b"z" * 32, algorithm="HS256"),
        jwt.encode(GOOD, KEY * 2, algorithm="HS512"),
        jwt.encode({**GOOD, "iss": "somebody"}, KEY, algorithm="HS256"),
        jwt.encode({**GOOD, "aud": "dateflicks:other"}, KEY, algorithm="HS256"),
        jwt.encode({**GOOD, "aud": ["dateflicks:user", "dateflicks:ticket"]}, KEY, algorithm="HS256"),
        jwt.encode({**GOOD, "typ": "ticket"}, KEY, algorithm="HS256"),
        jwt.encode({**GOOD, "exp": float(NOW) + 0.5}, KEY, algorithm="HS256"),
        jwt.encode({name: value for name, value in GOOD.items() if name != "exp"}, KEY, algorithm="HS256"),
        jwt.encode({name: value for name, value in GOOD.items() if name != "jti"}, KEY, algorithm="HS256"),
        jwt.encode({**GOOD, "name": None}, KEY, algorithm="HS256"),
    ],
)  # fmt: skip
def test_what_we_did_not_sign_as_it_is_does_not_pass(signer: Signer, text: str) -> None:
    for verify in (signer.verify, signer.verify_user_token, signer.verify_ticket):
        with pytest.raises(Unauthenticated):
            verify(text)


def test_one_changed_character_of_a_ticket_is_enough_to_refuse_it(signer: Signer) -> None:
    ticket = signer.issue_ticket("ses_1", "usr_ada", "ada", "guest")
    for at in range(0, len(ticket) - 1, 7):  # the last character of a signature has bits that mean nothing
        other = "B" if ticket[at] == "A" else "A"
        with pytest.raises(Unauthenticated):
            signer.verify(ticket[:at] + other + ticket[at + 1 :])


@given(st.text())
def test_no_text_at_all_makes_it_fail_otherwise(text: str) -> None:
    with pytest.raises(Unauthenticated):
        Signer(KEY, lambda: NOW).verify(text)


def test_a_key_too_short_for_the_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Signer(b"k" * 31)


def test_derived_bytes_depend_on_key_purpose_and_every_word(signer: Signer) -> None:
    one = signer.derived("code", "a", "bc")

    assert one == Signer(KEY).derived("code", "a", "bc")
    others = [
        signer.derived("code", "ab", "c"),
        signer.derived("id", "a", "bc"),
        Signer(b"j" * 32).derived("code", "a", "bc"),
    ]
    assert len({one, *others}) == 4


# --- admission --------------------------------------------------------------------------------------------------


def test_a_ticket_opens_its_own_session_only(signer: Signer) -> None:
    admission = Admission(signer)
    caller = admission.identify(signer.issue_ticket("ses_1", "usr_ada", "ada", "host"))

    assert admission.admit(caller, "ses_1").role == "host"
    with pytest.raises(Forbidden):
        admission.admit(caller, "ses_2")


def test_a_user_token_opens_what_its_owner_has_shown_a_ticket_of_until_that_expires(
    signer: Signer, clock: Clock
) -> None:
    admission = Admission(signer)
    token = signer.issue_user_token(UserToken("tok_a", "usr_ada", "ada", NOW + 9_999))
    with pytest.raises(Forbidden):
        admission.admit(admission.identify(token), "ses_1")

    admission.identify(signer.issue_ticket("ses_1", "usr_ada", "ada", "guest", lifetime_seconds=60))
    assert admission.admit(admission.identify(token), "ses_1").role == "guest"
    with pytest.raises(Forbidden):
        admission.admit(admission.identify(token), "ses_2")

    bob = signer.issue_user_token(UserToken("tok_b", "usr_bob", "bob", NOW + 9_999))
    with pytest.raises(Forbidden):
        admission.admit(admission.identify(bob), "ses_1")

    clock.now = NOW + 61
    with pytest.raises(Unauthenticated):
        admission.admit(admission.identify(token), "ses_1")


def test_places_are_forgotten_when_there_are_too_many(signer: Signer) -> None:
    admission = Admission(signer, places_max=2)
    token = admission.identify(signer.issue_user_token(ADA))
    for number in range(3):
        admission.identify(signer.issue_ticket(f"ses_{number}", "usr_ada", "ada", "host"))

    with pytest.raises(Forbidden):
        admission.admit(token, "ses_0")
    assert admission.admit(token, "ses_2").session_id == "ses_2"
