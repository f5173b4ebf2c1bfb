"""What the prediction service keeps."""

from typing import Final

from dateflicks.server.storage.records import Collection

DATABASE: Final = "UserPredictionDb"

PREDICTIONS: Final = Collection(DATABASE, "predictions")
COLLECTIONS: Final = (PREDICTIONS,)
