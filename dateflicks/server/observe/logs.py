"""Logs of the services: JSON lines, or a console's when a person watches, and a file of them beside where no journal
keeps them. The rest of the code logs by the standard library; how a line looks, and what must never be in it, is
decided here.
"""

import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

from dateflicks.protocol.printable import escaped_json, printable

SECRET: Final = "[not shown]"  # noqa: S105 - what stands in for one
_SECRET_KEYS: Final = frozenset(
    {"authorization", "body", "content", "key", "password", "query", "ticket", "token", "uri"}
)
_SECRETS: Final = (
    (re.compile(r"(?i)\b(bearer[ .])\S+"), rf"\1{SECRET}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), SECRET),  # a signed token, wherever it got in
    (re.compile(r"(?i)\b([a-z][a-z0-9+.\-]*://)[^@/\s]+@"), rf"\1{SECRET}@"),  # who signs in at an address
    (re.compile(r"(\?)\S*=\S*"), rf"\1{SECRET}"),  # the query of an address
)
_SANIC_LOGGERS: Final = ("sanic.root", "sanic.error", "sanic.access", "sanic.server", "sanic.websockets")
_NESTING_MAX: Final = 4
FOLDER: Final = "logs"  # below the data folder
SUFFIX: Final = ".jsonl"
FILE_BYTES: Final = 4 * 1024 * 1024  # of one file, until the next one is begun
FILES_BEFORE: Final = 3  # so many are kept beside the newest, as `name.jsonl.1` and on

Event = MutableMapping[str, Any]


def configure_logs(level: str = "info", stream: TextIO | None = None, *, console: bool | None = None) -> None:
    """Send everything that this process logs to `stream` (stderr): JSON, unless a terminal or `console` asks else."""
    out = stream if stream is not None else sys.stderr
    is_console = out.isatty() if console is None else console
    render: Any = structlog.dev.ConsoleRenderer(colors=out.isatty()) if is_console else _json
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(render, is_console=is_console))
    root = logging.getLogger()
    root.handlers[:] = [handler, *(one for one in root.handlers if isinstance(one, _LogFile))]
    root.setLevel(level.upper())
    for name in _SANIC_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)  # its own news (workers, goin' fast) is not ours
    logging.getLogger("sanic.error").addFilter(_is_news)
    for name in ("pymongo", "asyncio", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below it they repeat every operation


@contextlib.contextmanager
def kept_log(data: Path, name: str, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Keep what is logged meanwhile in a file below the data folder too; `name` is this process's alone there.

    Where stderr is the journal, that has every line already and nothing is kept. A file that cannot be written costs
    nobody anything but its lines: stderr has them.
    """
    if _is_journal(environ):
        yield
        return
    file = _LogFile(data / FOLDER / f"{name}{SUFFIX}")
    file.setFormatter(_formatter(_json, is_console=False))
    root = logging.getLogger()
    root.addHandler(file)
    try:
        yield
    finally:
        root.removeHandler(file)
        with contextlib.suppress(OSError):
            file.close()


class _LogFile(RotatingFileHandler):
    """A file that is made when the first line comes, for its owner only."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=FILES_BEFORE, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """A full disk is no reason to say each line's traceback."""


def _is_journal(environ: Mapping[str, str]) -> bool:
    """Whether stderr goes to the journal, as systemd tells."""
    with contextlib.suppress(OSError):
        found = os.fstat(2)
        return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return False


def _formatter(render: Any, *, is_console: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets,
            *([_printable_only] if is_console else []),
            render,
        ],
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Drop Sanic's advice to its developers; it does not concern who runs this."""
    return "PRODUCTION mode" not in str(record.msg)


def _without_secrets(_: Any, __: str, event: Event) -> Event:
    return {key: SECRET if key.lower() in _SECRET_KEYS else _shown(value, _NESTING_MAX) for key, value in event.items()}


def _shown(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        for pattern, replacement in _SECRETS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict) and depth:
        return {
            str(key): SECRET if str(key).lower() in _SECRET_KEYS else _shown(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_shown(item, depth - 1) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _shown(repr(value), depth)


def _printable_only(_: Any, __: str, event: Event) -> Event:
    """For terminals: nothing that moves a cursor; only a traceback keeps its lines."""
    return {
        key: printable(value, keep_newlines=key in ("exception", "stack")) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _json(_: Any, __: str, event: Event) -> str:
    return escaped_json(json.dumps(event, default=repr))
