"""Priors from the command line: other people's interactions, brought by an operator who accepts their terms."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.background import background_of, time_of
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.server.recommenders.prior import About

COLUMNS: Final = ("name", "people", "films", "interactions", "with_ids", "accepted_at")
DETAILS: Final = (*COLUMNS, "came_from", "licence_files")
LICENCE_LINES: Final = 60
ACCEPT: Final = "Read it, and say so with --accept-licence."


def add(environment: CliEnvironment, folder: Path, name: str | None, *, is_accepted: bool) -> None:
    """Take a folder in, once its terms are accepted. Raises CliError."""
    from dateflicks.server.recommenders import prior as priors
    from dateflicks.server.recommenders.evaluating.reading import read_ratings
    from dateflicks.server.recommenders.recommender import RecommenderError

    if not folder.is_dir():
        raise CliError(
            Exit.NOT_FOUND, f"There is no folder {folder}.", hint="Unpack what you have, and name its folder."
        )
    chosen = name or priors.name_from(folder)
    data = background_of(environment).folder
    try:
        priors.check_name(chosen)
        if chosen in {one.name for one in priors.kept(data)}:
            hint = "Choose another name with --name, or remove it first."
            raise CliError(Exit.REFUSED, f"There is a prior '{chosen}' already.", hint=hint)
        files, licence = priors.licences(folder)
        _accept(environment, folder, files, licence, is_accepted=is_accepted)
        environment.say(f"Reading {folder} …")
        ratings = read_ratings(folder)
        made = priors.prior_of(ratings, folder, chosen)
        about = priors.About(
            name=chosen,
            came_from=str(folder.resolve()),
            kind=", ".join(path.name for path in ratings.taken),
            people=len(ratings.user_ids),
            films=len(made.films),
            interactions=len(ratings),
            with_ids=sum(bool(film.ids or (film.titles and film.year)) for film in made.films),
            licence_files=files,
            licence=licence,
            accepted_at=environment.now().timestamp(),
        )
        if not about.with_ids:
            what = f"Nothing in {folder} says which films these are: no links.csv, movies.csv, movies.dat or u.item."
            raise CliError(Exit.FAILED, what, hint="Without it no film can be found again in your collection.")
        priors.keep(made, about, data)
    except priors.PriorError as error:
        raise CliError(
            Exit.USAGE if name else Exit.FAILED, str(error), hint="Choose another one with --name."
        ) from error
    except RecommenderError as error:
        raise CliError(Exit.FAILED, str(error)) from error
    except OSError as error:
        raise CliError(Exit.FAILED, f"{error.filename or data}: {error.strerror or error}.") from error
    environment.show(_shown(about), DETAILS)
    environment.say("It is used from the next run on: dateflicks recommenders run all.")


def show_all(environment: CliEnvironment) -> None:
    """List what is kept. Raises CliError."""
    from dateflicks.server.recommenders import prior as priors

    try:
        found = priors.kept(background_of(environment).folder)
    except priors.PriorError as error:
        raise CliError(Exit.FAILED, str(error)) from error
    empty = "There is no prior. Bring a folder: dateflicks recommenders prior add FOLDER"
    environment.show_all([_shown(one) for one in found], COLUMNS, empty=empty)


def remove(environment: CliEnvironment, name: str) -> None:
    """Forget one. Raises CliError."""
    from dateflicks.server.recommenders import prior as priors

    data = background_of(environment).folder
    if name not in (known := priors.names(data)):
        hint = (
            nearest(name, known)
            if known
            else "There are none: bring one with 'dateflicks recommenders prior add FOLDER'."
        )
        raise CliError(Exit.NOT_FOUND, f"There is no prior '{name}'.", hint=hint)
    environment.agree(f"Remove the prior '{name}'?")
    try:
        priors.remove(data, name)
    except priors.PriorError as error:
        raise CliError(Exit.NOT_FOUND, str(error)) from error
    except OSError as error:
        raise CliError(Exit.FAILED, f"{error.filename or data}: {error.strerror or error}.") from error
    environment.say(f"The prior '{name}' is gone. Lists are without it from the next run on.")


def _accept(environment: CliEnvironment, folder: Path, files: list[str], licence: str, *, is_accepted: bool) -> None:
    """Go on only when somebody accepts the terms, which are shown. Raises CliError."""
    if files:
        lines = licence.splitlines()
        environment.say(f"--- {', '.join(files)}", *lines[:LICENCE_LINES])
        if len(lines) > LICENCE_LINES:
            environment.say(f"… and {len(lines) - LICENCE_LINES} more lines: see {folder / files[0]}.")
        environment.say("---")
        question = "Do you accept these terms?"
    else:
        environment.say(f"No licence and no README was found in {folder}.")
        question = "May you use this data, by the terms under which you have it?"
    if not is_accepted:
        environment.agree(question, instead=ACCEPT)


def _shown(about: "About") -> dict[str, Any]:
    from dateflicks.cli.output import record_of

    record: dict[str, Any] = record_of(about)
    del record["licence"]
    return record | {"accepted_at": time_of(about.accepted_at)}
