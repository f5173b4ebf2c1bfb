"""Pictures in text of the drawn parts, at the sizes that people have. `--snapshot-update` takes them anew."""

import pytest
from syrupy.assertion import SnapshotAssertion

from dateflicks.tui.drawing import foot, people, predictions, watch
from dateflicks.tui.drawing.rows import Row, text_of
from dateflicks.tui.glyphs import ASCII, UNICODE, Glyphs
from dateflicks.tui.keys import read_keys
from tests.tui.evenings import states

KEYS = read_keys({})
STATES = states()


def grid(rows: list[Row]) -> str:
    """Rows between bars, so that spaces at their ends can be seen."""
    return "\n".join(f"|{text_of(row)}|" for row in rows)


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize(("width", "height"), [(40, 10), (60, 16), (80, 24)])
def test_one_column(name: str, width: int, height: int, snapshot: SnapshotAssertion) -> None:
    state = STATES[name]
    rows = watch.top(state, width, watch.size_of(width, height), UNICODE, KEYS)
    rows += [*people.invitation(state, width, UNICODE), people.chat_rule(state, width, UNICODE)]
    assert grid([*rows, *foot.hints("film", width, UNICODE, KEYS)]) == snapshot


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_two_columns(name: str, glyphs: Glyphs, snapshot: SnapshotAssertion) -> None:
    state = STATES[name]
    rows = watch.top(state, 140, "wide", glyphs, KEYS)[:1]
    assert grid(rows + watch.stage(state, 93, glyphs, KEYS) + watch.side(state, 46, glyphs)) == snapshot


@pytest.mark.parametrize("width", [40, 80])
def test_all_predictions(width: int, snapshot: SnapshotAssertion) -> None:
    listed = predictions.listing(STATES["playing"], width, UNICODE, KEYS, "prd_5")
    rows = [row for _, found in listed for row in found]
    assert grid(rows + predictions.scores(STATES["playing"], width, UNICODE)) == snapshot
