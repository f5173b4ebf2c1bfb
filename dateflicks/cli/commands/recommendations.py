"""What to watch next, for one or for two: the list, why a film is on it, and what one thinks of films."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from dateflicks.cli.completing import names_of_people
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import record_of
from dateflicks.cli.sessions import people_known, person_named

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.recommendations import Recommendations
    from dateflicks.protocol.recommendations import Rating, RecommendationBody, RecommendationPage
    from dateflicks.protocol.videos import VideoBody

app = typer.Typer(add_completion=False)

T = TypeVar("T")

COLUMNS: Final = ("id", "title", "year", "fit", "why")
EXPLAINED: Final = (*COLUMNS, "reasons", "score", "basis", "variant")
DETAILS: Final = ("id", "title", "year", "duration_seconds", "score", "fit", "why", "reasons", "basis", "variant")
SAID: Final = ("id", "rating", "rated_at")


class Word(StrEnum):
    """What one may say of a film."""

    UP = "up"
    DOWN = "down"
    HIDE = "hide"
    CLEAR = "clear"


_RATINGS: Final[dict[Word, "Rating | None"]] = {Word.UP: "up", Word.DOWN: "down", Word.HIDE: "hide", Word.CLEAR: None}

WithOption = Annotated[
    str | None,
    typer.Option(
        "--with", metavar="NAME", help="For you and this person together: name or id.", autocompletion=names_of_people
    ),
]
VideoArgument = Annotated[str, typer.Argument(metavar="VIDEO", help="Its id, or words that find it alone.")]


@app.callback(invoke_without_command=True)
def recommendations(ctx: typer.Context) -> None:
    """See what to watch next, alone or together. Without a verb: list it.

    dateflicks recommendations list --with bea
    dateflicks recommendations why "charade" --with bea
    dateflicks recommendations rate "charade" up
    """
    if ctx.invoked_subcommand is None:
        list_recommendations(ctx)


@app.command("list")
def list_recommendations(
    ctx: typer.Context,
    with_: WithOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Also show what each pick was made from.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 20,
    seen: Annotated[bool, typer.Option("--seen", help="Also films that one of you has finished.")] = False,
) -> None:
    """List what to watch next, best first.

    dateflicks recs list --with bea --explain
    """
    environment = environment_of(ctx)
    page, asked = environment.run(_listed(environment, with_, limit, seen=seen))
    empty = page.note or "Nothing is recommended yet. Fill the collection with 'dateflicks providers run all'."
    records = [asked.shown(one) for one in page.items]
    environment.show_all(records, EXPLAINED if explain else COLUMNS, empty=empty)
    if page.items and page.note:
        environment.say(page.note)


@app.command()
def why(ctx: typer.Context, video: VideoArgument, with_: WithOption = None) -> None:
    """Show why a film is recommended, and what made the list."""
    environment = environment_of(ctx)
    found, asked = environment.run(_why(environment, video, with_))
    environment.show(asked.shown(found), DETAILS)


@app.command()
def rate(
    ctx: typer.Context,
    video: VideoArgument,
    word: Annotated[
        Word, typer.Argument(metavar="up|down|hide|clear", help="More or less like it; never show it; take it back.")
    ],
) -> None:
    """Say what you think of a film; the next list knows it.

    dateflicks recommendations rate "night of the living dead" up
    """
    environment = environment_of(ctx)
    environment.run(_rated(environment, video, word))


# --- one run --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and whose names are known."""

    me: str
    names: dict[str, str]

    def shown(self, one: "RecommendationBody") -> dict[str, Any]:
        """A recommendation as it is written: its id first, and for each person how it fits and what speaks for it."""
        from dateflicks.client.recommendations import fits_text, reasons_text

        record: dict[str, Any] = {"id": one.video_id, **record_of(one)}
        del record["video_id"]
        words = {"fit": fits_text(one, self.me, self._name), "reasons": reasons_text(one, self.me, self._name)}
        return record | words

    def _name(self, user_id: str) -> str:
        return self.names.get(user_id, "the other")


async def _listed(
    environment: CliEnvironment, with_: str | None, limit: int, *, seen: bool
) -> "tuple[RecommendationPage, Asked]":
    async def ask(recommendations: "Recommendations", other: str | None) -> "RecommendationPage":
        return await recommendations.up_to(limit, other, seen=seen)

    async with environment.connect() as client:
        return await _for(client, with_, ask)


async def _why(environment: CliEnvironment, text: str, with_: str | None) -> "tuple[RecommendationBody, Asked]":
    async with environment.connect() as client:
        video = await _video(environment, client, text)
        return await _for(client, with_, lambda recommendations, other: recommendations.why(video.id, other))


async def _rated(environment: CliEnvironment, text: str, word: Word) -> None:
    from dateflicks.client.recommendations import Recommendations
    from dateflicks.client.videos import name_of

    async with environment.connect() as client:
        video = await _video(environment, client, text)
        answer = await Recommendations(client).rate(video.id, _RATINGS[word])
    record = {"id": answer.video_id, "rating": answer.rating, "rated_at": answer.rated_at, "title": video.title}
    environment.show(record, SAID)
    said = {
        Word.UP: f"More like {name_of(video)}.",
        Word.DOWN: f"Less like {name_of(video)}.",
        Word.HIDE: f"{name_of(video)} is not shown any more.",
        Word.CLEAR: f"What you said of {name_of(video)} is forgotten.",
    }[word]
    undo = "" if word is Word.CLEAR else f"Take it back with 'dateflicks recommendations rate {video.id} clear'."
    environment.say(said, *([undo] if undo else []))


async def _for(
    client: "ServiceClient", with_: str | None, ask: "Callable[[Recommendations, str | None], Awaitable[T]]"
) -> "tuple[T, Asked]":
    """What is asked for oneself, or for oneself and somebody; with the names for it."""
    from dateflicks.client.errors import NotThere
    from dateflicks.client.recommendations import Recommendations, is_recommended_from

    me = (await client.me()).id
    if with_ is None:
        return await ask(Recommendations(client), None), Asked(me, {})
    people = await people_known(client)
    other = await person_named(client, with_, people)
    asked = Asked(me, {user_id: name for name, user_id in people.items()})
    try:
        return await ask(Recommendations(client), other), asked
    except NotThere as missing:
        if not await is_recommended_from(client):
            raise
        hint = "Lists for two are for people who have both said yes to a session: see 'dateflicks session list'."
        raise CliError(Exit.NOT_FOUND, missing.detail, hint=hint) from None


async def _video(environment: CliEnvironment, client: "ServiceClient", text: str) -> "VideoBody":
    from dateflicks.cli.choosing import the_video
    from dateflicks.client.videos import Videos

    return await the_video(environment, Videos(client), text)
