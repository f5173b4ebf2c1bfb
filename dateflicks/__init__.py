"""Two people watch a film together, in step, from their terminals."""

__version__ = "0.1.0"
