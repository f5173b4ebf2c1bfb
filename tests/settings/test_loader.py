"""Settings: who wins, where each value came from, and what a mistake says."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from dateflicks.settings.client import ClientSettings
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.keys import keys_of
from dateflicks.settings.loader import MASK, SERVICES, load
from dateflicks.settings.models import explanations, model_text
from dateflicks.settings.services import SessionSettings, TimecodeSettings


def write(folder: Path, service: str, text: str) -> Path:
    path = folder / f"{service}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("service", SERVICES)
def test_the_model_file_names_every_key_with_its_default(service: str, tmp_path: Path) -> None:
    write(tmp_path, service, model_text(service))
    loaded = load(service, SERVICES[service], folders=[tmp_path])
    assert loaded.settings == SERVICES[service]()
    assert {source.kind for source in loaded.sources.values()} == {"file"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_model_file_explains_each_key(service: str) -> None:
    lines = model_text(service).splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            above = next(text for text in reversed(lines[:number]) if "=" not in text or text.startswith("#"))
            assert above.startswith("#"), line


def test_the_model_files_are_in_the_checkout_and_are_toml() -> None:
    folder = Path(__file__).parents[2] / "settings"
    assert {path.name for path in folder.glob("*.model.toml")} == {f"{name}.model.toml" for name in SERVICES}
    for path in folder.glob("*.model.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8"))


def test_a_flag_wins_over_a_variable_over_a_file_over_the_default(tmp_path: Path) -> None:
    path = write(tmp_path, "timecode", "confirm_seconds = 50\nwait_seconds = 5\nband_seconds = 0.2\n")
    environ = {"DATEFLICKS_TIMECODE_CONFIRM_SECONDS": "40", "DATEFLICKS_TIMECODE_WAIT_SECONDS": "4"}
    loaded = load("timecode", TimecodeSettings, flags={"confirm_seconds": 30.0}, environ=environ, folders=[tmp_path])
    found = loaded.settings
    assert (found.confirm_seconds, found.wait_seconds, found.band_seconds) == (30.0, 4.0, 0.2)
    assert found.on_leave == "continue"
    sources = {name: (source.kind, source.name) for name, source in loaded.sources.items()}
    assert sources["confirm_seconds"] == ("flag", "--confirm-seconds")
    assert sources["wait_seconds"] == ("environment", "DATEFLICKS_TIMECODE_WAIT_SECONDS")
    assert sources["band_seconds"] == ("file", str(path))
    assert sources["on_leave"] == ("default", "")


def test_the_first_folder_wins_and_the_second_fills_in(tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    write(near, "client", 'player = "manual"\n')
    write(far, "client", 'player = "simulated"\ngentle = true\n')
    found = load("client", ClientSettings, folders=[near, far]).settings
    assert (found.player, found.gentle) == ("manual", True)


def test_a_missing_file_is_no_mistake(tmp_path: Path) -> None:
    assert load("session", SessionSettings, folders=[tmp_path / "nowhere"]).settings == SessionSettings()


def test_sections_are_read_and_each_service_has_its_own_port(tmp_path: Path) -> None:
    write(tmp_path, "session", '[server]\nport = 9000\nservices = { timecode = "http://127.0.0.1:1" }\n')
    server = load("session", SessionSettings, folders=[tmp_path]).settings.server
    assert (server.port, server.host, server.services) == (9000, "127.0.0.1", {"timecode": "http://127.0.0.1:1"})
    assert SessionSettings().server.port != TimecodeSettings().server.port


def test_variables_of_the_server_section_need_no_section_and_lists_are_comma_separated() -> None:
    environ = {
        "DATEFLICKS_SESSION_PORT": "9001",
        "DATEFLICKS_SESSION_PROXIES": "10.0.0.1, 10.0.0.2",
        "DATEFLICKS_SESSION_SERVICES": "session=http://a,timecode=http://b",
        "DATEFLICKS_SESSION_AUTH_KEY_FILE": "/keys/auth.key",
        "DATEFLICKS_CLIENT_GENTLE": "true",
        "DATEFLICKS_HOME": "/elsewhere",
    }
    found = load("session", SessionSettings, environ=environ).settings
    assert found.server.port == 9001
    assert found.server.proxies == ["10.0.0.1", "10.0.0.2"]
    assert found.server.services == {"session": "http://a", "timecode": "http://b"}
    assert found.auth.key_file == "/keys/auth.key"
    assert load("client", ClientSettings, environ=environ).settings.gentle is True


def test_a_secret_is_read_from_the_file_that_its_variable_names_and_is_masked_when_shown(tmp_path: Path) -> None:
    secret = tmp_path / "uri"
    secret.write_text("mongodb://user:pass@db\n", encoding="utf-8")
    loaded = load("timecode", TimecodeSettings, environ={"DATEFLICKS_TIMECODE_MONGO_URI_FILE": str(secret)})
    assert loaded.settings.mongo.uri == "mongodb://user:pass@db"
    shown = {setting.key: setting.value for setting in loaded.shown()}
    assert shown["timecode.mongo.uri"] == MASK
    assert shown["timecode.confirm_seconds"] == 60.0


def test_a_secret_at_its_default_is_shown_because_there_is_nothing_to_hide() -> None:
    shown = {setting.key: setting.value for setting in load("session", SessionSettings).shown()}
    assert shown["session.mongo.uri"] == "embedded"
    assert shown["session.auth.key"] == ""


def test_a_secret_given_twice_is_a_mistake() -> None:
    environ = {"DATEFLICKS_CLIENT_TOKEN": "a", "DATEFLICKS_CLIENT_TOKEN_FILE": "/b"}
    with pytest.raises(SettingsError, match="keep one of them"):
        load("client", ClientSettings, environ=environ)


def test_a_secret_file_that_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match=r"DATEFLICKS_CLIENT_TOKEN_FILE: /no/such cannot be read"):
        load("client", ClientSettings, environ={"DATEFLICKS_CLIENT_TOKEN_FILE": "/no/such"})


@pytest.mark.parametrize(
    ("text", "key", "suggestion"),
    [
        ("confirm_second = 3", "confirm_second", "confirm_seconds"),
        ("[server]\nprot = 3", "server.prot", "server.port"),
        ("port = 3", "port", "server.port"),
        ("xyzzy = 3", "xyzzy", None),
        ("[nonsense]\nport = 3", "nonsense", None),
    ],
)
def test_a_wrong_key_is_named_with_its_file_and_the_nearest_right_one(
    text: str, key: str, suggestion: str | None, tmp_path: Path
) -> None:
    path = write(tmp_path, "timecode", text)
    with pytest.raises(SettingsError) as caught:
        load("timecode", TimecodeSettings, folders=[tmp_path])
    assert (caught.value.where, caught.value.key, caught.value.suggestion) == (str(path), key, suggestion)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('confirm_seconds = "soon"', "confirm_seconds: must be a number, not 'soon'"),
        ("confirm_seconds = -1", "confirm_seconds: must be a number >= 0.1, not -1"),
        ("on_leave = 'hodl'", "on_leave: must be one of 'continue', 'hold', not 'hodl'"),
        ("[server]\nport = 70000", "server.port: must be a whole number <= 65535, not 70000"),
        ("[server]\nproxies = 'x'", "server.proxies: must be a list, not 'x'"),
        ("server = 3", r"server: is a section: write \[server\]"),
        ("confirm_seconds = ", r"cannot be read: Invalid value \(at end of document\)"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_key(text: str, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path, "timecode", text)
    with pytest.raises(SettingsError, match=f"{path}: {problem}"):
        load("timecode", TimecodeSettings, folders=[tmp_path])


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    write(tmp_path, "client", "token = 12345")
    with pytest.raises(SettingsError) as caught:
        load("client", ClientSettings, folders=[tmp_path])
    assert "12345" not in str(caught.value)


def test_a_wrong_variable_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(SettingsError) as caught:
        load("timecode", TimecodeSettings, environ={"DATEFLICKS_TIMECODE_CONFIRM_SECOND": "2"})
    assert caught.value.suggestion == "DATEFLICKS_TIMECODE_CONFIRM_SECONDS"


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=str(path)):
        load("client", ClientSettings, folders=[tmp_path])


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_keys_share_a_variable(service: str) -> None:
    keys = list(keys_of(SERVICES[service]()))
    assert len({key.variable(service) for key in keys}) == len(keys)


def test_settings_cannot_be_changed_once_loaded() -> None:
    settings = load("client", ClientSettings).settings
    with pytest.raises(AttributeError):
        settings.gentle = True  # type: ignore[misc]  # what is tested
    assert isinstance(settings, msgspec.Struct)


def test_what_is_said_of_one_key_is_not_said_of_the_next() -> None:
    said = explanations("client")
    assert said["timeout_seconds"] == "How long one request may take."
    assert said["consent.seek"] == said["consent.play"]  # keys below one comment share it
