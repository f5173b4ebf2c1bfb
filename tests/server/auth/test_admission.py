"""Admission: whoever has shown a session's ticket is let in there while that ticket holds, and nowhere else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dateflicks.core.errors import Forbidden, Unauthenticated, Unavailable
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.signed_out import SignedOut, SignOuts
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.bus.redis import RedisBus
from tests.redis_server import RedisServer, redis_server

NOW = 1.76e9


class Door:
    """An admission on a clock that is moved by hand."""

    def __init__(self, places_max: int = 100) -> None:
        self.now = NOW
        self.signer = Signer(b"the key of a deployment in a test", lambda: self.now)
        self.admission = Admission(self.signer, places_max=places_max)

    def ticket(
        self, session_id: str = "ses_a", user_id: str = "usr_a", *, lifetime_seconds: float = 60.0, token_id: str = ""
    ) -> str:
        return self.signer.issue_ticket(
            session_id, user_id, "ana", "host", lifetime_seconds=lifetime_seconds, token_id=token_id
        )

    def token(self, user_id: str = "usr_a") -> str:
        return self.signer.issue_user_token(UserToken("tok_a", user_id, "ana", NOW + 3_600.0))

    def enters(self, bearer: str, session_id: str = "ses_a") -> float:
        """When the place that somebody is given runs out."""
        return self.admission.admit(self.admission.identify(bearer), session_id).expires_at - NOW


def test_a_ticket_opens_its_own_session_only() -> None:
    door = Door()
    assert door.enters(door.ticket()) == 60.0
    with pytest.raises(Forbidden):
        door.enters(door.ticket(), "ses_b")


def test_a_user_token_opens_what_its_person_has_shown_a_ticket_for() -> None:
    door = Door()
    with pytest.raises(Forbidden):
        door.enters(door.token())
    door.enters(door.ticket())
    assert door.enters(door.token()) == 60.0
    with pytest.raises(Forbidden):
        door.enters(door.token(), "ses_b")
    with pytest.raises(Forbidden):
        door.enters(door.token("usr_b"))


def test_a_place_runs_out_with_its_ticket() -> None:
    door = Door()
    door.enters(door.ticket())
    door.now += 60.0
    with pytest.raises(Unauthenticated):
        door.enters(door.token())
    door.enters(door.ticket())
    door.enters(door.token())


def test_an_older_ticket_that_is_shown_later_takes_nothing_away() -> None:
    door = Door()
    older, newer = door.ticket(lifetime_seconds=30.0), door.ticket(lifetime_seconds=90.0)
    for ticket in (older, newer, older):
        door.enters(ticket)
    assert door.enters(door.token()) == 90.0


def test_those_who_came_longest_ago_show_their_ticket_again() -> None:
    door = Door(places_max=2)
    for user_id in ("usr_a", "usr_b", "usr_a", "usr_c"):
        door.enters(door.ticket(user_id=user_id))
    door.enters(door.token("usr_a"))
    door.enters(door.token("usr_c"))
    with pytest.raises(Forbidden):
        door.enters(door.token("usr_b"))


def test_a_token_that_was_signed_out_opens_nothing_nor_do_its_tickets_and_others_go_on() -> None:
    door = Door()
    for ticket in (door.ticket(), door.ticket(token_id="tok_a"), door.ticket(token_id="tok_b")):
        door.enters(ticket)
    assert door.enters(door.token()) == 60.0
    door.admission.signed_out.hear("signed-out", {"tokenId": "tok_a"})
    for bearer in (door.token(), door.ticket(token_id="tok_a")):
        with pytest.raises(Unauthenticated):
            door.admission.identify(bearer)
    for ticket in (door.ticket(), door.ticket(token_id="tok_b")):
        assert door.enters(ticket) == 60.0


class Line:
    """A connection that remembers how it was closed."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    def close(self, code: int, reason: str = "") -> None:
        del reason
        self.codes.append(code)


@pytest.mark.parametrize("body", [{"asks": [[], {}]}, {"asks": ["usr_a", ["ses_a"]]}, {"shown": 5}, {"shown": [5]}])
def test_what_makes_no_sense_between_processes_is_no_failure_and_no_answer(
    body: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    bus, signer = LocalBus(), Signer(b"the key of a deployment in a test")
    Admission(signer, bus, "timecode")
    bus.publish("shown-timecode", {"by": "wrk_somebody", **body})
    assert caplog.messages == []


def test_connections_end_with_the_sign_in_that_they_live_on() -> None:
    signed_out = SignedOut()
    lines = [Line() for _ in range(4)]
    releases = [signed_out.hold(token, "usr", line) for token, line in zip(("a", "a", "b", ""), lines, strict=True)]
    releases[1]()
    signed_out.hear("signed-out", {"tokenIds": ["a", "", 5, "c"]})
    signed_out.hear("signed-out", {"tokenId": None})
    late = Line()
    signed_out.hold("c", "usr", late)
    assert [line.codes for line in (*lines, late)] == [[4401], [], [], [], [4401]]
    for release in releases:
        release()


def test_nothing_of_somebody_who_was_erased_opens_anything_whenever_it_was_given() -> None:
    door = Door()
    told: list[str] = []
    lines = [Line() for _ in range(3)]
    door.admission.signed_out.on_erased(told.append)
    for line, (token_id, user_id) in zip(lines, (("t", "usr_a"), ("", "usr_a"), ("", "usr_b")), strict=True):
        door.admission.signed_out.hold(token_id, user_id, line)

    door.admission.signed_out.hear("signed-out", {"erased": ["usr_a", 7, ""]})

    assert told == ["usr_a"]
    assert [line.codes for line in lines] == [[4401], [4401], []]
    for bearer in (door.token("usr_a"), door.ticket()):
        with pytest.raises(Unauthenticated):
            door.admission.identify(bearer)
    assert door.admission.identify(door.token("usr_b")).user_id == "usr_b"


# --- several processes ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def doors(folder: Path, count: int = 2) -> AsyncIterator[tuple[Door, list[Admission], RedisServer]]:
    """The same door of so many processes."""
    door = Door()
    async with redis_server(folder) as redis, contextlib.AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(RedisBus(redis.uri).open()) for _ in range(count)]
        admissions = [Admission(door.signer, bus, "timecode") for bus in buses]
        async with asyncio.timeout(20.0):
            while not all(len(bus.workers) == count and bus.is_up for bus in buses):  # noqa: ASYNC110 - others tell it
                await asyncio.sleep(0.005)
        yield door, admissions, redis


