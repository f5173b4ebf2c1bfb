"""All checks at once: each has its time, and one that fails or hangs is a finding itself. Secrets come out of none.

Checks that ask others run in the loop, so that what they started ends with them. Those that block run in threads of
their own that nobody waits for: a folder on a network that is away answers nobody, and must not keep the others.
"""

import asyncio
import contextlib
import inspect
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final, cast

from dateflicks.cli.doctor.finding import Finding, note, wrong
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.failures import failure_of, traced
from dateflicks.protocol.printable import printable

SECONDS: Final = 10.0
MASK: Final = "********"
_PASSWORD: Final = re.compile(r"(?<=://)[^\s/@]+(?=@)")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, the module below this package with a function of that name, and how long it may take."""

    name: str
    module: str
    seconds: float = SECONDS


CHECKS: Final = (
    Check("python", "installation"),
    Check("packages", "installation"),
    Check("locale", "installation"),
    Check("terminal", "terminal"),
    Check("player", "player", 15.0),
    Check("settings", "settings"),
    Check("storage", "storage"),
    Check("key", "storage"),
    Check("database", "storage"),
    Check("ports", "network"),
    Check("tls", "network"),
    Check("bus", "network"),
    Check("server", "server", 15.0),  # two looks, one after the other, and what they find is better than that
    Check("clock", "server"),
    Check("sign-in", "server"),
    Check("keyring", "server"),
)


async def examine(environment: CliEnvironment, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """What these checks find, in their order."""
    secrets: list[str] = []
    with contextlib.suppress(TimeoutError):  # of a folder that hangs, each check tells for itself
        secrets = await _in_thread(_secrets, environment, SECONDS)
    found = await asyncio.gather(*(_findings(environment, check) for check in checks))
    told = (replace(one, fix=environment.retyped(one.fix)) for findings in found for one in findings)
    return [_cleaned(one, secrets) for one in told]


async def _findings(environment: CliEnvironment, check: Check) -> Sequence[Finding]:
    again = f"dateflicks doctor --only {check.name} --debug"
    try:
        function = _function(check)
        async with asyncio.timeout(check.seconds):
            if inspect.iscoroutinefunction(function):
                return cast("Sequence[Finding]", await function(environment))
            return cast("Sequence[Finding]", await _in_thread(function, environment, check.seconds))
    except TimeoutError:
        return [wrong(check.name, f"No answer within {check.seconds:g} s.", again)]
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks have things to tell
        return [_of_error(environment, check.name, error, again)]


def _function(check: Check) -> Callable[[CliEnvironment], Any]:
    function: Callable[[CliEnvironment], Any] = getattr(
        import_module(f"dateflicks.cli.doctor.{check.module}"), check.name.replace("-", "_")
    )
    return function


def _of_error(environment: CliEnvironment, name: str, error: Exception, again: str) -> Finding:
    from dateflicks.settings.errors import SettingsError

    if isinstance(error, SettingsError):
        return note(name, "Not looked at: the settings cannot be read.", "dateflicks config validate")
    if environment.is_debug:
        environment.stderr.write(traced(error))
    if (failure := failure_of(error)) is not None:
        return wrong(name, " ".join(part for part in (failure.what, failure.why) if part), failure.hint or again)
    return wrong(name, f"This could not be looked at: {type(error).__name__}: {error}", again)


async def _in_thread(function: Callable[[CliEnvironment], Any], environment: CliEnvironment, seconds: float) -> Any:
    """What a function that may block returns. Raises what it raises, TimeoutError; it is not waited for after that."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def work() -> None:
        try:
            result, error = function(environment), None
        except Exception as raised:  # noqa: BLE001 - handed on
            result, error = None, raised
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(_settle, done, result, error)

    threading.Thread(target=work, daemon=True, name=getattr(function, "__name__", "check")).start()
    return await asyncio.wait_for(cast("Awaitable[Any]", done), seconds)


def _settle(done: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


# --- secrets ------------------------------------------------------------------------------------------------------


def _secrets(environment: CliEnvironment) -> list[str]:
    """Every secret of the settings, as far as they can be read, and the token in use."""
    from dateflicks.settings.keys import keys_of
    from dateflicks.settings.loader import SERVICES, keys_by_name

    found: list[str] = []
    for service in SERVICES:
        try:
            loaded = environment.load(service)
        except Exception:  # noqa: BLE001, S112 - told by the check of the settings
            continue
        keys, values = keys_by_name(service), {key.name: key.default for key in keys_of(loaded.settings)}
        found += [value for name, value in values.items() if isinstance(value, str) and keys[name].hides(value)]
    return sorted((one for one in found if one), key=len, reverse=True)


def _cleaned(finding: Finding, secrets: Sequence[str]) -> Finding:
    """Without secrets, and on one line that is safe to print."""

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, MASK)
        return printable(_PASSWORD.sub(MASK, " ".join(text.split())))

    return replace(finding, found=clean(finding.found), fix=clean(finding.fix))
