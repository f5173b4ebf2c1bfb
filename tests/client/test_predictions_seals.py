"""Sealed calls remembered in a file: of each prediction the latest sight, and never in anybody's way."""

from pathlib import Path

import pytest

from dateflicks.client.ledger import Ledger, Sealed
from dateflicks.client.seals import SEALS_MAX, Seals
from tests.client.prediction_scenes import ID, OTHER, call, prediction, sealed


def seen(revision: int) -> Sealed:
    return Sealed(revision, False, {})


def test_what_a_ledger_has_seen_is_there_for_the_next(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    Seals(tmp_path / "home" / "seals.json").keep(ledger.sealed)
    found = Seals(tmp_path / "home" / "seals.json").read()
    assert found[ID].calls[OTHER].commitment == call().commitment
    assert "yes" not in (tmp_path / "home" / "seals.json").read_text()


def test_of_two_sights_the_later_is_kept(tmp_path: Path) -> None:
    seals = Seals(tmp_path / "seals.json")
    for revision in (2, 3, 1):
        seals.keep({"prd_1": seen(revision)})
    seals.keep({"prd_2": seen(1)})
    assert seals.read() == {"prd_1": seen(3), "prd_2": seen(1)}


def test_of_very_many_the_newest_are_kept(tmp_path: Path) -> None:
    seals = Seals(tmp_path / "seals.json")
    seals.keep({f"prd_{number}": seen(1) for number in range(SEALS_MAX)})
    seals.keep({"prd_0": seen(2), "prd_new": seen(1)})
    kept = list(seals.read())
    assert (len(kept), kept[0], kept[-2:]) == (SEALS_MAX, "prd_2", ["prd_0", "prd_new"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"prd_1": 1}'])
def test_a_file_that_makes_no_sense_is_as_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "seals.json"
    path.write_bytes(content)
    assert Seals(path).read() == {}
    Seals(path).keep({"prd_1": seen(1)})
    assert Seals(path).read() == {"prd_1": seen(1)}


def test_a_place_that_cannot_be_written_keeps_nobody_from_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    seals = Seals(tmp_path / "file" / "seals.json")
    seals.keep({"prd_1": seen(1)})
    assert seals.read() == {}
