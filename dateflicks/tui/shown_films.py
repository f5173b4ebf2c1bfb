"""Which films of a list were really on the screen, and how the service is told of each of them once. Draws nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from dateflicks.client.http import ServiceClient
from dateflicks.client.recommendations import Recommendations


@dataclass(frozen=True, slots=True)
class Shown:
    """One film that was on the screen, in one list."""

    video_id: str
    other: str | None
    made: str | None  # when the list was made: a new one is shown anew


class ShownFilms:
    """What was told, or is on its way."""

    def __init__(self) -> None:
        self._told: set[Shown] = set()

    def news(self, seen: Iterable[tuple[Shown, int]]) -> list[tuple[Shown, int]]:
        """What of these is to be told, each with its place in the list; it counts as told from now on."""
        news = [(shown, position) for shown, position in seen if shown not in self._told]
        self._told.update(shown for shown, _ in news)
        return news

    async def tell(self, client: ServiceClient | None, news: list[tuple[Shown, int]]) -> None:
        """One after the other; where one cannot be told, the rest is told when it is looked at again."""
        for number, (shown, position) in enumerate(news):
            if client is None or not await Recommendations(client).tell(
                shown.video_id, "shown", position=position, other=shown.other
            ):
                self._told.difference_update(left for left, _ in news[number + 1 :])
                return
