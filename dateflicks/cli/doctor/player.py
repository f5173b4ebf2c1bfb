"""The player: whether it is there, which version, and whether it does as it is told."""

import asyncio
import re
import shutil
from typing import Final

from dateflicks.cli.doctor.finding import Finding, fine, wrong
from dateflicks.cli.doctor.installation import numbers
from dateflicks.cli.environment import CliEnvironment

OLDEST: Final = "0.33"  # which can be spoken to through a descriptor that it inherits
INSTALL: Final = "Install mpv (apt-get install mpv, brew install mpv), or: dateflicks config set client.player manual"
VERSION_SECONDS: Final = 5.0
_VERSION: Final = re.compile(rb"mpv v?(\d+(?:\.\d+)+)")


async def player(environment: CliEnvironment) -> list[Finding]:
    """An mpv is started without picture and sound, asked who it is, and ended."""
    settings = environment.client
    if settings.player != "mpv":
        return [fine("player", f"{settings.player}, by the settings: there is no program to look for")]
    program = shutil.which("mpv", path=environment.environ.get("PATH"))
    if program is None:
        return [wrong("player", "mpv is not found.", INSTALL)]
    version = await _version(program)
    said = f"{program}, version {version}" if version else program
    if version and numbers(version) < numbers(OLDEST):
        return [wrong("player", f"{said}: older than {OLDEST}, which is needed.", INSTALL)]
    return [fine("player", said), await _ipc(program, tuple(settings.mpv_arguments))]


async def _version(program: str) -> str:
    """What it says of itself when asked on the command line; nothing where it says nothing of the kind."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--no-config", "--version",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return ""
    try:
        async with asyncio.timeout(VERSION_SECONDS):
            words, _ = await process.communicate()
    except TimeoutError:
        return ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    found = _VERSION.search(words)
    return found[1].decode() if found else ""


async def _ipc(program: str, arguments: tuple[str, ...]) -> Finding:
    from dateflicks.client.players.base import PlayerError
    from dateflicks.client.players.mpv_ipc import IpcError
    from dateflicks.client.players.process import MpvOptions, start_mpv

    fix = "Try it by hand: mpv --idle --no-config"
    if arguments:
        fix = "Try it without your arguments: dateflicks config unset client.mpv_arguments"
    options = MpvOptions(program=program, arguments=arguments, null_outputs=True)
    try:
        mpv = await start_mpv(options, lambda _: None, lambda _: None)
        try:
            reply = await mpv.ipc.command("get_property", "mpv-version")
        finally:
            await mpv.end()
    except (PlayerError, IpcError) as error:
        return wrong("player", f"It does not do as it is told: {error}", fix)
    return fine("player", f"{reply.data} answers, in {reply.took * 1000:.1f} ms")
