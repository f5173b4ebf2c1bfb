"""What one person does with the talk, by key or by command: say, answer, put right, take back, send again.

It finds the line that is meant where none is marked. Which key or command means what is not known here.
"""

from typing import TYPE_CHECKING

from dateflicks.tui.model import ChatEntry

if TYPE_CHECKING:
    from dateflicks.client.chat import Conversation
    from dateflicks.tui.app import DateflicksApp


class Speech:
    """Without a room, or a talk in it, nothing happens: there is nobody to tell then."""

    def __init__(self, app: "DateflicksApp") -> None:
        self._app = app

    @property
    def _talk(self) -> "Conversation | None":
        return self._app.room.conversation if self._app.room is not None else None

    def last_own(self) -> ChatEntry | None:
        """The last line of one's own that others have; where there is none, that is told."""
        entries = reversed(self._app.state.chat.entries)
        own = (one for one in entries if one.is_mine and one.kind in ("text", "action") and not one.is_deleted)
        found = next((one for one in own if one.seq is not None), None)
        if found is None:
            self._app.tell("You have said nothing yet.")
        return found

    def last_of_others(self) -> str | None:
        """The key of the line that an answer is meant for where none is marked."""
        entries = reversed(self._app.state.chat.entries)
        return next((one.key for one in entries if not one.is_mine and one.kind in ("text", "action")), None)

    def edit(self, key: str, text: str) -> None:
        """Put something else in its place."""
        if self._talk is not None:
            self._talk.edit(key, text)

    def edit_last(self, text: str) -> None:
        """Put something else in place of the last own line."""
        if (entry := self.last_own()) is not None:
            self.edit(entry.key, text)

    def take_back(self, key: str) -> None:
        """It was never said."""
        if self._talk is not None:
            self._talk.delete(key)

    def take_back_last(self) -> None:
        """Take the last own line back."""
        if (entry := self.last_own()) is not None:
            self.take_back(entry.key)

    def send_again(self, key: str) -> None:
        """Send what failed again."""
        if self._talk is not None:
            self._talk.retry(key)

    def send_all_again(self) -> None:
        """Send everything again that failed."""
        for entry in self._app.state.chat.entries:
            if entry.state == "failed":
                self.send_again(entry.key)

    def typed(self) -> None:
        """The others may know that something is being written."""
        if self._talk is not None:
            self._talk.typed()

    def has_read(self, seq: int) -> None:
        """Everything up to this number was on the screen."""
        if self._talk is not None:
            self._talk.read(seq)
