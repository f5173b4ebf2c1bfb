"""Starting the services, and looking after them."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dateflicks.cli.completing import listed
from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.services import SERVICES, check_service

app = typer.Typer(add_completion=False, no_args_is_help=True)

WEB_PORT = 8780
LOGGED = (*SERVICES, "jobs")
HostOption = Annotated[str | None, typer.Option(metavar="ADDRESS", help="The address to listen on.")]
PortOption = Annotated[
    int | None, typer.Option(metavar="PORT", min=0, max=65535, help="The port; 0 takes any free one.")
]
DataOption = Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the data.")]
ConfirmOption = Annotated[float | None, typer.Option(metavar="SECONDS", help="How long a change may wait.")]
BandOption = Annotated[float | None, typer.Option(metavar="SECONDS", help="How far apart players may be.")]
WaitOption = Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait for a stalled film.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=64, help="Processes behind the port; more than one need a bus (settings)."),
]
CertOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Speak TLS with this certificate and its chain (PEM).")
]
KeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's key.")]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="Let others reach this without TLS, as behind a proxy that has it.")
]


def _services(incomplete: str) -> list[str]:
    return listed(SERVICES, incomplete)


OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="A,B", help="These services, and no others.", autocompletion=_services),
]
ExceptOption = Annotated[
    list[str] | None, typer.Option("--except", metavar="A,B", help="All services but these.", autocompletion=_services)
]
PlaceOption = Annotated[str | None, typer.Option(hidden=True)]
LeaveOption = Annotated[str | None, typer.Option(metavar="WHAT", help="When somebody is gone: continue or hold.")]


class WebPlayer(StrEnum):
    """What shows the film of somebody whose browser is elsewhere: nothing that would start on this machine."""

    MANUAL = "manual"
    NONE = "none"


class LogLevel(StrEnum):
    """How grave a line of a log is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.callback()
def serve() -> None:
    """Start the services, and look after them.

    dateflicks serve all
    dateflicks serve session --port 8701
    dateflicks serve logs -f
    """


@app.command("all")
def all_of_them(
    ctx: typer.Context,
    host: HostOption = None,
    port: PortOption = None,
    data: DataOption = None,
    workers: WorkersOption = None,
    tls_cert: CertOption = None,
    tls_key: KeyOption = None,
    insecure: InsecureOption = False,
    only: OnlyOption = None,
    but: ExceptOption = None,
    place: PlaceOption = None,
    confirm_seconds: ConfirmOption = None,
    band_seconds: BandOption = None,
    wait_seconds: WaitOption = None,
    on_leave: LeaveOption = None,
) -> None:
    """Start every service in one process, behind one port.

    dateflicks serve all
    dateflicks serve all --except videos,recommendation
    dateflicks serve all --workers 4
    """
    from dateflicks.cli.serving import run_services

    rules = _timecode_flags(confirm_seconds, band_seconds, wait_seconds, on_leave)
    run_services(
        environment_of(ctx),
        "all",
        _chosen(only, but),
        _server_flags(host, port, data, workers, tls_cert, tls_key, insecure),
        {"timecode": rules},
        place,
    )


def _alone(name: str) -> Callable[..., None]:
    """The command that starts one service which has no flags of its own."""

    def start(
        ctx: typer.Context,
        host: HostOption = None,
        port: PortOption = None,
        data: DataOption = None,
        workers: WorkersOption = None,
        tls_cert: CertOption = None,
        tls_key: KeyOption = None,
        insecure: InsecureOption = False,
        place: PlaceOption = None,
    ) -> None:
        from dateflicks.cli.serving import run_services

        flags = _server_flags(host, port, data, workers, tls_cert, tls_key, insecure)
        run_services(environment_of(ctx), name, (name,), flags, {}, place)

    start.__doc__ = f"Start the {name} service alone."
    return start


app.command("session")(_alone("session"))


@app.command()
def timecode(
    ctx: typer.Context,
    host: HostOption = None,
    port: PortOption = None,
    data: DataOption = None,
    workers: WorkersOption = None,
    tls_cert: CertOption = None,
    tls_key: KeyOption = None,
    insecure: InsecureOption = False,
    place: PlaceOption = None,
    confirm_seconds: ConfirmOption = None,
    band_seconds: BandOption = None,
    wait_seconds: WaitOption = None,
    on_leave: LeaveOption = None,
) -> None:
    """Start the timecode service alone."""
    from dateflicks.cli.serving import run_services

    rules = _timecode_flags(confirm_seconds, band_seconds, wait_seconds, on_leave)
    run_services(
        environment_of(ctx),
        "timecode",
        ("timecode",),
        _server_flags(host, port, data, workers, tls_cert, tls_key, insecure),
        {"timecode": rules},
        place,
    )


for _name in ("messages", "prediction", "videos", "recommendation"):
    app.command(_name)(_alone(_name))
app.command("recommendations", hidden=True)(_alone("recommendation"))  # as the lists are called everywhere else


