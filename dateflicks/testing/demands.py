"""How a kit says that a plug-in is not what it should be: by an AssertionError with a sentence, as a test would."""


class FallsShort(AssertionError):
    """A plug-in is not what one of its kind should be."""


def demand(holds: bool, sentence: str) -> None:
    """Raise FallsShort with the sentence, unless it holds."""
    if not holds:
        raise FallsShort(sentence)
