"""Who is told what: nothing between a reading and what follows it is lost, and nothing old follows something new."""

import json
from typing import Any

import pytest

from dateflicks.core.handshake import Handshake, State
from dateflicks.server.auth import signed_out
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.services.session import hub as hub_module
from dateflicks.server.services.session.hub import HELD_MAX, SNAPSHOT_BYTES, Hub, Seat
from dateflicks.server.services.session.records import handshake_fields
from dateflicks.server.services.session.views import Views
from dateflicks.server.storage.records import Document

SIGNER = Signer(b"the key of a deployment in a test")
HOST, GUEST, STRANGER = "usr_host", "usr_guest", "usr_stranger"


class Listener:
    """Remembers what it was sent, and how it was closed."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.bytes = 0
        self.closed: tuple[int, str] | None = None

    def send(self, frame: bytes) -> bool:
        assert self.closed is None
        self.frames.append(json.loads(frame))
        self.bytes += len(frame)
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)

    @property
    def heard(self) -> list[tuple[str, str, int]]:
        """What each frame was: its type, the session, the revision."""
        return [(frame["type"], frame["session"]["id"], frame["session"]["rev"]) for frame in self.frames]


@pytest.fixture
def hub() -> Hub:
    return Hub(Views(SIGNER, 3_600.0))


def caller(user_id: str, token_id: str = "tok_1") -> Caller:
    return Caller(user_id, user_id, 2e9, token_id=token_id)


def document(number: int = 1, state: State = State.PENDING, rev: int = 1, details: str | None = None) -> Document:
    return {
        "_id": f"ses_{number}",
        **handshake_fields(Handshake(HOST, GUEST, state)),
        "rev": rev,
        "hostName": "Host",
        "guestName": "Guest",
        "videoId": None,
        "video": {"url": "film.mkv", "title": "A film", "length": 90.0},
        "startTime": None,
        "details": details,
        "createdAt": 1e9 + number,
        "answeredAt": None if state is State.PENDING else 1e9,
        "endedAt": None,
    }


def seated(hub: Hub, user_id: str, *present: Document, token_id: str = "tok_1") -> tuple[Seat, Listener]:
    seat, listener = hub.take(caller(user_id, token_id)), Listener()
    hub.open(seat, listener, present)
    return seat, listener


def hear(hub: Hub, *documents: Document) -> None:
    for one in documents:
        hub.hear_session("session", {"document": one})


def test_the_guest_hears_the_question_and_both_hear_the_answer_with_their_own_tickets(hub: Hub) -> None:
    _, host = seated(hub, HOST)
    _, guest = seated(hub, GUEST)
    _, stranger = seated(hub, STRANGER)

    hear(hub, document(), document(state=State.ACCEPTED, rev=2))

    assert host.heard == [("session", "ses_1", 2)]
    assert guest.heard == [("invitation", "ses_1", 1), ("session", "ses_1", 2)]
    assert stranger.heard == []
    assert "ticket" not in guest.frames[0]["session"]
    for listener, user_id, role in ((host, HOST, "host"), (guest, GUEST, "guest")):
        ticket = SIGNER.verify_ticket(listener.frames[-1]["session"]["ticket"])
        assert (ticket.user_id, ticket.role, ticket.session_id) == (user_id, role, "ses_1")


def test_every_connection_of_a_person_hears_it(hub: Hub) -> None:
    listeners = [seated(hub, GUEST)[1] for _ in range(3)]

    hear(hub, document())

    assert [listener.heard for listener in listeners] == [[("invitation", "ses_1", 1)]] * 3


def test_what_happens_while_the_present_is_read_is_held_and_follows_it(hub: Hub) -> None:
    seat, guest = hub.take(caller(GUEST)), Listener()
    hear(hub, document(2, State.ACCEPTED, rev=2), document(3))
    assert guest.heard == []

    hub.open(seat, guest, [document(2), document(1)])

    assert guest.heard == [
        ("invitation", "ses_1", 1),
        ("invitation", "ses_2", 1),
        ("session", "ses_2", 2),
        ("invitation", "ses_3", 1),
    ]


def test_of_several_changes_while_the_present_is_read_the_newest_is_told(hub: Hub) -> None:
    seat, guest = hub.take(caller(GUEST)), Listener()
    hear(hub, document(), document(state=State.ENDED, rev=3), document(state=State.ACCEPTED, rev=2))

    hub.open(seat, guest, [])

    assert guest.heard == [("session", "ses_1", 3)]


def test_nothing_that_the_present_has_already_is_told_again(hub: Hub) -> None:
    seat, guest = hub.take(caller(GUEST)), Listener()
    hear(hub, document(), document(state=State.ACCEPTED, rev=2))

    hub.open(seat, guest, [document(state=State.ACCEPTED, rev=2)])
    hear(hub, document(), document(state=State.ACCEPTED, rev=2))

    assert guest.heard == [("session", "ses_1", 2)]


def test_nothing_old_follows_something_new_from_wherever_it_comes(hub: Hub) -> None:
    twice = [document(state=State.ACCEPTED, rev=2), document()]
    for present in (twice, list(reversed(twice))):
        _, guest = seated(hub, GUEST, *present)
        hear(hub, document(state=State.ENDED, rev=3), document(state=State.ACCEPTED, rev=2), document())
        revisions = [rev for _, _, rev in guest.heard]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == 3


def test_whoever_signs_out_is_closed_with_4401_and_nobody_else(hub: Hub) -> None:
    _, out = seated(hub, GUEST, token_id="tok_out")
    _, stays = seated(hub, GUEST, token_id="tok_stays")

    hub.hear_sign_out(signed_out.TOPIC, {"tokenId": "tok_out"})
    hear(hub, document())

    assert out.closed is not None
    assert out.closed[0] == 4401
    assert out.heard == []
    assert stays.closed is None
    assert stays.heard == [("invitation", "ses_1", 1)]
    assert [seat.caller.token_id for seat in hub] == ["tok_stays"]


def test_sign_outs_that_are_told_again_at_once_close_the_connections_of_each(hub: Hub) -> None:
    closed = [seated(hub, GUEST, token_id=f"tok_{number}")[1] for number in range(3)]

    hub.hear_sign_out(signed_out.TOPIC, {"tokenIds": ["tok_0", "tok_2", 7, ""]})

    assert [one.closed is not None for one in closed] == [True, False, True]


def test_whoever_signs_out_while_the_present_is_read_is_closed_and_told_nothing(hub: Hub) -> None:
    seat, guest = hub.take(caller(GUEST, "tok_out")), Listener()
    hear(hub, document(2))
    hub.hear_sign_out(signed_out.TOPIC, {"tokenId": "tok_out"})

    hub.open(seat, guest, [document(1)])

    assert guest.closed is not None
    assert guest.closed[0] == 4401
    assert guest.heard == []
    assert list(hub) == []


def test_whoever_leaves_hears_nothing_more_and_may_leave_twice(hub: Hub) -> None:
    seat, guest = seated(hub, GUEST)
    hub.leave(seat)
    hub.leave(seat)

    hear(hub, document())

    assert guest.heard == []
    assert list(hub) == []


def test_the_first_words_are_bounded_and_the_newest_are_among_them(hub: Hub) -> None:
    present = [document(number, details=json.dumps("x" * 4_000)) for number in range(100, 0, -1)]

    _, guest = seated(hub, GUEST, *present)

    assert guest.bytes <= SNAPSHOT_BYTES
    told = [session_id for _, session_id, _ in guest.heard]
    assert told == [f"ses_{number}" for number in range(101 - len(told), 101)]
    assert len(told) > 20
    hear(hub, document(1, State.CANCELLED, rev=2))
    assert guest.heard[-1] == ("session", "ses_1", 2)


def test_what_is_held_is_bounded(hub: Hub) -> None:
    seat, guest = hub.take(caller(GUEST)), Listener()
    hear(hub, *(document(number) for number in range(HELD_MAX + 50)))
    hear(hub, document(0, State.ACCEPTED, rev=2))

    hub.open(seat, guest, [])

    assert len(guest.heard) == HELD_MAX
    assert ("session", "ses_0", 2) in guest.heard


def test_what_a_seat_remembers_is_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SESSIONS_KNOWN", 3)
    seat, _ = seated(hub, GUEST)

    hear(hub, *(document(number) for number in range(10)))

    assert set(seat.known) == {"ses_7", "ses_8", "ses_9"}
