"""What the messages service keeps."""

from typing import Final

from dateflicks.server.storage.records import Collection

DATABASE: Final = "MessageDb"

MESSAGES: Final = Collection(DATABASE, "messages")
COLLECTIONS: Final = (MESSAGES,)
