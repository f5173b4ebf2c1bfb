"""A disk that is full: writes say so, reads go on, and all goes on when there is room again. Only root can try it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.storage.records import StorageFull
from tests.server.storage.engines import PLAIN, embedded
from tests.small_disk import small_disk

BALLAST_BYTES = 1_500_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Of which a file takes a part that can be given back."""
    with small_disk(tmp_path / "disk", megabytes=4) as place:
        (place / "ballast").write_bytes(b"x" * BALLAST_BYTES)
        yield place


async def test_a_full_disk_refuses_writes_in_words_and_answers_reads(disk: Path) -> None:
    async with embedded(disk / "data") as database:
        table = database.table(PLAIN)
        acknowledged: list[str] = []

        async def fill() -> None:
            for number in range(100):
                await table.insert({"_id": f"a{number}", "text": "x" * 100_000})
                acknowledged.append(f"a{number}")

        with pytest.raises(StorageFull, match="disk is full"):
            await fill()
        assert 3 < len(acknowledged) < 100
        assert set(await table.get_many([*acknowledged, f"a{len(acknowledged)}"])) == set(acknowledged)
        with pytest.raises(StorageFull):
            await table.compare_and_set("a0", 1, {"more": "x" * 500_000}, command="c1")
        assert (await table.get("a0") or {})["rev"] == 1
        assert database.is_up()

        async with WriteBehind(table) as outbox:
            outbox.put({"_id": "b1", "text": "x" * 300_000})
            assert await outbox.flush(0.2) == 1  # kept, for it is nobody's fault
            (disk / "ballast").unlink()
            assert await outbox.flush(5.0) == 0
        await table.insert({"_id": "b2", "text": "x" * 100_000})
        assert len(await table.get_many([*acknowledged, "b1", "b2"])) == len(acknowledged) + 2


async def test_many_documents_on_a_full_disk_are_an_error_and_what_was_there_stays(disk: Path) -> None:
    async with embedded(disk / "data") as database:
        table = database.table(PLAIN)
        there = {f"a{number}": {"_id": f"a{number}", "rev": 1, "text": "x" * 30_000} for number in range(5)}
        await table.insert_many([*there.values()])

        with pytest.raises(StorageFull):
            await table.insert_many([{"_id": f"b{number}", "text": "x" * 30_000} for number in range(200)])

        assert await table.get_many([*there]) == there
        (disk / "ballast").unlink()
        await table.upsert_many([one | {"rev": 2} for one in there.values()])
        assert await table.get_many([*there]) == {key: one | {"rev": 2} for key, one in there.items()}
