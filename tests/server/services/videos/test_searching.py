"""What is found, and in which order: by the index alone, filled with a small collection."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.server.services.videos.matching import Wanted
from dateflicks.server.services.videos.searching import Spot
from dateflicks.server.services.videos.shelf import Shelf
from tests.server.services.videos.collection import small_collection, vid, work

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILMS = small_collection()
NAMES = {film["_id"]: f"{film['title']} {film['year']}" for film in FILMS}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shelf(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shelf]:
    opened = Shelf(tmp_path_factory.mktemp("index"))
    await opened.open()
    await opened.put(FILMS, 1)
    yield opened
    await opened.close()


async def found(shelf: Shelf, text: str = "", *, limit: int = 50, **wanted: Any) -> list[str]:
    """All pages of what is found, by title and year; no film may come twice."""
    names, spot = list[str](), None
    while True:
        page = await shelf.find(Wanted(text=text, **wanted), spot, limit)
        assert len(page.ids) <= limit
        names += [NAMES[id] for id in page.ids]  # noqa: A001 - the word of the domain
        spot = page.next
        if spot is None:
            assert len(names) == len(set(names)), names
            return names


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("night of the living dead", "Night of the Living Dead 1968"),
        ("NIGHT OF THE LIVING DEAD", "Night of the Living Dead 1968"),
        ("nigth of the livng dead", "Night of the Living Dead 1968"),
        ("night living dead", "Night of the Living Dead 1968"),
        ("night of the living dead 1990", "Night of the Living Dead 1990"),
        ("charade 1963", "Charade 1963"),
        ("1963 charade", "Charade 1963"),
        ("charade (1953)", "Charade 1953"),
        ("amelie", "Amélie 2001"),
        ("AMÉLIE", "Amélie 2001"),
        ("fabuleux destin", "Amélie 2001"),
        ("nosf", "Nosferatu 1922"),
        ("feratu", "Nosferatu 1922"),
        ("nosferattu", "Nosferatu 1922"),
        ("羅生門", "羅生門 1950"),
        ("生門", "羅生門 1950"),
        ("rashomon", "羅生門 1950"),
        ("rashomn", "羅生門 1950"),
        ("mifune", "羅生門 1950"),
        ("m", "M 1931"),
        ("spiderman", "Spider-Man 2002"),
        ("spider man", "Spider-Man 2002"),
        ("spider-man", "Spider-Man 2002"),
        ("starwars", "Star Wars 1977"),
        ("1917", "1917 2019"),
        ("form here to eternity", "From Here to Eternity 1953"),
        ("hepburn charade", "Charade 1963"),
        ("mitchum", "The Night of the Hunter 1955"),
        ("потемкин", "Battleship Potemkin 1925"),
        ("cabinet of dr caligari", "Das Cabinet des Dr. Caligari 1920"),
        ("schindlers list", "Schindler's List 1993"),
        ("schindler's", "Schindler's List 1993"),
        ("night of the hunter", "The Night of the Hunter 1955"),
    ],
)
async def test_the_best_answer_comes_first(shelf: Shelf, text: str, first: str) -> None:
    assert (await found(shelf, text))[0] == first


async def test_a_person_finds_their_films(shelf: Shelf) -> None:
    grant = ["Charade 1963", "His Girl Friday 1940"]
    assert await found(shelf, "cary grant") == grant
    assert await found(shelf, "Grant Cary") == grant
    assert await found(shelf, "carry grant") == grant
    assert await found(shelf, "cary gra") == grant


async def test_of_two_of_one_name_the_one_that_can_be_played_comes_first(shelf: Shelf) -> None:
    both = ["Night of the Living Dead 1968", "Night of the Living Dead 1990"]
    assert await found(shelf, "night of the living dead") == both
    assert await found(shelf, "night of the living dead", playable=False) == both[1:]


async def test_kinds_of_answers_come_in_their_order(shelf: Shelf) -> None:
    names = await found(shelf, "the night")
    assert names[0] == "The Night of the Hunter 1955"  # it begins so
    assert set(names[1:]) == {"Night of the Living Dead 1968", "Night of the Living Dead 1990"}
    night, daylights = ["Night of the Living Dead 1968", "Night of the Living Dead 1990"], "The Living Daylights 1987"
    assert await found(shelf, "living") == [*night, daylights]  # equally good: played here first, then the newest
    assert await found(shelf, "living da") == [daylights]


async def test_guesses_come_only_behind_few_sure_answers(shelf: Shelf) -> None:
    assert await found(shelf, "charade") == ["Charade 1963", "Charade 1953"]
    assert await found(shelf, "xyzzy plugh") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("text", ["", "night", "the", "19", "grant", "nigth", "livng", "form here"])
async def test_pages_of_any_size_say_the_same(shelf: Shelf, text: str, limit: int) -> None:
    assert await found(shelf, text, limit=limit) == await found(shelf, text)


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("sort", ["title", "year", "added"])
@pytest.mark.parametrize("text", ["", "night", "livng"])
async def test_so_do_pages_in_another_order(shelf: Shelf, text: str, sort: str, limit: int) -> None:
    names = await found(shelf, text, sort=sort)
    assert await found(shelf, text, sort=sort, limit=limit) == names
    assert set(names) == set(await found(shelf, text))


async def test_browsing_shows_everything_what_can_be_played_first(shelf: Shelf) -> None:
    names = await found(shelf)
    assert set(names) == set(NAMES.values())
    plays = {NAMES[film["_id"]]: film["playable"] for film in FILMS}
    assert [plays[name] for name in names] == sorted((plays[name] for name in names), reverse=True)
    assert names[0] == "Night of the Living Dead 1968"  # which two sources have


async def test_titles_are_sorted_without_their_article(shelf: Shelf) -> None:
    names = await found(shelf, sort="title")
    places = [names.index(name) for name in ("M 1931", "The Night of the Hunter 1955", "Star Wars 1977")]
    assert places == sorted(places)
    assert names.index("The Living Daylights 1987") < names.index("M 1931")


async def test_years_and_additions_are_sorted_newest_first(shelf: Shelf) -> None:
    names = await found(shelf, sort="year")
    assert (names[0], names[-1]) == ("1917 2019", "Home Movie None")
    assert await found(shelf, sort="added") == [NAMES[film["_id"]] for film in reversed(FILMS)]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"genres": ("silent",)}, {"Nosferatu 1922", "Battleship Potemkin 1925"}),
        (
            {"genres": ("silent", "noir")},
            {"Nosferatu 1922", "Battleship Potemkin 1925", "The Night of the Hunter 1955"},
        ),
        ({"genres": ("horror",), "years": (1960, 1969)}, {"Night of the Living Dead 1968"}),
        ({"years": (1953, 1953)}, {"Charade 1953", "From Here to Eternity 1953"}),
        ({"years": (0, 1922)}, {"Nosferatu 1922", "Das Cabinet des Dr. Caligari 1920"}),
        ({"years": (1998, 9999)}, {"Amélie 2001", "Spider-Man 2002", "1917 2019"}),
        ({"sources": ("apple",)}, {"Star Wars 1977"}),
        ({"sources": ("apple",), "region": "us"}, {"Star Wars 1977"}),
        ({"sources": ("apple",), "region": "DE"}, set()),
        ({"sources": ("amazon",), "playable": True}, set()),
        ({"sources": ("archive",), "playable": True, "genres": ("comedy",)}, {"Charade 1963", "His Girl Friday 1940"}),
        ({"region": "US", "playable": False}, {"Star Wars 1977"}),
        ({"sources": ("nobody",)}, set()),
    ],
)
async def test_filters_narrow_what_is_shown(shelf: Shelf, wanted: dict[str, Any], names: set[str]) -> None:
    assert set(await found(shelf, **wanted)) == names
    assert set(await found(shelf, sort="title", limit=1, **wanted)) == names


async def test_what_is_offered_everywhere_is_offered_in_every_region(shelf: Shelf) -> None:
    names = await found(shelf, region="JP")
    assert "Charade 1963" in names
    assert "1917 2019" not in names


async def test_filters_and_text_go_together(shelf: Shelf) -> None:
    assert await found(shelf, "night", genres=("noir",)) == ["The Night of the Hunter 1955"]
    assert await found(shelf, "nigth of the livng", sources=("netflix",)) == ["Night of the Living Dead 1990"]


HOSTILE = [
    '"', '""', "'", "*", "^", "(", ")", "{title}", "title : x", "a OR b", "AND", "NOT", "NOT a", "NEAR(a b, 5)", "a*",
    '" OR 1=1 --', "x'; DROP TABLE words; --", "\0", "a\0b", "\ufffe", "%", "_", "\\", "-", "+a -b", "🍿🎬", "é" * 300,
    "a " * 150, "a" * 300, "night " * 50, "the of a in " * 20, "\u202e\u200b", "𝔑𝔬𝔰𝔣𝔢𝔯𝔞𝔱𝔲",
    "e4a1f09b7c22", "col:val", "1963 1963 1963",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_raises_or_costs_much(shelf: Shelf, text: str) -> None:
    for sort in ("best", "title"):
        await found(shelf, text, sort=sort, limit=3)
        await found(shelf, text, sort=sort, sources=(text,), genres=(text,), region=text)


async def test_a_filter_cannot_be_searched_for(shelf: Shelf) -> None:
    from dateflicks.server.services.videos.entries import exact_token, facet_token

    assert await found(shelf, facet_token("genre", "silent")) == []
    assert await found(shelf, exact_token("m")) == []


async def test_while_works_come_and_go_no_other_is_told_twice_or_left_out(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.open()
    stay = [work(f"Night {number}", 1900 + number) for number in range(60)]
    go = [work(f"Night owl {number}", 1900 + number) for number in range(60)]
    come = [work(f"Another night {number}", 1900 + number) for number in range(60)]
    await shelf.put([*stay, *go], 1)
    for text, sort in (("night", "best"), ("", "best"), ("night", "title"), ("", "year"), ("nigt", "best")):
        told, spot, page = list[str](), None, 0
        while True:
            answers = await shelf.find(Wanted(text=text, sort=sort), spot, 7)  # type: ignore[arg-type]  # one of them
            told += answers.ids
            spot = answers.next
            if spot is None:
                break
            await shelf.forget([film["_id"] for film in go[page * 5 : page * 5 + 5]])
            await shelf.put(come[page * 5 : page * 5 + 5], 1)
            page += 1
        assert len(told) == len(set(told))
        assert set(told) >= {film["_id"] for film in stay}
        await shelf.forget([film["_id"] for film in come])
        await shelf.put(go, 1)
    await shelf.close()


async def test_a_changed_work_is_found_by_what_it_is_now(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.open()
    before = work("Vampyr", 1932, id=vid("x", 1))
    await shelf.put([before], 1)
    assert await shelf.put([before], 2) == 0
    await shelf.put([before | {"title": "Ordet", "titles": ["Ordet"], "year": 1955, "updatedAt": 2_000.0}], 2)
    assert (await shelf.find(Wanted(text="vampyr"), None, 5)).ids == ()
    assert (await shelf.find(Wanted(text="ordet"), None, 5)).ids == (before["_id"],)
    assert (await shelf.find(Wanted(years=(1955, 1955)), None, 5)).ids == (before["_id"],)
    assert shelf.count == 1
    await shelf.put([before | {"status": "gone", "offers": [], "updatedAt": 3_000.0}], 3)
    assert ((await shelf.find(Wanted(), None, 5)).ids, shelf.count) == ((), 0)
    await shelf.close()


async def test_the_order_depends_on_the_works_alone(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path / "one"), Shelf(tmp_path / "other")
    films = [work("Night", year, id=vid(f"n{number}", year)) for number in range(30) for year in (1950, 1960)]
    answers = []
    for shelf, order in ((one, films), (other, films[::-1])):
        await shelf.open()
        for film in order:
            await shelf.put([film], 1)
        answers.append((await shelf.find(Wanted(text="night"), None, 100)).ids)
        await shelf.close()
    assert answers[0] == answers[1]


async def test_a_spot_behind_everything_finds_nothing(shelf: Shelf) -> None:
    assert (await shelf.find(Wanted(), Spot(0, 2**61, 2**61, 0), 5)).ids == ()
    assert (await shelf.find(Wanted(text="night"), Spot(6, 0, 2**61, 0), 5)).ids == ()
