"""How intervals are drawn: narrowing day after day, on one side of nothing or on both, cut where they are too wide."""

from dateflicks.cli.intervals import MARKS, PLAIN_MARKS, Bar, plot


def test_each_day_has_its_line_and_the_scale_comes_last() -> None:
    bars = [
        Bar("2026-11-23", 0.0, None, None),
        Bar("2026-11-24", 0.1, -2.0, 2.2),
        Bar("2026-11-25", 0.2, -0.2, 0.6),
        Bar("2026-11-26", 0.3, 0.1, 0.5),
    ]
    assert plot(bars, 44, PLAIN_MARKS) == [
        "2026-11-23                  |",
        "2026-11-24  <---------------|o-------------->",
        "2026-11-25               ---|--o-----",
        "2026-11-26                  |---o--",
        "            -1.2            0            +1.2",
    ]


def test_it_is_drawn_with_lines_where_the_terminal_has_them() -> None:
    (line, _) = plot([Bar("today", -0.3, -0.5, -0.1)], 30, MARKS)
    assert line == "today         ─●──│"


def test_an_interval_that_is_nothing_is_drawn_on_nothing() -> None:
    one, scale = plot([Bar("today", 0.0, 0.0, 0.0)], 30, PLAIN_MARKS)
    assert one.split() == ["today", "o"]
    assert scale.split() == ["-1", "0", "+1"]
    before = plot([Bar("before", 0.5, 0.0, 1.0), Bar("today", 0.0, 0.0, 0.0)], 30, PLAIN_MARKS)
    assert before[-1].split() == ["-2.5", "0", "+2.5"]


def test_nothing_is_drawn_while_nothing_is_known() -> None:
    assert plot([Bar("today", 0.0, None, None)], 80, MARKS) == []
    assert plot([], 80, MARKS) == []
