"""Links: a code that lets whoever holds it take the guest's place, once."""

import asyncio

import pytest

from dateflicks.server.services.session.codes import code_of
from tests.server.services.session.deployment import PASSWORD, Deployment, answered, fields, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

A_DAY = 24 * 3_600.0


async def test_whoever_has_an_account_takes_the_place_under_their_name(shared: Deployment) -> None:
    host, guest = await shared.pair()
    link = await host.link()

    response = await guest.call("POST", f"/invitations/{link['invitation']}/redeem")

    assert response.status_code == 200
    assert set(response.json()) == {"session"}
    session = answered(response)
    assert (session["guestUserId"], session["guestName"]) == (guest.id, guest.name)
    assert (session["state"], session["isAccepted"]) == ("accepted", True)
    assert shared.signer.verify_ticket(session["ticket"]).role == "guest"
    assert (await host.get(f"/sessions/{link['id']}"))["session"]["guestName"] == guest.name


async def test_whoever_has_no_account_gets_one_whose_token_works(shared: Deployment) -> None:
    host = await shared.person()
    link = await host.link()

    response = await shared.client.post(f"/invitations/{link['invitation']}/redeem", json={"name": "by-link"})

    assert response.status_code == 200
    body = response.json()
    guest = shared.of(body)
    assert (guest.name, body["session"]["guestName"]) == ("by-link", "by-link")
    assert body["expiresAt"].endswith("Z")
    assert (await guest.get("/users/me"))["id"] == guest.id == body["session"]["guestUserId"]
    assert [one["id"] for one in (await guest.get("/sessions?state=accepted"))["items"]] == [link["id"]]
    assert shared.signer.verify_ticket(body["session"]["ticket"]).user_id == guest.id
    await guest.act(link, "end")


async def test_an_account_made_by_a_link_has_a_name_when_none_was_given_and_no_password(shared: Deployment) -> None:
    host = await shared.person()
    link = await host.link()

    guest = shared.of((await shared.client.post(f"/invitations/{link['invitation']}/redeem")).json())

    assert guest.name.startswith("guest-")
    for password in (PASSWORD, "null-null", "None-None"):
        refused = await shared.client.post("/tokens", json={"name": guest.name, "password": password})
        assert refusal(refused)[0] == 401


async def test_a_code_may_be_typed_in_any_case_with_spaces_and_without_dashes(shared: Deployment) -> None:
    host = await shared.person()
    for spelled in (
        lambda code: code.upper().replace("-", " "),
        lambda code: f"  {code.replace('-', '')}  ",
        lambda code: code.replace("1", "l").replace("0", "O"),
    ):
        link = await host.link()
        response = await shared.client.post(f"/invitations/{spelled(link['invitation'])}/redeem")
        assert response.status_code == 200, response.text


async def test_a_code_that_is_wrong_used_expired_or_taken_back_is_not_found_alike(shared: Deployment) -> None:
    host, guest = await shared.pair()
    used, expired, taken_back = [await host.link() for _ in range(3)]
    await guest.call("POST", f"/invitations/{used['invitation']}/redeem")
    await host.act(taken_back, "cancel")
    shared.clock.now += A_DAY
    codes = [
        used["invitation"],
        expired["invitation"],
        taken_back["invitation"],
        code_of(bytes(32)),
        "nonsense",
        "x" * 128,
        used["id"],
        "$gt",
    ]

    answers = [await shared.client.post(f"/invitations/{code}/redeem", json={"name": "too-late"}) for code in codes]

    assert {refusal(response) for response in answers} == {refusal(answers[0])}
    assert refusal(answers[0])[0] == 404
    assert refusal(await guest.call("POST", f"/invitations/{expired['invitation']}/redeem"))[0] == 404
    free = await shared.client.post("/users", json={"name": "too-late", "password": PASSWORD})
    assert free.status_code == 201  # no account was made for nothing


async def test_ones_own_code_is_forbidden_and_stays_good(shared: Deployment) -> None:
    host, guest = await shared.pair()
    link = await host.link()

    assert refusal(await host.call("POST", f"/invitations/{link['invitation']}/redeem"))[0] == 403
    assert (await guest.call("POST", f"/invitations/{link['invitation']}/redeem")).status_code == 200


async def test_a_name_that_is_taken_or_does_not_fit_leaves_the_code_good(shared: Deployment) -> None:
    host, other = await shared.pair()
    path = f"/invitations/{(await host.link())['invitation']}/redeem"

    assert refusal(await shared.client.post(path, json={"name": other.name.upper()}))[0] == 409
    assert fields(await shared.client.post(path, json={"name": "x"})) == ["name"]
    assert (await shared.client.post(path, json={"name": "free-name"})).status_code == 200


