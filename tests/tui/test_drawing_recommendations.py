"""Recommendations as they are drawn: every row fits to the cell, and says how well a film fits each and why."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from dateflicks.protocol.recommendations import RecommendationPage
from dateflicks.tui.drawing.recommendations import empty, head, listing, reasons, strip
from dateflicks.tui.drawing.rows import Row, text_of
from dateflicks.tui.glyphs import ASCII, UNICODE, Glyphs
from dateflicks.tui.keys import read_keys
from dateflicks.tui.model.picks import Picks
from tests.client.recommendations import ANA, BEA, film_id, fit_json, pair_json, pick_json, picks_json
from tests.tui.test_drawing_fits import GLYPHS, ODD_WIDTHS, problems

KEYS = read_keys({})
NOW = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)
PAIR = Picks().known_as(ANA, "ana", {BEA: "bea"})
NOTE = "Nobody knows yet what you like: these are what everybody watches."
HOSTILE = "\x1b[2J日本\u202e\n👩‍👩‍👧" * 9


def page(*items: Any, **changes: Any) -> RecommendationPage:
    return msgspec.convert(picks_json(*items, **changes), RecommendationPage)


ITEMS = (
    pair_json(1, "Charade", (0.92, 0.72), why="both liked The Lady Vanishes"),
    pair_json(2, "Detour", (0.71, 0.83), why="bea finished 4 noirs; you liked D.O.A.", year=1945),
    pair_json(3, "The Amazing Adventure of Ernest Bliss", (0.6, 0.5), why="you liked His Girl Friday", year=1936),
    pair_json(4, "McLintock!", (0.5, 0.6), why="just arrived", isNew=True, playable=False),
)
SEEN = [pair_json(6, "D.O.A.", (0.7, 0.66), seen=[ANA], why="bea liked Detour")]
BOTH = PAIR.told(BEA, page(*ITEMS), page(*SEEN).items).rated(film_id(2), "up")
STRANGE = pick_json(
    7, HOSTILE, why=HOSTILE, variant=HOSTILE, durationSeconds=None, year=None, playable=False,
    fits=[fit_json(ANA, None, HOSTILE, has_seen=True), fit_json(BEA, 7.0, HOSTILE)],
)  # fmt: skip
STATES: dict[str, Picks] = {
    "both": BOTH,
    "me": PAIR.next_whom().told(None, page(pick_json(why="you liked Laura"), variant="", generatedAt=None)),
    "alone": Picks()
    .known_as(ANA, "ana", {})
    .told(None, page(pick_json(basis="popular", fits=[fit_json(ANA, None)]), note=NOTE)),
    "empty": PAIR.told(BEA, page()),
    "asking": replace(PAIR, is_asking=True),
    "offline": replace(BOTH, problem="127.0.0.1:8700 cannot be reached. r asks again."),
    "nobody": Picks(),
    "strange": Picks()
    .known_as(ANA, HOSTILE, {BEA: HOSTILE})
    .told(BEA, page(STRANGE, variant=HOSTILE, note=HOSTILE), page({**STRANGE, "videoId": film_id(8)}).items),
}


def drawn(picks: Picks, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """The screen without its keys; the second film is marked."""
    rows = picks.rows()
    marked = rows[min(1, len(rows) - 1)].film.video_id if rows else None
    found = head(picks, width, height, glyphs, NOW)
    found += [row for _, some in listing(picks, width, glyphs, marked) for row in some]
    return found if rows else [*found, *empty(picks, width, glyphs, KEYS)]


@GLYPHS
@pytest.mark.parametrize("width", ODD_WIDTHS)
def test_every_row_fits_exactly(width: int, glyphs: Glyphs) -> None:
    found = [
        one
        for name, picks in STATES.items()
        for height in (10, 24)
        for one in problems(name, drawn(picks, width, height, glyphs), width)
    ]
    assert found == []


def test_ascii_glyphs_draw_nothing_else_of_their_own() -> None:
    for name, picks in STATES.items():
        if name != "strange":
            assert all(text_of(row).isascii() for row in drawn(picks, 80, 24, ASCII)), name
    for one in BOTH.rows():
        assert all(line.isascii() for line in reasons(BOTH, one, ASCII))


@pytest.mark.parametrize("name", [name for name in STATES if name != "strange"])
@pytest.mark.parametrize("size", [(40, 10), (60, 16), (80, 24), (140, 40)])
def test_it_looks_as_it_did(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    rows = drawn(STATES[name], *size, UNICODE)
    assert "\n".join(text_of(row).rstrip() for row in rows) == snapshot


def test_why_names_for_each_the_films_that_weigh_most() -> None:
    assert reasons(BOTH, BOTH.rows()[0], UNICODE) == [
        "both liked The Lady Vanishes",
        "",
        "You: fits 92 %, because of",
        "  · Laura, 50 %",
        "",
        "bea: fits 72 %, because of",
        "  · D.O.A., 50 %",
        "  · Detour, 25 %",
        "",
        "Made from what the two of you did and said, by blend 1.0.",
    ]
    strange = STATES["strange"].rows()[0]
    assert all(line.isprintable() for line in reasons(STATES["strange"], strange, UNICODE))


@pytest.mark.parametrize(
    ("share", "bar"), [(0.0, "        "), (1.0, "████████"), (0.5, "████    "), (0.82, "██████▌ "), (0.001, "        ")]
)
def test_a_bar_is_as_long_as_the_fit(share: float, bar: str) -> None:
    assert strip(share, 8, UNICODE) == bar


def test_where_the_list_says_why_it_is_empty_nobody_is_sent_for_films() -> None:
    refused = PAIR.told(BEA, page(note=NOTE))
    told, plain = ("".join(map(text_of, drawn(one, 80, 24, UNICODE))) for one in (refused, STATES["empty"]))
    assert NOTE in told
    assert "providers run" not in told
    assert "providers run" in plain
