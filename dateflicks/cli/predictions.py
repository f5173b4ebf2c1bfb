"""What prediction commands share: entry to a session by ticket, naming predictions and options, what to type next."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Record, record_of
from dateflicks.cli.sessions import accepted, full_id

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.ledger import Ledger
    from dateflicks.client.predicting import Predicting
    from dateflicks.client.seals import Seals
    from dateflicks.protocol.predictions import CallBody, PredictionBody

COLUMNS: Final = ("id", "status", "details", "options", "called", "proposed_outcome", "outcome", "locks_at_position")
DETAILS: Final = (
    "id", "status", "details", "options", "author_name", "called", "my_option", "my_confidence", "proposed_outcome",
    "outcome", "void_reason", "deadline", "at_position", "locks_at_position", "created_at", "locked_at", "settled_at",
    "is_proven",
)  # fmt: skip
STANDING: Final = ("user_id", "name", "points", "calls", "right", "brier")


@contextlib.asynccontextmanager
async def predicting_in(environment: CliEnvironment, text: str | None) -> AsyncIterator["Predicting"]:
    """This person's acts in the session that begins with `text`; without it, in the only one that is accepted."""
    from dateflicks.client.predicting import Predicting
    from dateflicks.client.tickets import Tickets

    async with environment.connect() as client:
        session_id, ticket = await _entry(environment, client, text)
        kept = environment.acting(client)
        user_id = kept.user_id if kept else (await client.me()).id

        def keep(ticket: str) -> None:
            environment.keep_ticket(client, session_id, ticket)

        keep(ticket)
        yield Predicting(session_id, Tickets(client, session_id, ticket, keep), user_id)


async def _entry(environment: CliEnvironment, client: "ServiceClient", text: str | None) -> tuple[str, str]:
    """The session's id and a ticket: a fresh one, or the last known while none is given out (any more)."""
    from dateflicks.client import errors

    kept = environment.acting(client)
    tickets = kept.tickets if kept else {}
    try:
        session_id = await (full_id(client, text) if text else _only_session(client))
    except errors.Unreachable:
        found = [name for name in tickets if text and name.startswith((text, f"ses_{text}"))]
        if len(found) != 1:
            raise
        return found[0], tickets[found[0]]
    try:
        session = await accepted(client, session_id)
    except (CliError, errors.Unreachable):
        if session_id not in tickets:
            raise
        return session_id, tickets[session_id]
    assert isinstance(session.ticket, str)
    return session_id, session.ticket


async def _only_session(client: "ServiceClient") -> str:
    found = [session.id async for session in client.all_sessions(("accepted",))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(
            Exit.NOT_FOUND, "You take part in no session now.", hint="See all with 'dateflicks session list'."
        )
    raise CliError(
        Exit.USAGE,
        f"You take part in several sessions: {', '.join(found[:5])}.",
        hint=f"Name one: dateflicks predict list {found[0][:12]}",
    )


def seals_of(environment: CliEnvironment) -> "Seals":
    """What this person has seen of sealed calls before."""
    from dateflicks.client.seals import Seals

    return Seals(environment.home / "seals.json")


# --- naming ---------------------------------------------------------------------------------------------------------


def prediction_named(found: "Sequence[PredictionBody]", text: str, session_id: str) -> "PredictionBody":
    """The one whose id begins with `text`, with or without `prd_`."""
    start = text if text.startswith("prd_") else f"prd_{text}"
    named = [one for one in found if one.id.startswith(start)]
    if len(named) == 1:
        return named[0]
    if not named:
        hint = f"See them with 'dateflicks predict list {session_id[:12]}'."
        raise CliError(Exit.NOT_FOUND, f"No prediction of this session begins with '{text}'.", hint=hint)
    ids = ", ".join(one.id for one in named[:5])
    raise CliError(Exit.USAGE, f"'{text}' begins several predictions: {ids}.", hint="Type more of it.")


def option_named(prediction: "PredictionBody", text: str) -> str:
    """The option that is meant, whatever its case."""
    if prediction.waits:
        raise CliError(
            Exit.REFUSED,
            "This prediction waits: your film has not come to where it was made.",
            hint="Watch on; you see it when you are there.",
        )
    for option in prediction.options:
        if option.casefold() == text.strip().casefold():
            return option
    raise CliError(Exit.USAGE, f"'{text}' is no option of this prediction.", hint=nearest(text, prediction.options))


def confidence_of(text: str | None, prediction: "PredictionBody") -> float:
    """How sure: `80%` or `0.8`; nothing said is half way from knowing nothing to being certain."""
    from dateflicks.core.scoring import least_confidence, rounded

    least = least_confidence(len(prediction.options))
    if text is None:
        return rounded((1.0 / len(prediction.options) + 1.0) / 2)
    is_percent = text.strip().endswith("%")
    try:
        value = float(text.strip().removesuffix("%")) / (100.0 if is_percent else 1.0)
    except ValueError:
        raise CliError(Exit.USAGE, f"--sure: '{text}' is no number.", hint="Write 80% or 0.8.") from None
    if 1.0 < value <= 100.0 and not is_percent:
        raise CliError(Exit.USAGE, f"--sure: {text} is more than certain.", hint=f"Did you mean {text.strip()}%?")
    if not least <= rounded(value) <= 1.0:
        raise CliError(
            Exit.USAGE,
            f"--sure: must be from {least * 100:g}% to 100%, not {text.strip()}.",
            why=f"There are {len(prediction.options)} options: who knows nothing is {least * 100:g}% sure of each.",
            hint="Whoever is less sure of one is more sure of another: call that.",
        )
    return rounded(value)


# --- showing --------------------------------------------------------------------------------------------------------


def shown(prediction: "PredictionBody", user_id: str, ledger: "Ledger") -> Record:
    """A prediction as it is written: as it came, with what is mine in it and whether its calls are proven."""
    from dateflicks.client.predicting import call_of

    mine = call_of(prediction, user_id)
    return {
        **record_of(prediction),
        "called": ", ".join(_called(call) for call in prediction.calls),
        "my_option": mine.option if mine else None,
        "my_confidence": mine.confidence if mine else None,
        "is_proven": ledger.is_proven(prediction.id),
    }


def _called(call: "CallBody") -> str:
    from dateflicks.client.prediction_sentences import said

    return f"{call.author_name}: {said(call)}"


def next_step(prediction: "PredictionBody", user_id: str) -> str:
    """What its person may want to type next."""
    from dateflicks.client.predicting import call_of

    command, names = "dateflicks predict", f"{prediction.session_id[:12]} {prediction.id[:12]}"
    match prediction.status:
        case _ if prediction.waits:
            return "You see it when your film gets to where it was made."
        case "open" if call_of(prediction, user_id) is None:
            return f"Call it with '{command} call {names} OPTION --sure 80%'."
        case "open":
            return f"Let nobody call any more with '{command} lock {names}'."
        case "locked" if prediction.proposed_by is None:
            return f"Say what came true with '{command} propose {names} OUTCOME'."
        case "locked" if prediction.proposed_by == user_id:
            away = f" They are away: after {prediction.deadline} it is void." if prediction.deadline else ""
            return f"The other types '{command} confirm {names}', or object in its place.{away}"
        case "locked":
            return f"Type '{command} confirm {names}', or object in its place."
        case _:
            return f"See how you stand with '{command} score {prediction.session_id[:12]}'."
