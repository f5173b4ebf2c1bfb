"""The films of the Example Library."""

import msgspec

from dateflicks.server.providers.source import BaseSource, Checkpoint, Complete, Item


class Settings(msgspec.Struct, frozen=True):
    base_url: str = "https://library.example.org"


class Page(msgspec.Struct):
    films: list
    next: int | None


class Film(msgspec.Struct):
    id: str
    title: str
    page: str
    year: int | None = None


class ExampleVideoSource(BaseSource):
    name = "example"
    config = Settings
    hosts = ("library.example.org",)
    attribution = "Films by the Example Library."

    async def fetch(self, context, state, mode):
        base, page = f"{context.config.base_url}/films", state["page"] if state else 1
        while page is not None and not context.stopping.is_set():
            found = msgspec.convert((await context.http.get(f"{base}?page={page}")).json(), Page)
            for record in found.films:
                try:
                    film = msgspec.convert(record, Film)
                except msgspec.ValidationError as error:
                    context.put_aside(repr(record), str(error))
                else:
                    yield Item(source_id=film.id, url=film.page, title=film.title, year=film.year)
            if (page := found.next) is not None:
                yield Checkpoint(state={"page": page})
        if page is None:
            yield Complete(full=True)
