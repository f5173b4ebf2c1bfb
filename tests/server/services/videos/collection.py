"""A small collection to search: documents as the making of films writes them, remakes and namesakes among them."""

import hashlib
from typing import Any

from dateflicks.protocol.ids import id_of

Document = dict[str, Any]
Offered = tuple[str, str, bool]  # source, region, playable

FREE: tuple[Offered, ...] = (("archive", "", True),)


def vid(title: str, year: int | None) -> str:
    """The id of a film in these tests."""
    return id_of("vid", hashlib.sha256(f"{title} {year}".encode()).digest())


def offer(source: str, region: str, playable: bool, url: str = "") -> Document:
    return {
        "offerId": "off:" + hashlib.sha256(f"{source}{region}{url}".encode()).hexdigest()[:32], "source": source,
        "sourceId": "x", "region": region, "url": url or f"https://{source}.example/x",
        "type": "free" if playable else "subscription", "playable": playable, "licence": None,
        "durationSeconds": None, "lastSeen": 1.0, "confidence": 1.0,
    }  # fmt: skip


def work(
    title: str,
    year: int | None = None,
    *,
    offers: tuple[Offered, ...] = FREE,
    at: float = 1_000.0,
    id: str | None = None,  # noqa: A002 - the word of the domain
    **facts: Any,
) -> Document:
    """One film; `at` is when it was last changed."""
    found = [offer(*one) for one in offers]
    return {
        "_id": id or vid(title, year), "rev": 1, "status": "active", "mergedInto": None, "kind": "film",
        "title": title, "originalTitle": None, "titles": [title], "order": "t", "year": year,
        "durationSeconds": 5_760.0, "genres": [], "overview": None, "poster": None, "people": [], "externalIds": {},
        "source": found[0]["source"] if found else None, "url": found[0]["url"] if found else None,
        "playable": any(one["playable"] for one in found), "offers": found, "conflict": None, "candidates": [],
        "addedAt": at, "endedAt": None, "members": [], "memberStamps": [], "contentHash": "h", "updatedAt": at, **facts,
    }  # fmt: skip


def small_collection() -> list[Document]:
    """Each film was changed a second after the one before."""
    netflix, both = (("netflix", "DE", False),), (*FREE, ("amazon", "US", False))
    films = [
        work("Night of the Living Dead", 1968, offers=both, genres=["horror"], people=["George A. Romero"]),
        work("Night of the Living Dead", 1990, offers=netflix, genres=["horror"], people=["Tom Savini"]),
        work("The Night of the Hunter", 1955, genres=["thriller", "noir"], people=["Robert Mitchum", "Lillian Gish"]),
        work("Charade", 1963, genres=["comedy", "thriller"], people=["Cary Grant", "Audrey Hepburn"]),
        work("Charade", 1953, genres=["drama"]),
        work("His Girl Friday", 1940, genres=["comedy"], people=["Cary Grant", "Rosalind Russell"]),
        work("Amélie", 2001, offers=netflix, originalTitle="Le Fabuleux Destin d'Amélie Poulain"),
        work("Nosferatu", 1922, genres=["horror", "silent"], people=["Max Schreck"]),
        work("羅生門", 1950, titles=["羅生門", "Rashomon"], people=["三船 敏郎", "Toshirō Mifune"]),
        work("M", 1931, people=["Peter Lorre"]),
        work("Spider-Man", 2002, offers=netflix),
        work("1917", 2019, offers=netflix),
        work("Star Wars", 1977, offers=(("apple", "US", False),)),
        work("The Living Daylights", 1987, offers=netflix),
        work("From Here to Eternity", 1953, people=["Burt Lancaster"]),
        work("Battleship Potemkin", 1925, originalTitle="Броненосец «Потёмкин»", genres=["silent"]),
        work(
            "Das Cabinet des Dr. Caligari", 1920, titles=["Das Cabinet des Dr. Caligari", "The Cabinet of Dr. Caligari"]
        ),
        work("Schindler's List", 1993, offers=netflix),
        work("Home Movie", None),
    ]
    return [{**film, "updatedAt": 1_000.0 + at, "addedAt": 1_000.0 + at} for at, film in enumerate(films)]
