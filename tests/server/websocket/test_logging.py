"""What is logged of connections: the ids that tell which, and nothing that opens anything."""

import logging

import pytest

from dateflicks.server.runner import running
from tests.server.websocket.peer import do, joined
from tests.server.websocket.relay import Relay
from tests.waiting import until

SECRET = "a-token-that-nobody-may-see"


async def test_the_life_of_a_connection_is_logged_with_its_ids_and_without_its_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    relay = Relay()
    with caplog.at_level(logging.DEBUG):
        async with running([relay]) as server, joined(server.port, "one", SECRET) as peer:
            await peer.send(do("fail"))
            await until(lambda: any(record.msg == "feed closed" for record in caplog.records))
    by_event = {record.msg: record for record in caplog.records}
    opened, failed, closed = (
        by_event[event] for event in ("feed opened", "a frame could not be handled", "feed closed")
    )
    ids = {getattr(record, "request", None) for record in (opened, failed, closed)}
    assert len(ids) == 1
    assert str(ids.pop()).startswith("req_")
    assert getattr(closed, "code", None) == 1011
    assert {getattr(record, "service", None) for record in (opened, failed, closed)} == {"relay"}
    assert not [record for record in caplog.records if SECRET in repr(record.__dict__)]
