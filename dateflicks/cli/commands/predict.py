"""Predictions: make them, call them in secret, settle them together. The beginning of an id does for the whole."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.completing import names_of_people, session_ids
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.predictions import (
    COLUMNS,
    DETAILS,
    STANDING,
    confidence_of,
    next_step,
    option_named,
    predicting_in,
    prediction_named,
    seals_of,
    shown,
)
from dateflicks.cli.sessions import SessionArgument, person_named
from dateflicks.core.limits import OPTIONS_MAX

if TYPE_CHECKING:
    from dateflicks.client.ledger import LedgerUpdate
    from dateflicks.client.predicting import Predicting
    from dateflicks.protocol.predictions import PredictionBody, PredictionReason, ScoreBody

app = typer.Typer(add_completion=False)

AnySession = Annotated[
    str | None,
    typer.Argument(
        metavar="SESSION", help="Its id, or the beginning of it; or the only one there is.", autocompletion=session_ids
    ),
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The prediction's id, or the beginning of it.")]
Act = Callable[["Predicting", "PredictionBody"], Awaitable["PredictionBody"]]


@app.callback(invoke_without_command=True)
def predict(ctx: typer.Context) -> None:
    """Predict what happens next, and keep score. Without a verb: list them.

    dateflicks predict new k3v9 "The butler did it" --locks-at 1:20:00
    dateflicks predict call k3v9 x7tz yes --sure 80%
    dateflicks predict score --with bea
    """
    if ctx.invoked_subcommand is None:
        list_predictions(ctx)


@app.command("list")
def list_predictions(ctx: typer.Context, session: AnySession = None) -> None:
    """List a session's predictions, newest first; exit code 9 when a call is not what was sealed."""
    environment = environment_of(ctx)
    environment.run(_list(environment, session))


@app.command()
def new(
    ctx: typer.Context,
    session: SessionArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is predicted.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="TEXT", help=f"One of 2 to {OPTIONS_MAX}; else yes and no.")
    ] = None,
    locks_at: Annotated[
        str | None, typer.Option("--locks-at", metavar="POSITION", help="Where in the film it locks: 1:20:00.")
    ] = None,
) -> None:
    """Predict something."""
    environment = environment_of(ctx)
    position = _position(locks_at)
    if option is not None and not 2 <= len(option) <= OPTIONS_MAX:
        what = f"A prediction has 2 to {OPTIONS_MAX} options."
        raise CliError(Exit.USAGE, what, hint="Name each: --option A --option B.")
    environment.run(_new(environment, session, text, option or [], position))


@app.command("vote", hidden=True)
@app.command()
def call(
    ctx: typer.Context,
    session: SessionArgument,
    id_: IdArgument,
    option: Annotated[str, typer.Argument(metavar="OPTION", help="What comes true.")],
    sure: Annotated[
        str | None,
        typer.Option("--sure", metavar="80%", help="How sure: 80% or 0.8; else half way from a guess to certain."),
    ] = None,
) -> None:
    """Call it in secret; a call can be changed until the lock."""

    async def act(predicting: "Predicting", known: "PredictionBody") -> "PredictionBody":
        chosen = option_named(known, option)
        return await predicting.call(known, chosen, confidence_of(sure, known))

    _do(ctx, session, id_, "called", act)


@app.command()
def lock(ctx: typer.Context, session: SessionArgument, id_: IdArgument) -> None:
    """Let nobody call any more, and show all calls."""
    _do(ctx, session, id_, "locked", lambda predicting, known: predicting.lock(known))


@app.command("settle", hidden=True)
@app.command()
def propose(
    ctx: typer.Context,
    session: SessionArgument,
    id_: IdArgument,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="The option that came true.")],
) -> None:
    """Say what came true; it counts once the other confirms."""
    _do(
        ctx, session, id_, "proposed",
        lambda predicting, known: predicting.propose(known, option_named(known, outcome)),
    )  # fmt: skip


@app.command()
def confirm(ctx: typer.Context, session: SessionArgument, id_: IdArgument) -> None:
    """Agree to the outcome that the other proposed."""
    environment = environment_of(ctx)

    async def act(predicting: "Predicting", known: "PredictionBody") -> "PredictionBody":
        from dateflicks.client.ledger import Ledger, Unproven

        seen = seals_of(environment).read()
        if any(isinstance(update, Unproven) for update in Ledger(seen).take(known)):
            environment.agree("A call is not what was sealed. Settle it all the same?")
        return await predicting.confirm(known)

    _do(ctx, session, id_, "confirmed", act)


@app.command("dispute", hidden=True)
@app.command("object")
def object_(ctx: typer.Context, session: SessionArgument, id_: IdArgument) -> None:
    """Say that the proposed outcome is not so: the prediction is void."""
    _do(ctx, session, id_, "void", lambda predicting, known: predicting.object(known))


@app.command()
def void(ctx: typer.Context, session: SessionArgument, id_: IdArgument) -> None:
    """Call a prediction off: it never counts."""
    _do(ctx, session, id_, "void", lambda predicting, known: predicting.void(known))


