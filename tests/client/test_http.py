"""The HTTP client: what it sends, what it makes of answers, and how every failure is told apart."""

import socket
import threading

import pytest

from dateflicks.client import errors, http
from dateflicks.client.address import is_loopback, server_address
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.bodies import SessionRequest, UserBody, VideoRef
from tests.scripted_server import Answer, ScriptedServer, scripted_server, session_json

SIGNED_IN = {"user": {"id": "usr_a", "name": "ana"}, "token": "t0ken", "expiresAt": "2026-12-24T01:43:00.123Z"}
SESSION = session_json()


async def test_signing_in_sends_the_password_in_the_body_only_and_keeps_the_token(server: ScriptedServer) -> None:
    server.on("POST", "/tokens", SIGNED_IN, 201)
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    async with ServiceClient(server.url) as client:
        answer = await client.sign_in("ana", "correct horse")
        assert server.last.body == {"name": "ana", "password": "correct horse"}
        assert "Authorization" not in server.last.headers
        assert (answer.user.name, answer.token, client.token) == ("ana", "t0ken", "t0ken")
        await client.me()
    assert server.last.headers["Authorization"] == "Bearer t0ken"


async def test_an_answer_may_have_fields_that_nobody_knows_yet(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana", "mood": "fine"})
    assert (await client.me()).name == "ana"


async def test_signing_out_forgets_the_token(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("DELETE", "/tokens/current", Answer(204))
    await client.sign_out()
    assert client.token is None


async def test_the_services_are_asked_for_once(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    await client.me()
    await client.me()
    assert [asked.path for asked in server.asked] == ["/services", "/users/me", "/users/me"]
    assert "Authorization" not in server.asked[0].headers


async def test_each_service_is_spoken_to_where_the_server_says_it_is(server: ScriptedServer) -> None:
    with scripted_server() as elsewhere:
        server.on("GET", "/services", {"services": {"timecode": f"{elsewhere.url}/t/"}})
        record = {
            "sessionId": "ses_x", "length": 10.0, "currentPosition": 0.0, "status": "stop",
            "lastStatusChange": "2026-11-24T01:43:00.123Z", "revision": 0,
        }  # fmt: skip
        elsewhere.on("GET", "/t/timecodes/ses_x", {"timecode": record})
        async with ServiceClient(server.url, token="t0ken") as client:
            assert (await client.timecode("ses_x", ticket="t1cket")).length == 10.0
            with pytest.raises(errors.NotThere, match="no session service"):
                await client.me()
        assert elsewhere.last.headers["Authorization"] == "Bearer t1cket"


async def test_a_session_is_asked_for_with_only_the_fields_that_were_given(
    server: ScriptedServer, client: ServiceClient
) -> None:
    server.on("POST", "/sessions", {"session": SESSION}, 201)
    made = await client.create_session(
        SessionRequest(guest_name="bea", video=VideoRef(url="film.mkv", title="A film", length=90.0))
    )
    assert server.last.body == {
        "session": {"guestName": "bea", "video": {"url": "film.mkv", "title": "A film", "length": 90.0}}
    }
    assert (made.state, made.is_accepted, made.guest_name) == ("pending", None, "bea")


@pytest.mark.parametrize("verb", ["accept", "reject", "cancel", "end"])
async def test_each_verb_is_posted_to_its_session(verb: str, server: ScriptedServer, client: ServiceClient) -> None:
    server.on("POST", f"/sessions/ses_x/{verb}", {"session": session_json(id="ses_x", ticket="t1")})
    session = await getattr(client, verb)("ses_x")
    assert (session.id, session.ticket) == ("ses_x", "t1")


async def test_any_service_is_called_with_a_ticket_or_with_the_own_token(server: ScriptedServer) -> None:
    server.on("GET", "/services", {"services": {"prediction": server.url}})
    server.on("POST", "/predictions/ses_x", {"id": "usr_a", "name": "ana"}, 201)
    server.on("GET", "/predictions/scores", {"id": "usr_b", "name": "bea"})
    async with ServiceClient(server.url, token="t0ken") as client:
        body = {"details": "rain"}
        made = await client.call("prediction", "POST", "/predictions/ses_x", UserBody, ticket="t1cket", body=body)
        assert (made.name, server.last.body) == ("ana", body)
        assert server.last.headers["Authorization"] == "Bearer t1cket"
        await client.call("prediction", "GET", "/predictions/scores", UserBody, query={"with": "usr_b", "cursor": None})
        assert (server.last.query, server.last.headers["Authorization"]) == ({"with": "usr_b"}, "Bearer t0ken")


async def test_an_id_cannot_lead_to_another_path(server: ScriptedServer, client: ServiceClient) -> None:
    with pytest.raises(errors.NotThere):
        await client.session("../users/me?x=1#y")
    assert server.last.path == "/sessions/..%2Fusers%2Fme%3Fx%3D1%23y"


async def test_lists_are_followed_page_by_page_and_not_further_than_asked(
    server: ScriptedServer, client: ServiceClient
) -> None:
    page = {"items": [session_json(id=f"ses_{number}") for number in range(3)], "next": "more"}
    server.on("GET", "/sessions", page)
    found = [session.id async for session in client.all_sessions(["pending", "accepted"], limit=6)]
    assert found == ["ses_0", "ses_1", "ses_2"] * 2
    assert server.last.query == {"state": "pending,accepted", "limit": "3", "cursor": "more"}


async def test_redeeming_a_link_without_an_account_brings_a_token(server: ScriptedServer) -> None:
    server.on("POST", "/invitations/c0de/redeem", {"session": SESSION, "token": "new"})
    async with ServiceClient(server.url) as client:
        await client.redeem("c0de", "bea")
        assert (server.last.body, client.token) == ({"name": "bea"}, "new")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.DoesNotFit), (401, errors.NotSignedIn), (403, errors.NotAllowed), (404, errors.NotThere),
        (409, errors.AtOdds), (413, errors.DoesNotFit), (422, errors.DoesNotFit), (429, errors.AskedTooOften),
        (500, errors.ServiceFailed), (502, errors.ServiceDown), (503, errors.ServiceDown), (418, errors.ServiceFailed),
    ],
)  # fmt: skip
async def test_each_problem_becomes_its_error_with_the_words_of_the_service(
    status: int, kind: type[errors.ClientError], server: ScriptedServer, client: ServiceClient
) -> None:
    server.on("GET", "/users/me", Answer.problem(status, "Because of this."))
    with pytest.raises(kind, match=r"Because of this\.") as caught:
        await client.me()
    assert type(caught.value) is kind


