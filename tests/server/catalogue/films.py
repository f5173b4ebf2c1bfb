"""Films that are easily taken for one another: remakes, twins of one year, the same title by chance, and quiet ones.

Titles, years and running times are those of real films; ids are made up. `offers` tells each film as several sources
would: with ids or without, in one language or another, a year off, with a logo before it, or with no length at all.
"""

from dataclasses import dataclass

from dateflicks.server.providers.source import Item

FILMS = """
12 Angry Men||1957|96
12 Angry Men||1997|117
The 39 Steps||1935|86
The 39 Steps||1959|93
3:10 to Yuma||1957|92
3:10 to Yuma||2007|122
Aladdin||1992|90
Aladdin||2019|128
Alfie||1966|114
Alfie||2004|103
All Quiet on the Western Front||1930|152
All Quiet on the Western Front|Im Westen nichts Neues|2022|148
Angel-A||2005|91
Armageddon||1998|151
Around the World in 80 Days||1956|175
Around the World in 80 Days||2004|120
Arthur||1981|97
Arthur||2011|110
The Avengers||1998|89
The Avengers||2012|143
Bad Lieutenant||1992|96
Beauty and the Beast|La Belle et la Bête|1946|93
Beauty and the Beast||1991|84
Beauty and the Beast|La Belle et la Bête|2014|112
Beauty and the Beast||2017|129
Ben-Hur||1925|143
Ben-Hur||1959|212
Ben-Hur||2016|124
The Birds||1963|119
Black Christmas||1974|98
Black Christmas||2006|84
Black Christmas||2019|92
Das Boot||1981|149
Brothers|Brødre|2004|117
Brothers||2009|105
Cape Fear||1962|106
Cape Fear||1991|128
Capote||2005|114
Carrie||1976|98
Carrie||2013|100
Casino Royale||1967|131
Casino Royale||2006|144
Charade||1963|113
Cinderella||1950|74
Cinderella||2015|105
Cinderella||2021|113
Crash||1996|100
Crash||2004|112
Dawn of the Dead||1978|127
Dawn of the Dead||2004|101
The Day the Earth Stood Still||1951|92
The Day the Earth Stood Still||2008|104
Death at a Funeral||2007|90
Death at a Funeral||2010|92
Deep Impact||1998|120
Dracula||1931|75
Dracula|Drácula|1931|104
Dracula||1958|82
Dracula||1979|109
Dune||1984|137
Dune||2021|155
The Fly||1958|94
The Fly||1986|96
Footloose||1984|107
Footloose||2011|113
Freaky Friday||1976|98
Freaky Friday||2003|97
Frozen||2010|93
Frozen||2013|102
Funny Games||1997|109
Funny Games||2007|111
The General||1926|78
The General||1998|124
Ghostbusters||1984|105
Ghostbusters||2016|117
The Gift||2000|112
The Gift||2015|108
Gladiator||1992|101
Gladiator||2000|155
Godzilla|Gojira|1954|96
Godzilla||1998|139
Godzilla||2014|123
Halloween||1978|91
Halloween||2007|109
Halloween||2018|106
Hamlet||1948|154
Hamlet||1990|134
Hamlet||1996|242
Hamlet||2000|112
Heat||1986|101
Heat||1995|170
Hercules||1997|93
Hercules||2014|98
The Legend of Hercules||2014|99
His Girl Friday||1940|92
The Illusionist||2006|110
The Illusionist|L'Illusionniste|2010|80
Infamous||2006|118
Insomnia||1997|96
Insomnia||2002|118
Invasion of the Body Snatchers||1956|80
Invasion of the Body Snatchers||1978|115
It||2017|135
The Italian Job||1969|99
The Italian Job||2003|111
The Jungle Book||1967|78
The Jungle Book||1994|111
The Jungle Book||2016|106
The Karate Kid||1984|126
The Karate Kid||2010|140
King Kong||1933|100
King Kong||1976|134
King Kong||2005|187
The Lady Vanishes||1938|96
The Lady Vanishes||1979|95
The Lion King||1994|88
The Lion King||2019|118
Little Women||1933|115
Little Women||1949|121
Little Women||1994|115
Little Women||2019|135
Manhunter||1986|120
The Man Who Knew Too Much||1934|75
The Man Who Knew Too Much||1956|120
Metropolis||1927|153
Metropolis|Metoroporisu|2001|108
Les Misérables||1998|134
Les Misérables||2012|158
Les Misérables||2019|104
Mulan||1998|88
Mulan||2020|115
The Mummy||1932|73
The Mummy||1999|125
The Mummy||2017|110
Night of the Living Dead||1968|96
Night of the Living Dead||1990|92
Nosferatu|Nosferatu, eine Symphonie des Grauens|1922|94
Nosferatu|Nosferatu: Phantom der Nacht|1979|107
Nosferatu||2024|132
Ocean's Eleven||1960|127
Ocean's Eleven||2001|117
Oldboy|Oldeuboi|2003|120
Oldboy||2013|104
The Omen||1976|111
The Omen||2006|110
Peter Pan||1953|77
Peter Pan||2003|113
Pinocchio||1940|88
Pinocchio||2019|125
Pinocchio||2022|105
Pinocchio|Guillermo del Toro's Pinocchio|2022|117
Poltergeist||1982|114
Poltergeist||2015|93
Psycho||1960|109
Psycho||1998|104
RoboCop||1987|102
RoboCop||2014|117
Robin Hood||1973|83
Robin Hood||1991|104
Robin Hood||2010|140
Robin Hood: Prince of Thieves||1991|143
Rush||1991|120
Rush||2013|123
Sabrina||1954|113
Sabrina||1995|127
Scarface||1932|93
Scarface||1983|170
Seven Samurai|Shichinin no Samurai|1954|207
Solaris|Solyaris|1972|167
Solaris||2002|99
Spirited Away|Sen to Chihiro no kamikakushi|2001|125
A Star Is Born||1937|111
A Star Is Born||1954|176
A Star Is Born||1976|139
A Star Is Born||2018|136
Suspiria||1977|99
Suspiria||2018|152
The Thing||1982|109
The Thing||2011|103
The Third Man||1949|104
Titanic||1953|98
Titanic||1996|173
Titanic||1997|194
Total Recall||1990|113
Total Recall||2012|118
True Grit||1969|128
True Grit||2010|110
Twilight||1998|94
Twilight||2008|122
Unknown||2006|85
Unknown||2011|113
Valmont||1989|137
West Side Story||1961|153
West Side Story||2021|156
The Wicker Man||1973|88
The Wicker Man||2006|102
The Women||1939|133
The Women||2008|114
"""


