"""Cleaning: whatever comes in, what is kept can be printed anywhere and says what it said."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dateflicks.protocol.text import clean_line, clean_text, is_clean_line

NASTY = st.sampled_from(
    [
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1b]52;c;aGk=\x1b\\",
        "\x1bP1$r\x9c",
        "\x9b31m",
        "\x1b",
        "\x9d8;;x",
        "\x07",
        "\x08" * 5,
        "\r",
        "\r\n",
        "\n",
        "\t",
        "\v",
        "\x85",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\u200f",
        "\ufeff",
        "\u200b" * 9,
        "\u200d",
        "\u200c",
        "\u0301" * 9,
        "\u20dd" * 5,
        "\ud800",
        "\udfff",
        "\ue000",
        "\U0010ffff",
        "\x7f",
        "\x00",
        "\ufe0f" * 3,
        "\u3164",
        "\u00ad",
        "e\u0301",
        "\u1100\u1161",
        "\U0001f468\u200d\U0001f469",
        "\U0001f3f4\U000e0067",
        "\U000e0067",
        "👍🏽",
        " ",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=5), st.text(st.characters(), max_size=5))).map("".join)
FORBIDDEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


def is_harmless(text: str) -> bool:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in FORBIDDEN and character not in "\n\t":
            return False
        if category == "Cf" and character not in "\u200c\u200d" and not 0xE0020 <= ord(character) < 0xE0080:
            return False
        marks = marks + 1 if category in ("Mn", "Me") and character not in "\ufe0e\ufe0f" else 0
        if marks > 4:
            return False
    return unicodedata.is_normalized("NFC", text)


@given(TEXT, st.integers(1, 60))
@example("\u0301" * 6 + "e", 3)
def test_no_text_brings_in_a_control_character_and_cleaning_twice_changes_nothing(text: str, most: int) -> None:
    for clean in (clean_line, clean_text):
        found = clean(text, most)
        assert is_harmless(found)
        assert len(found) <= most
        assert clean(found, most) == found
        assert clean(found, most + 10) == found


@given(TEXT)
def test_a_line_is_one_line(text: str) -> None:
    found = clean_line(text, 1_000)

    assert not set(found) & set("\n\t\r")
    assert found == found.strip()
    assert "  " not in found


def is_half(character: str) -> bool:
    """A vowel or an end of old Korean, which is drawn onto what is before."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"


@given(st.text(st.characters(codec="utf-8", categories=("Lu", "Ll", "Lo", "Nd", "Po", "Sc")), max_size=100))
def test_words_of_any_script_stay_as_they_are_but_for_composition(text: str) -> None:
    invisible = set("\u115f\u1160\u3164\uffa0")
    composed = unicodedata.normalize("NFC", "".join(filter(lambda c: c not in invisible and not is_half(c), text)))

    assert clean_text(composed, 10_000) == composed


@pytest.mark.parametrize(
    "text",
    [
        "Hallo Welt",
        "cafe\u0301",
        "שלום",
        "سلام",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Tiếng Việt",
        "हिन्दी",
        "क्\u200cष and क्\u200dष",
        "ශ්\u200dරී",
        "ကျွှေး",
        "Quoi\u00a0?",
        "葛\U000e0100",
        "\u1112\u119e\u11ab",  # a syllable of old Korean
        "🎬🍿",
        "👍🏽",
        "❤️",
        "👨\u200d👩\u200d👧\u200d👦",
        "🏳️\u200d🌈",
        "👩🏽\u200d🚀",
        "🙂\u200d↔️",
        "1️⃣",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "[bold]%s ${path} {\\an8}[/bold]",
        "<script>",
        "C:\\films",
    ],
)
def test_what_people_write_comes_through(text: str) -> None:
    assert clean_line(text, 200) == unicodedata.normalize("NFC", text)
    assert clean_text(text, 200) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[2Jb", "ab"),
        ("a\x1b[38;5;1mred\x1b[0m", "ared"),
        ("a\x9b2Jb", "ab"),
        ("a\x1b]0;owned\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bP+q544e\x1b\\b", "ab"),
        ("a\x1b]52;c;never ends", "a"),
        ("a\x1b(0b", "ab"),
        ("pass\rword", "pass word"),
        ("abc\x08\x08\x08xyz", "abcxyz"),
        ("exe.\u202egpj", "exe.gpj"),
        ("a\u200b\u200b\u2060\ufeffb", "ab"),
        ("z" + "\u0329" * 50, "z" + "\u0329" * 4),
        ("one\u2028two\u2029three\x85four", "one two three four"),
        ("a" + ("\u0301" * 4 + "\u0903") * 50, "á" + "\u0301" * 3 + "\u0903\u0301"),
        ("a" + "\u0903" * 50, "a" + "\u0903" * 8),
        ("\u0301\u0903\u20ddabc \u0301d", "abc d"),
        ("\u1100" + "\u1161" * 50, "가" + "\u1161" * 8),
        ("a\u00a0\u3000\u2003b", "a b"),
        ("👩" + "\u200d👩" * 9, "👩" + "\u200d👩" * 4 + "👩" + "\u200d👩" * 4),
        ("🏴" + "\U000e0067" * 50 + "x", "🏴" + "\U000e0067" * 7 + "x"),
        ("🏴\U000e0067\U000e007f\U000e0067", "🏴\U000e0067\U000e007f"),
        ("x" + "\ufe00\ufe01" * 9, "x\ufe00"),
        ("7\U000e0100\U000e0101", "7"),
        ("  wide   open  ", "wide open"),
        ("a\u200db", "ab"),
        ("\U0001f468\u200d\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\U000e0067x", "x"),
        ("\ufe0f\ufe0fx", "x"),
    ],
)
def test_what_a_terminal_would_act_on_goes_whole(text: str, expected: str) -> None:
    assert clean_line(text, 200) == expected


def test_text_keeps_lines_and_tabs_but_not_a_screen_of_nothing() -> None:
    assert clean_text("one\r\n\ttwo  \n\n\n\n\nthree\n\n", 200) == "one\n\ttwo\n\nthree"
    assert clean_text("x\n" * 10_000, 100_000).count("\n") == 99
    assert clean_text("one\n\u3000\n\u2003\n \n\u00a0\ntwo\u3000", 200) == "one\n\ntwo"
    assert clean_text("\u3000\u0301\u200d\ufe0f", 200) == ""


def test_a_cut_never_leaves_half_an_emoji_joined_to_nothing() -> None:
    assert clean_line("👨\u200d👩", 2) == "👨"
    assert clean_line("word word", 5) == "word"


def test_an_address_is_clean_or_it_is_not() -> None:
    assert is_clean_line("https://films.example.org/a%20b?c=d", 2_048)
    assert not is_clean_line("https://films.example.org/\x1b[2J", 2_048)
    assert not is_clean_line("film.mkv ", 2_048)
