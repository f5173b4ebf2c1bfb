"""Films that nobody has made, each told by its number, so that a million of them need no list.

Words are as frequent as those of real titles: few are in many titles, most in hardly any. A hundred people are in many
films, most in a few. Every twentieth film is a remake of an older one.
"""

import math
import random
from functools import lru_cache
from typing import Final

from dateflicks.core.catalogue.genres import GENRES
from dateflicks.server.providers.source import Item

SOURCE: Final = "invented"
WORDS: Final = 30_000
PEOPLE: Final = 40_000
REMAKES: Final = 20
YEARS: Final = (1920, 2025)
_ONSETS: Final = (*"bcdfghjklmnprstvwz", "br", "ch", "dr", "fl", "gr", "kl", "pr", "qu", "sh", "st", "th", "tr")
_VOWELS: Final = (*"aeiou", "ai", "ea", "ou")
_ENDS: Final = ("", "", *"lnrst", "nd", "rk", "ng")
_PLOT: Final = (
    "Two strangers meet in a town that neither of them knows, and find that the night is longer than they thought. "
)


@lru_cache(maxsize=WORDS)
def word(number: int) -> str:
    """The word of this rank: the more frequent, the shorter."""
    chance = random.Random(f"word {number}")
    syllables = 1 + (number > 60) + (number > 3_000)
    return "".join(chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_ENDS) for _ in range(syllables))


@lru_cache(maxsize=PEOPLE)
def person(number: int) -> str:
    """The name of the person of this rank."""
    chance = random.Random(f"person {number}")
    return f"{word(chance.randrange(60, 3_000))} {word(chance.randrange(3_000, WORDS))}".title()


def learn() -> None:
    """Make up all words and people now: what they take of memory is no more than the bench's own."""
    for number in range(WORDS):
        word(number)
    for number in range(PEOPLE):
        person(number)


def title(number: int) -> str:
    """The title of a film."""
    if number % REMAKES == REMAKES - 1:
        number //= 2
    chance = random.Random(f"title {number}")
    words = [word(_rank(chance, WORDS)) for _ in range(chance.randint(2, 5))]
    return ("The " if chance.random() < 0.3 else "") + " ".join(words).title()


def year(number: int) -> int:
    """The year of a film; a remake is far from its model."""
    return YEARS[0] + (number * 37) % (YEARS[1] - YEARS[0])


def film(number: int) -> Item:
    """A film as a source yields it."""
    chance = random.Random(f"film {number}")
    return Item(
        source_id=f"f{number}",
        url=f"https://films.example.org/{number}",
        title=title(number),
        year=year(number),
        duration_seconds=float(chance.randint(60, 200) * 60 + number % 60),
        genres=tuple(chance.sample(GENRES, chance.randint(1, 3))),
        overview=_PLOT * chance.randint(1, 4),
        people=tuple({person(_rank(chance, PEOPLE)): None for _ in range(8)}),
        external_ids={"imdb": f"tt{1_000_000 + number}"} if number % 3 else {},
        offer_type="free",
        playable=number % 4 == 0,
    )


def _rank(chance: random.Random, most: int) -> int:
    """A rank below `most`, low ones more often, as with words of a language."""
    return min(int(math.exp(chance.random() * math.log(most))), most - 1)
