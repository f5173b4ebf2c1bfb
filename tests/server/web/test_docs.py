"""The documentation: an OpenAPI document that says what is true, and a page that needs nothing from elsewhere."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from dateflicks.server.web.about import SYSTEM_PATHS
from tests.server.web.example import ExampleService, MakeThing, ThingRequest


@pytest.fixture
async def document(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/docs/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


async def test_it_is_openapi_3_1_with_every_declared_call(document: dict[str, Any], service: ExampleService) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"]
    assert document["info"]["version"]
    declared = {(route.path, route.method.lower()) for route in service.routes}
    system = {(path, "get") for path in SYSTEM_PATHS}
    assert {(path, method) for path, method, _ in operations(document)} == declared | system


async def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own(
    document: dict[str, Any],
) -> None:
    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)


async def test_path_parameters_are_declared_as_they_stand_in_the_path(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        declared = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


async def test_what_a_body_requires_is_kept(document: dict[str, Any]) -> None:
    make = document["paths"]["/things"]["post"]
    assert make["requestBody"]["required"] is True
    schemas = document["components"]["schemas"]
    assert make["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": f"#/components/schemas/{MakeThing.__name__}"
    }
    thing = schemas[ThingRequest.__name__]
    assert thing["required"] == ["longName"]
    assert thing["properties"]["longName"] == {
        "type": "string", "minLength": 2, "maxLength": 8, "pattern": "^[a-z]+$",
    }  # fmt: skip
    assert thing["properties"]["position"]["minimum"] == 0
    assert thing["properties"]["position"]["maximum"] == 172_800
    assert document["paths"]["/notes"]["post"]["requestBody"]["required"] is False


async def test_the_fields_of_a_query_are_parameters_with_their_bounds(document: dict[str, Any]) -> None:
    parameters = {item["name"]: item for item in document["paths"]["/things"]["get"]["parameters"]}
    assert set(parameters) == {"limit", "cursor"}
    assert parameters["limit"]["required"] is False
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}


async def test_errors_are_documented_as_problems_and_auth_as_what_it_needs(document: dict[str, Any]) -> None:
    make = document["paths"]["/things"]["post"]
    assert {"201", "400", "409", "413", "415", "422", "500", "503"} <= set(make["responses"])
    assert "401" not in make["responses"]
    assert make["security"] == []
    me = document["paths"]["/me"]["get"]
    assert me["security"] == [{"token": []}, {"ticket": []}]
    assert me["responses"]["401"]["headers"]["WWW-Authenticate"]
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if int(status) >= 400 and "system" not in operation["tags"]:
                assert list(answer["content"]) == ["application/problem+json"]
    assert set(document["components"]["securitySchemes"]) == {"token", "ticket"}


async def test_a_feed_is_no_get_but_stands_by_itself_with_its_frames(document: dict[str, Any]) -> None:
    assert "/things/{id}/events" not in document["paths"]
    (feed,) = document["x-websocket"]
    assert feed["path"] == "/things/{id}/events"
    assert feed["server"] == [{"$ref": "#/components/schemas/Rung"}]
    assert "1012" in feed["closeCodes"]
    assert "/things/{id}/events" in document["info"]["description"]


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.styles: list[str] = []
        self.attributes: set[str] = set()
        self._is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._is_style = tag == "style"
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            if name == "id" and value is not None:
                self.anchors.add(value)

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self.styles.append(data)
            self._is_style = False


async def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Page(answer.text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert all(link.startswith(("#", "/")) and not link.startswith("//") for link in page.links)
    (style,) = page.styles
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in policy


async def test_the_page_names_every_call_and_its_links_lead_somewhere(
    client: httpx2.AsyncClient, service: ExampleService
) -> None:
    text = (await client.get("/docs")).text
    page = Page(text)
    declared = [(route.path, route.summary) for route in service.routes]
    declared += [(feed.path, feed.summary) for feed in service.feeds]
    for path, summary in declared:
        assert path in text
        assert summary in text
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= page.anchors


async def test_what_a_service_says_of_itself_is_text_and_not_markup(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/docs")).text
    assert "to &lt;b&gt;try&lt;/b&gt; <code>calls</code> on" in text
