"""Which methods a path knows: those of what is answered there, and of nothing that it only looks like."""

import pytest

from dateflicks.server.web.paths import Paths


@pytest.fixture
def paths() -> Paths:
    paths = Paths()
    paths.add("/bets/{sessionId}", ["GET", "HEAD"])
    paths.add("/bets/{sessionId}", ["POST"])
    paths.add("/bets/scores", ["GET", "HEAD"])
    paths.add("/bets/events", ["GET"])
    paths.add("/bets/{sessionId}/{id}", ["DELETE"])
    paths.add("/bets/{sessionId}/scores", ["GET", "HEAD"])
    return paths


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/bets/one", ("GET", "HEAD", "POST")),
        ("/bets/one/", ("GET", "HEAD", "POST")),
        ("/bets/scores", ("GET", "HEAD")),
        ("/bets/events", ("GET",)),
        ("/bets/one/scores", ("GET", "HEAD")),
        ("/bets/one/two", ("DELETE",)),
        ("/bets", ()),
        ("/bets/one/two/three", ()),
    ],
)
def test_a_word_that_is_declared_is_no_parameter(paths: Paths, path: str, methods: tuple[str, ...]) -> None:
    assert paths.methods(path) == methods


def test_one_call_is_declared_once_whatever_its_parameters_are_called(paths: Paths) -> None:
    with pytest.raises(ValueError, match=r"POST /bets/\{id\} is declared twice"):
        paths.add("/bets/{id}", ["POST"])
