"""Whose turn it is, where all wait equally long: no look at those whose turn has not come."""


class Turns:
    """Sessions by when something was last done for them; each is due again `seconds` later. Times never go back."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[str, float] = {}  # whoever has waited longest comes first

    def __contains__(self, session_id: str) -> bool:
        """Whether it waits."""
        return session_id in self._since

    def begin(self, session_id: str, now: float) -> None:
        """The wait begins, or begins anew."""
        self._since.pop(session_id, None)
        self._since[session_id] = now

    def end(self, session_id: str) -> None:
        """It waits no more."""
        self._since.pop(session_id, None)

    def next_due(self) -> float:
        """When the first one is due; infinity when none waits."""
        for since in self._since.values():
            return since + self._seconds
        return float("inf")

    def due(self, now: float, most: int, ahead: float = 0.0) -> list[str]:
        """Those whose turn has come, or comes within `ahead` seconds: so many at most; each begins anew."""
        found: list[str] = []
        for session_id, since in self._since.items():
            if now + ahead < since + self._seconds or len(found) == most:
                break
            found.append(session_id)
        for session_id in found:
            self.begin(session_id, now)
        return found
