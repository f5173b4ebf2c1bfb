"""Planted ratings as a folder that somebody might have downloaded."""

from pathlib import Path

from dateflicks.server.recommenders.evaluating.synthetic import Synthetic


def write_folder(found: Synthetic, folder: Path) -> None:
    """Ratings as a folder in the form of MovieLens: `ratings.csv`, `movies.csv`, `links.csv` and a `README.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    ratings = found.ratings
    lines = ["userId,movieId,rating,timestamp"]
    for user, film, at in zip(ratings.users, ratings.films, ratings.times, strict=True):
        lines.append(f"{ratings.user_ids[user]},{ratings.film_ids[film]},4.0,{at:.0f}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    movies, links = ["movieId,title,genres"], ["movieId,imdbId,tmdbId"]
    for place, film in enumerate(ratings.film_ids):
        year = 1930 + int(film) % 90
        movies.append(f"{film},Planted Film {film} ({year}),Cluster {found.clusters[place]}")
        links.append(f"{film},{9_000_000 + int(film)},{8_000_000 + int(film)}")
    (folder / "movies.csv").write_text("\n".join(movies) + "\n")
    (folder / "links.csv").write_text("\n".join(links) + "\n")
    (folder / "README.txt").write_text("Drawn by chance, about nobody. Anybody may do with it what they like.\n")
