"""What anybody may know of the sources, written by whoever runs them and read by the services, who import neither.

Of each source there is a document with its `name` and, where its terms ask for it, its `attribution`, and with whether
it `mayBeLearnedFrom`; what else is in it is its own. Of each run there is one with its `source`, `startedAt`,
`endedAt` (Unix seconds) and `status`.
"""

from typing import Final

from dateflicks.server.storage.records import Collection, Index

KIND: Final = "source"  # in the field `kind` of every source's document, which lists them all
GOOD: Final = frozenset({"ok", "unchanged"})  # how a run ends after which the offers are as the source has them
SOURCES: Final = Collection("VideoDb", "sources", (Index(("kind",)),))
RUNS: Final = Collection("VideoDb", "runs", (Index(("source",)), Index(("source", "startedAt")), Index(("startedAt",))))
