"""What was done straight at the database is told to whom it concerns."""

from typing import Any

import pytest

from dateflicks.core.limits import TICKET_LIFETIME_SECONDS
from dateflicks.server.auth import signed_out
from dateflicks.server.services.session import handler, records
from dateflicks.server.services.session.notices import KEEP_SECONDS, Notices, notice
from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_process_tells_once_of_tokens_and_sessions_and_old_notices_are_forgotten(
    shared: Deployment,
) -> None:
    ana, bea = await shared.pair()
    session = await ana.ask(bea)
    table = shared.database.table(records.NOTICES)
    notices = Notices(
        table,
        shared.database.table(records.SESSIONS),
        shared.bus,
        signed_out.SignOuts(shared.bus),
        now=shared.clock,
    )
    told: list[Any] = []
    endings = [
        shared.bus.subscribe(signed_out.TOPIC, lambda _, hint: told.append(hint["tokenId"])),
        shared.bus.subscribe(handler.TOPIC, lambda _, hint: told.append(hint["document"]["_id"])),
    ]
    old = notice(shared.clock() - KEEP_SECONDS - 1.0, tokens=["tok_old"])
    new = notice(shared.clock(), tokens=["tok_new"], sessions=[session["id"], "ses_none"])
    await table.insert_many([old, new])

    for _ in range(2):
        await notices.look()
    await notices.sweep()
    for ending in endings:
        ending()

    mine = ("tok_old", "tok_new", "ses_none", session["id"])
    assert sorted(one for one in told if one in mine) == sorted(("tok_new", session["id"]))
    assert await table.get(old["_id"]) is None
    assert await table.get(new["_id"]) is not None


async def test_a_process_that_has_just_begun_tells_who_was_erased_for_as_long_as_a_ticket_of_theirs_is_good(
    shared: Deployment,
) -> None:
    sign_outs = signed_out.SignOuts(shared.bus)
    notices = Notices(
        shared.database.table(records.NOTICES),
        shared.database.table(records.SESSIONS),
        shared.bus,
        sign_outs,
        now=shared.clock,
    )
    elsewhere = signed_out.SignedOut()
    ending = shared.bus.subscribe(signed_out.TOPIC, elsewhere.hear)
    erased = notice(shared.clock() - TICKET_LIFETIME_SECONDS, erased="usr_gone")
    await shared.database.table(records.NOTICES).insert(erased)

    await notices.look()
    ending()

    assert elsewhere.is_erased("usr_gone")


async def test_a_notice_that_cannot_be_told_holds_up_no_other(
    shared: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    sign_outs = signed_out.SignOuts(shared.bus)
    table, sessions = shared.database.table(records.NOTICES), shared.database.table(records.SESSIONS)
    notices = Notices(table, sessions, shared.bus, sign_outs, now=shared.clock)
    told: list[Any] = []
    ending = shared.bus.subscribe(signed_out.TOPIC, lambda _, hint: told.append(hint["tokenId"]))
    odd = notice(shared.clock(), tokens=["tok_odd"]) | {"sessions": [7]}
    older = notice(shared.clock() - 1.0, tokens=["tok_older"])
    await table.insert_many([odd, older])

    await notices.look()
    await notices.look()
    ending()
    await table.delete(odd["_id"])

    assert told.count("tok_older") == 1
    assert any(getattr(record, "notice", None) == odd["_id"] for record in caplog.records)
