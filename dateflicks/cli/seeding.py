"""Something to try things with: two people who have watched together, their talk, a prediction, films to choose.

All of it is made as people make it, by the client library and by a source, on services that run here for a moment; so
it is what a deployment has after some evenings, and nothing of it is kept in any other shape.
"""

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.databases import Place, kept_at, told
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.services import SERVICES

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionBody

PEOPLE: Final = ("ana", "bea")
SOURCE: Final = "demo"
WAIT_SECONDS: Final = 30.0
NAMES_TRIED: Final = 10
FILMS: Final = (  # all in the public domain: title, year, minutes, genres, what it is about
    ("A Trip to the Moon", 1902, 13, "science fiction", "Six astronomers fly to the moon, and come back with a guest."),
    ("The General", 1926, 75, "comedy", "An engine driver goes after his stolen locomotive."),
    ("Sherlock Jr.", 1924, 45, "comedy", "A projectionist dreams himself into the film that he shows."),
    ("Nosferatu", 1922, 94, "horror", "A clerk is sent to a count who buys the house opposite his."),
    ("The Cabinet of Dr. Caligari", 1920, 76, "horror", "A showman and his sleepwalker come to a fair."),
    ("Metropolis", 1927, 153, "science fiction", "The son of the city's master goes down to its machines."),
    ("Night of the Living Dead", 1968, 96, "horror", "Seven strangers shut themselves into a farmhouse."),
    ("Charade", 1963, 113, "thriller", "A widow is asked for a fortune of which she knows nothing."),
    ("His Girl Friday", 1940, 92, "comedy", "An editor has one day to keep his best reporter."),
    ("The 39 Steps", 1935, 86, "thriller", "A man has to find out what the thirty-nine steps are."),
)
LINES: Final = (
    (0, 62.0, "Is that the real train?"),
    (1, 68.0, "They let it fall off a real bridge, later on 🎬"),
    (0, 75.5, "No spoilers, please."),
)


def seed(environment: CliEnvironment, place: Place, *, is_forced: bool) -> list[dict[str, Any]]:
    """Fill a deployment that has nothing in it; who may sign in comes back. Raises CliError, ClientError."""
    with told(place):
        there = environment.run(_there(place))
        if there and not is_forced:
            raise CliError(
                Exit.REFUSED,
                f"There are {there} documents already at {place.name}.",
                hint="Say --force to put the demo beside them, or name another folder with --data.",
            )
        return environment.run(_seed(environment, place))


async def _there(place: Place) -> int:
    from dateflicks.server.upkeep.restore import documents_in

    async with kept_at(place) as kept:
        return await documents_in(kept)


async def _seed(environment: CliEnvironment, place: Place) -> list[dict[str, Any]]:
    await _films(place)
    async with _served(environment, place) as url:
        people = await _people(url)
    await bring_up_to_date(place)
    return people


async def _films(place: Place) -> None:
    from dateflicks.server.catalogue.records import COLLECTIONS
    from dateflicks.server.catalogue.works import Works
    from dateflicks.server.catalogue.writing import Writer
    from dateflicks.server.providers.source import Item
    from dateflicks.server.storage.database import Database, DatabaseSettings

    items = [
        Item(
            source_id=f"film{number}",
            url=f"https://archive.org/search?query={title.replace(' ', '+')}",
            title=title,
            year=year,
            duration_seconds=minutes * 60.0,
            genres=(genre,),
            overview=about,
            licence="public domain",
        )
        for number, (title, year, minutes, genre, about) in enumerate(FILMS)
    ]
    settings = DatabaseSettings(place.uri, place.timeout_seconds)
    async with Database.open(settings, place.folder, COLLECTIONS, role="worker") as database:
        await database.ping()
        await Writer(database, SOURCE, f"run:{SOURCE}").write(items)
        await Works(database).update()


async def bring_up_to_date(place: Place) -> None:
    """What this program has just written is as it wants it: say so, as `db migrate` would."""
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.upkeep.migrations import COLLECTIONS, MIGRATIONS, migrate

    settings = DatabaseSettings(place.uri, place.timeout_seconds)
    async with Database.open(settings, place.folder, COLLECTIONS, role="worker") as database:
        await database.ping()
        await migrate(database, MIGRATIONS, lambda _: None)


@contextlib.asynccontextmanager
async def _served(environment: CliEnvironment, place: Place) -> Any:
    """All services, behind a port of this machine, for as long as the block runs."""
    from dateflicks.server.deployment import Deployment
    from dateflicks.server.observe.metrics import Metrics
    from dateflicks.server.runner import running

    flags = {"server.data": str(place.folder)}
    hosting = environment.load("all", flags).settings
    services = {name: environment.load(name).settings for name in SERVICES}
    metrics = Metrics()
    deployment = Deployment("all", hosting, services, Path(place.folder))
    async with deployment.deploy(metrics) as found, running(found, metrics=metrics) as server:
        yield server.url


