"""The demo as a whole: a scene is set, the story is told, and everything that was started is ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from dateflicks.cli.demo.stage import Stage
from dateflicks.cli.demo.steps import steps
from dateflicks.cli.demo.story import Report, Scene, Step, View, report_of, tell


async def run_demo(
    folder: Path,
    environ: Mapping[str, str],
    *,
    player: str,
    may_simulate: bool = True,
    confirm_seconds: float,
    view: Callable[[Scene, Sequence[Step]], contextlib.AbstractAsyncContextManager[View]],
) -> Report:
    """Everything from the first service to the last, whatever fails on the way."""
    stage = Stage(folder, environ, confirm_seconds=confirm_seconds, player=player, may_simulate=may_simulate)
    scene = Scene(stage)
    chosen = steps(confirm_seconds)
    async with _cleared(scene), view(scene, chosen) as shown:
        results = await tell(chosen, scene, shown)
    return report_of(stage.player, results, scene.observer.drift() if scene.observer else None)


@contextlib.asynccontextmanager
async def _cleared(scene: Scene) -> AsyncIterator[None]:
    """Whatever was started in the scene is ended."""
    try:
        yield
    finally:
        if scene.watch is not None:
            scene.watch.cancel()
        await asyncio.gather(*(person.leave() for person in scene.people), return_exceptions=True)
        await scene.stage.close()
