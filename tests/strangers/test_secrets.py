"""What must never be in a log, at its most talkative level: passwords, tokens, tickets, codes, keys, what people say.

Each secret goes every way there is, right and wrong, through a server that is a process of its own; then all that it
has written is looked through.
"""

import json
import secrets
from collections import deque
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.journeys.deployment import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


OPENS_DOORS = (
    "password",
    "wrongPassword",
    "otherPassword",
    "token 0",
    "token 1",
    "token by link",
    "ticket",
    "code",
    "key",
)


def canary(what: str) -> str:
    return f"{what}Canary{secrets.token_hex(8)}"


class Secrets:
    """What was told to the server and must not be told by it, by what it is."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def new(self, what: str) -> str:
        return self.keep(what if what not in self.known else f"{what} {len(self.known)}", canary(what))

    def keep(self, what: str, secret: str) -> str:
        self.known[what] = secret
        return secret

    def is_in(self, what: str, path: Path) -> bool:
        return self.known[what].encode() in path.read_bytes()

    def told(self, lines: list[str]) -> list[str]:
        """Where one of them, or the telling part of one, was told."""
        found = []
        for what, secret in self.known.items():
            parts = [secret, *(part for part in secret.split(".") if len(part) > 20)]
            # What all tokens begin with is no secret.
            parts = [part for part in parts if part != secret.split(".")[0] or "." not in secret]
            found += [f"{what}: {line[:300]}" for line in lines if any(part in line for part in parts)]
        return found


def everything(server: Server, kept: Secrets) -> None:
    """Two people's evening, and all that can be done wrong with the words of it."""
    with httpx2.Client(base_url=server.url, verify=False, trust_env=False, timeout=30.0) as client:

        def call(method: str, path: str, token: str | None = None, body: Any = None, **more: Any) -> Any:
            headers = {**({} if token is None else {"Authorization": f"Bearer {token}"}), **more.pop("headers", {})}
            response = client.request(method, path, headers=headers, json=body, **more)
            return response.json() if response.content and "json" in response.headers["content-type"] else {}

        password = kept.new("password")
        people = [
            call("POST", "/users", body={"name": f"p{secrets.token_hex(6)}", "password": password}) for _ in range(2)
        ]
        host, guest = people
        for number, person in enumerate(people):
            kept.keep(f"token {number}", person["token"])
        wrong = kept.new("wrongPassword")
        call("POST", "/tokens", body={"name": host["user"]["name"], "password": wrong})
        call("POST", "/users", body={"name": host["user"]["name"], "password": kept.new("otherPassword")})
        change = {"old": kept.new("wrongOldPassword"), "new": kept.new("newPassword")}
        call("PUT", "/users/me/password", guest["token"], change)
        call("POST", "/users", body={"name": kept.new("name that is none "), "password": kept.new("shortOne")[:7]})
        kept.known.pop("shortOne")

        film = {"url": f"https://films.example.org/x.mkv?sig={kept.new('query')}", "title": kept.new("title")}
        session = {"video": {**film, "length": 600.0}, "details": {"note": kept.new("details")}}
        asked = call("POST", "/sessions", host["token"], {"session": {**session, "guestUserId": guest["user"]["id"]}})
        session_id = asked["session"]["id"]
        call("POST", f"/sessions/{session_id}/accept", guest["token"])
        ticket = kept.keep("ticket", call("GET", f"/sessions/{session_id}", host["token"])["session"]["ticket"])

        link = call("POST", "/sessions", host["token"], {"session": {"video": {**film, "length": 1.0}}, "link": True})
        code = kept.keep("code", link["session"]["invitation"])
        call("POST", f"/invitations/{code}/redeem", kept.new("noToken"), {})
        made = call("POST", f"/invitations/{code}/redeem", body={})
        kept.keep("token by link", made["token"])
        call("POST", f"/invitations/{code}/redeem", body={})
        call("GET", f"/invitations/{code}/redeem")
        call("POST", f"/invitations/{code}x/redeem", body={"name": kept.new("x y")})

        call("POST", "/timecodes", ticket, {"timecode": {"sessionId": session_id, "length": 600.0}})
        call("POST", f"/messages/{session_id}", ticket, {"message": {"content": kept.new("words")}})
        call("POST", f"/predictions/{session_id}", ticket, {"prediction": {"details": kept.new("prediction")}})
        for path in (
            "/users/me",
            f"/timecodes/{session_id}",
            f"/messages/{session_id}",
            "/recommendations",
            "/nothing",
        ):
            call("GET", f"{path}?token={host['token']}&access_token={ticket}&x={kept.new('asked')}")
            call("GET", path, kept.new("nonsense"))
            call("GET", path, headers={"Authorization": kept.new("Basic x")})
            call("GET", path, headers={"Cookie": kept.new("cookie"), "X-Request-Id": kept.new("id of many words ")})
            call("POST", path, host["token"], content=f'{{"x": "{kept.new("body")}'.encode())
            call("POST", path, ticket, content=kept.new("text").encode(), headers={"Content-Type": "text/plain"})
        call("GET", f"/videos?q={kept.new('search')}")
        call("GET", f"/{kept.new('path')}/x")
        call("GET", f"/sessions/{kept.new('idOfNone')}", host["token"])
        call("PUT", "/recommendations/ratings/vid_x", host["token"], {"rating": kept.new("rating")})

        feeds = [
            (f"/timecodes/{session_id}/events", ticket),
            (f"/messages/{session_id}/events", ticket),
            (f"/predictions/{session_id}/events", ticket),
            ("/sessions/events", host["token"]),
        ]
        for path, bearer in feeds:
            listen(server, path, bearer, kept)
        call("DELETE", "/tokens/current", host["token"])
        call("GET", "/users/me", host["token"])


