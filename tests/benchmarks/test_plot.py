"""The plot of drift over time: an SVG that parses, with every point in it and no markup of strangers."""

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.plot import Curve, curve, draw, main, ticks
from benchmarks.syncbench.measurement import Series
from benchmarks.syncbench.records import Record, read, write

SVG = "{http://www.w3.org/2000/svg}"
RAMP = tuple((0.02 * number, 3.0 - 0.1 * number) for number in range(60))


def record(series: Series | None) -> Record:
    return Record(
        scenario="steady",
        by="ours",
        summary="steady play on loopback",
        started=datetime(2024, 5, 1, 20, 15, tzinfo=UTC),
        seed=7,
        seconds=40.0,
        versions={"mpv": "mpv 0.35.1"},
        machine="2",
        load_before=[0.5],
        floor_ms=0.4,
        series=series,
    )


def paths(svg: str) -> list[ElementTree.Element]:
    """The curves themselves, without the samples in the legend."""
    return [path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if path.get("clip-path")]


def steps(path: ElementTree.Element) -> list[str]:
    return re.findall(r"[ML]-?[0-9.]+ -?[0-9.]+", path.attrib["d"])


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_each_curve_is_one_line_with_all_its_points() -> None:
    drawn = paths(draw([Curve("ours", RAMP), Curve("theirs", RAMP[:10])]))

    assert [len(steps(path)) for path in drawn] == [60, 10]
    assert len({path.attrib["stroke"] for path in drawn}) == 2


def test_axes_name_their_units_and_the_legend_names_the_curves() -> None:
    said = texts(draw([Curve("ours", RAMP), Curve("theirs", RAMP)]))

    assert any(text.endswith("(s)") for text in said)
    assert any(text.endswith("(ms)") for text in said)
    assert {"ours", "theirs"} <= set(said)


@pytest.mark.parametrize(
    "name",
    [
        '"/><script>alert(1)</script>',
        "a & b < c > d",
        'it\'s "quoted" ]]> <!-- and not a comment',
        "&xxe; &#0;",
    ],
)
def test_hostile_names_stay_names(name: str) -> None:
    svg = draw([Curve(name, RAMP)])

    assert name in texts(svg)
    assert paths(svg)[0].attrib["data-name"] == name
    assert list(ElementTree.fromstring(svg).iter(f"{SVG}script")) == []


def test_what_xml_cannot_hold_is_replaced_and_long_names_are_cut() -> None:
    svg = draw([Curve("a\x00b\x1b\n\udc80\ufffe\u202e" + "c" * 500, RAMP)])

    name = next(text for text in texts(svg) if text.startswith("a"))
    assert name.startswith("a\ufffdb" + 5 * "\ufffd" + "ccc")
    assert len(name) == 100
    svg.encode("utf-8")


def test_a_line_is_broken_where_nothing_could_be_read() -> None:
    found = steps(paths(draw([Curve("frozen", ((0.0, 1.0), (0.1, 1.0), (3.2, 1.0), (3.3, 1.0)))]))[0])

    assert [step[0] for step in found] == ["M", "L", "M", "L"]


def test_a_limit_bounds_the_axis() -> None:
    far = Curve("far", ((0.0, 0.0), (1.0, 900.0)))

    assert "1000" in texts(draw([far]))
    assert max(float(text) for text in texts(draw([far], limit=50.0)) if text.isdigit()) == 50.0


def test_curves_without_extent_are_drawn_too() -> None:
    assert len(steps(paths(draw([Curve("one", ((0.0, 0.0),))]))[0])) == 1


@pytest.mark.parametrize(("low", "high"), [(0.0, 40.0), (-3.0, 0.7), (0.0, 0.013), (-2960.0, 120.0), (0.0, 0.0)])
def test_ticks_enclose_the_range_evenly(low: float, high: float) -> None:
    found = ticks(low, high)

    assert found[0] <= low
    assert found[-1] >= high
    assert 4 <= len(found) <= 12
    assert len({round(late - early, 9) for early, late in itertools.pairwise(found)}) == 1


def test_a_record_is_read_as_it_was_written_and_becomes_a_curve(tmp_path: Path) -> None:
    series = Series(at=[0.0, 0.02], ms=[1.5, -0.25], speeds={"host": [(0.0, 1.0)], "guest": [(0.0, 1.0), (4.5, 1.003)]})

    path = write(record(series), tmp_path / "runs")

    assert path.name == "steady-ours-seed7-20240501T201500.json"
    assert read(path) == record(series)
    assert curve(path) == Curve(path.stem, ((0.0, 1.5), (0.02, -0.25)))


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    path = write(record(Series(at=[0.0, 0.02, 0.04], ms=[1.5, 1.4, 1.3])), tmp_path)

    assert main([str(path), str(path), "-o", str(tmp_path / "drift.svg")]) == 0

    assert [len(steps(each)) for each in paths((tmp_path / "drift.svg").read_text())] == [3, 3]


@pytest.mark.parametrize("content", [None, "no JSON", json.dumps({"scenario": "steady"}), "series"])
def test_the_command_says_which_file_cannot_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "run.json"
    if content == "series":
        path = write(record(None), tmp_path)
    elif content is not None:
        path.write_text(content)

    assert main([str(path), "-o", str(tmp_path / "drift.svg")]) == 1

    assert f"{path} cannot be drawn: " in capsys.readouterr().err
    assert not (tmp_path / "drift.svg").exists()
