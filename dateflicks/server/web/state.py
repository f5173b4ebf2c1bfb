"""What the parts of one app share: its services, settings, metrics, and how many requests are being answered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dateflicks.core import limits
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.web.address import Proxies
from dateflicks.server.web.colleagues import Colleagues
from dateflicks.server.web.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How an app is reached: its address from outside, where other services are, the proxies in front, by how many."""

    public_url: str = ""
    services: Mapping[str, str] = field(default_factory=dict)
    proxies: tuple[str, ...] = ()
    is_encrypted: bool = False
    connections: int = limits.CONNECTIONS_PER_PROCESS


class AppState:
    """One app's, found at `app.ctx.state`."""

    def __init__(self, services: Sequence[Service], settings: WebSettings, metrics: Metrics) -> None:
        self.services = tuple(services)
        self.settings = settings
        self.metrics = metrics
        self.proxies = Proxies(settings.proxies)
        self.is_stopping = False
        self.colleagues: Colleagues | None = None  # the other workers, whose metrics are told with ours
        self._in_flight = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def name(self) -> str:
        """The service's name, or `all` for several."""
        return self.services[0].name if len(self.services) == 1 else "all"

    def begin(self) -> None:
        """One more request is being answered."""
        self._in_flight += 1
        self._quiet.clear()
        self.metrics.in_flight.set(self._in_flight)

    def finish(self) -> None:
        """One fewer."""
        self._in_flight -= 1
        if self._in_flight == 0:
            self._quiet.set()
        self.metrics.in_flight.set(self._in_flight)

    async def wait_quiet(self) -> None:
        """Wait until no request is being answered."""
        await self._quiet.wait()
