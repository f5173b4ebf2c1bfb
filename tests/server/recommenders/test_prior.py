"""Other people's interactions: found again among the films of the collection, kept whole or not at all, stacked."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders import prior as priors
from dateflicks.server.recommenders.evaluating.reading import read_ratings
from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from dateflicks.server.recommenders.prior import FOLDER, About, Prior, PriorError, prior_of, stacked, widened
from dateflicks.server.recommenders.prior_films import Finder, PriorFilm, parse_title, read_films
from dateflicks.server.recommenders.recommender import Interactions
from tests.server.recommenders.evaluating.folders import write_folder


@dataclass(frozen=True)
class Work:
    id: str
    title: str = ""
    year: int | None = None
    ids: dict[str, str] = field(default_factory=dict)


WORKS = [
    Work("vid_a", "The Third Man", 1949, {"imdb": "tt0041959"}),
    Work("vid_b", "Cité des enfants perdus", 1995),
    Work("vid_c", "Heat", 1995, {"tmdb": "949"}),
    Work("vid_d", "Hamlet", 1996),
    Work("vid_e", "Hamlet", 1996),
    Work("vid_f", "Alien"),
]


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (PriorFilm(ids={"imdb": "tt41959"}), 0),
        (PriorFilm(ids={"imdb": "tt0000001", "tmdb": "949"}), 2),
        (PriorFilm(titles=("Third Man, The",), year=1949), 0),
        (PriorFilm(titles=("Third Man, The",), year=1950), 0),
        (PriorFilm(titles=("Third Man, The",), year=1952), None),
        (PriorFilm(titles=("City of Lost Children, The", "Cité des enfants perdus, La"), year=1995), 1),
        (PriorFilm(titles=("Hamlet",), year=1996), None),
        (PriorFilm(titles=("Alien",), year=1979), None),
        (PriorFilm(titles=("Heat",)), None),
        (PriorFilm(), None),
    ],
)
def test_a_film_is_found_by_an_id_or_else_by_title_and_year_if_it_is_one_only(
    film: PriorFilm, expected: int | None
) -> None:
    assert Finder(WORKS).find(film) == expected


@pytest.mark.parametrize(
    ("text", "titles", "year"),
    [
        ("Toy Story (1995)", ("Toy Story",), 1995),
        ("Usual Suspects, The (1995)", ("Usual Suspects, The",), 1995),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)",
         ("City of Lost Children, The", "Cité des enfants perdus, La"), 1995),
        ("Seven (a.k.a. Se7en) (1995)", ("Seven", "Se7en"), 1995),
        ("2001: A Space Odyssey (1968) ", ("2001: A Space Odyssey",), 1968),
        ("Blade Runner 2049", ("Blade Runner 2049",), None),
        ("(500) Days of Summer (2009)", ("(500) Days of Summer",), 2009),
        ("", (), None),
    ],
)  # fmt: skip
def test_titles_come_apart(text: str, titles: tuple[str, ...], year: int | None) -> None:
    assert parse_title(text) == (titles, year)


def test_films_are_read_from_whatever_lies_beside_the_ratings(tmp_path: Path) -> None:
    def only(name: str, content: str | bytes, films: list[str]) -> dict[str, PriorFilm]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_films(folder, films)

    heat = PriorFilm(titles=("Heat",), year=1995)
    assert only("movies.csv", 'movieId,title,genres\r\n6,"Heat (1995)",Action\r\n7,Other (1990),\r\n', ["6"]) == {
        "6": heat
    }
    assert only("movies.dat", "6::Heat (1995)::Action|Crime\n", ["6", "7"]) == {"6": heat}
    assert only("ml-100k.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\n6\tHeat\t1995\n", ["6"]) == {
        "6": heat
    }
    latin = only("u.item", "6|Cité (1995)|01-Jan-1995||http://x|0|1\n".encode("latin-1"), ["6"])
    assert latin["6"].titles == ("Cité",)
    assert only("links.csv", "movieId,imdbId,tmdbId\n6,0113277,949\n8,,\n", ["6", "8"]) == {
        "6": PriorFilm(ids={"imdb": "tt0113277", "tmdb": "949"})
    }
    tweeted = only("movies.dat", "0113277::Heat (1995)::Action\n", ["0113277", "10872600"])
    assert tweeted["0113277"] == PriorFilm(titles=("Heat",), year=1995, ids={"imdb": "tt0113277"})
    assert tweeted["10872600"].ids == {"imdb": "tt10872600"}


def local() -> Interactions:
    weights = csr_array(np.asarray([[1, 0, 0.5], [0, 2, 0]], np.float32))
    return Interactions(
        user_ids=("usr_a", "usr_b"), film_ids=("vid_a", "vid_b", "vid_c"), weights=weights,
        times=np.asarray([10.0, 20.0, 30.0]), features=csr_array(np.eye(3, 2, dtype=np.float32)), now=99.0,
    )  # fmt: skip


def a_prior(name: str, films: dict[str, PriorFilm], rows: list[list[int]]) -> Prior:
    weights = csr_array(np.asarray(rows, np.float32))
    return Prior(
        name=name, film_ids=tuple(films), films=tuple(films.values()), weights=weights,
        times=np.arange(weights.nnz, dtype=float),
    )  # fmt: skip


def test_other_people_come_under_the_local_ones_and_unknown_films_behind_the_known() -> None:
    third, heat = PriorFilm(ids={"imdb": "tt0041959"}), PriorFilm(titles=("Heat",), year=1995)
    other, nameless = PriorFilm(ids={"imdb": "tt0000007"}), PriorFilm()
    one = a_prior("one", {"9": heat, "5": other, "1": third}, [[1, 1, 1], [0, 1, 0]])
    two = a_prior("two", {"77": other, "1": nameless, "8": third, "6": third}, [[1, 1, 0, 0], [0, 0, 1, 1]])
    data = local()
    found = stacked(data, [one, two], WORKS[:3])
    assert found.user_ids == ("usr_a", "usr_b", "prior:one:0", "prior:one:1", "prior:two:0", "prior:two:1")
    assert found.film_ids == ("vid_a", "vid_b", "vid_c", "prior:imdb:tt0000007", "prior:two:1")
    assert found.weights.toarray().tolist() == [
        [1, 0, 0.5, 0, 0], [0, 2, 0, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 0]
    ]  # fmt: skip
    assert found.weights.has_canonical_format
    assert found.times.tolist() == [10, 20, 30, 2, 0, 1, 3, 0, 1, 2]
    assert found.features is not None
    assert found.features.toarray().tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert (found.now, found.weights.dtype) == (99.0, np.float32)
    assert widened(data.weights, found).toarray().tolist() == found.weights[[0, 1]].toarray().tolist()
    assert stacked(data, [], []) is data


def about(prior: Prior) -> About:
    return About(
        name=prior.name, came_from="/x", kind="ratings.csv", people=1, films=1, interactions=1, with_ids=1,
        licence_files=["README.txt"], licence="Anybody may.", accepted_at=5.0,
    )  # fmt: skip


@pytest.fixture
def brought(tmp_path: Path) -> Prior:
    write_folder(synthetic(users=20, films=30, clusters=3, watched=8), tmp_path / "ml")
    return prior_of(read_ratings(tmp_path / "ml"), tmp_path / "ml", "ml")


def test_a_prior_is_kept_as_it_was_read(tmp_path: Path, brought: Prior) -> None:
    priors.keep(brought, about(brought), tmp_path)
    assert priors.kept(tmp_path) == [about(brought)]
    (found,) = priors.load_all(tmp_path)
    assert (found.name, found.film_ids, found.films) == (brought.name, brought.film_ids, brought.films)
    assert (found.weights != brought.weights).nnz == 0
    assert found.times.tolist() == brought.times.tolist()
    assert brought.films[0].ids == {"imdb": "tt9000001", "tmdb": "8000001"}
    with pytest.raises(PriorError, match="There is a prior 'ml' already"):
        priors.keep(brought, about(brought), tmp_path)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["ml"]
    priors.remove(tmp_path, "ml")
    assert list((tmp_path / FOLDER).iterdir()) == []
    for missing in ("ml", "..", "../ml"):
        with pytest.raises(PriorError, match="There is no prior"):
            priors.load(tmp_path, missing)
        with pytest.raises(PriorError, match="There is no prior"):
            priors.remove(tmp_path, missing)
    assert priors.kept(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["films.json", "people.npz"])
@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and no more", b'[["1",[],null,{}]]'])
def test_what_was_damaged_is_told_and_not_taken(
    tmp_path: Path, brought: Prior, name: str, content: bytes | None
) -> None:
    priors.keep(brought, about(brought), tmp_path)
    path = tmp_path / FOLDER / "ml" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PriorError, match=r"The prior 'ml' cannot be read .* Remove it and add it anew\."):
        priors.load(tmp_path, "ml")


def test_no_object_is_ever_unpickled(tmp_path: Path, brought: Prior) -> None:
    priors.keep(brought, about(brought), tmp_path)
    path = tmp_path / FOLDER / "ml" / "people.npz"
    np.savez(path, ends=np.asarray([{}], object), films=np.zeros(1), times=np.zeros(1))
    with pytest.raises(PriorError, match="cannot be read"):
        priors.load(tmp_path, "ml")


@pytest.mark.parametrize("written", [b'{"name": 1}', b'{"name": "\xff"}', b"[" * 50_000])
def test_an_unreadable_description_is_told(tmp_path: Path, brought: Prior, written: bytes) -> None:
    priors.keep(brought, about(brought), tmp_path)
    (tmp_path / FOLDER / "ml" / "prior.json").write_bytes(written)
    with pytest.raises(PriorError, match="cannot be read"):
        priors.kept(tmp_path)
    assert priors.names(tmp_path) == ["ml"]


def test_terms_are_found_the_licence_before_the_readme(tmp_path: Path) -> None:
    assert priors.licences(tmp_path) == ([], "")
    (tmp_path / "README.md").write_text("read me")
    (tmp_path / "LICENSE").write_text("may be used\n")
    (tmp_path / "u.data").write_text("1")
    assert priors.licences(tmp_path) == (["LICENSE", "README.md"], "may be used\n\nread me")


def test_names_are_plain() -> None:
    assert priors.name_from(Path("/x/ML 1M (2003)")) == "ml-1m-2003"
    for wrong in ("", "..", "a/b", "A", ".x", "x" * 41):
        with pytest.raises(PriorError, match="is no name for a prior"):
            priors.check_name(wrong)
