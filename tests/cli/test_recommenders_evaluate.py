"""`dateflicks recommend evaluate` and `recommend prior`: what operators measure, and what they bring."""

import json
from pathlib import Path

import pytest

from dateflicks.cli.exits import Exit
from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from tests.cli.conftest import Cli
from tests.server.recommenders.evaluating.folders import write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(synthetic(users=60, films=60, clusters=4, watched=12), tmp_path / "ml-tiny")
    return tmp_path / "ml-tiny"


@pytest.mark.slow
def test_a_recommender_is_measured_on_a_folder(cli: Cli, folder: Path) -> None:
    result = cli("recommend", "evaluate", "popularity", "--data", str(folder), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["recommender"], found["split"], found["seed"], found["at"]) == ("popularity", "rand", 42, 20)
    assert {"ndcg", "ndcg_error", "recall", "recall_error", "coverage", "fit_seconds", "memory_added_mib"} <= set(found)
    assert (found["users"], found["measured_users"], found["films"]) == (60, 60, 60)
    assert 0 < found["ndcg"] < 1
    assert found["memory_peak_mib"] > 10
    assert found["training"] + found["validation"] + found["test"] == found["interactions"]
    assert result.stderr.startswith("ratings.csv: ")
    read, told = result.stderr.splitlines()
    assert read.endswith("split rand, seed 42.")
    ndcg, recall = f"NDCG@20 {found['ndcg']:.4f} ± {found['ndcg_error']:.4f}", f"Recall@20 {found['recall']:.4f} ± "
    assert told.startswith(f"popularity: {ndcg}, {recall}")
    assert told.endswith(f"fitted in {found['fit_seconds']:.1f} s with {found['memory_added_mib']:.0f} MiB.")


@pytest.mark.slow
def test_pairs_and_homes_are_other_questions_to_the_same_data(cli: Cli, folder: Path) -> None:
    data = ("--data", str(folder), "--no-tune")
    pairs = cli.json("recommenders", "evaluate", "edlae", *data, "--pairs", "5")
    assert [one["strategy"] for one in pairs][3:5] == ["mean z (w = 0)", "w = 0.25"]
    assert {one["pairs"] for one in pairs} == {5}
    homes = cli.json("recommend", "evaluate", "edlae", *data, "--home", "2", "--homes", "2", "--split", "time")
    assert [(one["prior"], one["homes"]) for one in homes] == [("none", 2), ("everybody else", 2)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nobody", "--data", "ml-tiny"), Exit.NOT_FOUND, "There is no recommender 'nobody'."),
        (("blend", "--data", "nowhere"), Exit.NOT_FOUND, "There is no folder nowhere."),
        (("blend", "--data", "."), Exit.FAILED, "Did you mean ml-tiny?"),
        (("blend", "--data", "ml-tiny", "--split", "published"), Exit.FAILED, "ml-tiny has no published split"),
        (("blend", "--data", "ml-tiny", "--split", "half"), Exit.USAGE, "half"),
        (("blend",), Exit.USAGE, "--data"),
        (("blend", "--data", "ml-tiny", "--pairs", "5", "--home", "2"), Exit.USAGE, "ask one of them"),
        (("blend", "--data", "ml-tiny", "--prior", "x"), Exit.USAGE, "--home 2"),
        (("blend", "--data", "ml-tiny/bad.csv"), Exit.FAILED, "bad.csv, line 1: there is no column of films."),
        (("blend", "--data", "ml-tiny/few.csv"), Exit.FAILED, "Nobody in few.csv has enough films to be measured"),
    ],
)
def test_what_cannot_be_measured_is_told(
    cli: Cli, folder: Path, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    (folder / "bad.csv").write_text("hello\n")
    (folder / "few.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,1\n1,2,4.0,2\n2,1,4.0,1\n")
    result = cli("recommend", "evaluate", *arguments)
    assert words in result.stderr
    assert result.exit_code == code


def test_a_prior_is_taken_in_only_when_its_terms_are_accepted(cli: Cli, folder: Path) -> None:
    assert cli("recommend", "prior").stderr.startswith("There is no prior.")
    refused = cli("recommend", "prior", "add", str(folder), "--no-input")
    assert refused.exit_code == Exit.USAGE
    assert "Anybody may do with it what they like." in refused.stderr
    assert "--accept-licence" in refused.stderr
    said_no = cli("recommend", "prior", "add", str(folder), is_interactive=True, keys="n\n")
    assert said_no.exit_code == Exit.REFUSED
    assert cli.json("recommend", "prior", "list") == []

    asked = cli("recommend", "prior", "add", str(folder), "--json", is_interactive=True, keys="y\n")
    assert asked.exit_code == 0, asked.stderr
    added = json.loads(asked.stdout[asked.stdout.index("{") :])
    assert (added["name"], added["people"], added["films"], added["with_ids"]) == ("ml-tiny", 60, 60, 60)
    again = cli("recommend", "prior", "add", str(folder), "--accept-licence")
    assert (again.exit_code, "--name" in again.stderr) == (Exit.REFUSED, True)
    assert cli("recommend", "prior", "add", str(folder), "--accept-licence", "--name", "other").exit_code == 0
    assert [one["name"] for one in cli.json("recommenders", "prior")] == ["ml-tiny", "other"]

    same = cli("recommend", "evaluate", "edlae", "--data", str(folder), "--home", "2", "--prior", "other", "--no-tune")
    assert (same.exit_code, "is this very data" in same.stderr) == (Exit.USAGE, True)
    assert cli("recommend", "prior", "remove", "ml-tiny", "--yes").exit_code == 0
    assert [one["name"] for one in cli.json("recommenders", "prior")] == ["other"]
    gone = cli("recommend", "prior", "remove", "ml-tiny", "--yes")
    assert (gone.exit_code, "There are: other." in gone.stderr) == (Exit.NOT_FOUND, True)


def test_a_prior_that_would_be_of_no_use_is_not_taken(cli: Cli, folder: Path, tmp_path: Path) -> None:
    for name in ("movies.csv", "links.csv", "README.txt"):
        (folder / name).unlink()
    unnamed = cli("recommend", "prior", "add", str(folder), "--accept-licence")
    assert (unnamed.exit_code, "says which films these are" in unnamed.stderr) == (Exit.FAILED, True)
    assert "No licence and no README" in unnamed.stderr
    assert cli("recommend", "prior", "add", str(tmp_path / "no"), "--accept-licence").exit_code == Exit.NOT_FOUND
    badly = cli("recommend", "prior", "add", str(folder), "--accept-licence", "--name", "../x")
    assert (badly.exit_code, "is no name for a prior" in badly.stderr) == (Exit.USAGE, True)
    assert cli.json("recommend", "prior") == []
