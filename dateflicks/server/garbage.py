"""When a server looks for garbage that counting references leaves.

Python looks at everything now and then, and everybody waits meanwhile: a quarter of a second with four thousand people
connected, and again for each quarter more of them. Nothing here leaves cycles behind in the long run (a feed that has
ended is gone at once), so a look is rare, and leaves out what every process has from its start. What a third-party
library leaves is still found, later.
"""

import gc
from typing import Final

YOUNG: Final = 5_000  # objects made and not yet gone before those are looked at, about 0.3 ms
MIDDLE: Final = 10  # such looks before one at those that have outlived one
OLD: Final = 200  # and such looks before one at everything


def look_less() -> None:
    """To be called once, when a server is ready: what exists by then stays for as long as the process does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
