"""Whether the source is what a source should be, against answers as the library gives them."""

import asyncio

from dateflicks_source_example import ExampleVideoSource

from dateflicks.testing import Answers, check_source

LIBRARY = Answers(
    {
        "https://library.example.org/films?page=1": {
            "films": [
                {"id": "charade", "title": "Charade", "year": 1963, "page": "https://library.example.org/charade"},
                {"id": "general", "title": "The General", "page": "https://library.example.org/general"},
            ],
            "next": 2,
        },
        "https://library.example.org/films?page=2": {
            "films": [{"id": "metropolis", "title": "Metropolis", "page": "https://library.example.org/metropolis"}],
            "next": None,
        },
    }
)


def test_it_is_what_a_source_should_be():
    asyncio.run(check_source(ExampleVideoSource(), LIBRARY))
