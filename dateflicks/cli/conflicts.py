"""Which offers are one film, where the rules cannot tell: a list of those, and a person's word, which wins."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.judging import LOOK, SHOWN, Judged, judged, pair

if TYPE_CHECKING:
    from dateflicks.core.catalogue.identity import Decision
    from dateflicks.server.storage.records import Document

COLUMNS: Final = (
    "id", "title", "year", "source", "conflict", "candidate.id", "candidate.title", "candidate.year",
    "candidate.source",
)  # fmt: skip
SAID: Final = ("offer", "other", "verdict", "film", "other_film")

OneArgument = Annotated[str, typer.Argument(metavar="A", help="A film or an offer: its id, or how that begins.")]
OtherArgument = Annotated[str, typer.Argument(metavar="B", help="The other one.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands of a group."""
    app.command("conflicts")(list_conflicts)
    app.command("same")(same)
    app.command("different")(different)
    app.command("undo")(undo)


def list_conflicts(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many films.")] = 50,
    decided: Annotated[bool, typer.Option("--decided", help="What was said before, instead.")] = False,
) -> None:
    """List what may be one of several films and is linked to none, a line for each candidate.

    dateflicks videos conflicts
    dateflicks videos conflicts --decided
    """
    environment = environment_of(ctx)
    if decided:
        said = environment.run(_all_said(environment))
        environment.show_all(said, SAID, empty="Nobody has said anything.")
        return
    found = environment.run(_all_conflicts(environment, limit))
    environment.show_all(found, COLUMNS, empty="Of every offer it is clear which film it is.")


def same(ctx: typer.Context, one: OneArgument, other: OtherArgument) -> None:
    """Say that two films, or offers, are one film.

    dateflicks videos same vid_k3 vid_q7
    """
    _say(environment_of(ctx), one, other, is_same=True)


def different(ctx: typer.Context, one: OneArgument, other: OtherArgument) -> None:
    """Say that two films, or offers, are not one film; where they are now, A leaves.

    dateflicks videos different off:1f vid_q7
    """
    _say(environment_of(ctx), one, other, is_same=False)


def undo(ctx: typer.Context, one: OneArgument, other: OtherArgument) -> None:
    """Take back what was said of two: the rules hold again.

    dateflicks videos undo off:1f off:9c
    """
    environment = environment_of(ctx)
    record = environment.run(_undo(environment, one, other))
    environment.show(record, SAID)
    environment.say(f"That they are {_words(record)} is taken back.", _now_are(record))


def _say(environment: CliEnvironment, one: str, other: str, *, is_same: bool) -> None:
    record = environment.run(_decide(environment, one, other, is_same=is_same))
    environment.show(record, SAID)
    environment.say(_now_are(record))
    if (record["film"] == record["other_film"]) is not is_same:
        environment.say(f"What was said of others is against {_words(record)}: see 'videos conflicts --decided'.")


def _words(record: dict[str, Any]) -> str:
    return "one film" if record["verdict"] == "same" else "different films"


def _now_are(record: dict[str, Any]) -> str:
    if record["film"] == record["other_film"]:
        return f"They are one film: {record['film']}."
    return f"They are different films: {record['film']} and {record['other_film']}."


async def _all_conflicts(environment: CliEnvironment, limit: int) -> list[dict[str, Any]]:
    async with judged(environment) as collection:
        found = await collection.conflicts(limit)
        films = await collection.films(key for one in found for key in one["candidates"])
    rows = []
    for one in found:
        record = _record(one) | {"conflict": one["conflict"], "offers": one["members"]}
        rows += [record | {"candidate": _record(films[key])} for key in one["candidates"] if key in films]
    return rows


async def _all_said(environment: CliEnvironment) -> list[dict[str, Any]]:
    async with judged(environment) as collection:
        return [await _of_said(collection, said) for said in await collection.works.decisions()]


async def _decide(environment: CliEnvironment, one: str, other: str, *, is_same: bool) -> dict[str, Any]:
    from dateflicks.core.catalogue.identity import Decision

    async with judged(environment, is_written=True) as collection:
        offer, another = pair(await collection.meant(one), await collection.meant(other), (one, other))
        await collection.works.decide(offer, another, is_same=is_same, by=environment.environ.get("USER"))
        return await _of_said(collection, Decision(offer, another, is_same))


async def _undo(environment: CliEnvironment, one: str, other: str) -> dict[str, Any]:
    async with judged(environment, is_written=True) as collection:
        here, there = [set((await collection.meant(text)).offers) for text in (one, other)]
        found = [
            said
            for said in await collection.works.decisions()
            if (said.offer in here and said.other in there) or (said.offer in there and said.other in here)
        ]
        if not found:
            raise CliError(Exit.NOT_FOUND, f"Nobody has said anything of {one} and {other}.", hint=LOOK)
        if len(found) > 1:
            pairs = "; ".join(f"{said.offer} {said.other}" for said in found[:SHOWN])
            what = f"{len(found)} things were said of {one} and {other}."
            raise CliError(Exit.USAGE, what, why=f"Of {pairs}.", hint="Name the two offers.")
        await collection.works.undo(found[0].offer, found[0].other)
        return await _of_said(collection, found[0])


async def _of_said(collection: Judged, said: "Decision") -> dict[str, Any]:
    return {
        "offer": said.offer,
        "other": said.other,
        "verdict": "same" if said.same else "different",
        "film": await collection.film_of(said.offer),
        "other_film": await collection.film_of(said.other),
    }


def _record(film: "Document") -> dict[str, Any]:
    names = {"id": "_id", "title": "title", "year": "year", "duration_seconds": "durationSeconds", "source": "source"}
    return {name: film[stored] for name, stored in names.items()}
