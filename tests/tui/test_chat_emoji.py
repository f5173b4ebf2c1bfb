"""Emoji by name, of certain width, or all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dateflicks.tui.emoji import EMOJI, is_certain, name_of, reaction_name, reaction_shown, shown


@pytest.mark.parametrize(
    ("text", "names", "simple"),
    [
        ("plain", "plain", "plain"),
        ("ha 😂 ha", "ha :joy: ha", "ha 😂 ha"),
        ("ha :joy: ha", "ha :joy: ha", "ha 😂 ha"),
        ("I ❤️ it", "I :heart: it", "I :heart: it"),
        ("I :heart: it", "I :heart: it", "I :heart: it"),
        ("👍🏽", ":+1:", "👍"),
        ("👨‍👩‍👧", ":man_woman_girl:", ":man_woman_girl:"),
        ("🤷‍♀️", ":shrug:", ":shrug:"),
        ("🇫🇷🇩🇪", ":flag_fr::flag_de:", ":flag_fr::flag_de:"),
        ("1️⃣ first", "1 first", "1 first"),
        ("©️ 1968", "© 1968", "© 1968"),
        ("★ ✓ ♥ ▶", "★ ✓ ♥ ▶", "★ ✓ ♥ ▶"),
        ("🦖", ":t_rex:", "🦖"),
        ("می‌خواهم", "می‌خواهم", "می‌خواهم"),
        ("at 21:30:15", "at 21:30:15", "at 21:30:15"),
        (":nosuch:", ":nosuch:", ":nosuch:"),
        ("日本語", "日本語", "日本語"),
    ],
)
def test_a_text_is_shown_in_each_mode(text: str, names: str, simple: str) -> None:
    assert shown(text, "names") == names
    assert shown(text, "simple") == simple


def test_all_leaves_every_emoji_as_it_came() -> None:
    assert shown("👨‍👩‍👧 :heart: 🇫🇷", "all") == "👨‍👩‍👧 ❤️ 🇫🇷"


@pytest.mark.parametrize(
    ("content", "names", "simple", "everything"),
    [
        ("joy", ":joy:", "😂", "😂"),
        (":joy:", ":joy:", "😂", "😂"),
        ("😂", ":joy:", "😂", "😂"),
        ("heart", ":heart:", ":heart:", "❤️"),
        ("❤", ":heart:", ":heart:", "❤️"),
        ("+1", ":+1:", "👍", "👍"),
        ("👨‍👩‍👧", ":man_woman_girl:", ":man_woman_girl:", "👨‍👩‍👧"),
        ("own", ":own:", ":own:", ":own:"),
    ],
)
def test_a_reaction_is_shown_in_each_mode(content: str, names: str, simple: str, everything: str) -> None:
    assert reaction_shown(content, "names") == names
    assert reaction_shown(content, "simple") == simple
    assert reaction_shown(content, "all") == everything


def test_a_reaction_has_one_name_however_it_came() -> None:
    assert {reaction_name(one) for one in ("joy", ":joy:", " 😂 ")} == {"joy"}


@pytest.mark.parametrize("name", sorted(EMOJI))
def test_every_short_name_leads_to_its_emoji_and_back(name: str) -> None:
    assert name_of(EMOJI[name]) == name
    assert reaction_name(name) == name
    assert shown(EMOJI[name], "names") == f":{name}:"


@given(st.text(alphabet=st.sampled_from("a ❤️👍🏽👨‍👩‍👧🇫🇷🏴󠁧󠁢󠁥󠁮󠁧󠁿1️⃣☠️😂★"), max_size=20))
def test_whatever_is_strung_together_has_a_certain_width(text: str) -> None:
    assert all(ord(one) < 0x2700 or one in "❤☠" for one in shown(text, "names"))
    for one in shown(text, "simple"):
        assert one == "\u200d" or cell_len(one) == (2 if is_certain(one) else 1), ascii(one)
