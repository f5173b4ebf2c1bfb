"""What counts as the answer that a page shows, and what does not."""

import pytest

from tests.docs.outputs import is_answered

TOLD = """\
id                              state     name
ses_zxlc4lmjp3ogbmsifzrqkbbxna  accepted  bea
ses_kpoqioq66griquim4j3xjffrte  ended     ana
Kept in /home/bea/films, at 127.0.0.1:40963; code k3v9x-tzq41-09ajm-hd2we, 0.32 s.
"""


@pytest.mark.parametrize(
    "shown",
    [
        TOLD,
        TOLD.replace("zxlc4lmjp3ogbmsifzrqkbbxna", "7fk2").replace("  accepted", "          accepted"),
        TOLD.replace("/home/bea/films", "~/films").replace("127.0.0.1:40963", "192.168.1.7:8700").replace("0.32", "12"),
        "id state name\n…\nKept in …\n",
        "…\nses_7fk2  ended  ana\n…\n",
    ],
)
def test_what_is_another_each_time_and_what_is_left_out_are_no_difference(shown: str) -> None:
    assert is_answered(shown.splitlines(), TOLD)


@pytest.mark.parametrize(
    "shown",
    [
        TOLD.replace("accepted", "pending"),
        TOLD.replace("state ", ""),
        "id state name\nKept in …\n",
        "…\nses_7fk2  ended  ana\n",
        TOLD + "More.\n",
    ],
)
def test_other_words_and_lines_that_are_missing_are(shown: str) -> None:
    assert not is_answered(shown.splitlines(), TOLD)
