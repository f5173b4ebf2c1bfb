"""Keys: what has one, what the settings may move, and what a mistake in them says."""

from itertools import groupby

import pytest

from dateflicks.tui.keys import BINDINGS, WrongKeys, is_printable, read_keys, shown, table

USUAL = read_keys({})


def problem(**chosen: str) -> WrongKeys:
    with pytest.raises(WrongKeys) as caught:
        read_keys({name.replace("_", "-"): keys for name, keys in chosen.items()})
    return caught.value


def test_the_usual_keys_are_those_of_the_table() -> None:
    assert USUAL.bindings == BINDINGS


def test_every_binding_has_a_name_of_its_own() -> None:
    assert len({one.id for one in BINDINGS}) == len(BINDINGS)


def test_every_usual_key_is_one_that_the_settings_could_name_too() -> None:
    for binding in BINDINGS:
        again = read_keys({binding.id: " ".join(binding.keys)})
        assert again[binding.id] == binding


def test_every_binding_says_what_it_does() -> None:
    for binding in BINDINGS:
        assert binding.label, binding.id
        assert binding.description[0].isupper(), binding.id
        assert not binding.description.endswith("."), binding.id


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("play-pause", "space"), ("back-10", "left"), ("forward-10", "right"), ("back-60", "shift+left"),
        ("forward-60", "shift+right"), ("go-to", "g"), ("react", "r"), ("predict", "p"), ("resync", "s"),
        ("agree", "y"),
        ("refuse", "n"), ("help", "f1"), ("palette", "ctrl+p"), ("leave", "q"), ("talk", "slash"), ("view-chat", "c"),
    ],
)  # fmt: skip
def test_the_film_has_the_keys_that_people_are_told(name: str, key: str) -> None:
    assert USUAL[name].keys[0] == key


def test_the_settings_move_a_key() -> None:
    keymap = read_keys({"play-pause": "k space", "leave": "ctrl+l"})
    assert (keymap["play-pause"].keys, keymap["leave"].keys) == (("k", "space"), ("ctrl+l",))
    assert keymap["react"] == USUAL["react"]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (".", "full_stop"), ("ctrl+B", "ctrl+b"), ("PgUp", "pageup"), ("K", "K"), ("Ctrl+left", "ctrl+left"),
        ("+", "plus"), ("F12", "f12"), (",", "comma"), ("shift+tab", "shift+tab"), ("del", "delete"), ("ä", "ä"),
    ],
)  # fmt: skip
def test_keys_are_written_as_people_write_them(written: str, key: str) -> None:
    assert read_keys({"react": written, "scroll-up": "up"})["react"].keys == (key,)


def test_a_key_can_be_taken_away() -> None:
    keymap = read_keys({"stop": ""})
    assert keymap["stop"].keys == ()
    assert keymap.shown("stop") == ""
    assert "stop" not in [one.id for one in keymap.hints("film")]


def test_a_name_that_is_nothing_s_is_a_mistake_with_what_was_meant() -> None:
    found = problem(play_paus="k")
    assert found.suggestion == "play-pause"
    assert "Did you mean 'play-pause'?" in str(found)


@pytest.mark.parametrize(("key", "same"), [
    ("ctrl+m", "enter"), ("ctrl+i", "tab"), ("ctrl+j", "enter"), ("ctrl+h", "backspace"), ("ctrl+[", "escape"),
])  # fmt: skip
def test_a_key_that_is_another_in_a_terminal_is_refused_and_said_to_be(key: str, same: str) -> None:
    assert f"it is the same as {same}" in str(problem(react=key))


@pytest.mark.parametrize("key", [
    "ctrl+enter", "shift+enter", "ctrl+shift+a", "alt+x", "super+a", "ctrl+1", "f13", "hyper", "shift+a", "ctrl+space",
])  # fmt: skip
def test_a_key_that_many_terminals_do_not_know_is_refused(key: str) -> None:
    assert f"'{key}' can not be used" in str(problem(react=key))


@pytest.mark.parametrize("name", ["send", "to_film", "help", "palette", "submit"])
@pytest.mark.parametrize("key", ["k", "space", "?"])
def test_where_one_writes_a_letter_is_written_and_so_is_no_key(name: str, key: str) -> None:
    assert "it is written where one writes" in str(problem(**{name: key}))


def test_a_key_for_two_things_in_one_place_is_refused_and_both_are_named() -> None:
    found = problem(play_pause="r")
    assert (found.name, "'react'" in found.problem) == ("play-pause", True)
    assert problem(react="space").name == "react"


def test_two_moved_keys_may_change_places() -> None:
    keymap = read_keys({"react": "p", "predict": "r"})
    assert (keymap["react"].keys, keymap["predict"].keys) == (("p",), ("r",))


def test_a_key_that_works_everywhere_is_taken_everywhere() -> None:
    assert "'palette'" in problem(react="ctrl+p").problem
    assert problem(palette="ctrl+f").name == "palette"


def test_one_key_may_do_different_things_in_different_places() -> None:
    assert read_keys({"new-session": "m", "react": "m"})["react"].keys == ("m",)


@pytest.mark.parametrize("name", ["help", "palette", "back", "quit"])
def test_there_is_always_a_way_out(name: str) -> None:
    assert "needs a key" in str(problem(**{name: ""}))


@pytest.mark.parametrize(
    ("key", "text", "ascii_text"),
    [
        ("ctrl+p", "^p", "^p"), ("left", "←", "left"), ("shift+left", "shift+←", "shift+left"), ("slash", "/", "/"),
        ("question_mark", "?", "?"), ("escape", "esc", "esc"), ("space", "space", "space"), ("f1", "f1", "f1"),
    ],
)  # fmt: skip
def test_keys_are_shown_as_they_are_called(key: str, text: str, ascii_text: str) -> None:
    assert (shown(key), shown(key, ascii_only=True)) == (text, ascii_text)


@pytest.mark.parametrize(
    ("key", "printable"),
    [("a", True), ("space", True), ("slash", True), ("f1", False), ("ctrl+a", False), ("up", False)],
)
def test_what_is_written_is_known(key: str, printable: bool) -> None:
    assert is_printable(key) is printable


def test_hints_begin_with_what_is_needed_most_and_hold_help_and_palette() -> None:
    for context in ("film", "lobby", "predictions", "composer"):
        names = [one.id for one in USUAL.hints(context)]
        assert names[-2:] == ["help", "palette"]
    assert [one.id for one in USUAL.hints("film")][:2] == ["play-pause", "talk"]


def test_the_table_for_help_has_every_binding_once_and_each_place_in_one_piece() -> None:
    rows = list(table(USUAL))
    assert [row[3] for row in rows] == [one.id for one in BINDINGS]
    places = [place for place, _ in groupby(row[0] for row in rows)]
    assert len(places) == len(set(places))
    assert all(row[1].isascii() for row in table(USUAL, ascii_only=True))
