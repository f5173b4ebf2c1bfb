"""A deployment: which services share what, where each keeps its data, and what cannot be."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.core.errors import Unauthenticated
from dateflicks.server.auth.key import KeyUnusable
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.deployment import Deployment, FolderUnusable
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.storage.database import DatabaseAddressWrong
from dateflicks.server.storage.folder import FolderInUse
from dateflicks.settings.services import (
    AllSettings,
    AuthSettings,
    HostingSettings,
    MongoSettings,
    SessionSettings,
    TimecodeSettings,
)

SETTINGS = {"session": SessionSettings(), "timecode": TimecodeSettings()}


@contextlib.asynccontextmanager
async def deployed(
    folder: Path, name: str = "all", *services: str, hosting: HostingSettings | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The services by name, not started."""
    chosen = {service: SETTINGS[service] for service in services or SETTINGS}
    deployment = Deployment(name, hosting or AllSettings(), chosen, folder)
    async with deployment.deploy(Metrics()) as found:
        yield {service.name: service for service in found}


def signer_of(service: Any) -> Signer:
    if isinstance(service, TimecodeService):
        signer = service._admission._signer
    else:
        assert isinstance(service, SessionService)
        signer = service._people._signer
    return signer


def files_of(folder: Path, pattern: str = "*") -> set[str]:
    return {path.name for path in folder.glob(pattern)}


async def test_all_services_share_a_database_a_key_a_bus_and_metrics(tmp_path: Path) -> None:
    async with deployed(tmp_path) as services:
        assert list(services) == ["session", "timecode"]
        session, timecode = services.values()
        assert session._database is timecode._database
        assert session._bus is timecode._bus
        assert signer_of(session) is signer_of(timecode)
        for service in services.values():
            await service.start()
        assert all(service.database_up() for service in services.values())
        for service in services.values():
            await service.stop()
    assert files_of(tmp_path) >= {"auth.key", "mongo"}


async def test_services_alone_run_side_by_side_and_know_each_others_tickets(tmp_path: Path) -> None:
    async with (
        deployed(tmp_path, "session", "session") as one,
        deployed(tmp_path, "timecode", "timecode") as other,
    ):
        assert (list(one), list(other)) == (["session"], ["timecode"])
        ticket = signer_of(one["session"]).issue_ticket("ses_a", "usr_a", "ana", "host")
        assert signer_of(other["timecode"]).verify_ticket(ticket).user_id == "usr_a"
        assert (tmp_path / "session" / "mongo").is_dir()
        assert (tmp_path / "timecode" / "mongo").is_dir()
    assert files_of(tmp_path, "*.key") == {"auth.key"}


async def test_a_folder_is_one_deployments_at_a_time(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        with pytest.raises(FolderInUse, match="in use by process"):
            async with deployed(tmp_path):
                raise AssertionError("two on one folder")
    async with deployed(tmp_path):
        pass


async def test_the_key_is_where_the_settings_say(tmp_path: Path) -> None:
    named = HostingSettings(auth=AuthSettings(key_file=str(tmp_path / "keys" / "our.key")))
    given = HostingSettings(auth=AuthSettings(key="k" * 32))
    data = tmp_path / "data"
    async with deployed(data, "timecode", "timecode", hosting=named) as services:
        ticket = signer_of(services["timecode"]).issue_ticket("ses_a", "usr_a", "ana", "host")
    assert (tmp_path / "keys" / "our.key").stat().st_mode & 0o777 == 0o600
    async with deployed(data, "timecode", "timecode", hosting=given) as services:
        with pytest.raises(Unauthenticated):
            signer_of(services["timecode"]).verify_ticket(ticket)
    assert not (data / "auth.key").exists()


async def test_a_key_that_is_too_short_is_said_before_anything_runs(tmp_path: Path) -> None:
    short = HostingSettings(auth=AuthSettings(key="short"))
    with pytest.raises(KeyUnusable, match="too short"):
        async with deployed(tmp_path, hosting=short):
            raise AssertionError("anybody could sign")
    assert files_of(tmp_path, "*/lock") == set()


async def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "timecode").mkdir()
    (tmp_path / "timecode" / "mongo").write_text("not a folder")
    with pytest.raises(FolderUnusable, match=r"timecode cannot be used: File exists\."):
        async with deployed(tmp_path, "timecode", "timecode"):
            raise AssertionError("no place to write to")


async def test_what_fails_while_it_runs_is_not_taken_for_the_folders_fault(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        async with deployed(tmp_path, "timecode", "timecode"):
            raise ConnectionResetError
    async with deployed(tmp_path, "timecode", "timecode"):
        pass


async def test_an_address_that_is_none_is_said(tmp_path: Path) -> None:
    wrong = HostingSettings(mongo=MongoSettings(uri="localhost:27017"))
    with pytest.raises(DatabaseAddressWrong, match="mongodb://"):
        async with deployed(tmp_path, hosting=wrong):
            raise AssertionError("no database")


async def test_what_it_stands_on_is_in_the_metrics(tmp_path: Path) -> None:
    metrics = Metrics()
    async with Deployment("all", AllSettings(), SETTINGS, tmp_path).deploy(metrics) as services:
        await services[0]._database.ping()  # type: ignore[attr-defined]  # of our own
        text = metrics.exposition().decode()
        assert "dateflicks_bus_up 1.0" in text
        assert 'dateflicks_database_seconds_count{command="ping"}' in text
        assert "dateflicks_database_outcomes_unknown_total 0.0" in text
