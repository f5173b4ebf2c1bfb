"""Ports, the certificate and the bus, by real parts."""

import json
import shutil
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.authorities import make_pair
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import Rows, look, one
from tests.redis_server import running_redis
from tests.scripted_server import ScriptedServer


def test_a_port_is_free_ours_or_somebody_elses(doctor: Cli, server: ScriptedServer) -> None:
    rows = look(doctor, "ports")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    port = server.url.rpartition(":")[2]
    taken = look(doctor, "ports", DATEFLICKS_ALL_PORT=port)
    assert f"{port}, for 'dateflicks serve all': taken by another program" in one(taken, "wrong")
    assert "config set all.server.port" in one(taken, "wrong")
    elsewhere = {"DATEFLICKS_CLIENT_SERVER": "https://films.example.org"}
    assert look(doctor, "ports", DATEFLICKS_ALL_PORT=port, **elsewhere)[0]["state"] == "note"
    assert "timecode on" in one(look(doctor, "ports", DATEFLICKS_TIMECODE_PORT=port), "note")
    server.on("GET", "/health", {"status": "ok", "service": "all", "database": "ok"})
    assert "services of dateflicks" in look(doctor, "ports", DATEFLICKS_ALL_PORT=port)[0]["found"]
    for host in ("x..y", "192.0.2.1"):
        nowhere = look(doctor, "ports", DATEFLICKS_ALL_PORT="9999", DATEFLICKS_ALL_HOST=host)
        assert "no such address" in one(nowhere, "wrong")


def test_a_port_whose_owner_says_nothing_is_somebody_elses(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.cli.doctor.network.ASK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        assert "another program" in look(doctor, "ports", DATEFLICKS_ALL_PORT=port)[0]["found"]


def test_the_certificate_is_there_fits_and_stays_valid(doctor: Cli, tmp_path: Path) -> None:
    assert "none is needed" in one(look(doctor, "tls"), "ok")
    good, soon = make_pair(tmp_path), make_pair(tmp_path, "soon", days=3)

    def named(certificate: Path, key: Path) -> Rows:
        files = {"DATEFLICKS_ALL_TLS_CERT": str(certificate), "DATEFLICKS_ALL_TLS_KEY": str(key)}
        return look(doctor, "tls", **files)

    assert "is valid until" in one(named(good.certificate, good.key), "ok")
    assert "which is soon" in one(named(soon.certificate, soon.key), "note")
    assert "is not the key of" in one(named(good.certificate, soon.key), "wrong")
    assert "cannot be read" in one(named(tmp_path / "x", soon.key), "wrong")
    assert "refuses to start" in one(look(doctor, "tls", DATEFLICKS_ALL_HOST="0.0.0.0"), "wrong")
    plain = {"DATEFLICKS_ALL_HOST": "0.0.0.0", "DATEFLICKS_ALL_ALLOW_PLAIN": "true"}
    assert "passwords are readable" in one(look(doctor, "tls", **plain), "note")
    assert "ca_file" in one(look(doctor, "tls", DATEFLICKS_CLIENT_CA_FILE=str(good.key)), "wrong")


def test_a_certificate_that_is_over_is_told(doctor: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = make_pair(tmp_path)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=60)

    monkeypatch.setattr("dateflicks.server.web.tls.datetime", Later)
    files = {"DATEFLICKS_ALL_TLS_CERT": str(pair.certificate), "DATEFLICKS_ALL_TLS_KEY": str(pair.key)}
    assert "is not valid since" in one(look(doctor, "tls", **files), "wrong")


def test_the_bus_is_asked_where_one_is_named(doctor: Cli, tmp_path: Path) -> None:
    assert "one process needs none" in one(look(doctor, "bus"), "ok")
    assert "workers need" in one(look(doctor, "bus", DATEFLICKS_ALL_WORKERS="2"), "wrong")
    away = look(doctor, "bus", DATEFLICKS_ALL_BUS_URI="redis://ana:s3cret@127.0.0.1:1/0")
    assert "cannot be reached" in one(away, "wrong")
    assert "s3cret" not in json.dumps(away)
    assert "neither" in one(look(doctor, "bus", DATEFLICKS_ALL_BUS_URI="amqp://x"), "wrong")
    if shutil.which("redis-server"):
        with running_redis(tmp_path) as uri:
            assert "Redis " in one(look(doctor, "bus", DATEFLICKS_ALL_BUS_URI=uri), "ok")
