"""What every deployment says about itself to whoever asks, and the form of what it refuses."""

from typing import Any

from tests.journeys.wire import Answer, Rest, open_rest

PUBLIC_CALLS = {
    "/users": {"post"},
    "/tokens": {"post"},
    "/users/me": {"get"},
    "/tokens/current": {"delete"},
    "/sessions": {"post", "get"},
    "/sessions/{}": {"get"},
    "/sessions/{}/accept": {"post"},
    "/sessions/{}/reject": {"post"},
    "/sessions/{}/cancel": {"post"},
    "/sessions/{}/end": {"post"},
    "/invitations/{}/redeem": {"post"},
    "/history": {"get"},
    "/timecodes": {"post"},
    "/timecodes/{}": {"get", "patch", "delete"},
}


async def test_health_names_the_service_and_its_database(rest: Rest) -> None:
    health = (await rest.call("GET", "/health")).body
    assert health["status"] == "ok"
    assert health["database"] == "ok"
    assert isinstance(health["service"], str)
    assert health["service"]


async def test_metrics_are_in_the_text_form_of_prometheus(rest: Rest) -> None:
    answer = await rest.call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert any(line.startswith("# TYPE ") for line in lines)
    assert any(line and not line.startswith("#") for line in lines)


async def test_the_documentation_is_a_page_with_a_description_that_machines_read(rest: Rest) -> None:
    page = await rest.call("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    described = (await rest.call("GET", "/docs/openapi.json")).body
    assert described["openapi"].startswith("3.")
    assert described["info"]["title"]
    paths = {_nameless(path): set(calls) for path, calls in described["paths"].items()}
    for path, methods in PUBLIC_CALLS.items():
        assert methods <= paths.get(path, set()), f"{path} does not document {methods}"


def _nameless(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


async def test_one_url_is_enough_to_find_every_service(rest: Rest) -> None:
    urls = _base_urls(await rest.call("GET", "/services"))
    for service in ("session", "timecode"):
        async with open_rest(rest.deployment, rest.deployment.fresh_address()) as elsewhere:
            assert (await elsewhere.call("GET", f"{urls[service].rstrip('/')}/health")).body["status"] == "ok"


def _base_urls(answer: Answer) -> dict[str, str]:
    """The contract names no shape: an object of name and URL, or a list of objects that have both, inside or not."""
    body: Any = answer.body
    for envelope in ("services", "items"):
        if isinstance(body, dict) and isinstance(body.get(envelope), dict | list):
            body = body[envelope]
    if isinstance(body, list):
        return {str(one["name"]): _url(one) for one in body}
    return {str(name): _url(one) for name, one in body.items() if isinstance(one, str | dict)}


def _url(one: Any) -> str:
    if isinstance(one, str):
        return one
    return str(one.get("url") or one["baseUrl"])


async def test_a_path_that_is_not_there_is_a_problem_with_status_404(rest: Rest) -> None:
    await rest.call("GET", "/no/such/thing", expect=404)


async def test_a_method_that_a_path_does_not_know_is_a_problem(rest: Rest) -> None:
    # The contract's list has no 405: a service may also say that there is nothing of the kind.
    await rest.call("PUT", "/users", {}, expect=(404, 405))


async def test_a_body_of_the_wrong_kind_of_content_is_refused(rest: Rest) -> None:
    # A service may read JSON whatever it is called; this one is not JSON either way.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await rest.call("POST", "/users", content=b"name=anna&password=12345678", headers=form, expect=(400, 415))


async def test_a_body_far_too_large_is_refused_as_such(rest: Rest) -> None:
    body = {"name": "anna", "password": "p" * 8, "more": "x" * 20_000_000}
    await rest.call("POST", "/users", body, expect=413)
