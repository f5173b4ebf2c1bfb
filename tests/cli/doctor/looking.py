"""What checks find, as a program reads it."""

import json
from dataclasses import replace
from typing import Any

from dateflicks.cli.exits import Exit
from tests.cli.conftest import Cli

Rows = list[dict[str, Any]]


def look(cli: Cli, *names: str, **variables: str) -> Rows:
    """What these checks find; the exit code says whether something is wrong."""
    one_run = replace(cli, variables={**cli.variables, **variables})
    result = one_run("doctor", "--only", ",".join(names), "--json")
    rows: Rows = json.loads(result.stdout)
    is_wrong = any(row["state"] == "wrong" for row in rows)
    assert result.exit_code == (Exit.PROBLEMS if is_wrong else Exit.OK), result.output
    assert all(row["fix"] for row in rows if row["state"] == "wrong")
    return rows


def one(rows: Rows, state: str) -> str:
    """The only finding in this state, with its fix."""
    (found,) = [f"{row['found']} | {row['fix']}" for row in rows if row["state"] == state]
    return found
