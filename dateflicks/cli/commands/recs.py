"""`recs`: `recommendations` under a shorter name."""

from dateflicks.cli.commands.recommendations import app

__all__ = ["app"]
