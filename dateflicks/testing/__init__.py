"""For authors of plug-ins: whether theirs is what it should be, to be called from their own tests.

Of a video source `check_source` is all of it; each of its parts can be called alone. None needs a network: `Answers`
stand in for it. For recommenders there is `dateflicks.testing.recommenders`, apart from these because it loads numpy.
"""

from dateflicks.testing.answers import Answers
from dateflicks.testing.conformance import (
    check_bears_faults,
    check_declares_well,
    check_keeps_to_hosts,
    check_resumes,
    check_source,
    check_stops_when_asked,
    check_tells_no_secret,
    check_yields_well,
)
from dateflicks.testing.demands import FallsShort
from dateflicks.testing.trial import Trial, try_source

__all__ = [
    "Answers",
    "FallsShort",
    "Trial",
    "check_bears_faults",
    "check_declares_well",
    "check_keeps_to_hosts",
    "check_resumes",
    "check_source",
    "check_stops_when_asked",
    "check_tells_no_secret",
    "check_yields_well",
    "try_source",
]