@app.command()
def score(
    ctx: typer.Context,
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="SESSION", help="Of this session alone: its id, or the beginning of it.", autocompletion=session_ids
        ),
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="NAME",
            help="Of all sessions with this person: name or id.",
            autocompletion=names_of_people,
        ),
    ] = None,
) -> None:
    """Show how you stand: in one session, or with one person over all of them."""
    environment = environment_of(ctx)
    if session is not None and with_ is not None:
        raise CliError(Exit.USAGE, "A session or a person, not both.", hint="Leave out SESSION, or --with.")
    found = environment.run(_score(environment, session, with_))
    environment.show_all(found, STANDING, empty="Nothing is settled yet.")


# --- one run --------------------------------------------------------------------------------------------------------


def _do(ctx: typer.Context, session: str, text: str, reason: "PredictionReason", act: Act) -> None:
    environment = environment_of(ctx)
    environment.run(_acted(environment, session, text, reason, act))


async def _acted(environment: CliEnvironment, session: str, text: str, reason: "PredictionReason", act: Act) -> None:
    from dateflicks.client import errors

    async with predicting_in(environment, session) as predicting:
        found = await predicting.all()
        known = prediction_named(found, text, predicting.session_id)
        try:
            made = await act(predicting, known)
        except errors.ClientError as error:
            raise await _explained(error, predicting, known) from error
        _show(environment, predicting, known, made, reason)


async def _list(environment: CliEnvironment, session: str | None) -> None:
    from dateflicks.client.ledger import Ledger

    async with predicting_in(environment, session) as predicting:
        found = await predicting.all()
        seals = seals_of(environment)
        ledger = Ledger(seals.read())
        updates = [update for one in found for update in ledger.take(one)]
        seals.keep(ledger.sealed)
        records = [shown(one, predicting.user_id, ledger) for one in found]
        hint = f"Make one with 'dateflicks predict new {predicting.session_id[:12]} TEXT'."
        environment.show_all(records, COLUMNS, empty=f"No predictions. {hint}")
        if waiting := sum(one.waits for one in found):
            environment.say(f"{waiting} of them wait until your film gets to where they were made.")
        _complain(environment, updates, predicting.user_id)


async def _new(
    environment: CliEnvironment, session: str, text: str, options: list[str], locks_at: float | None
) -> None:
    async with predicting_in(environment, session) as predicting:
        made = await predicting.make(text, options, locks_at=locks_at)
        _show(environment, predicting, None, made, "made")


async def _score(environment: CliEnvironment, session: str | None, with_: str | None) -> "list[ScoreBody]":
    from dateflicks.client.predicting import pair_scores

    if session is not None:
        async with predicting_in(environment, session) as predicting:
            return (await predicting.scores()).items
    async with environment.connect() as client:
        return (await pair_scores(client, await person_named(client, with_))).items


# --- what is said ---------------------------------------------------------------------------------------------------


def _show(
    environment: CliEnvironment,
    predicting: "Predicting",
    known: "PredictionBody | None",
    made: "PredictionBody",
    reason: "PredictionReason",
) -> None:
    """Write what has become of it, say so, and what to type next."""
    from dateflicks.client.ledger import Changed, Ledger
    from dateflicks.client.prediction_sentences import prediction_sentence

    seals = seals_of(environment)
    ledger = Ledger(seals.read())
    updates = [*(ledger.take(known) if known else ()), *ledger.take(made, reason)]
    seals.keep(ledger.sealed)
    environment.show(shown(made, predicting.user_id, ledger), DETAILS)
    if made.status == "settled":
        reason = "settled"
    if sentence := prediction_sentence(Changed(made, reason, known), predicting.user_id):
        environment.say(sentence)
    environment.say(next_step(made, predicting.user_id))
    _complain(environment, updates, predicting.user_id)


def _complain(environment: CliEnvironment, updates: "list[LedgerUpdate]", user_id: str) -> None:
    """Say loudly which calls are not what was sealed, and end so that a script notices."""
    from dateflicks.client.ledger import Unproven
    from dateflicks.client.prediction_sentences import prediction_sentence

    found = [update for update in updates if isinstance(update, Unproven)]
    for update in found:
        environment.complain(prediction_sentence(update, user_id) or "")
    if found:
        raise typer.Exit(Exit.PROBLEMS)


async def _explained(error: Exception, predicting: "Predicting", known: "PredictionBody") -> Exception:
    """A refusal with what to do instead, as the prediction is now."""
    import contextlib

    from dateflicks.client import errors

    if not isinstance(error, errors.AtOdds | errors.NotAllowed):
        return error
    with contextlib.suppress(errors.ClientError):
        known = await predicting.one(known.id)
    code = Exit.REFUSED if isinstance(error, errors.AtOdds) else Exit.SIGN_IN
    return CliError(code, error.detail, hint=next_step(known, predicting.user_id))


def _position(text: str | None) -> float | None:
    if text is None:
        return None
    from dateflicks.client.sentences import parse_position

    try:
        return parse_position(text)
    except ValueError:
        hint = "Write 1:20:00, 80:00 or 4800."
        raise CliError(Exit.USAGE, f"--locks-at: '{text}' is no position.", hint=hint) from None
