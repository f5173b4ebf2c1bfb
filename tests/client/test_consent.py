"""What is answered for a person, by kind of change."""

import pytest

from dateflicks.client.consent import Consent, ConsentSettings


def test_by_itself_everything_but_a_move_is_agreed_to_and_told() -> None:
    settings = ConsentSettings()
    assert [settings.of(kind) for kind in ("pause", "play", "stop")] == [Consent.TELL] * 3
    assert settings.of("seek") is Consent.ASK


@pytest.mark.parametrize("consent", Consent)
def test_one_answer_can_be_given_for_every_kind(consent: Consent) -> None:
    settings = ConsentSettings.all(consent)
    assert {settings.of(kind) for kind in ("pause", "play", "stop", "seek")} == {consent}


def test_each_kind_has_its_own_answer() -> None:
    settings = ConsentSettings(pause=Consent.FREE, play=Consent.ASK, seek=Consent.TELL, stop=Consent.ASK)
    answers = [settings.of(kind) for kind in ("pause", "play", "seek", "stop")]
    assert answers == [Consent.FREE, Consent.ASK, Consent.TELL, Consent.ASK]


def test_a_kind_that_there_is_not_is_no_consent() -> None:
    with pytest.raises(AttributeError):
        ConsentSettings().of("rewind")
