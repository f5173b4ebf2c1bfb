"""What reading other people's JSON may raise. msgspec leaves it to Python to complain of broken UTF-8 and of values
that are nested too deeply, even of those that it passes over: whoever catches less can be brought down by a stranger.
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
