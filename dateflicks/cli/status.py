"""`serve status`: how each service of a deployment is, asked of the services themselves."""

import asyncio
import contextlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient

COLUMNS: Final = ("service", "status", "version", "connections", "lag_ms", "database", "url")


async def show_status(environment: CliEnvironment) -> None:
    """A row for each service, or none of whose address is known. Raises CliError when one is not well."""
    async with environment.connect(anonymously=True) as client:
        where = await client.services()
        addresses = dict.fromkeys(where.values())
        answers = await asyncio.gather(*(look(client, address) for address in addresses))
    found = dict(zip(addresses, answers, strict=True))
    rows = [_row(name, address, *found[address]) for name, address in sorted(where.items())]
    if environment.printer.form is Format.TABLE:  # of an address without a scheme, http is meant
        rows = [row | {"url": row["url"].removeprefix("http://")} for row in rows]
    environment.show_all(rows, COLUMNS, empty="No service is known there.")
    down = [row["service"] for row in rows if row["status"] != "ok"]
    if down:
        raise CliError(Exit.UNREACHABLE, f"Not well: {', '.join(down)}.")


async def look(client: "ServiceClient", address: str) -> tuple[Mapping[str, Any] | None, str]:
    """What a process says of its health, and its metrics; None and nothing where it says nothing."""
    from dateflicks.client.errors import ClientError

    health, metrics = await asyncio.gather(
        client.plain(address, "/health"), client.plain(address, "/metrics"), return_exceptions=True
    )
    for answer in (health, metrics):
        if isinstance(answer, BaseException) and not isinstance(answer, ClientError):
            raise answer
    return _health(health), metrics.decode(errors="replace") if isinstance(metrics, bytes) else ""


def _health(answer: bytes | BaseException) -> Mapping[str, Any] | None:
    import msgspec

    if not isinstance(answer, bytes):
        return None
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _row(name: str, address: str, health: Mapping[str, Any] | None, metrics: str) -> dict[str, Any]:
    if health is None:
        return {"service": name, "status": "unreachable", "url": address}
    services = health.get("services")
    told = services.get(name) if isinstance(services, dict) else None
    own = {**health, **told} if isinstance(told, dict) else health
    lags = _values(metrics, "dateflicks_loop_lag_seconds")
    sockets = _values(metrics, "dateflicks_sockets", f'service="{name}"')
    return {
        "service": name,
        "status": "stopping" if health.get("status") == "stopping" else own.get("status"),
        "version": version_of(metrics),
        "connections": round(sum(sockets)) if metrics else None,
        "lag_ms": round(max(lags) * 1000, 1) if lags else None,
        "database": own.get("database"),
        "url": address,
    }


def _values(metrics: str, name: str, label: str = "") -> list[float]:
    """Those of all series of this name, with this label if one is given: each worker has its own. What is no number,
    as from a server that is none of ours, is none of them."""
    found = []
    for line in metrics.splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and label in series:
            with contextlib.suppress(ValueError):
                found.append(float(value))
    return [value for value in found if math.isfinite(value)]


def version_of(metrics: str) -> str | None:
    """Which version a process runs, by its metrics; all of them where its workers differ."""
    lines = [line for line in metrics.splitlines() if line.startswith("dateflicks_build_info{")]
    versions = sorted({line.partition('version="')[2].partition('"')[0] for line in lines})
    return ", ".join(versions) or None
