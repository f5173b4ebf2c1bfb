"""Two people line by line, and a server that goes away and comes back under them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_chat_together import Serving, signed_in
from tests.scripted_server import scripted_server

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "server")
    serving.start()
    yield serving
    serving.stop()


def test_what_is_said_while_the_server_is_away_is_told_as_queued_and_as_sent_once_it_is_back(
    tmp_path: Path, server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with scripted_server() as nowhere:
        ana, bea = (signed_in(tmp_path / name, nowhere, server) for name in ("ana", "bea"))
        session = ana.json("session", "create", "film.mkv", "--guest", "bea")["id"]
        bea("session", "accept", session)
    watch = ("watch", session, "--player", "simulated")
    with ana.at(*watch) as host, bea.at(*watch) as guest:
        for one in (host, guest):
            one.until("You are here")
        host.type("say before")
        guest.until("ana: before")
        server.stop()
        for one in (host, guest):
            one.wait_until(lambda one=one: any("The chat is away" in line for line in one.out))  # type: ignore[misc]
        host.type("say meanwhile")
        host.until("Queued (no line): meanwhile")
        server.start()
        host.until("Sent: meanwhile")
        guest.until("ana: meanwhile")
        guest.type("predict It rains")
        host.until("It rains")  # as news, or as what is there once that line is back too
        host.type("quit")
        assert host.ends() == 0
        guest.type("quit")
        assert guest.ends() == 0
    for one in (host, guest):
        told = [line for line in one.out if "away" in line or "is lost" in line or "No predictions" in line]
        assert len(told) <= 3, told  # each line once, however often it is tried
