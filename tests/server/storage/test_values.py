"""What is refused before anything is sent, and other people's JSON as text. No database is needed to say no."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.storage.records import Collection, Index, UnsafeValue, opaque, revealed
from dateflicks.server.storage.values import check_document, check_filter_value, is_document_id

THINGS = Collection("Things", "things", (Index(("name",), unique=True), Index(("kind",)), Index(("kind", "order"))))


def nested(levels: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize("id", ["a", "Z9", "ses_abc", "usr_a:1-2.3", "abcdefabcdefabcdefabcde", "a" * 200])
def test_an_id_starts_with_a_letter_and_is_plain(id: str) -> None:  # noqa: A002
    assert is_document_id(id)


@pytest.mark.parametrize("id", ["", "1", "_a", "-a", " a", "a ", "a\n", "a/b", "ä", "aä", "a\0", "a" * 201, "aB" * 12])
def test_an_id_is_neither_a_number_nor_an_object_id_nor_odd(id: str) -> None:  # noqa: A002
    assert not is_document_id(id)


@pytest.mark.parametrize("document", [{}, {"_id": None}, {"_id": 1}, {"_id": "1"}, {"_id": b"a"}, {"_id": ["a"]}])
def test_a_document_needs_an_id(document: dict[str, Any]) -> None:
    with pytest.raises(UnsafeValue, match="_id"):
        check_document(THINGS, document | {"name": "n"})


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        2**63,
        -(2**63) - 1,
        b"bytes",
        datetime(2025, 11, 25, tzinfo=UTC),
        Decimal(1),
        {1, 2},
        (1, 2),
        object(),
        "half a pair \ud800",
    ],
)
@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"in": {"side": one}}])
def test_what_does_not_come_back_as_it_went_is_refused(value: Any, wrap: Callable[[Any], Any]) -> None:
    with pytest.raises(UnsafeValue):
        check_document(THINGS, {"_id": "a1", "name": "n", "value": wrap(value)})


@pytest.mark.parametrize("key", ["", "$date", "$set", "a.b", "a_b", "_id", "1a", "a'b", 'a"b', "a b", "ä", 1, None])
def test_a_key_is_a_plain_word(key: Any) -> None:
    with pytest.raises(UnsafeValue, match="no key"):
        check_document(THINGS, {"_id": "a1", "name": "n", "value": [{key: 1}]})
    if key != "_id":
        with pytest.raises(UnsafeValue, match="no key"):
            check_document(THINGS, {"_id": "a1", "name": "n", key: 1})


def test_a_document_has_a_value_in_each_unique_field() -> None:
    for document in ({"_id": "a1"}, {"_id": "a1", "name": None}):
        with pytest.raises(UnsafeValue, match="name is unique"):
            check_document(THINGS, document)


@pytest.mark.parametrize("field", ["name", "kind", "order"])
@pytest.mark.parametrize("value", ["2025-11-25", "1", "", " a", "a\0b", True, [], {}, ["a"]])
def test_an_indexed_field_holds_only_what_can_be_looked_up(field: str, value: Any) -> None:
    with pytest.raises(UnsafeValue, match=field):
        check_document(THINGS, {"_id": "a1", "name": "n", field: value})


def test_the_same_text_in_a_field_that_is_not_looked_up_is_fine() -> None:
    check_document(THINGS, {"_id": "a1", "name": "n", "text": "2025-11-25", "more": ["a\0b", "", True]})


def test_nesting_has_an_end() -> None:
    for wrap in (lambda one: [one], lambda one: {"a": one}):
        check_document(THINGS, {"_id": "a1", "name": "n", "value": nested(20, wrap)})
        with pytest.raises(UnsafeValue, match="nested too deeply"):
            check_document(THINGS, {"_id": "a1", "name": "n", "value": nested(10_000, wrap)})


@pytest.mark.parametrize("value", ["a", "t2025", "a'b", 0, -1, 1.5, 2**63 - 1])
def test_text_with_a_letter_first_and_finite_numbers_can_be_looked_up(value: object) -> None:
    check_filter_value("field", value)


@pytest.mark.parametrize(
    "value",
    ["", "1", "-", "2025-11-25", "é", "a\0", "a\udfff", float("nan"), float("inf"), 2**63, True, None, b"a", []],
)
def test_anything_else_cannot(value: object) -> None:
    with pytest.raises(UnsafeValue, match="field"):
        check_filter_value("field", value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_json_of_other_people_is_text_to_the_database_and_comes_back_the_same(value: Any) -> None:
    text = opaque(value)

    check_document(THINGS, {"_id": "a1", "name": "n", "details": text})
    assert revealed(text) == value


def test_keys_of_other_people_are_no_keys_of_ours() -> None:
    theirs = {"$where": "1", "a.b": {"$date": "2025-11-25"}, "'; drop table things; --": [True, 1, 1.0]}

    assert revealed(opaque(theirs)) == theirs
    assert isinstance(opaque(theirs), str)