async def _people(url: str) -> list[dict[str, Any]]:
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionRequest, VideoRef

    async with ServiceClient(url) as ana, ServiceClient(url) as bea:
        passwords = [secrets.token_urlsafe(12) for _ in PEOPLE]
        names = [
            await _registered(client, name, password)
            for client, name, password in zip((ana, bea), PEOPLE, passwords, strict=True)
        ]

        def film(number: int) -> VideoRef:
            title, _year, minutes, _genre, _about = FILMS[number]
            return VideoRef(url=f"{title.replace(' ', '_')}.mkv", title=title, length=minutes * 60.0)

        watched = await _accepted(ana, bea, SessionRequest(guest_name=names[1], video=film(1)))
        await _evening((ana, bea), watched, film(1).length)
        await ana.end(watched[0].id)
        await _accepted(bea, ana, SessionRequest(guest_name=names[0], video=film(7)))
        await bea.create_session(SessionRequest(guest_name=names[0], video=film(3)))
        refused = await ana.create_session(SessionRequest(guest_name=names[1], video=film(6)))
        await bea.reject(refused.id)
    return [{"name": name, "password": password} for name, password in zip(names, passwords, strict=True)]


async def _registered(client: "ServiceClient", name: str, password: str) -> str:
    """Make an account, under another name where this one is taken; which it is."""
    from dateflicks.client.errors import AtOdds

    for number in range(1, NAMES_TRIED):
        own = name if number == 1 else f"{name}{number}"
        try:
            client.token = (await client.register(own, password)).token
        except AtOdds:
            continue
        return own
    raise CliError(Exit.REFUSED, f"There are people called {name} and {name}2 to {own} already.")


async def _accepted(host: "ServiceClient", guest: "ServiceClient", request: Any) -> "tuple[SessionBody, SessionBody]":
    """A session as each of the two sees it, with a ticket of their own."""
    made = await host.create_session(request)
    theirs = await guest.accept(made.id)
    return await host.session(made.id), theirs


async def _evening(
    clients: "tuple[ServiceClient, ServiceClient]", seen: "tuple[SessionBody, SessionBody]", length: float
) -> None:
    """What two leave behind who have watched: where the film was, what they said, what they predicted."""
    from dateflicks.client.predicting import Predicting
    from dateflicks.client.tickets import Tickets

    host, session_id = clients[0], seen[0].id
    users = [seen[0].host_user_id, seen[0].guest_user_id or ""]
    shown = [str(one.ticket) for one in seen]
    await host.create_timecode(session_id, length, ticket=shown[0])
    for who, position, words in LINES:
        await _say(clients[who], session_id, shown[who], users[who], words, position)
    one, other = (
        Predicting(session_id, Tickets(client, session_id, ticket, lambda _: None), user)
        for client, ticket, user in zip(clients, shown, users, strict=True)
    )
    made = await one.make("The locomotive falls off the bridge", at=80.0)
    await one.call(made, "yes", 0.7, at=80.0)
    await other.call(await other.one(made.id), "no", 0.6, at=80.0)
    locked = await one.lock(await one.one(made.id))
    await one.propose(locked, "yes")
    await other.confirm(await other.one(made.id))


async def _say(
    client: "ServiceClient", session_id: str, ticket: str, user_id: str, words: str, position: float
) -> None:
    from dateflicks.client.chat import Conversation
    from dateflicks.client.tickets import Tickets

    changed = asyncio.Event()
    talk = await Conversation.join(
        client, session_id, Tickets(client, session_id, ticket), lambda _: changed.set(), user_id=user_id
    )
    running = asyncio.create_task(talk.run(), name="talk of the demo")
    running.add_done_callback(lambda _: changed.set())
    try:
        talk.say(words, position=position)
        async with asyncio.timeout(WAIT_SECONDS):
            while talk.drafts or not any(one.content == words for one in talk.transcript):
                if running.done():
                    await running  # what ended it is the reason
                    raise TimeoutError
                changed.clear()
                await changed.wait()
    except TimeoutError:
        what = "The chat of the demo did not keep what was said."
        raise CliError(Exit.UNREACHABLE, what, hint="Try again; see more with 'dateflicks serve logs'.") from None
    finally:
        talk.stop()
        running.cancel()
        await asyncio.wait({running})
