"""The steps up to the film: services, two accounts, an invitation, its answer, and two players in one session."""

import asyncio
import secrets

from dateflicks.cli.demo.observer import Eye, MpvEye, Observer, SimulatedEye
from dateflicks.cli.demo.people import Person, StepFailed
from dateflicks.cli.demo.stage import FILM_NAME, FILM_SECONDS, OTHERS
from dateflicks.cli.demo.story import Scene
from dateflicks.client.films import film_of, own_film
from dateflicks.client.hosting import host_film
from dateflicks.client.news import changed
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.frames import SyncLimits

LENGTH_TOLERANCE_SECONDS = 0.5
CONNECT_SECONDS = 10.0


async def services(scene: Scene) -> str:
    """A process each, and the one address that a client is given leads to all of them."""
    stage = scene.stage
    await stage.open()
    assert stage.session is not None
    assert stage.timecode is not None
    scene.people = [Person(name, stage.settings_of(name)) for name in ("ana", "bea")]
    found = await scene.host.client.services()
    expected = {"session": stage.session.port, "timecode": stage.timecode.port}
    expected |= {name: stage.others[name].port for name in OTHERS}
    for name, port in expected.items():
        if not found.get(name, "").endswith(f":{port}"):
            raise StepFailed(f"GET /services does not lead to the {name} service at port {port}: {found}")
    film = f"film of {clock_text(FILM_SECONDS)} by ffmpeg" if stage.is_real else "no film is needed"
    if stage.why_simulated:
        film = f"simulated players, for want of a film: {stage.why_simulated}"
    ports = ", ".join(f"{name} :{port}" for name, port in expected.items())
    return f"{ports}, {film}"


async def register(scene: Scene) -> str:
    """Two accounts that are told apart."""
    for person in scene.people:
        person.id = (await person.client.register(person.name, secrets.token_urlsafe(16))).user.id
    known = [(await person.client.me()).id for person in scene.people]
    if known != [person.id for person in scene.people] or len(set(known)) != 2:
        raise StepFailed(f"the two are known as {' and '.join(known)}")
    return f"{scene.host.name} and {scene.guest.name} have accounts and are signed in"


async def invite(scene: Scene) -> str:
    """The guest finds the invitation, and the film's name in it."""
    film = own_film(str(scene.stage.film_of(scene.host.name)), is_elsewhere=True)
    hosted = await host_film(scene.host.client, film, FILM_SECONDS, server=scene.host.settings.server, guest="bea")
    pending = [found async for found in scene.guest.client.all_sessions(("pending",))]
    if [found.id for found in pending] != [hosted.session.id]:
        raise StepFailed(f"{scene.guest.name} finds {len(pending)} invitations, none of them this one")
    found = pending[0]
    if found.is_accepted is not None or found.host_name != scene.host.name or not found.video:
        raise StepFailed(f"the invitation says: by {found.host_name}, accepted: {found.is_accepted}")
    scene.session = hosted.session
    return f"{found.host_name} asks {found.guest_name} to watch {found.video.title}"


async def accept(scene: Scene) -> str:
    """The host hears the answer while waiting for it, and each has a ticket."""
    assert scene.session is not None
    waiting = asyncio.create_task(changed(scene.host.client, scene.session))
    try:
        theirs = await scene.guest.client.accept(scene.session.id)
        ours = await waiting
    finally:
        waiting.cancel()
    if ours.is_accepted is not True or ours.state != "accepted":
        raise StepFailed(f"{scene.host.name} was told that the session is {ours.state}")
    if not (isinstance(ours.ticket, str) and isinstance(theirs.ticket, str) and ours.ticket != theirs.ticket):
        raise StepFailed("the two do not have a ticket each")
    scene.session = ours
    return f"{scene.guest.name} says yes, {scene.host.name} hears it; each has a ticket"


async def connect(scene: Scene) -> str:
    """Both players have the film, both lines stand, both know of each other and of the server's clock."""
    assert scene.session is not None
    for person in scene.people:
        session = await person.client.session(scene.session.id)
        folder = scene.stage.film_of(person.name).parent
        film = film_of(session.video, [folder], is_elsewhere=not scene.stage.is_real)
        await person.sit_down(film, FILM_SECONDS)
        assert person.screen is not None
        if abs(person.screen.length - FILM_SECONDS) > LENGTH_TOLERANCE_SECONDS:
            raise StepFailed(f"{person.name}'s player has a film of {person.screen.length:.1f} s")
        await person.watch(session)
    scene.observer = Observer(_eye(scene, scene.host), _eye(scene, scene.guest))
    scene.watch = asyncio.create_task(scene.observer.run(), name="the observer")
    names = {person.id for person in scene.people}
    for person in scene.people:
        heard = await person.hears(
            "that both are there",
            lambda frame: {user for user, one in frame.participants.items() if one.connected} == names,
            seconds=CONNECT_SECONDS,
        )
        told = [one.frame.limits for one in person.heard]
        limits = next((one for one in told if isinstance(one, SyncLimits)), None)
        if limits is None or limits.confirm_seconds != scene.stage.confirm_seconds:
            raise StepFailed(f"{person.name} was told of other limits: {limits}")
        if heard.frame.status != "stop" or heard.frame.rate != 0:
            raise StepFailed(f"the film is at {heard.frame.status} before anybody asked for it")
    if await scene.observer.stand() is None:
        raise StepFailed("the players do not stand at the beginning, or cannot be looked at")
    await asyncio.gather(*(_clock(person) for person in scene.people))
    doubt = max(person.evening.viewer.clock.uncertainty for person in scene.people if person.evening is not None)
    return f"both players have {FILM_NAME}; clocks within {1000 * doubt:.1f} ms"


async def _clock(person: Person) -> None:
    assert person.evening is not None
    async with asyncio.timeout(CONNECT_SECONDS):
        while not person.evening.viewer.clock.ready:  # noqa: ASYNC110 - exchanges are not told one by one
            await asyncio.sleep(0.05)


def _eye(scene: Scene, person: Person) -> Eye:
    if scene.stage.is_real:
        return MpvEye(scene.stage.socket_of(person.name))

    def player() -> SimulatedPlayer:
        assert person.screen is not None
        assert isinstance(person.screen.player, SimulatedPlayer)
        return person.screen.player

    return SimulatedEye(player)