def listen(server: Server, path: str, bearer: str, kept: Secrets) -> None:
    """A feed, in each way to ask for it, told what it knows and what it does not."""
    address = "ws" + server.url.removeprefix("http") + path
    for by_subprotocol in (False, True):
        for shown in (bearer, kept.new("nobodysTicket")):
            protocols = [Subprotocol("dateflicks.v1"), Subprotocol(f"bearer.{shown}")] if by_subprotocol else None
            headers = None if by_subprotocol else {"Authorization": f"Bearer {shown}"}
            try:
                with connect(
                    f"{address}?token={shown}", additional_headers=headers, subprotocols=protocols, proxy=None
                ) as socket:
                    socket.send(json.dumps({"type": kept.new("type"), "token": bearer}))
                    socket.send(json.dumps({"type": "message", "kind": "text", "content": kept.new("said")}))
                    socket.send(json.dumps({"type": "report", "sessionId": kept.new("session")}))
                    socket.send('{"type": "' + kept.new("halfAFrame"))
                    while True:
                        socket.recv(timeout=30.0)
            except (OSError, Exception):  # noqa: BLE001 - refused, or closed in the end: either way it was looked at
                continue


def test_what_was_told_in_confidence_is_in_no_log_and_what_opens_doors_is_in_no_file(tmp_path: Path) -> None:
    kept = Secrets()
    folder = tmp_path / "data"
    folder.mkdir()
    variables = {"DATEFLICKS_ALL_AUTH_KEY": kept.new("key") * 2, "DATEFLICKS_ALL_LOG_LEVEL": "debug"}
    with running_server(folder, variables=variables) as server:
        server.said = deque(server.said)  # all of it, and not only what came last
        everything(server, kept)
        server.ask_to_stop()
        server.process.wait(20)
        assert server._listening is not None
        server._listening.join(10)

    lines = list(server.said)
    assert len(kept.known) > 40
    assert sum('"route"' in line for line in lines) > 50, "requests are logged"
    assert kept.told(lines) == []

    # Whoever reads the files, or a copy of them, cannot sign in as anybody.
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(b"words" in path.read_bytes() for path in files), "what people say is there, for them to read again"
    assert [f"{what} in {path.name}" for path in files for what in OPENS_DOORS if kept.is_in(what, path)] == []