async def test_the_fields_that_do_not_fit_are_named(server: ScriptedServer, client: ServiceClient) -> None:
    problem = Answer.problem(422, "Wrong.", errors=[{"field": "name", "message": "too short"}])
    server.on("POST", "/users", problem)
    with pytest.raises(errors.DoesNotFit) as caught:
        await client.register("a", "correct horse")
    assert [(problem.field, problem.message) for problem in caught.value.problems] == [("name", "too short")]


async def test_too_many_says_when_to_come_back(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("POST", "/tokens", Answer.problem(429, "Slow down.", retry_after=30))
    with pytest.raises(errors.AskedTooOften) as caught:
        await client.sign_in("ana", "correct horse")
    assert caught.value.retry_after == 30


async def test_a_failure_without_a_problem_document_is_still_told(
    server: ScriptedServer, client: ServiceClient
) -> None:
    for body in (b"<html>bad gateway</html>", DEEP):
        server.on("GET", "/users/me", Answer(502, body))
        with pytest.raises(errors.ServiceDown, match="answered with 502"):
            await client.me()


DEEP = b'{"novelty":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id":1}', b"\xff", DEEP], ids=lambda body: repr(body[:8]))
async def test_an_answer_that_makes_no_sense_is_a_fault_of_the_service(
    body: bytes, server: ScriptedServer, client: ServiceClient
) -> None:
    server.on("GET", "/users/me", Answer(200, body))
    with pytest.raises(errors.ServiceFailed):
        await client.me()


async def test_an_answer_without_end_is_not_read_to_its_end(
    server: ScriptedServer, client: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "ANSWER_MAX_BYTES", 10_000)
    server.on("GET", "/users/me", Answer(200, b" " * 20_000))
    with pytest.raises(errors.ServiceFailed, match="without end"):
        await client.me()


async def test_a_redirect_is_not_followed_because_it_would_take_the_token_along(
    server: ScriptedServer, client: ServiceClient
) -> None:
    server.on("GET", "/users/me", Answer(302, b"", {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(errors.ServiceFailed):
        await client.me()
    assert server.last.path == "/users/me"


async def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        async with ServiceClient(url) as client:
            with pytest.raises(errors.Unreachable, match=r"cannot be reached: connection refused\.$"):
                await client.me()


async def test_a_service_that_does_not_answer_is_given_up_in_time(server: ScriptedServer) -> None:
    release = threading.Event()
    server.on("GET", "/users/me", Answer(200, {}, before=release.wait))
    try:
        async with ServiceClient(server.url, timeout=0.2) as client:
            with pytest.raises(errors.TimedOut, match=r"within 0\.2 s"):
                await client.me()
    finally:
        release.set()


async def test_an_encrypted_server_may_not_send_us_to_an_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(*_: object, **__: object) -> http.ServicesAnswer:
        return http.ServicesAnswer({"session": "http://films.example.org"})

    monkeypatch.setattr(ServiceClient, "_call", told)
    async with ServiceClient("https://films.example.org") as client:
        with pytest.raises(errors.ServiceFailed, match="not encrypted"):
            await client.services()


async def test_no_tls_context_is_made_for_an_open_address(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> None:
        pytest.fail("a TLS context was made")

    monkeypatch.setattr("ssl.create_default_context", made)
    async with ServiceClient(server.url) as client:
        await client.services()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("http://127.0.0.1:8700/", "http://127.0.0.1:8700"),
        ("HTTPS://Films.Example.org", "https://films.example.org"),
        ("films.example.org:81/deep/", "http://films.example.org:81/deep"),
        (" http://[::1]:8700 ", "http://[::1]:8700"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert server_address(typed) == kept


@pytest.mark.parametrize("typed", ["", "ftp://x", "http://", "http://a?b", "http://user:pass@a", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(errors.DoesNotFit, match="not the address of a server"):
        server_address(typed)


def test_loopback_is_known_by_number_and_by_name() -> None:
    assert all(is_loopback(url) for url in ("http://127.0.0.1:1", "http://[::1]", "https://localhost:2"))
    assert not any(is_loopback(url) for url in ("http://10.0.0.1", "https://films.example.org"))
