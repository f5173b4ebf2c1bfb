"""How good recommenders are on data that an operator brings: `recommenders evaluate`, with its pairs and its homes."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.server.recommenders.evaluating.bench import Standing
    from dateflicks.server.recommenders.evaluating.evaluation import Evaluation, Tell, Wanted
    from dateflicks.server.recommenders.evaluating.reading import Ratings
    from dateflicks.server.recommenders.evaluating.splitting import How, Split
    from dateflicks.server.recommenders.recommender import Recommender
    from dateflicks.settings.recommenders import RecommendersSettings

SYNTHETIC: Final = "synthetic"
COLUMNS: Final = (
    "recommender", "split", "ndcg", "ndcg_error", "recall", "recall_error", "coverage", "fit_seconds",
    "memory_added_mib", "measured_users", "half_life_films", "settings",
)  # fmt: skip
PAIR_COLUMNS: Final = (
    "strategy", "mean", "mean_error", "lower", "lower_error", "nothing_for_one", "joint", "joint_error", "pairs",
    "joint_pairs",
)  # fmt: skip
HOME_COLUMNS: Final = (
    "recommender", "prior", "homes", "ndcg", "ndcg_error", "recall", "recall_error", "coverage", "learned_from",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed. `pairs` is how many pairs to draw, `home` how many people a home has; none of both is 0."""

    name: str
    data: str
    split: str | None
    seed: int
    at: int
    is_tuned: bool
    threads: int | None
    pairs: int
    home: int
    homes: int
    priors: tuple[str, ...]


def evaluate(environment: CliEnvironment, asked: Asked) -> None:
    """Evaluate, and show what came out. Raises CliError."""
    from dateflicks.server.plugins import Broken
    from dateflicks.server.recommenders.evaluating.reading import DataError
    from dateflicks.server.recommenders.recommender import RecommenderError

    if asked.pairs and asked.home:
        raise CliError(Exit.USAGE, "--pairs and --home are two questions: ask one of them.")
    if asked.priors and not asked.home:
        raise CliError(Exit.USAGE, "--prior is for homes: say how many people one has with --home 2.")
    settings: RecommendersSettings = environment.load("recommenders").settings
    try:
        recommenders = _recommenders(settings, asked)
        split = _split(environment, asked)
        _show(environment, asked, settings, recommenders, split)
    except DataError as error:
        raise CliError(Exit.FAILED, str(error)) from error
    except (RecommenderError, Broken) as error:
        raise CliError(Exit.FAILED, _sentence(str(error))) from error


def _show(
    environment: CliEnvironment,
    asked: Asked,
    settings: "RecommendersSettings",
    recommenders: "list[Recommender]",
    split: "Split",
) -> None:
    from dateflicks.server.recommenders.discovery import config_of
    from dateflicks.server.recommenders.evaluating.evaluation import Wanted

    wanted = Wanted(
        at=asked.at, seed=asked.seed, threads=asked.threads or settings.run.threads, is_tuned=asked.is_tuned
    )
    evaluations: list[Evaluation] = []
    rows: list[Any] = []
    for recommender in recommenders:
        config = config_of(recommender, settings)
        evaluations.append(_one(environment, asked, recommender, config, split, wanted, rows))
    if asked.pairs:
        environment.show_all(rows, PAIR_COLUMNS, empty="")
    elif asked.home:
        environment.show_all(rows, HOME_COLUMNS, empty="")
    elif len(evaluations) == 1 and asked.name != "all":
        environment.show(evaluations[0], COLUMNS)
    else:
        environment.show_all(evaluations, COLUMNS, empty="")


def _one(
    environment: CliEnvironment,
    asked: Asked,
    recommender: "Recommender",
    config: Any,
    split: "Split",
    wanted: "Wanted",
    rows: list[Any],
) -> "Evaluation":
    from dateflicks.server.recommenders.evaluating.evaluation import evaluate as measured

    def also(there: "Standing", chosen: Any, half_life: float | None) -> None:
        if asked.pairs:
            rows.extend(_pairs(there, half_life, asked))
        if asked.home:
            rows.extend(_homes(environment, there, chosen, half_life, split.ratings, asked))

    with _progress(environment, recommender.name) as tell:
        found = measured(recommender, config, split, wanted, tell, also)
    skipped = [one for one in found.tried if one.error]
    if skipped:
        environment.say(f"{recommender.name}: {len(skipped)} of the settings tried cannot be used: {skipped[0].error}.")
    if not (asked.pairs or asked.home):
        environment.say(_in_words(found))
    return found


def _in_words(found: "Evaluation") -> str:
    return (
        f"{found.recommender}: NDCG@{found.at} {found.ndcg:.4f} ± {found.ndcg_error:.4f}, "
        f"Recall@{found.at} {found.recall:.4f} ± {found.recall_error:.4f}, "
        f"{found.coverage:.0%} of the films in lists, "
        f"fitted in {found.fit_seconds:.1f} s with {found.memory_added_mib:.0f} MiB."
    )


