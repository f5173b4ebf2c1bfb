"""Whatever comes in, it either fits or is refused in words: never anything else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateflicks.core.errors import Invalid, Malformed
from dateflicks.protocol.bodies import CreateSession, Credentials
from dateflicks.server.web.fitting import decode_body, decode_query
from dateflicks.server.web.route import PageQuery
from tests.server.web.example import MakeThing

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
names = st.sampled_from(["thing", "longName", "position", "tags", "kind", "$gt", "__proto__", ""]) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)


def refusal(raw: bytes) -> Malformed | Invalid | None:
    try:
        decode_body(raw, MakeThing)
    except (Malformed, Invalid) as error:
        return error
    return None


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    refused = refusal(raw)
    if isinstance(refused, Invalid):
        json.loads(raw)  # only what is JSON may be said not to fit


@settings(deadline=None)
@given(values)
def test_any_json_fits_or_says_where_it_does_not(value: Any) -> None:
    refused = refusal(json.dumps(value, allow_nan=False).encode("utf-8", "surrogatepass"))
    if isinstance(refused, Invalid):
        problem, *_ = refused.problems
        assert problem.message
        assert "`" not in problem.message
        assert "$" not in problem.field.split(".")


@settings(deadline=None)
@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)))
def test_any_query_is_read_or_refused(text: str) -> None:
    try:
        query = decode_query("limit=" + text, PageQuery)
    except (Malformed, Invalid):
        return
    assert 1 <= query.limit <= 200


def test_all_fields_that_do_not_fit_are_named_at_once() -> None:
    raw = b'{"session":{"guestName":"x","startTime":7,"video":{"title":[],"length":-1}},"link":"yes"}'
    with pytest.raises(Invalid) as caught:
        decode_body(raw, CreateSession)
    assert {problem.field: problem.message for problem in caught.value.problems} == {
        "session.guestName": "must have at least 2 characters",
        "session.startTime": "must be text or null, not a whole number",
        "session.video.url": "is required",
        "session.video.title": "must be text, not a list",
        "session.video.length": "must be at least 0",
        "link": "must be true or false, not text",
    }


def test_a_name_that_does_not_fit_is_told_in_words_and_not_in_a_pattern() -> None:
    for name in ("two words", "Jos\u00e9", "line\\n"):
        with pytest.raises(Invalid) as caught:
            decode_body(f'{{"name":"{name}","password":"12345678"}}'.encode(), Credentials)
        (problem,) = caught.value.problems
        assert (problem.field, problem.message) == ("name", "may have letters (a to z), digits, _ and - only")
