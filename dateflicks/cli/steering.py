"""Steering the film from the shell: a wish as it was typed; of what came of it, a record, a sentence, an exit code."""

from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.sessions import accepted, full_id, not_opened, ticket_of
from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.client.steering import Place, Steering, Wish
    from dateflicks.protocol.frames import TimecodeFrame

COLUMNS: Final = ("session_id", "asked", "outcome", "status", "position", "by")
_DOES: Final = {"play": "playing", "pause": "paused", "stop": "stopped"}


def place_of(text: str) -> "Place":
    """41:12, +30, -10 or 50% as a place. Raises CliError."""
    from dateflicks.client.sentences import parse_position
    from dateflicks.client.steering import Place

    sign = {"+": 1.0, "-": -1.0}.get(text[:1])
    try:
        if sign is not None:
            return Place(sign * parse_position(text[1:]), is_relative=True)
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if not 0 <= share <= 1:
                raise ValueError(text)
            return Place(share, is_share=True)
        return Place(parse_position(text))
    except ValueError:
        hint = "Write 41:12, 1:02:03, +30, -10 or 50%."
        raise CliError(Exit.USAGE, f"POSITION: '{text}' is no position.", hint=hint) from None


async def steer(environment: CliEnvironment, text: str, wish: "Wish", *, waits: bool) -> None:
    """Ask in one's own name, and tell what came of it. Raises CliError, ClientError."""
    from dateflicks.client import steering
    from dateflicks.client.errors import NotThere

    async with environment.connect() as client:
        name = await full_id(client, text)
        session = await accepted(client, name)
        me = (await client.me()).id
        asking = steering.Steering(name, me, wish, is_host=me == session.host_user_id)

        def asked() -> None:
            environment.say(f"{_asked(asking, me)} Waiting for the answer; Ctrl-C leaves it asked.")

        try:
            await steering.steer(client, asking, name, lambda: ticket_of(client, name), waits=waits, asked=asked)
        except NotThere:
            raise not_opened(name) from None
    environment.show(_record(asking, name), COLUMNS)
    _tell(environment, asking, me, waits=waits)


def _record(asking: "Steering", session_id: str) -> dict[str, Any]:
    told = asking.latest
    return {
        "session_id": session_id,
        "asked": round(asking.target, 3) if isinstance(asking.target, float) else asking.target,
        "outcome": asking.outcome,
        "status": told.status if told else None,
        "position": round(asking.here, 3) if told else None,
        "length": told.length if told else None,
        "by": _name(told, told.by) if told else None,
        "revision": told.revision if told else None,
    }


def _tell(environment: CliEnvironment, asking: "Steering", me: str, *, waits: bool) -> None:
    from dateflicks.client.sentences import clock_text
    from dateflicks.client.steering import Outcome

    told = asking.latest
    if told is None:
        raise CliError(Exit.UNREACHABLE, "The service has not said where the film is.", hint="Try again in a moment.")
    now = f"{_DOES[told.status]} at {clock_text(asking.here)}"
    by = told.pending.by if told.pending is not None else told.by
    who = "You" if by == me else _name(told, by) or "Somebody"
    match asking.outcome:
        case Outcome.ALREADY:
            environment.say(f"Nothing to ask: {now}.")
        case Outcome.SETTLED:
            environment.say(f"Agreed: {now}.")
        case Outcome.REFUSED:
            taken_back = "You took it back" if by == me else f"{who} said no"
            raise CliError(Exit.REFUSED, printable(f"{taken_back}: {now}."))
        case Outcome.RESTORED:
            raise CliError(Exit.TIMED_OUT, f"Nobody answered: {now}.", hint="Ask again when they are there.")
        case Outcome.OVERTAKEN:
            what = f"Something else came between: {now}."
            raise CliError(Exit.REFUSED, what, hint="See what with 'dateflicks session follow'.")
        case _ if waits:
            raise CliError(Exit.TIMED_OUT, f"No answer has come: {now}.", hint="See 'dateflicks session follow'.")
        case _:
            environment.say(f"{_asked(asking, me)} With --wait you see what comes of it.")


def _asked(asking: "Steering", me: str) -> str:
    from dateflicks.client.sentences import clock_text

    told = asking.latest
    assert told is not None
    what = asking.target if isinstance(asking.target, str) else f"move to {clock_text(asking.target or 0.0)}"
    others = [one.name or one.role for user, one in told.participants.items() if user != me and one.connected]
    if not others:
        return f"Asked to {what}; nobody else is there to agree."
    seconds = max(0.0, (told.pending.deadline - told.at) / 1000) if told.pending is not None else 0.0
    within = f" within {seconds:.0f} s" if seconds else ""
    return f"Asked to {what}: {' and '.join(others)} can agree{within}."


def _name(told: "TimecodeFrame", user_id: str | None) -> str | None:
    one = told.participants.get(user_id) if user_id is not None else None
    return (one.name or one.role) if one is not None else user_id