@app.command("web")
def in_browsers(
    ctx: typer.Context,
    host: HostOption = None,
    port: PortOption = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where browsers find the page, behind a proxy.")
    ] = None,
    player: Annotated[
        WebPlayer, typer.Option(help="What shows their film; manual: they steer their own; none: they look on.")
    ] = WebPlayer.MANUAL,
    insecure: InsecureOption = False,
) -> None:
    """Offer the terminal client in a browser.

    dateflicks serve web
    dateflicks serve web --port 8780 --server https://films.example.org

    Whoever opens the page signs in first, and is nobody until then: your own
    sign-ins, settings and films are not there. Each page has a folder of its own,
    which goes with it.
    """
    environment = environment_of(ctx)
    address = host or "127.0.0.1"
    if not insecure and (url is None or not url.startswith("https://")):
        from dateflicks.cli.serving import refuse_plain

        refuse_plain(
            address, "Put a proxy with TLS in front, and name its address with --url; or say --insecure to do without."
        )
    try:
        from dateflicks.cli.web import Wishes, serve_web
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "dateflicks":
            raise
        raise CliError(
            Exit.FAILED,
            "The page needs textual-serve, which is not installed.",
            hint="Install it with: pip install 'dateflicks[web]'",
        ) from None
    from dateflicks.client.address import server_address

    wishes = Wishes(
        host=address,
        port=WEB_PORT if port is None else port,
        server=environment.server_address,
        player=player.value,
        url=server_address(url) if url is not None else None,
        log=environment.log_path,
    )
    environment.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        environment.run(serve_web(wishes, lambda found: environment.say(f"Serving the terminal client at {found}")))
    except OSError as error:
        raise CliError(
            Exit.FAILED, f"Port {wishes.port} of {address} cannot be had: {error.strerror or error}."
        ) from None


@app.command("status")
def status(ctx: typer.Context) -> None:
    """Show how each service is: health, version, connections, lag. Exit code 6 when one is not well.

    dateflicks serve status
    dateflicks --server https://films.example.org serve status
    """
    from dateflicks.cli.status import show_status

    environment = environment_of(ctx)
    environment.run(show_status(environment))


@app.command("logs")
def logs(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Read these instead; '-' is what comes on stdin.")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    service: Annotated[
        list[str] | None, typer.Option("--service", metavar="A,B", help="Only of these services, or of jobs.")
    ] = None,
    level: Annotated[LogLevel, typer.Option(help="Only what is as grave as this, or graver.")] = LogLevel.DEBUG,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only the last 10m, 2h, 1d, or since 2026-11-01T20:00Z.")
    ] = None,
    lines: Annotated[
        int | None, typer.Option("-n", "--lines", min=0, help="Only the last so many; 200 without --since.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Show what the services of this machine have logged, put together by time.

    dateflicks serve logs -f
    dateflicks serve logs --level warning --since 1h
    docker compose logs --no-log-prefix | dateflicks serve logs -

    Services keep their logs in the folder 'logs' of their data; under systemd the
    journal has them. Both are read. Into a pipe it writes JSON lines.
    """
    from dateflicks.cli.reading_logs import Wanted, show_logs

    environment = environment_of(ctx)
    names = _names(service, LOGGED) if service else ()
    wanted = Wanted(files=tuple(files or ()), is_followed=follow, services=names, level=level.value, lines=lines)
    show_logs(environment, wanted, since=since, data=data)


@app.command("units")
def units(
    ctx: typer.Context,
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Write them there instead of showing them.")] = None,
    compose: Annotated[bool, typer.Option("--compose", help="A compose file instead, with all it needs.")] = False,
    program: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The Python that has DATEFLICKS there; otherwise this one.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="An account that there is; otherwise systemd makes one up.")
    ] = None,
    config: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the settings there.")] = Path(
        "/etc/dateflicks"
    ),
) -> None:
    """Print what runs the services on a server: systemd's units, or a compose file.

    dateflicks serve units
    dateflicks serve units --into /etc/systemd/system
    dateflicks serve units --compose > compose.yaml
    """
    from dateflicks.cli.units import show_units

    show_units(environment_of(ctx), into=into, compose=compose, program=program, user=user, config=config)


def _chosen(only: Sequence[str] | None, but: Sequence[str] | None) -> tuple[str, ...]:
    """Those of all services that are to run. Raises CliError."""
    kept = _names(only, SERVICES) if only else SERVICES
    gone = _names(but, SERVICES) if but else ()
    if found := tuple(name for name in SERVICES if name in kept and name not in gone):
        return found
    raise CliError(Exit.USAGE, "That leaves no service to start.", hint=f"There are: {', '.join(SERVICES)}.")


def _names(texts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Names that were typed one by one or with commas between them. Raises CliError."""
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    names = ["recommendation" if name == "recommendations" else name for name in names]
    for name in names:
        check_service(name, known)
    return tuple(names)


def _server_flags(
    host: str | None,
    port: int | None,
    data: Path | None,
    workers: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
) -> dict[str, Any]:
    flags = {
        "server.host": host,
        "server.port": port,
        "server.data": str(data) if data is not None else None,
        "server.workers": workers,
        "server.tls_cert": str(tls_cert) if tls_cert is not None else None,
        "server.tls_key": str(tls_key) if tls_key is not None else None,
        "server.allow_plain": insecure or None,
    }
    return {name: value for name, value in flags.items() if value is not None}


def _timecode_flags(
    confirm: float | None, band: float | None, wait: float | None, on_leave: str | None
) -> dict[str, Any]:
    flags = {"confirm_seconds": confirm, "band_seconds": band, "wait_seconds": wait, "on_leave": on_leave}
    return {name: value for name, value in flags.items() if value is not None}
