"""One target under atheris, which follows what each input reaches in our code and goes on from what is new.

A program: its first argument is the target, all others are libFuzzer's. It ends with 0 when its time is over, and
otherwise leaves the input that failed where `-artifact_prefix` says.
"""

import importlib
import sys
from typing import Any


def guide(name: str, arguments: list[str]) -> None:
    """Never returns."""
    atheris: Any = importlib.import_module("atheris")  # not among what tests need: `make fuzz` brings it
    with atheris.instrument_imports(include=["dateflicks"]):
        from tests.strangers.fuzzing.mutating import WORDS
        from tests.strangers.fuzzing.targets import TARGETS
    import random

    target = TARGETS[name]

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        """Half of the inputs as the engine makes them, half with words that hurt put in."""
        choose = random.Random(seed)
        if choose.random() < 0.5:
            return bytes(atheris.Mutate(data, size_max))
        at = choose.randrange(len(data) + 1)
        return (data[:at] + choose.choice(WORDS) + data[at:])[:size_max]

    atheris.Setup([sys.argv[0], *arguments], target.one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    guide(sys.argv[1], sys.argv[2:])
