"""docs/seeing-inside.md names each metric that there is, and none besides; what the other pages name is among them."""

import re
from typing import Final

from tests.docs.pages import PAGES, REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "seeing-inside.md"
_NAME: Final = re.compile(r"\bdateflicks_[a-z_]*[a-z]\b(?!\.)")
_ENDS: Final = re.compile(r"_(?:total|bucket|count|sum)$")  # what Prometheus' form adds


def _measured() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "dateflicks" / "server").rglob("*.py")]
    return {name for text in texts for name in re.findall(r'"(dateflicks_[a-z_]*[a-z])', text)}


def _named(text: str) -> set[str]:
    return {_ENDS.sub("", name) for name in _NAME.findall(text)}


def test_the_page_names_each_metric_and_no_other() -> None:
    measured = _measured()
    assert len(measured) > 20
    assert _named(PAGE.read_text(encoding="utf-8")) == measured


def test_other_pages_name_metrics_that_there_are() -> None:
    told = "\n".join(code for page in PAGES for code in re.findall(r"`([^`]+)`", page.read_text(encoding="utf-8")))
    found = {name for name in _named(told) if not re.search(r"_(?:example|source|recommender)", name)}
    assert found <= _measured()
