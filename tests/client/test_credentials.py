"""Kept sign-ins: for their owner only, by server, surviving crashes and rivals; a keyring where one works."""

import errno
import stat
import threading
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from dateflicks.client import credentials
from dateflicks.client.credentials import TICKETS_MAX, CredentialStore, CredentialsUnreadable, SignIn

HERE = "http://127.0.0.1:8700"
ANA = SignIn(name="ana", user_id="usr_a", expires_at="2026-12-24T01:43:00.123Z", token="t0ken")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "credentials.json"


@pytest.fixture
def store(path: Path) -> CredentialStore:
    return CredentialStore(path, keep_in="file")


def test_a_sign_in_comes_back_and_only_for_its_server(store: CredentialStore) -> None:
    store.put(HERE, ANA)
    assert store.get(HERE) == ANA
    assert store.get("https://films.example.org") is None


def test_nobody_else_can_read_the_file_or_look_into_its_folder(store: CredentialStore, path: Path) -> None:
    store.put(HERE, ANA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_forgetting_one_server_leaves_the_others(store: CredentialStore) -> None:
    store.put(HERE, ANA)
    store.put("http://b", ANA)
    store.forget(HERE)
    store.forget("http://never-seen")
    assert (store.get(HERE), store.get("http://b")) == (None, ANA)


def test_tickets_are_kept_with_their_sign_in_and_the_oldest_go_first(store: CredentialStore) -> None:
    store.put_ticket(HERE, "ses_lost", "nobody is signed in")
    store.put(HERE, ANA)
    for number in range(TICKETS_MAX + 1):
        store.put_ticket(HERE, f"ses_{number}", f"ticket {number}")
    assert store.ticket(HERE, f"ses_{TICKETS_MAX}") == f"ticket {TICKETS_MAX}"
    assert store.ticket(HERE, "ses_0") is None
    assert store.ticket(HERE, "ses_lost") is None
    assert store.ticket("http://b", "ses_1") is None


def test_signing_in_anew_drops_the_tickets_of_the_one_before(store: CredentialStore) -> None:
    store.put(HERE, ANA)
    store.put_ticket(HERE, "ses_x", "ana's")
    store.put(HERE, ANA)
    assert store.ticket(HERE, "ses_x") is None


def test_a_file_that_makes_no_sense_is_told_and_left_alone(store: CredentialStore, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CredentialsUnreadable, match="makes no sense"):
        store.get(HERE)
    with pytest.raises(CredentialsUnreadable):
        store.put(HERE, ANA)
    assert path.read_text(encoding="utf-8") == "{"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CredentialsUnreadable, match="cannot be written"):
        CredentialStore(tmp_path / "file" / "credentials.json", keep_in="file").put(HERE, ANA)


def test_whether_a_sign_in_can_be_kept_is_known_beforehand_and_nothing_is_left_behind(
    store: CredentialStore, path: Path
) -> None:
    store.check()
    assert not path.parent.exists()
    store.put(HERE, ANA)
    before = path.read_bytes()
    store.check()
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.iterdir()} == {path.name, path.with_suffix(".lock").name}
    with pytest.raises(CredentialsUnreadable, match=r"cannot be written: Not a directory\. Make .* DATEFLICKS_HOME"):
        CredentialStore(path / "credentials.json", keep_in="file").check()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CredentialsUnreadable, match="makes no sense"):
        store.check()


def test_a_full_disk_is_told_as_such(store: CredentialStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(credentials, "probe_private", full)
    with pytest.raises(CredentialsUnreadable, match=r"No space left on device\. Make room"):
        store.check()


def test_rivals_do_not_lose_each_others_sign_ins(path: Path) -> None:
    def sign_in(number: int) -> None:
        CredentialStore(path, keep_in="file").put(f"http://{number}", ANA)

    rivals = [threading.Thread(target=sign_in, args=(number,)) for number in range(8)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    store = CredentialStore(path, keep_in="file")
    assert all(store.get(f"http://{number}") == ANA for number in range(8))


class Keyring(ModuleType):
    """A keyring that works, as the tests see it."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    found = Keyring()
    monkeypatch.setattr(credentials, "_working_keyring", lambda: found)
    return found


def test_a_working_keyring_has_the_token_and_the_file_does_not(path: Path, keyring: Keyring) -> None:
    store = CredentialStore(path)
    assert store.put(HERE, ANA).kept_in == "keyring"
    assert "t0ken" not in path.read_text(encoding="utf-8")
    found = store.get(HERE)
    assert found is not None
    assert (found.token, found.name) == ("t0ken", "ana")
    store.forget(HERE)
    assert (store.get(HERE), keyring.kept) == (None, {})


def test_the_keyring_keeps_the_sign_ins_of_profiles_apart(tmp_path: Path, keyring: Keyring) -> None:
    work, home = CredentialStore(tmp_path / "w.json", profile="work"), CredentialStore(tmp_path / "h.json")
    home.put(HERE, ANA)
    work.put(HERE, msgspec.structs.replace(ANA, token="another"))
    assert [found.token for one in (work, home) if (found := one.get(HERE))] == ["another", ANA.token]
    work.forget(HERE)
    assert (work.get(HERE), home.get(HERE) is not None) == (None, True)


def test_a_keyring_that_lost_the_token_means_signed_out(path: Path, keyring: Keyring) -> None:
    store = CredentialStore(path)
    store.put(HERE, ANA)
    keyring.kept.clear()
    assert store.get(HERE) is None


def test_a_keyring_that_refuses_leaves_the_token_in_the_file(
    path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = pytest.importorskip("keyring.errors")

    def refuse(*_: object) -> None:
        raise errors.KeyringLocked("no")

    monkeypatch.setattr(keyring, "set_password", refuse)
    assert CredentialStore(path).put(HERE, ANA).kept_in == "file"
    assert CredentialStore(path).get(HERE) == ANA


def test_without_a_keyring_the_file_has_the_token(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_working_keyring", lambda: None)
    assert CredentialStore(path).put(HERE, ANA).kept_in == "file"
    with pytest.raises(CredentialsUnreadable, match="No keyring works here"):
        CredentialStore(path, keep_in="keyring").put(HERE, ANA)


def test_a_keyring_is_not_even_loaded_for_a_sign_in_kept_in_the_file(
    path: Path, store: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(HERE, ANA)
    monkeypatch.setattr(credentials, "_working_keyring", lambda: pytest.fail("the keyring was loaded"))
    assert CredentialStore(path).get(HERE) == ANA


def test_a_headless_machine_has_no_working_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    fail = pytest.importorskip("keyring.backends.fail")
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    assert credentials._working_keyring() is None
