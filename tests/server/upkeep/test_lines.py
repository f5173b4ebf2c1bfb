"""Documents as lines: what comes back is what was written, of the same types."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.storage.lines import Digest, from_line, to_line
from dateflicks.server.storage.records import StorageFault
from tests.server.upkeep.kept import EVERY_TYPE

instants = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary() | instants
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts.filter(lambda key: not key.startswith("$")), inner),
    max_leaves=10,
)


def typed(value: Any) -> Any:
    """A value with its types, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return (int if isinstance(value, Int64) else type(value)), value


@given(values)
def test_any_value_comes_back_as_it_was(value: Any) -> None:
    line = to_line({"_id": "a", "value": value})
    assert b"\n" not in line
    assert b"\r" not in line
    assert typed(from_line(line)) == typed({"_id": "a", "value": value})
    assert to_line(from_line(line)) == line


@pytest.mark.parametrize("value", [ObjectId(), Decimal128("1.50"), Regex("^a", "i"), float("inf")])
def test_what_only_other_programs_store_comes_back_as_well(value: Any) -> None:
    assert from_line(to_line({"_id": value, "value": [value]})) == {"_id": value, "value": [value]}


def test_how_wide_a_number_is_kept_makes_no_difference() -> None:
    assert to_line({"_id": "a", "n": Int64(5)}) == to_line({"_id": "a", "n": 5})


def test_a_key_that_would_be_read_as_a_type_is_refused() -> None:
    with pytest.raises(StorageFault, match="begins with"):
        to_line({"_id": "a", "value": {"$date": "2026"}})


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"_id": {"$date": []}}', b"\xff"])
def test_what_is_no_document_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_line(line)


def test_a_digest_is_the_same_in_any_order_and_another_for_anything_else() -> None:
    lines = [to_line(EVERY_TYPE), to_line({"_id": "b"}), to_line({"_id": "c"})]
    digests = []
    for order in (lines, lines[::-1], lines[:2], [*lines, lines[0]]):
        digest = Digest()
        for line in order:
            digest.add(line)
        digests.append((digest.count, digest.text))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
