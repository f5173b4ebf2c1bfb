"""Bodies: what is no JSON is 400, what does not fit is 422 and says where, and nothing is ever a 500."""

from typing import Any

import httpx2
import pytest

GOOD = {"thing": {"longName": "lamp"}}


async def post(client: httpx2.AsyncClient, content: bytes | str, content_type: str | None = None) -> httpx2.Response:
    return await client.post("/things", content=content, headers={"Content-Type": content_type or "application/json"})


def field(answer: httpx2.Response) -> tuple[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (problem,) = answer.json()["errors"]
    return problem["field"], problem["message"]


MALFORMED = {
    "empty": b"",
    "blank": b"  \n ",
    "a byte order mark": b'\xef\xbb\xbf{"thing":{"longName":"lamp"}}',
    "a trailing comma": b'{"thing":{"longName":"lamp"},}',
    "a comment": b'{"thing":{"longName":"lamp"}} // so',
    "something after the end": b'{"thing":{"longName":"lamp"}}{}',
    "cut off": b'{"thing":{"longName":"la',
    "NaN": b'{"thing":{"longName":"lamp","position":NaN}}',
    "Infinity": b'{"thing":{"longName":"lamp","position":Infinity}}',
    "NaN in an unknown field": b'{"thing":{"longName":"lamp"},"extra":NaN}',
    "malformed behind a field that does not fit": b'{"thing":{"longName":"x"},,}',
    "single quotes": b"{'thing':{'longName':'lamp'}}",
    "not UTF-8": b'{"thing":{"longName":"la\xff"}}',
    "a surrogate in UTF-8": b'{"thing":{"longName":"\xed\xa0\x80a"}}',
    "a lone surrogate": b'{"thing":{"longName":"\\ud800"}}',
    "surrogates the wrong way round": b'{"thing":{"longName":"\\udc00\\ud800"}}',
    "nested too deeply": b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "nested without an end": b"[" * 60_000,
    "nested too deeply where anything may be": b'{"thing":{"longName":"lamp","details":' + b'{"a":' * 12_000,
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_json_is_malformed(client: httpx2.AsyncClient, content: bytes) -> None:
    answer = await post(client, content)
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (400, "urn:dateflicks:problem:malformed")
    assert "errors" not in problem


@pytest.mark.parametrize(
    ("thing", "where", "why"),
    [
        ('{"longName":"x"}', "thing.longName", "must have at least 2 characters"),
        ('{"longName":"abcdefghi"}', "thing.longName", "must have at most 8 characters"),
        ('{"longName":"LAMP"}', "thing.longName", "must match ^[a-z]+$"),
        ('{"longName":"la\\u0000"}', "thing.longName", "must match ^[a-z]+$"),
        ("{}", "thing.longName", "is required"),
        ('{"longName":null}', "thing.longName", "must be text, not null"),
        ('{"longName":["lamp"]}', "thing.longName", "must be text, not a list"),
        ('{"longName":{"$gt":""}}', "thing.longName", "must be text, not an object"),
        ('{"longName":"lamp","longName":"x"}', "thing.longName", "must have at least 2 characters"),
        ('{"longName":"lamp","position":-0.001}', "thing.position", "must be at least 0"),
        ('{"longName":"lamp","position":172800.5}', "thing.position", "must be at most 172800"),
        ('{"longName":"lamp","position":1e999}', "thing.position", "is out of range"),
        ('{"longName":"lamp","position":"12"}', "thing.position", "must be a number, not text"),
        ('{"longName":"lamp","position":true}', "thing.position", "must be a number, not true or false"),
        ('{"longName":"lamp","position":null}', "thing.position", "must be a number, not null"),
        ('{"longName":"lamp","count":1.5}', "thing.count", "must be a whole number, not a number"),
        ('{"longName":"lamp","count":' + "9" * 5000 + "}", "thing.count", "is out of range"),
        ('{"longName":"lamp","details":' + "9" * 5000 + "}", "thing.details", "is out of range"),
        ('{"longName":"lamp","tags":["a",1]}', "thing.tags.1", "must be text, not a whole number"),
        ('{"longName":"lamp","tags":{}}', "thing.tags", "must be a list, not an object"),
        ('{"longName":"lamp","kind":"PLAY"}', "thing.kind", "is none of the allowed values"),
        ('{"longName":"lamp","isIt":1}', "thing.isIt", "must be true or false, not a whole number"),
        ("[]", "thing", "must be an object, not a list"),
        ('"lamp"', "thing", "must be an object, not text"),
    ],
)
async def test_a_field_that_does_not_fit_is_named_with_its_reason(
    client: httpx2.AsyncClient, thing: str, where: str, why: str
) -> None:
    assert field(await post(client, f'{{"thing":{thing}}}')) == (where, why)


@pytest.mark.parametrize("content", ["[]", "1", '"text"', "true", "null"])
async def test_a_body_that_is_no_object_does_not_fit_as_a_whole(client: httpx2.AsyncClient, content: str) -> None:
    where, why = field(await post(client, content))
    assert where == ""
    assert why.startswith("must be an object")


@pytest.mark.parametrize(
    "extra",
    [
        '"__proto__":{"admin":true}',
        '"$where":"1"',
        '"a.b":1',
        '"\\u0000":1',
        '"big":' + "9" * 4000,
        '"e":1e999',
        '"":0',
    ],
)
async def test_unknown_fields_are_ignored(client: httpx2.AsyncClient, extra: str) -> None:
    answer = await post(client, f'{{{extra},"thing":{{"longName":"lamp",{extra}}}}}')
    assert answer.status_code == 201
    assert answer.json()["longName"] == "lamp"


@pytest.mark.parametrize(("written", "taken"), [("-0", 0), ("-0.0", 0), ("1e-400", 0), ("12", 12.0), ("1E2", 100.0)])
async def test_numbers_may_be_written_in_every_way_json_has(
    client: httpx2.AsyncClient, written: str, taken: float
) -> None:
    answer = await post(client, f'{{"thing":{{"longName":"lamp","position":{written}}}}}')
    assert answer.json()["position"] == taken


async def test_a_hundred_thousand_keys_do_no_harm(client: httpx2.AsyncClient) -> None:
    many = ",".join(f'"{number:x}":0' for number in range(7_000))
    answer = await post(client, f'{{{many},"thing":{{"longName":"lamp"}}}}')
    assert answer.status_code == 201


async def test_a_body_over_64_kib_is_too_large(client: httpx2.AsyncClient) -> None:
    answer = await post(client, b" " * (64 * 1024) + b"{}")
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:dateflicks:problem:too-large"


async def test_a_body_of_exactly_64_kib_is_read(client: httpx2.AsyncClient) -> None:
    content = b'{"thing":{"longName":"lamp"}}'
    answer = await post(client, content + b" " * (64 * 1024 - len(content)))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/x.y+json"],
)
async def test_json_may_be_called_by_any_of_its_names(client: httpx2.AsyncClient, content_type: str) -> None:
    assert (await client.post("/things", json=GOOD, headers={"Content-Type": content_type})).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
    ],
)
async def test_a_body_that_does_not_say_it_is_json_is_refused(client: httpx2.AsyncClient, content_type: str) -> None:
    answer = await client.post("/things", json=GOOD, headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


async def test_an_optional_body_may_be_missing_but_not_wrong(client: httpx2.AsyncClient) -> None:
    async def word(**arguments: Any) -> str:
        answer = await client.post("/notes", **arguments)
        assert answer.status_code == 200
        return str(answer.json()["word"])

    assert await word() == "None: none"
    assert await word(json={"word": "hello"}) == "None: hello"
    assert (await client.post("/notes", content=b"{")).status_code == 400
