"""Services started from the command line: settings and flags become a plan, and the runner carries it out."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.protocol.hosts import is_loopback_host

if TYPE_CHECKING:
    from dateflicks.server.deployment import Deployment
    from dateflicks.settings.services import ServerSettings

_TLS_HINT: Final = (
    "Give a certificate with --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy with TLS. "
    "Where the network itself is trusted, say so with --insecure."
)


def run_services(
    environment: CliEnvironment,
    name: str,
    services: Sequence[str],
    server_flags: Mapping[str, Any],
    rules: Mapping[str, Mapping[str, Any]],
    place: str | None,
) -> None:
    """Load the settings, say what needs saying, and run: here, or in several processes each of which has a `place`.

    `name` is whose settings say where to listen; `rules` are flags of single services. Raises CliError, SettingsError,
    and what the runner raises.
    """
    own = {service: {**rules.get(service, {}), **(server_flags if service == name else {})} for service in services}
    settings = {service: environment.load(service, own[service]).settings for service in services}
    hosting = settings[name] if name in settings else environment.load(name, server_flags).settings
    folder = environment.data_folder(hosting.server.data)
    from dateflicks.server.deployment import Deployment

    deployment = Deployment(name, hosting, settings, folder)
    if place is not None:
        _work(deployment, place)
        return
    _check(hosting.server)
    from dateflicks.server.observe.logs import kept_log

    with kept_log(folder, name):
        if hosting.server.workers > 1:
            _lead(environment, deployment)
        else:
            _run_alone(environment, deployment)


def _run_alone(environment: CliEnvironment, deployment: "Deployment") -> None:
    """Run everything in this process."""
    from dateflicks.server.runner import serve_forever

    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # renews workers, of which there are none
    on_ready = _on_ready(environment, deployment)
    serve_forever(deployment.deploy, deployment.hosting.server, on_ready)


def _on_ready(environment: CliEnvironment, deployment: "Deployment", how: str = "") -> Callable[[str], None]:
    """Say where it serves to whoever watches, and that it does to what has started this."""

    def say(url: str) -> None:
        from dateflicks.server.supervised import tell_supervisor

        environment.say(f"Serving {', '.join(deployment.services)} at {url}{how}")
        tell_supervisor("READY=1")

    return say


def _work(deployment: "Deployment", written: str) -> None:
    """Be one of several processes behind one port."""
    from dateflicks.server.observe.logs import kept_log
    from dateflicks.server.runner import WorkerPlace, serve_forever
    from dateflicks.server.workers import READY, TRIAL, Place, end_with_parent, tell_parent

    if written == TRIAL:
        _check(deployment.hosting.server)
        return
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # for the parent, whomever else it was sent to
    place = Place.read(written)
    end_with_parent()
    deployment = replace(deployment, place=place)
    listener = place.listener()
    server = deployment.hosting.server
    among = WorkerPlace(deployment.own, place.number, server.workers)
    with kept_log(deployment.folder, f"{deployment.name}-{place.number}"):
        serve_forever(deployment.deploy, server, lambda _: tell_parent(READY), listener, among)


def _lead(environment: CliEnvironment, deployment: "Deployment") -> None:
    """Run several processes behind one port."""
    from dateflicks.server.workers import Crew

    count = deployment.hosting.server.workers
    Crew(
        count=count,
        command=[sys.executable, "-P", "-m", "dateflicks", *sys.argv[1:], "--place"],
        hosting=deployment.hosting,
        folder=deployment.own,
        on_ready=_on_ready(environment, deployment, f" with {count} workers"),
    ).serve_forever()


def _check(server: "ServerSettings") -> None:
    """Raises CliError for an address that others can reach without TLS, StartFailed for TLS that cannot be had."""
    from dateflicks.server.web.tls import certificate_of

    if certificate_of(server.tls_cert, server.tls_key) is None and not server.allow_plain:
        refuse_plain(server.host, _TLS_HINT)


def refuse_plain(host: str, hint: str) -> None:
    """Raises CliError for an address that others can reach."""
    if not is_loopback_host(host) and not host.startswith("/"):  # a path is no address, as whoever binds it says
        raise CliError(
            Exit.USAGE,
            f"{host} can be reached from the network, and nothing there would be encrypted: passwords neither.",
            hint=hint,
        )
