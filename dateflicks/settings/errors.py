"""What can be wrong with settings, and with other files that a person writes by hand."""

from pathlib import Path

from dateflicks.core.errors import DateflicksError


class SettingsError(DateflicksError):
    """A setting that is wrong: where it stands, which key, what is wrong with it, and what was perhaps meant."""

    def __init__(self, where: str, key: str, problem: str, suggestion: str | None = None) -> None:
        super().__init__(": ".join(part for part in (where, key, problem) if part))
        self.where = where
        self.key = key
        self.problem = problem
        self.suggestion = suggestion


def unreadable(path: Path, error: Exception) -> SettingsError:
    """A file of which nothing can be taken, by what its opening or its reading raised."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SettingsError(str(path), "", f"cannot be read: {reason}")
