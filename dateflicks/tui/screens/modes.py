"""Which screen each mode begins with; imported when the first is needed."""

from collections.abc import Callable
from typing import Any, Final

from textual.screen import Screen

from dateflicks.tui.screens.history import HistoryScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.recommendations import RecommendationsScreen
from dateflicks.tui.screens.settings import SettingsScreen
from dateflicks.tui.screens.watch import WatchScreen

MODES: Final[dict[str, Callable[[], Screen[Any]]]] = {
    "lobby": LobbyScreen,
    "watch": WatchScreen,
    "recommendations": RecommendationsScreen,
    "history": HistoryScreen,
    "settings": SettingsScreen,
}
