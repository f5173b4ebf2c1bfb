"""Genres in our words, ids in one spelling, and what no film can be."""

import pytest

from dateflicks.core.catalogue.facts import Offer, hard_ids, is_plausible_duration, is_plausible_year
from dateflicks.core.catalogue.genres import GENRES, genres_of

TMDB = [
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "History",
    "Horror",
    "Music",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Thriller",
    "War",
    "Western",
]


@pytest.mark.parametrize("name", TMDB)
def test_the_genres_of_a_large_catalogue_are_all_known(name: str) -> None:
    assert len(genres_of([name])) == 1
    assert set(genres_of([name])) <= set(GENRES)


@pytest.mark.parametrize(
    ("names", "genres"),
    [
        (["Sci-Fi"], ["science-fiction"]),
        (["zombie film"], ["horror"]),
        (["Screwball Comedy Film"], ["comedy"]),
        (["Film-Noir"], ["crime", "noir"]),
        (["Action & Adventure"], ["action", "adventure"]),
        (["Sci-Fi & Fantasy"], ["science-fiction", "fantasy"]),
        (["Komödie", "Comédie", "comedy"], ["comedy"]),
        (["TV Movie", "", "Feature_films", "🎬"], []),
        (["Romantic comedy", "drama"], ["comedy", "romance", "drama"]),
    ],
)
def test_names_become_our_words(names: list[str], genres: list[str]) -> None:
    assert list(genres_of(names)) == genres


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"imdb": "tt0063350"}, {"imdb": "tt0063350"}),
        ({"imdb": "tt63350"}, {"imdb": "tt0063350"}),
        ({"imdb": "tt10872600"}, {"imdb": "tt10872600"}),
        ({"imdb": "10331"}, {}),  # another catalogue's id in this one's place
        ({"imdb": "tt0000000", "tmdb": "0", "wikidata": "Q0"}, {}),
        ({"tmdb": " 010331 "}, {"tmdb": "10331"}),
        ({"wikidata": "Q900000001", "letterboxd": "x"}, {"wikidata": "Q900000001"}),
        ({"wikidata": "http://www.wikidata.org/entity/Q1", "tmdb": ""}, {}),
    ],
)
def test_ids_are_written_in_one_way_and_what_has_another_shape_is_dropped(
    given: dict[str, str], found: dict[str, str]
) -> None:
    assert hard_ids(given) == found


def test_what_no_film_can_be() -> None:
    assert [is_plausible_year(year, 2026) for year in (0, 1873, 1874, 2026, 2036, 2037, 20260)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    lengths = (-1.0, 0.0, 1.0, 172_800.0, 172_801.0, float("nan"), float("inf"))
    assert [is_plausible_duration(one) for one in lengths] == [False, False, True, True, False, False, False]


def test_an_offer_knows_its_titles_once_each() -> None:
    offer = Offer(
        id="off:1", source="s", source_id="1", url="u", title="Birds", original_title="Birds", alt_titles=("B",)
    )

    assert offer.titles == ("Birds", "B")
    assert offer.title_keys == {"birds", "b"}
    assert not offer.is_expired(5.0)