async def test_a_ticket_that_one_process_was_shown_counts_at_all_of_them(tmp_path: Path) -> None:
    async with doors(tmp_path) as (door, (first, second), _):
        first.identify(door.ticket())
        caller = second.identify(door.token())
        assert (await second.admitted(caller, "ses_a")).role == "host"
        with pytest.raises(Forbidden):
            await second.admitted(caller, "ses_b")
        with pytest.raises(Forbidden):
            await second.admitted(second.identify(door.token("usr_b")), "ses_a")


async def test_a_process_that_is_new_asks_what_was_shown_before_it_began(tmp_path: Path) -> None:
    async with doors(tmp_path, 1) as (door, (first,), redis):
        for number in range(250):
            first.identify(door.ticket(f"ses_{number}"))
        async with RedisBus(redis.uri).open() as bus:
            late = Admission(door.signer, bus, "timecode")
            caller = late.identify(door.token())
            with contextlib.suppress(Unavailable):  # it can be heard at once, or in a moment
                await late.admitted(caller, "ses_0")
            async with asyncio.timeout(20.0):
                while not bus.is_up:  # noqa: ASYNC110 - its own beat tells it
                    await asyncio.sleep(0.005)
            assert (await late.admitted(caller, "ses_0")).session_id == "ses_0"
            async with asyncio.timeout(20.0):
                while len(late._shown) < 250:  # noqa: ASYNC110 - another process tells it
                    await asyncio.sleep(0.005)


async def test_while_nobody_can_be_asked_who_has_not_shown_a_ticket_here_is_told_to_try_again(tmp_path: Path) -> None:
    async with doors(tmp_path) as (door, (first, second), redis):
        await redis.kill()
        first.identify(door.ticket())
        async with asyncio.timeout(20.0):
            while first._bus is None or first._bus.is_up:  # noqa: ASYNC110 - silence tells it
                await asyncio.sleep(0.005)
        assert (await first.admitted(first.identify(door.token()), "ses_a")).role == "host"
        with pytest.raises(Unavailable):
            await second.admitted(second.identify(door.token()), "ses_a")


async def test_what_somebody_else_says_between_processes_opens_nothing(tmp_path: Path) -> None:
    async with doors(tmp_path) as (door, (first, second), _):
        assert first._bus is not None
        ticket = {"session_id": "ses_a", "user_id": "usr_a", "name": "ana", "role": "host", "expires_at": NOW + 60.0}
        for forged in ({"ticket": ticket, "seal": "00" * 32}, {"ticket": ticket}, {"seal": "00"}, 5, None):
            first._bus.publish("shown-timecode", {"by": first._bus.worker_id, "shown": [forged]})
        first.identify(door.ticket("ses_b"))
        caller = second.identify(door.token())
        await second.admitted(caller, "ses_b")
        with pytest.raises(Forbidden):
            await second.admitted(caller, "ses_a")


async def test_a_sign_out_that_was_missed_is_told_when_the_bus_is_back(tmp_path: Path) -> None:
    async with doors(tmp_path) as (door, (sessions, timecodes), redis):
        assert sessions._bus is not None
        assert timecodes._bus is not None
        sign_outs = SignOuts(sessions._bus)
        sign_outs.listen()
        timecodes.signed_out.listen(timecodes._bus)
        line = Line()
        timecodes.signed_out.hold("tok_a", "usr_a", line)
        erased = Line()
        timecodes.signed_out.hold("", "usr_e", erased)
        await redis.kill()
        async with asyncio.timeout(20.0):
            while sessions._bus.is_up:  # noqa: ASYNC110 - silence tells it
                await asyncio.sleep(0.005)
        sign_outs.tell("tok_a")
        sign_outs.tell_erased("usr_e")
        assert not line.codes + erased.codes
        await redis.start()
        async with asyncio.timeout(20.0):
            while not (line.codes and erased.codes):  # noqa: ASYNC110 - another process tells it
                await asyncio.sleep(0.005)
        with pytest.raises(Unauthenticated):
            timecodes.identify(door.token())
