"""What there is to watch: search and browse the collection, look at one film, put films on one's own list, and say
which offers are one film (`cli/conflicts.py`).
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateflicks.cli import conflicts
from dateflicks.cli.choosing import the_video
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format, record_of
from dateflicks.cli.patience import STILL_READ, found_in

if TYPE_CHECKING:
    from dateflicks.protocol.videos import VideoBody

app = typer.Typer(add_completion=False)

COLUMNS = ("id", "title", "year", "source", "playable")
DETAILS = (
    "id", "title", "original_title", "alt_titles", "year", "duration_seconds", "genres", "people", "overview",
    "playable", "source", "url", "added_at",
)  # fmt: skip
ADDED = ("url", "title")
FILL = "Fill the collection with 'dateflicks providers run all'."
OFFERS = ("source", "region", "type", "playable", "url")


class Order(StrEnum):
    """In which order films are listed."""

    BEST = "best"
    TITLE = "title"
    YEAR = "year"
    ADDED = "added"


SourceOption = Annotated[str, typer.Option(metavar="A,B", help="Only films of these sources.")]
GenreOption = Annotated[str, typer.Option(metavar="A,B", help="Only films of these genres.")]
YearOption = Annotated[str, typer.Option(metavar="YEAR", help="Only films of 1963, 1960-1969, 1960- or -1969.")]
RegionOption = Annotated[str, typer.Option(metavar="DE", help="Only what is offered there, or everywhere.")]
PlayableOption = Annotated[
    bool | None, typer.Option("--playable/--elsewhere", help="Only what plays here; only what opens elsewhere.")
]
SortOption = Annotated[Order, typer.Option("--sort", help="The order; year and added: the newest first.")]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]


@app.callback(invoke_without_command=True)
def videos(ctx: typer.Context) -> None:
    """Search what there is to watch. Without a verb: list it.

    dateflicks videos search "night of the living dead"
    dateflicks videos search "cary grant" --year 1940- --playable
    dateflicks videos list --genre noir --sort year
    """
    if ctx.invoked_subcommand is None:
        list_videos(ctx)


@app.command()
def search(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="Words of a title, a name, a year.")],
    source: SourceOption = "",
    genre: GenreOption = "",
    year: YearOption = "",
    region: RegionOption = "",
    playable: PlayableOption = None,
    sort: SortOption = Order.BEST,
    limit: LimitOption = 20,
) -> None:
    """Search titles, people and years; slips are forgiven.

    dateflicks videos search nigth of the livng dead
    """
    words = " ".join(text)
    filters = _filters(source, genre, year, region, playable, sort, limit)
    environment = environment_of(ctx)
    found, is_all = environment.run(_found(environment, words, filters))
    empty = f"No film is found for '{words}'{'' if is_all else ' yet'}."
    if not found and is_all and environment.run(_is_empty(environment)):
        empty = f"{empty} There are none at all. {FILL}"
    environment.show_all(found, COLUMNS, empty=empty)


@app.command("list")
def list_videos(
    ctx: typer.Context,
    source: SourceOption = "",
    genre: GenreOption = "",
    year: YearOption = "",
    region: RegionOption = "",
    playable: PlayableOption = None,
    sort: SortOption = Order.BEST,
    limit: LimitOption = 50,
) -> None:
    """List what there is, what plays here first."""
    environment = environment_of(ctx)
    filters = _filters(source, genre, year, region, playable, sort, limit)
    found, is_all = environment.run(_found(environment, "", filters))
    empty = f"No films. {FILL}" if is_all else "No films yet."
    if source or genre or year or region or playable is not None:
        empty = f"No film fits{'' if is_all else ' yet'}."
    environment.show_all(found, COLUMNS, empty=empty)


@app.command()
def show(
    ctx: typer.Context,
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Its id, or words that find it alone.")],
) -> None:
    """Show one film, and where it can be watched."""
    environment = environment_of(ctx)
    found, credits = environment.run(_one(environment, video))  # noqa: A001 - what a source's terms ask for
    printer = environment.printer
    if printer.form in (Format.JSON, Format.JSONL):
        printer.one(found, DETAILS)
    else:
        printer.one(_in_words(found), DETAILS)
    if printer.form is Format.TABLE and not environment.fields:
        environment.stdout.write("\n")
        printer.many(found.offers, OFFERS)
    environment.say(*credits)


@app.command()
def add(
    ctx: typer.Context,
    film: Annotated[str, typer.Argument(metavar="URL|FILE", help="A film: its address on the web, or a file.")],
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Its title.")] = None,
    year: Annotated[int | None, typer.Option(min=1870, max=2100, help="Its year.")] = None,
    length: Annotated[str, typer.Option(metavar="1:32:10", help="How long it is.")] = "",
    genre: Annotated[str, typer.Option(metavar="A,B", help="Its genres.")] = "",
) -> None:
    """Put a film on your own list, which the source 'url' reads.

    dateflicks videos add https://films.example.org/general.mp4 --title "The General" --year 1926
    """
    from dateflicks.cli.own_films import data_folder, own_video
    from dateflicks.settings.own_list import add_to_list, list_path

    environment = environment_of(ctx)
    settings = environment.load("providers").settings
    path = list_path(settings.url.file, data_folder(environment, settings.data))
    video = own_video(film, title, year, length, genre)
    if not add_to_list(path, video):
        raise CliError(Exit.REFUSED, f"{video.url} is on your list already.", hint=f"Change it there: {path}")
    environment.show({"url": video.url, "title": video.title, "year": video.year, "list": str(path)}, ADDED)
    then = "It is found after the next run of the source 'url': dateflicks providers run url"
    environment.say(f"{video.title} is on your list, {path}.", then)


def _filters(
    source: str, genre: str, year: str, region: str, playable: bool | None, sort: Order, limit: int
) -> dict[str, Any]:
    return {
        "source": source, "genre": genre, "year": year, "region": region, "playable": playable, "sort": sort.value,
        "limit": limit,
    }  # fmt: skip


async def _found(environment: CliEnvironment, text: str, filters: dict[str, Any]) -> "tuple[list[VideoBody], bool]":
    """What is found, and whether that is all there is."""
    from dateflicks.client.videos import Videos

    async with environment.connect(anonymously=True) as client:
        videos = Videos(client)

        async def ask() -> "list[VideoBody]":
            return [video async for video in videos.all(text, **filters)]

        found, is_all = await found_in(environment, videos, ask)
        if not is_all:
            environment.say(STILL_READ)
        return found, is_all


async def _is_empty(environment: CliEnvironment) -> bool:
    """Whether there is no film at all."""
    from dateflicks.client.videos import Videos

    async with environment.connect(anonymously=True) as client:
        return not (await Videos(client).page(limit=1)).items


async def _one(environment: CliEnvironment, text: str) -> "tuple[VideoBody, list[str]]":
    """The film, and what the terms of its sources ask to be shown with it."""
    from dateflicks.client.errors import ClientError
    from dateflicks.client.videos import Videos

    async with environment.connect(anonymously=True) as client:
        videos = Videos(client)
        video = await the_video(environment, videos, text)
        names = {offer.source for offer in video.offers}
        try:
            sources = (await videos.sources()).items
        except ClientError:
            sources = []
        return video, [source.attribution for source in sources if source.name in names and source.attribution]


def _in_words(video: "VideoBody") -> dict[str, Any]:
    """For people: lists of words as words, a length as a clock shows it."""
    from dateflicks.client.sentences import clock_text

    record: dict[str, Any] = record_of(video)
    words = {name: ", ".join(record[name]) for name in ("alt_titles", "genres", "people")}
    seconds = video.duration_seconds
    return record | words | {"duration_seconds": clock_text(seconds) if seconds is not None else None}


conflicts.add_to(app)