async def test_a_token_that_is_not_valid_is_told_so_instead_of_making_an_account(shared: Deployment) -> None:
    host = await shared.person()
    path = f"/invitations/{(await host.link())['invitation']}/redeem"

    response = await shared.client.post(path, headers={"Authorization": "Bearer nonsense"})

    assert refusal(response)[0] == 401


async def test_of_many_who_redeem_one_code_at_once_exactly_one_gets_the_place(shared: Deployment) -> None:
    host = await shared.person()
    link = await host.link()
    people = [await shared.person() for _ in range(4)]
    path = f"/invitations/{link['invitation']}/redeem"
    names = [f"racer-{number}" for number in range(4)]

    responses = await asyncio.gather(
        *(person.call("POST", path) for person in people),
        *(shared.client.post(path, json={"name": name}) for name in names),
    )

    assert sorted(response.status_code for response in responses) == [200] + [404] * 7
    (won,) = [answered(response) for response in responses if response.status_code == 200]
    assert (await host.get(f"/sessions/{link['id']}"))["session"]["guestUserId"] == won["guestUserId"]
    for person in people:
        in_it = [one["id"] for one in (await person.get("/sessions"))["items"]]
        assert in_it == ([link["id"]] if person.id == won["guestUserId"] else [])
    for name in names:  # whoever lost has left no account behind
        is_free = (await shared.client.post("/users", json={"name": name, "password": PASSWORD})).status_code == 201
        assert is_free == (name != won["guestName"])


async def test_of_a_redemption_and_a_taking_back_at_once_exactly_one_wins(shared: Deployment) -> None:
    host, guest = await shared.pair()
    for number in range(4):
        link = await host.link()
        doing = [
            guest.call("POST", f"/invitations/{link['invitation']}/redeem"),
            host.call("POST", f"/sessions/{link['id']}/cancel"),
        ]
        responses = await asyncio.gather(*(doing if number % 2 else reversed(doing)))
        statuses = sorted(response.status_code for response in responses)
        state = (await host.get(f"/sessions/{link['id']}"))["session"]["state"]
        assert statuses in ([200, 404], [200, 409])
        assert (state == "accepted") == (statuses == [200, 409])


async def test_a_redemption_repeated_under_its_key_is_the_same_person(shared: Deployment) -> None:
    host = await shared.person()
    link = await host.link()
    path = f"/invitations/{link['invitation']}/redeem"
    key = {"Idempotency-Key": "9c"}

    responses = await asyncio.gather(*(shared.client.post(path, json={"name": "once"}, headers=key) for _ in range(4)))
    responses.append(await shared.client.post(path, json={"name": "once"}, headers=key))

    assert {response.status_code for response in responses} == {200}
    people = [shared.of(response.json()) for response in responses]
    assert len({person.id for person in people}) == 1
    for person in people:
        assert (await person.get("/users/me"))["id"] == person.id
    assert len((await people[0].get("/sessions"))["items"]) == 1

    other_name = await shared.client.post(path, json={"name": "twice"}, headers=key)
    other_key = await shared.client.post(path, json={"name": "once"}, headers={"Idempotency-Key": "9d"})
    assert refusal(other_name)[0] == 422
    assert refusal(other_key)[0] == 404

    shared.clock.now += 600.0
    late = await shared.client.post(path, json={"name": "once"}, headers=key)
    assert refusal(late)[0] == 404  # a key is not a password: its time is short


async def test_somebody_with_an_account_may_repeat_a_redemption_too(shared: Deployment) -> None:
    host, guest = await shared.pair()
    path = f"/invitations/{(await host.link())['invitation']}/redeem"

    first, again = [await guest.call("POST", path, Idempotency_Key="mine") for _ in range(2)]

    assert first.status_code == again.status_code == 200
    assert answered(first)["rev"] == answered(again)["rev"] == 2
    assert "token" not in again.json()
    assert refusal(await guest.call("POST", path))[0] == 404


async def test_whoever_came_by_a_link_may_say_yes_in_words_once(shared: Deployment) -> None:
    host, guest = await shared.pair()
    link = await host.link()
    await guest.call("POST", f"/invitations/{link['invitation']}/redeem")

    assert (await guest.act(link, "accept"))["state"] == "accepted"
    assert refusal(await guest.call("POST", f"/sessions/{link['id']}/accept"))[0] == 409
