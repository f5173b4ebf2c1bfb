"""What is typed into the composer, understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core import limits
from dateflicks.tui.commands import (
    ALIASES,
    USAGES,
    Accept,
    Act,
    At,
    Call,
    Command,
    Delete,
    Edit,
    Help,
    Mistake,
    Moment,
    Pause,
    Play,
    Predict,
    Quit,
    React,
    Refuse,
    Reply,
    Say,
    Seek,
    Stop,
    Where,
    completions,
    is_talk,
    parse,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("popcorn ready?", Say("popcorn ready?")),
        ("  spaces go  ", Say("spaces go")),
        ("two\nlines", Say("two\nlines")),
        ("//play is what you type", Say("/play is what you type")),
        ("//", Say("/")),
        ("///", Say("//")),
        ("1/2 of it", Say("1/2 of it")),
        (" /play", Say("/play")),
        ("[bold]not markup[/]", Say("[bold]not markup[/]")),
        ("/play", Play()),
        ("/PLAY", Play()),
        ("/play  ", Play()),
        ("/pause", Pause()),
        ("/stop", Stop()),
        ("/where", Where()),
        ("/at 41:12", At(2472.0)),
        ("/at +10", Mistake("Where is your film? Type for example /at 41:12.")),
        ("/at", Mistake("Where is your film? Type for example /at 41:12.")),
        ("/accept", Accept()),
        ("/yes", Accept()),
        ("/y", Accept()),
        ("/refuse", Refuse()),
        ("/no", Refuse()),
        ("/n", Refuse()),
        ("/quit", Quit()),
        ("/q", Quit()),
        ("/exit", Quit()),
        ("/delete", Delete()),
        ("/help", Help()),
        ("/help seek", Help("seek")),
        ("/help /seek", Help("seek")),
        ("/help yes", Help("accept")),
        ("/seek 41:00", Seek(Moment(2460.0))),
        ("/seek 1:02:03", Seek(Moment(3723.0))),
        ("/seek 90", Seek(Moment(90.0))),
        ("/seek 90.5", Seek(Moment(90.5))),
        ("/seek 0", Seek(Moment(0.0))),
        ("/seek +30", Seek(Moment(30.0, is_relative=True))),
        ("/seek -10", Seek(Moment(-10.0, is_relative=True))),
        ("/seek +1:30", Seek(Moment(90.0, is_relative=True))),
        ("/seek   41:00 ", Seek(Moment(2460.0))),
        ("/react joy", React("joy")),
        ("/react :joy:", React("joy")),
        ("/react JOY", React("joy")),
        ("/react +1", React("+1")),
        ("/react 😂", React("joy")),
        ("/react ❤️", React("heart")),
        ("/react ❤", React("heart")),
        ("/react 👍🏽", React("+1")),
        ("/react 🦖", React("🦖")),
        ("/react 👨‍👩‍👧", React("👨‍👩‍👧")),
        ("/me waves", Act("waves")),
        ("/me  waves at [bea] ", Act("waves at [bea]")),
        ("/reply so do I", Reply("so do I")),
        ("/r so do I", Reply("so do I")),
        ("/edit like this", Edit("like this")),
        ("/edit\nlike this", Edit("like this")),
        ("/predict Ben survives", Predict("Ben survives")),
        ("/predict Ben survives; yes; no", Predict("Ben survives", ("yes", "no"))),
        ("/predict Who wins ; Ben ; Harry ; nobody", Predict("Who wins", ("Ben", "Harry", "nobody"))),
        ("/predict Ben survives @ 1:20:00", Predict("Ben survives", (), Moment(4800.0))),
        ("/predict Ben survives @1:20:00", Predict("Ben survives", (), Moment(4800.0))),
        ("/predict Ben; yes; no @ 80:00", Predict("Ben", ("yes", "no"), Moment(4800.0))),
        ("/predict Ben; yes; no @ 4800", Predict("Ben", ("yes", "no"), Moment(4800.0))),
        ("/predict Ben @ +10:00", Predict("Ben", (), Moment(600.0, is_relative=True))),
        ("/predict they meet @ the farm", Predict("they meet @ the farm")),
        ("/predict me@home @ 1:00:00", Predict("me@home", (), Moment(3600.0))),
        ("/call yes", Call("yes")),
        ("/call yes 80%", Call("yes", 0.8)),
        ("/call yes 0.8", Call("yes", 0.8)),
        ("/call yes .8", Call("yes", 0.8)),
        ("/call yes 100%", Call("yes", 1.0)),
        ("/call the dog did it 55%", Call("the dog did it", 0.55)),
        ("/call #2 no", Call("no", None, 2)),
        ("/call #2 no 70%", Call("no", 0.7, 2)),
        ("/call 80%", Call("80%")),
        ("/call 2", Call("2")),
    ],
)
def test_a_line_is_understood(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/plya", "Did you mean /play?"),
        ("/pasue", "Did you mean /pause?"),
        ("/sek 41:00", "Did you mean /seek?"),
        ("/reakt joy", "Did you mean /react?"),
        ("/predcit x", "Did you mean /predict?"),
        ("/zzzz", "/help tells what there is"),
        ("/", "begin it with //"),
        ("/ hello", "begin it with //"),
        ("/help sek", "Did you mean /seek?"),
        ("/play now", "stands alone"),
        ("/quit please", "stands alone"),
        ("/seek", "/seek 41:00"),
        ("/seek later", "/seek 41:00"),
        ("/seek 1:99", "/seek 41:00"),
        ("/seek --3", "/seek 41:00"),
        ("/seek nan", "/seek 41:00"),
        ("/seek inf", "/seek 41:00"),
        ("/seek 999999999", "/seek 41:00"),
        ("/react", "/react joy"),
        ("/react joyy", "Did you mean joy?"),
        ("/react qqqqq", "tab shows more"),
        ("/react 😂😂", "no such reaction"),
        ("/me", "/me waves"),
        ("/reply", "/reply text"),
        ("/edit", "/edit text"),
        ("/predict", "/predict text"),
        ("/predict ; yes; no", "/predict text"),
        ("/predict x; yes", "2 to 6 options"),
        ("/predict x; a; b; c; d; e; f; g", "2 to 6 options"),
        ("/predict x; yes; ", "empty"),
        ("/predict x; yes; YES", "the same"),
        ("/predict x @ 1:99:00", "no position"),
        ("/predict x @ -3", "in the past"),
        (f"/predict {'x' * 501}", "500 characters"),
        (f"/predict x; {'a' * 81}; b", "80 characters"),
        ("/call", "/call yes 80%"),
        ("/call #2", "/call yes 80%"),
        ("/call yes 0%", "1% to 100%"),
        ("/call yes 101%", "1% to 100%"),
        ("x" * 4001, "4,001 characters; a message holds 4,000"),
        ("/me " + "x" * 4001, "a message holds 4,000"),
    ],
)
def test_a_mistake_says_what_is_wrong_and_what_to_type(line: str, words: str) -> None:
    found = parse(line)
    assert isinstance(found, Mistake)
    assert words in found.sentence
    assert len(found.sentence) < 160


@pytest.mark.parametrize("line", ["", " ", "\n\n", "\t"])
def test_an_empty_line_is_no_mistake_to_speak_of(line: str) -> None:
    assert parse(line) == Mistake("")


def test_the_longest_message_passes() -> None:
    assert parse("x" * limits.TEXT_MAX_CHARACTERS) == Say("x" * limits.TEXT_MAX_CHARACTERS)


def test_a_hostile_command_word_is_cut_short() -> None:
    found = parse("/" + "a" * 3000)
    assert isinstance(found, Mistake)
    assert len(found.sentence) < 80


@pytest.mark.parametrize("name", sorted(USAGES))
def test_every_command_has_a_usage_that_parses(name: str) -> None:
    pattern = USAGES[name].pattern.replace("[", "").replace("]", "").replace("; option; option", "; one; other")
    assert not isinstance(parse(pattern), Mistake)
    assert not isinstance(parse(f"/help {name}"), Mistake)


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_an_alias_is_another_word_for_a_command(alias: str) -> None:
    assert ALIASES[alias] in USAGES


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    for line in (text, f"/{text}", *(f"/{name} {text}" for name in USAGES)):
        found = parse(line)
        assert not isinstance(found, Mistake) or found.sentence or not line.strip()
        completions(line)
        is_talk(line)


@given(st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip())))
def test_two_slashes_send_any_text_that_begins_with_one(text: str) -> None:
    assert parse(f"//{text}") == Say(f"/{text}".strip())


@pytest.mark.parametrize(
    ("line", "talks"),
    [
        ("hello", True),
        ("//play", True),
        ("/me w", True),
        ("/reply w", True),
        ("/r w", True),
        ("/edit w", True),
        ("", False),
        ("  ", False),
        ("/", False),
        ("/me", False),
        ("/seek 41", False),
        ("/pl", False),
    ],
)
def test_only_what_others_will_read_counts_as_writing(line: str, talks: bool) -> None:
    assert is_talk(line) is talks


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/pl", ("/play",)),
        ("/se", ("/seek ",)),
        ("/p", ("/play", "/pause", "/predict ")),
        ("/re", ("/refuse", "/react ", "/reply ")),
        ("/react jo", ("/react joy",)),
        ("/react :jo", ("/react joy",)),
        ("/react +", ("/react +1",)),
        ("/help se", ("/help seek",)),
        (":jo", (":joy:",)),
        ("stop it :jo", ("stop it :joy:",)),
        ("two\nlines :popc", ("two\nlines :popcorn:",)),
        ("at 21:30", ()),
        ("http://a:jo", ()),
        ("hello", ()),
        ("", ()),
        ("/zz", ()),
        ("/play ", ()),
    ],
)
def test_half_a_word_is_completed(before: str, expected: tuple[str, ...]) -> None:
    assert completions(before) == expected


def test_what_is_completed_can_be_sent() -> None:
    for one in (*completions("/react "), *completions("/help ")):
        assert not isinstance(parse(one), Mistake)
