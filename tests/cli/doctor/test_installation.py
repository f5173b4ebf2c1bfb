"""Python, its packages and the locale, each in its good and its bad state."""

from pathlib import Path

import pytest

from dateflicks import __version__
from dateflicks.cli.doctor.installation import fits, read
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look, one


@pytest.mark.parametrize(
    ("own", "wanted", "is_so"),
    [
        ("1.2.3", ">=1.2,<2", True),
        ("2.0", ">=1.2,<2", False),
        ("25.12.1", "~=25.12", True),
        ("26.1", "~=25.12", False),
        ("0.8.1", "==0.8.1", True),
        ("0.8", "==0.8.0", True),
        ("0.8.2", "!=0.8.2", False),
        ("1.5rc1", ">=1.4", True),
        ("1.9.4", "==1.9.*", True),
        ("1.10", "==1.9.*", False),
        ("3.11.7", ">=3.11", True),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_their_requirements_mean(own: str, wanted: str, is_so: bool) -> None:
    assert fits(own, wanted) is is_so


def test_requirements_are_read_as_metadata_has_them() -> None:
    assert read("sanic~=25.12") == ("sanic", "~=25.12", "")
    assert read("typer<0.30,>=0.29") == ("typer", "<0.30,>=0.29", "")
    assert read("redis>=6.4; extra == 'redis'") == ("redis", ">=6.4", "redis")
    assert read("nx-27017 (==0.8.1)") == ("nx-27017", "==0.8.1", "")


def test_python_and_packages_are_as_required_here(doctor: Cli) -> None:
    rows = look(doctor, "python", "packages")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    assert __version__ in rows[0]["found"]


def test_an_old_package_is_named_with_what_to_install(
    doctor: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "old" / "msgspec-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: msgspec\nVersion: 0.1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "old"))
    told = one(look(doctor, "packages"), "wrong")
    assert "msgspec is 0.1" in told
    assert "-m pip install 'msgspec<0.23,>=0.22'" in told


@pytest.mark.parametrize(
    ("locale", "state"),
    [
        ({"LANG": "de_DE.UTF-8"}, "ok"),
        ({"LANG": "x.utf8", "LC_ALL": "C"}, "note"),
        ({"LC_CTYPE": "de_DE.ISO-8859-1"}, "wrong"),
    ],
)
def test_the_locale_says_whether_text_is_utf_8(locale: dict[str, str], state: str, doctor: Cli) -> None:
    assert look(doctor, "locale", **locale)[0]["state"] == state