def _pairs(there: "Standing", half_life: float | None, asked: Asked) -> list[Any]:
    from dateflicks.server.recommenders.evaluating.couples import measure_couples

    found: list[Any] = there("call", measure_couples, half_life, asked.pairs)
    return found


def _homes(
    environment: CliEnvironment,
    there: "Standing",
    chosen: Any,
    half_life: float | None,
    ratings: "Ratings",
    asked: Asked,
) -> list[Any]:
    from dateflicks.cli.background import background_of
    from dateflicks.server.recommenders.evaluating.homes import films_of, measure_homes
    from dateflicks.server.recommenders.prior import kept, load

    data = background_of(environment).folder
    here = ratings.taken[0].parent.resolve()
    for about in kept(data):
        if about.name in asked.priors and Path(about.came_from) == here:
            what = f"The prior '{about.name}' is this very data: it knows what is held back."
            raise CliError(Exit.USAGE, what, hint="Leave out --prior: then everybody else is the prior of a home.")
    priors = [load(data, name) for name in asked.priors]
    films = films_of(ratings) if priors else []
    found: list[Any] = there("call", measure_homes, chosen, half_life, asked.home, asked.homes, films, priors)
    return found


# --- what is evaluated, and on what -----------------------------------------------------------------------------


def _recommenders(settings: "RecommendersSettings", asked: Asked) -> "list[Recommender]":
    """The one of that name, or all that are used, but for the one that needs features. Raises CliError, Broken."""
    from dateflicks.server.recommenders.discovery import discover, load

    found = discover(settings.allow, settings.deny)
    if asked.name == "all":
        return [load(one) for one in found if one.problem is None and one.name != "content"]
    for one in found:
        if one.name == asked.name:
            if one.problem:
                raise CliError(Exit.REFUSED, f"The recommender '{one.name}' is not used: {one.problem}.")
            return [load(one)]
    known = [one.name for one in found]
    raise CliError(Exit.NOT_FOUND, f"There is no recommender '{asked.name}'.", hint=nearest(asked.name, known))


def _split(environment: CliEnvironment, asked: Asked) -> "Split":
    """The data, read and split. Raises CliError, RecommenderError."""
    from dateflicks.server.recommenders.evaluating.reading import read_ratings
    from dateflicks.server.recommenders.evaluating.splitting import split_of
    from dateflicks.server.recommenders.evaluating.synthetic import synthetic

    folder = Path(asked.data).expanduser()
    if asked.data == SYNTHETIC and not folder.exists():
        ratings = synthetic(seed=asked.seed).ratings
    elif not folder.exists():
        hint = f"Name a folder of MovieLens or the like, or '{SYNTHETIC}' for people drawn by chance."
        raise CliError(Exit.NOT_FOUND, f"There is no folder {folder}.", hint=hint)
    else:
        ratings = read_ratings(folder, is_split=None if asked.split is None else asked.split == "published")
    how = cast("How", asked.split or ("published" if ratings.parts is not None else "rand"))
    split = split_of(ratings, how, asked.seed)
    if not split.measured:
        files = ", ".join(path.name for path in ratings.taken)
        what = f"Nobody in {files} has enough films to be measured: some of each one's are held back."
        raise CliError(Exit.FAILED, what, hint="Bring people with three films or more.")
    _tell_of(environment, ratings, split)
    return split


def _tell_of(environment: CliEnvironment, ratings: "Ratings", split: "Split") -> None:
    files = ", ".join(path.name for path in ratings.taken)
    environment.say(
        f"{files}: {len(ratings):,} ratings, {len(ratings.user_ids):,} people, {len(ratings.film_ids):,} films; "
        f"split {split.how}, seed {split.seed}."
    )
    if ratings.passed_over:
        environment.say(f"Not read, though beside it: {', '.join(path.name for path in ratings.passed_over)}.")
    if ratings.repeated:
        environment.say(f"{ratings.repeated:,} ratings came twice; the latest counts.")
    unmeasured = len(ratings.user_ids) - split.measured
    if unmeasured:
        environment.say(f"{unmeasured:,} people have too few films for a test: learned from, not measured.")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


# --- how far it is ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _progress(environment: CliEnvironment, name: str) -> "Iterator[Tell]":
    """A bar on a terminal, and nothing elsewhere."""
    if environment.is_quiet or not environment.stderr.isatty() or environment.environ.get("TERM") == "dumb":
        yield lambda _done, _of, _next: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    color = environment.is_colored(environment.stderr)
    console = Console(file=environment.stderr, color_system="auto" if color else None, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(name, total=None, words="")
        yield lambda done, of, words: bars.update(task, completed=done, total=of, words=words)
