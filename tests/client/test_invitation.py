"""The word of an invitation: what it is made of, every way it may be typed, and what is none."""

import shlex

import pytest

from dateflicks.client.errors import DoesNotFit
from dateflicks.client.invitation import Invitation, read_invitation

CODE = "k3v9x-tzq41-09ajm-hd2we"


@pytest.mark.parametrize(
    "server",
    [None, "http://127.0.0.1:8700", "https://films.example.org", "https://example.org/films", "http://[::1]:8700"],
)
def test_what_is_written_is_read_again(server: str | None) -> None:
    assert read_invitation(Invitation(CODE, server).word) == Invitation(CODE, server)


def test_a_plain_address_is_written_without_its_scheme() -> None:
    assert Invitation(CODE, "http://192.168.1.7:8700").word == f"{CODE}@192.168.1.7:8700"


@pytest.mark.parametrize(
    "text",
    [f"{CODE}@example.org:8700", f" {CODE}@http://EXAMPLE.org:8700/ \n", f"http://example.org:8700/j/{CODE}"],
)
def test_it_may_be_pasted_with_blanks_or_come_as_an_address(text: str) -> None:
    assert read_invitation(text) == Invitation(CODE, "http://example.org:8700")


def test_a_bare_code_names_no_server() -> None:
    assert read_invitation(CODE) == Invitation(CODE, None)


def test_the_id_of_a_session_is_an_invitation_by_name() -> None:
    assert read_invitation("ses_" + "a" * 26 + "@example.org").is_by_name
    assert not read_invitation(CODE).is_by_name


@pytest.mark.parametrize("server", ["http://192.168.1.7:8700", "https://example.org/films"])
def test_no_shell_sees_anything_in_it(server: str) -> None:
    word = Invitation(CODE, server).word
    assert shlex.quote(word) == word


@pytest.mark.parametrize(
    "text",
    ["", "k3", f"{CODE}@", "@example.org", "two words", f"{CODE}@ftp://example.org", f"{CODE}@e.org?x=1", "$(reboot)",
     "\x1b[2J", f"{CODE};ls@example.org", "http://example.org/j/", "../../etc/passwd@example.org"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DoesNotFit):
        read_invitation(text)
