"""JSON that nobody means well by: it is kept or refused in words, and never an error of the program."""

import pytest

from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT = [
    (b'"\\ud800"', {400, 422}),
    (b'"\\u0000"', {201}),
    (b"NaN", {400}),
    (b"Infinity", {400}),
    (b"1e999", {400, 422}),
    (b'{"n":1e999}', {400, 422}),
    (b'{"n":-0}', {201}),
    (b'{"n":1e-400}', {201}),
    (b'{"n":1e308}', {201}),
    (b'{"n":' + b"9" * 5_000 + b"}", {400, 422}),
    (b'{"a":1,"a":2}', {201}),
    (b'{"$date":"2026-01-01","$oid":"x","__proto__":{},"a.b":1,"\\u0000":1}', {201}),
    (b"[" * 60_000, {400}),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {400, 422}),
    (b'{"a":[' + b"[]," * 20_000 + b"[]]}", {413, 422}),
    (b'"' + b"a" * 70_000 + b'"', {413}),
    (b'"\xff\xfe"', {400, 422}),
    (b'"\xc0\x80"', {400, 422}),
    (b"'single'", {400}),
    (b'"a",', {400}),
    (b'"a" /* why */', {400}),
    (b"", {400}),
]


@pytest.mark.parametrize(("details", "statuses"), SENT, ids=lambda value: repr(value)[:40])
async def test_details_of_any_kind_are_kept_or_refused_in_words(
    shared: Deployment, details: bytes, statuses: set[int]
) -> None:
    host, guest = await shared.pair()
    body = b'{"session":{"guestUserId":"%s","video":{"url":"a","length":0},"details":%s}}' % (
        guest.id.encode(),
        details,
    )
    headers = {"Authorization": f"Bearer {host.token}", "Content-Type": "application/json"}

    response = await shared.client.post("/sessions", content=body, headers=headers)

    assert response.status_code in statuses, response.text
    items = (await guest.get("/sessions"))["items"]
    if response.status_code == 201:
        assert items == [response.json()["session"]]
    else:
        assert response.headers["Content-Type"] == "application/problem+json"
        assert items == []


@pytest.mark.parametrize("field", ["guestUserId", "guestName", "videoId", "video", "startTime", "details", "link"])
async def test_a_field_that_is_null_counts_as_left_out_or_is_refused(shared: Deployment, field: str) -> None:
    host, guest = await shared.pair()
    body = {"session": {"guestUserId": guest.id, "video": {"url": "a", "length": 0}, field: None}}

    response = await host.call("POST", "/sessions", body)

    assert response.status_code == (422 if field in ("guestUserId", "video", "link") else 201), response.text


async def test_fields_that_nobody_knows_are_ignored(shared: Deployment) -> None:
    host, guest = await shared.pair()

    session = await host.ask(guest, state="accepted", isAccepted=True, id="ses_1", rev=9, _id=7, ticket="x")

    assert (session["state"], session["isAccepted"], session["rev"]) == ("pending", None, 1)
    assert session["id"] != "ses_1"
    assert "ticket" not in session