@dataclass(frozen=True)
class Film:
    """What is true of it; `number` tells it from all others."""

    number: int
    title: str
    original: str
    year: int
    minutes: int


@dataclass(frozen=True)
class Told:
    """A film as one source tells it."""

    film: Film
    source: str
    item: Item


def films() -> list[Film]:
    """All of them."""
    rows = [line.split("|") for line in FILMS.strip().splitlines()]
    return [
        Film(number, title, original or title, int(year), int(minutes))
        for number, (title, original, year, minutes) in enumerate(rows)
    ]


def offers() -> list[Told]:
    """Every film at three to five sources."""
    return [told for film in films() for told in _told(film)]


def _told(film: Film) -> list[Told]:
    number = film.number
    imdb, tmdb = f"tt90{number:05}", str(900_000 + number)
    seconds = film.minutes * 60.0
    original = film.original if film.original != film.title else None
    unknown: dict[str, object] = {"duration_seconds": None}
    sources: list[tuple[str, dict[str, object]]] = [
        ("netflix", {"external_ids": {"tmdb": tmdb, "imdb": imdb}, "original_title": original, "region": "US"}),
        ("amazon", {"external_ids": {"tmdb": tmdb}, "original_title": original, "region": "DE"} | unknown),
        ("jellyfin", {"external_ids": {"imdb": imdb}, "duration_seconds": seconds + 37.5, "playable": True}),
        ("archive", _loosely(film)),
        ("local", _as_a_file(film)),
    ]
    left_out = {number % 5, (number * 3 + 1) % 11}  # not everything is everywhere
    return [
        Told(film, source, _item(film, facts, seconds))
        for at, (source, facts) in enumerate(sources)
        if at == 0 or at not in left_out or at > 2
    ]


def _item(film: Film, facts: dict[str, object], seconds: float) -> Item:
    known: dict[str, object] = {
        "source_id": f"f{film.number}",
        "url": f"https://films.test/{film.number}",
        "title": film.title,
        "year": film.year,
        "duration_seconds": seconds,
    }
    return Item(**(known | facts))  # type: ignore[arg-type]  # each field of the type that it has there


def _loosely(film: Film) -> dict[str, object]:
    """As somebody typed it: no ids, any case, the year of another country, the length of this copy."""
    number = film.number
    shift = (0, 0, 0, 1, 0, 0, -1, 0)[number % 8]
    title = (film.title.upper(), f"{film.title} ({film.year})", film.original, film.title)[number % 4]
    if film.title.startswith("The ") and number % 3 == 0:
        title = f"{film.title[4:]}, The"
    length = (film.minutes * 60.0 * 0.97, None, film.minutes * 60.0 + 95.0, None)[number % 4]
    return {"title": title, "year": film.year + shift, "duration_seconds": length, "playable": True}


def _as_a_file(film: Film) -> dict[str, object]:
    """As a file is named: no marks, no punctuation, and the length to the millisecond."""
    words = film.title.replace(":", "").replace("'", "").replace("é", "e")
    return {"title": words, "duration_seconds": film.minutes * 60.0 - 12.345, "playable": True, "offer_type": "owned"}
