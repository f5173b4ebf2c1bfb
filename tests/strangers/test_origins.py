"""Web pages: those of the settings and of this very server may connect, whatever looks like them may not."""

from typing import Final

import pytest
from sanic.compat import Header

from dateflicks.core.errors import Forbidden
from dateflicks.server.websocket.handshake import allowed_origins, check_origin
from tests.journeys.deployment import Deployment
from tests.journeys.raw import RawSocket, request, upgrade_headers
from tests.strangers.scene import Scene

ALLOWED: Final = ["https://films.example.org", "https://kino.example:8443", "https://bücher.example"]
OWN: Final = "127.0.0.1:8700"

MAY: Final = (
    None,
    "https://films.example.org",
    "https://kino.example:8443",
    "https://xn--bcher-kva.example",
    f"http://{OWN}",
    f"https://{OWN}",
)
LOOKS_ALIKE: Final = (
    "null",
    "",
    "*",
    "https://",
    "file://",
    "about:blank",
    "chrome-extension://films.example.org",
    "http://films.example.org",  # another scheme
    "https://films.example.org:444",  # another port
    "https://films.example.org:443",  # as no browser writes it
    "https://kino.example",
    "https://films.example.org.evil.example",  # ours as a prefix
    "https://evilfilms.example.org",  # ours as a suffix
    "https://evil.example/https://films.example.org",
    "https://evil.example?https://films.example.org",
    "https://evil.example#https://films.example.org",
    "https://films.example.org@evil.example",
    "https://films.example.org/",
    "https://films.example.org/j/code",
    "https://films.example.org.",
    "https://FILMS.example.org",
    "https://films.example.org https://evil.example",
    "https://films.example.org,https://evil.example",
    "https://films.example.org\t",
    "https://fìlms.example.org",
    "https://xn--flms-kpa.example.org",
    "https://bücher.example",
    "https://bucher.example",
    "http://127.0.0.1",
    "http://127.0.0.1:8701",
    "http://localhost:8700",
    "http://127.0.0.1:8700.evil.example",
)


class Asked:
    """As much of a request as the check looks at."""

    def __init__(self, origin: str | None) -> None:
        self.headers = Header({"host": OWN} | ({} if origin is None else {"origin": origin}))


@pytest.mark.parametrize("origin", MAY)
def test_pages_of_the_settings_and_what_is_no_page_may(origin: str | None) -> None:
    check_origin(Asked(origin), allowed_origins(ALLOWED))  # type: ignore[arg-type]  # as much of one as it needs


@pytest.mark.parametrize("origin", LOOKS_ALIKE)
def test_what_looks_like_them_may_not(origin: str) -> None:
    with pytest.raises(Forbidden):
        check_origin(Asked(origin), allowed_origins(ALLOWED))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_every_feed_refuses_a_foreign_page_before_it_looks_at_the_token(scene: Scene) -> None:
    for service, feed in scene.feeds:
        deployment = Deployment(scene.urls[service], is_ours=True)
        path = feed.path.replace("{sessionId}", scene.stage.evening.id)
        good = scene.stage.evening.ticket if "{" in feed.path else scene.stage.caller.token
        for token in (good, "nonsense"):
            for way in ("header", "subprotocol"):
                headers = upgrade_headers(deployment, token if way == "header" else None)
                if way == "subprotocol":
                    headers.append(("Sec-WebSocket-Protocol", f"dateflicks.v1, bearer.{token}"))
                for origin in ("null", "https://evil.example", f"http://{deployment.host}:{deployment.port}.evil"):
                    async with RawSocket.connected(deployment) as raw:
                        await raw.send(request(path, [*headers, ("Origin", origin)]))
                        assert (await raw.answer())[0] == 403, (feed.path, way, origin)
