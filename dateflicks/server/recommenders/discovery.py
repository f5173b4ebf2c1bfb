"""Which recommenders there are, without importing any; and one of them, imported and looked at."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dateflicks.server import plugins
from dateflicks.server.plugins import Broken as Broken
from dateflicks.server.plugins import Found as Found
from dateflicks.settings.recommenders import SCHEDULE_KEYS, RecommendersSettings

if TYPE_CHECKING:  # it brings numpy, which nobody needs to know who there is
    from dateflicks.server.recommenders.recommender import Recommender

ENTRY_POINTS: Final = "dateflicks.recommenders"
BUILT_IN: Final = {
    "blend": "dateflicks.server.recommenders.blend:Blend",
    "edlae": "dateflicks.server.recommenders.edlae:Edlae",
    "als": "dateflicks.server.recommenders.als:Als",
    "neighbourhood": "dateflicks.server.recommenders.neighbourhood:Neighbourhood",
    "popularity": "dateflicks.server.recommenders.popularity:Popularity",
    "content": "dateflicks.server.recommenders.content:Content",
}
RESERVED: Final = frozenset({"all", "written", "everybody"})  # words that mean something else where a name may stand
_ATTRIBUTES: Final = ("name", "version", "api_version", "config", "summary", "fit")


def discover(allow: Collection[str] = (), deny: Collection[str] = ()) -> list[Found]:
    """All recommenders: the built-in ones, then plug-ins by name. Of two of one name the first counts."""
    return plugins.discover(ENTRY_POINTS, BUILT_IN, allow, deny)


def find(name: str, allow: Collection[str] = (), deny: Collection[str] = ()) -> Found:
    """The recommender of that name. Raises Broken, with what is wrong with it."""
    return plugins.the_one(discover(allow, deny), name, "recommender")


def load(found: Found) -> "Recommender":
    """The recommender itself, imported, made and looked at. Raises Broken: `ImportError: …`, say."""
    recommender: Recommender = plugins.load(found, problems_of)
    return recommender


def problems_of(recommender: Any, name: str) -> Iterator[str]:
    """What a recommender declares wrongly, a phrase each."""
    from dateflicks.server.recommenders.recommender import API_VERSION

    yield from plugins.problems_of_interface(
        recommender, name, attributes=_ATTRIBUTES, kind="recommender", version=API_VERSION
    )
    if any(not hasattr(recommender, attribute) for attribute in _ATTRIBUTES):
        return
    version = recommender.version
    if not isinstance(version, str) or not 0 < len(version) <= 32 or not version.isprintable():
        yield f"its version is no short text: {version!r}"
    if not isinstance(recommender.summary, str):
        yield "its summary is no text"
    if not callable(recommender.fit):
        yield "it cannot be fitted"
    if name in RESERVED:
        yield f"no recommender can be called {name!r}"


def config_of(recommender: "Recommender", settings: RecommendersSettings) -> msgspec.Struct:
    """A recommender's own settings: its section, or its part of `[plugins]`. Raises SettingsError."""
    section = settings.section(recommender.name)
    if section is not None:
        return section
    return plugins.plugged_config(
        recommender.name, recommender.config, settings.plugins, file="recommenders.toml", beside=SCHEDULE_KEYS
    )
