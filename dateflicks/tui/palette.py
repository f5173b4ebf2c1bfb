"""The command palette: everything that has a key and makes sense where one is now, by its name."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from dateflicks.tui.bindings import action_of
from dateflicks.tui.keys import Binding, Context
from dateflicks.tui.widgets.board import OF_WIDGETS

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class Palette(Provider):
    """Bindings of the screen that is looked at, and those that work everywhere."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for one in self._here():
            yield DiscoveryHit(self._text(one), partial(self._run, one))

    async def search(self, query: str) -> Hits:
        """What fits the words."""
        matcher = self.matcher(query)
        for one in self._here():
            text = self._text(one)
            if (score := max(matcher.match(text), matcher.match(one.id))) > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, one), text=text)

    def _here(self) -> list[Binding]:
        app = cast("DateflicksApp", self.app)
        contexts: tuple[Context, ...] = (*getattr(self.screen, "CONTEXTS", ()), "app")
        found = [one for context in contexts for one in app.keys.of(context)]
        return [one for one in found if one.context not in OF_WIDGETS and one.id != "palette" and self._can(one)]

    def _can(self, one: Binding) -> bool:
        """Whether it makes sense now: the screen says so by `check_action`."""
        node = self.app if one.context == "app" else self.screen
        return bool(node.check_action(action_of(one.id), ()))

    def _text(self, one: Binding) -> str:
        app = cast("DateflicksApp", self.app)
        key = app.keys.shown(one.id, ascii_only=app.is_ascii)
        return f"{one.description} ({key})" if key else one.description

    async def _run(self, one: Binding) -> None:
        node = self.app if one.context == "app" else self.screen
        await self.app.run_action(action_of(one.id), node)
