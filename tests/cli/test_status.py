"""`serve status`: how each service is."""

import pytest

from tests.cli.conftest import Cli
from tests.scripted_server import Answer

METRICS = b"""\
# TYPE dateflicks_build_info gauge
dateflicks_build_info{worker="0",version="1.2.3"} 1.0
# TYPE dateflicks_sockets gauge
dateflicks_sockets{worker="0",service="session"} 3.0
dateflicks_sockets{worker="1",service="session"} 4.0
dateflicks_sockets{worker="0",service="timecode"} 20.0
# TYPE dateflicks_loop_lag_seconds gauge
dateflicks_loop_lag_seconds{worker="0"} 0.0021
dateflicks_loop_lag_seconds{worker="1"} 0.0142
"""
WELL = {"status": "ok", "service": "all", "database": "ok", "services": {}}


@pytest.fixture
def well(cli: Cli) -> Cli:
    cli.server.on("GET", "/health", WELL)
    cli.server.on("GET", "/metrics", Answer(200, METRICS, {"Content-Type": "text/plain"}))
    return cli


def test_each_service_is_shown_with_its_connections_and_lag(well: Cli) -> None:
    session, timecode = well.json("serve", "status")
    assert session == {
        "service": "session", "status": "ok", "version": "1.2.3", "connections": 7, "lag_ms": 14.2, "database": "ok",
        "url": well.server.url,
    }  # fmt: skip
    assert (timecode["service"], timecode["connections"]) == ("timecode", 20)
    assert len([one for one in well.server.asked if one.path == "/health"]) == 1  # one process carries both


def test_a_row_for_each_fits_into_a_usual_terminal(well: Cli) -> None:
    table = well("serve", "status", "-o", "table").stdout
    rows = [line.rstrip() for line in table.splitlines() if well.server.url.removeprefix("http://") in line]
    assert [row.split()[0] for row in rows] == ["session", "timecode"]
    assert max(map(len, rows)) <= 80
    assert "http://" not in table


def test_one_that_is_not_well_is_exit_code_6_and_named(well: Cli) -> None:
    worse = {"timecode": {"status": "degraded", "database": "down"}, "session": {"status": "ok", "database": "ok"}}
    well.server.on("GET", "/health", {**WELL, "status": "degraded", "services": worse}, 503)
    result = well("serve", "status")
    assert result.exit_code == 6
    assert "Not well: timecode." in result.stderr
    assert "degraded" in result.stdout


def test_one_that_stops_is_not_well(well: Cli) -> None:
    well.server.on("GET", "/health", {**WELL, "status": "stopping"}, 503)
    assert well("serve", "status").exit_code == 6


def test_one_that_cannot_be_reached_is_shown_beside_the_others(well: Cli) -> None:
    away = "http://127.0.0.1:1"
    well.server.on("GET", "/services", {"services": {"session": well.server.url, "timecode": away}})
    result = well("--json", "serve", "status")
    assert result.exit_code == 6
    assert '"unreachable"' in result.stdout
    assert "Not well: timecode." in result.stderr


def test_without_metrics_the_rest_is_told(well: Cli) -> None:
    well.server.on("GET", "/metrics", Answer.problem(403, "Not yours."))
    session = well.json("serve", "status")[0]
    assert (session["status"], session["connections"]) == ("ok", None)


def test_what_is_no_number_is_none_of_the_numbers(well: Cli) -> None:
    odd = METRICS
    for number, other in ((b"4.0", b"NaN"), (b"20.0", b"many"), (b"0.0021", b"+Inf"), (b"0.0142", b"-Inf")):
        odd = odd.replace(number, other)
    well.server.on("GET", "/metrics", Answer(200, odd, {"Content-Type": "text/plain"}))
    session, timecode = well.json("serve", "status")
    assert (session["connections"], session["lag_ms"], timecode["connections"]) == (3, None, 0)


@pytest.mark.parametrize("services", ["all", ["session"], {"session": "ok"}])
def test_services_that_are_told_of_otherwise_are_as_the_whole(well: Cli, services: object) -> None:
    well.server.on("GET", "/health", {**WELL, "services": services})
    assert [one["status"] for one in well.json("serve", "status")] == ["ok", "ok"]


def test_an_answer_that_makes_no_sense_is_no_health(well: Cli) -> None:
    well.server.on("GET", "/health", Answer(200, b"<html>", {"Content-Type": "text/html"}))
    assert well("serve", "status").exit_code == 6


def test_a_server_that_is_not_there_is_exit_code_6(cli: Cli) -> None:
    assert cli("--server", "http://127.0.0.1:1", "serve", "status").exit_code == 6
