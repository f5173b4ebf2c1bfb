"""What a host asks for: what is wrong is found at once, and what is kept is clean."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.errors import Forbidden, Invalid
from dateflicks.core.limits import DETAILS_MAX_BYTES
from dateflicks.protocol.bodies import CreateSession
from dateflicks.server.services.session.asking import DEPTH_MAX, Asked, checked
from dateflicks.server.storage.records import revealed

HOST, GUEST = "usr_" + "h" * 26, "usr_" + "g" * 26


def asked(**session: Any) -> Asked:
    body = {"session": {"guestUserId": GUEST, "video": {"url": "film.mkv", "length": 90}, **session}}
    return checked(msgspec.convert(body, CreateSession), HOST)


def wrong(**session: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        asked(**session)
    return [problem.field for problem in caught.value.problems]


def test_all_that_is_wrong_is_found_at_once() -> None:
    video = {"url": "two\nlines", "length": 90}

    assert wrong(guestUserId=HOST, video=video, startTime="soon", details=[1]) == [
        "session.guestUserId",
        "session.video.url",
        "session.startTime",
        "session.details",
    ]


def test_another_host_is_forbidden_before_anything_else_is_looked_at() -> None:
    with pytest.raises(Forbidden):
        asked(hostUserId=GUEST, startTime="soon")


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("2026-11-24T20:00:00Z", "2026-11-24T20:00:00.000Z"),
        ("2026-11-24t20:00:00.1239z", "2026-11-24T20:00:00.123Z"),
        ("2026-11-24T20:00-03:30", "2026-11-24T23:30:00.000Z"),
        (None, None),
    ],
)
def test_a_time_is_kept_in_one_spelling(given_: str | None, kept: str | None) -> None:
    assert asked(startTime=given_).start_time == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1764000000",
        "2026-11-24",
        "2026-11-24T20:00:00",
        "2026-11-24T25:00:00Z",
        "2026-02-30T20:00:00Z",
        "2026-11-24T20:00:00+99:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_a_time_without_day_hour_and_zone_is_none(text: str) -> None:
    assert wrong(startTime=text) == ["session.startTime"]


def nested(depth: int) -> dict[str, Any]:
    return {"deeper": nested(depth - 1)} if depth else {}


def test_details_may_be_nested_so_deep_and_no_deeper() -> None:
    assert asked(details=nested(DEPTH_MAX)).details is not None
    assert wrong(details=nested(DEPTH_MAX + 1)) == ["session.details"]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60), 10**30])
def test_a_whole_number_that_readers_disagree_about_is_refused(number: int) -> None:
    assert asked(details={"number": 2**53}).details == '{"number":9007199254740992}'
    assert wrong(details={"number": number}) == ["session.details"]


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    assert wrong(details={"list": [1, number]}) == ["session.details"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=200) | st.dictionaries(st.text(max_size=10), JSON, max_size=4))
def test_any_details_are_refused_or_kept_clean_within_their_limit(details: Any) -> None:
    try:
        kept = asked(details=details).details
    except Invalid:
        assert wrong(details=details) == ["session.details"]
        return
    assert kept is not None
    assert len(kept.encode()) <= DETAILS_MAX_BYTES
    assert asked(details=revealed(kept)).details == kept  # what is clean stays as it is


def test_the_same_request_has_one_fingerprint_and_another_has_another() -> None:
    same = {asked(details={"a": 1}).fingerprint, asked(details={"a": 1}, hostUserId=HOST).fingerprint}
    others = {
        asked().fingerprint,
        asked(details={"a": 2}).fingerprint,
        asked(video={"url": "b.mkv", "length": 90}).fingerprint,
    }

    assert len(same) == 1
    assert len(same | others) == 4
