"""What of films may be learned from, as features."""

from dateflicks.server.recommenders.features import as_matrix, features_of

OFFER = {
    "title": "The Night of the Hunter",
    "overview": "A preacher hunts two children along a river.",
    "genres": ["Thriller"],
    "people": ["Robert Mitchum"],
    "year": 1955,
}


def test_an_offer_tells_genres_people_a_decade_and_words() -> None:
    told = features_of(OFFER)
    assert {"genre:thriller", "person:robert mitchum", "decade:195", "word:preacher", "word:hunter"} <= set(told)
    assert not [name for name in told if name in ("word:the", "word:of", "word:a")]
    assert told["word:river"] < told["genre:thriller"]
    assert features_of({"title": None, "overview": None, "genres": [], "people": [], "year": None}) == {}


def test_what_is_known_of_one_film_or_of_most_tells_nothing() -> None:
    films: list[dict[str, float]] = [{"genre:a": 1.0, "all": 1.0}, {"genre:a": 1.0, "all": 1.0}, {"all": 1.0, "b": 1.0}]
    matrix = as_matrix([*films, {"all": 1.0}, {}])
    assert matrix is not None
    assert matrix.shape == (5, 1)
    assert matrix.toarray()[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert as_matrix([{"b": 1.0}, {"c": 1.0}]) is None
    assert as_matrix([]) is None
