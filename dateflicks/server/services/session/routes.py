"""The session service's calls: from HTTP's words to the handlers' and back."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from dateflicks.core.handshake import Action, State
from dateflicks.protocol import bodies
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.session.friends import Friends
from dateflicks.server.services.session.handler import SessionHandler
from dateflicks.server.services.session.lists import Lists
from dateflicks.server.services.session.people import People
from dateflicks.server.web.idempotency import key_in
from dateflicks.server.web.route import Call, Handler, PageQuery, Route

_REPEAT: Final = (
    "Safe to repeat with the same Idempotency-Key, as after a 503 that says it may or may not have been saved."
)


class SessionsQuery(PageQuery, frozen=True, kw_only=True):
    """`?state=pending,accepted&limit=&cursor=`."""

    state: (
        Annotated[
            str,
            msgspec.Meta(
                max_length=100,
                description=f"Some of {', '.join(State)}, with commas between; all without it.",
                examples=["pending,accepted"],
            ),
        ]
        | None
    ) = None


class SessionRoutes:
    """The calls, over the handlers."""

    def __init__(self, people: People, handler: SessionHandler, lists: Lists, friends: Friends) -> None:
        self._people = people
        self._handler = handler
        self._lists = lists
        self._friends = friends

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (*self._of_people(), *self._of_friends(), *self._of_sessions())

    def _of_people(self) -> Sequence[Route]:
        return (
            Route(
                "POST", "/users", self.register, "Make an account and sign in", body=bodies.Credentials,
                answer=bodies.SignedIn, status=201, errors=(403, 409),
                description=f"Case does not count in names. New accounts are limited by address. {_REPEAT}",
            ),
            Route(
                "POST", "/tokens", self.sign_in, "Sign in", body=bodies.SignIn, answer=bodies.SignedIn, status=201,
                errors=(401, 403), description="Attempts are limited by name and by address. 403: whoever runs the "
                "server has disabled the account. With `needsPassword` the password has worked for the last time. One "
                "sign-in too many ends the person's oldest.",
            ),
            Route("GET", "/users/me", self.me, "Who am I", auth="user", answer=bodies.Me),
            Route(
                "DELETE", "/tokens/current", self.sign_out, "Sign out", auth="user", status=204,
                description="The token is worthless from here on, and its feeds are closed with 4401.",
            ),
            Route(
                "PUT", "/users/me/password", self.change_password, "Change one's password", auth="user",
                body=bodies.ChangePassword, status=204, errors=(403, 409),
                description="All other tokens of the account are worthless from here on. 403: `old` is wrong; tries "
                f"are limited as those to sign in. An account without a password needs no `old`. {_REPEAT}",
            ),
        )  # fmt: skip

    def _of_friends(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/users/me/friends", self.list_friends, "List the people one watches with, by name", auth="user",
                query=PageQuery, answer=bodies.FriendPage,
            ),
            Route(
                "PUT", "/users/me/friends/{name}", self.add_friend, "Put somebody on one's list", auth="user",
                answer=bodies.FriendAnswer, errors=(409, 422),
                description="By their whole name. They are told nothing, and may do nothing that they might not "
                "before. Counts as asking somebody does.",
            ),
            Route(
                "DELETE", "/users/me/friends/{name}", self.remove_friend, "Take somebody off one's list", auth="user",
                status=204,
            ),
        )  # fmt: skip

    def _of_sessions(self) -> Sequence[Route]:
        return (
            Route(
                "POST", "/sessions", self.create, "Ask a guest, or make a link", auth="user", body=bodies.CreateSession,
                answer=bodies.SessionAnswer, status=201, errors=(403, 404, 422),
                description="A guest is named by id or name. With `link` there is none: the answer has the code, "
                f"`invitation`, this once. {_REPEAT}",
            ),
            Route(
                "GET", "/sessions", self.list_sessions, "List one's own sessions, newest first", auth="user",
                query=SessionsQuery, answer=bodies.SessionPage,
            ),
            Route(
                "GET", "/sessions/{id}", self.read, "One session", auth="user", answer=bodies.SessionAnswer,
                description="Once it is accepted, with the caller's own `ticket`, new each time.",
            ),
            self._action("accept", Action.ACCEPT, "Say yes", "The guest, once; needless after a link."),
            self._action("reject", Action.REJECT, "Say no", "The guest, once."),
            self._action("cancel", Action.CANCEL, "Take the invitation back", "The host, before the answer."),
            Route(
                "POST", "/sessions/{id}/end", self.end, "End a session", auth="user", body=bodies.EndSession,
                body_required=False, answer=bodies.SessionAnswer, errors=(409,),
                description=f"Either one, once it is accepted; `position` is how far the film came. {_REPEAT}",
            ),
            Route(
                "POST", "/invitations/{code}/redeem", self.redeem, "Take the guest's place by a code", auth="optional",
                body=bodies.Redeem, body_required=False, answer=bodies.Redeemed, errors=(403, 409),
                description="Works once and is a yes. Without a token an account without a password is made, and its "
                f"token is in the answer. Case, spaces and dashes of the code do not count. {_REPEAT}",
            ),
            Route(
                "GET", "/history", self.history, "What one has watched, newest first", auth="user", query=PageQuery,
                answer=bodies.HistoryPage,
            ),
        )  # fmt: skip

    def _action(self, verb: str, action: Action, summary: str, description: str) -> Route:
        return Route(
            "POST", f"/sessions/{{id}}/{verb}", self._acting(action), summary, auth="user",
            answer=bodies.SessionAnswer, errors=(403, 409), description=f"{description} {_REPEAT}",
        )  # fmt: skip

    # --- people -------------------------------------------------------------------------------------------------

    async def register(self, call: Call) -> bodies.SignedIn:
        """`POST /users`."""
        body: bodies.Credentials = call.body
        return await self._people.register(body.name, body.password, call.address, key_in(call))

    async def sign_in(self, call: Call) -> bodies.SignedIn:
        """`POST /tokens`."""
        body: bodies.SignIn = call.body
        return await self._people.sign_in(body.name, body.password, call.address)

    async def me(self, call: Call) -> bodies.Me:
        """`GET /users/me`."""
        caller = _caller(call)
        known = await self._people.known(caller.user_id)
        return bodies.Me(
            id=caller.user_id,
            name=caller.name,
            user=bodies.UserBody(id=caller.user_id, name=caller.name),
            has_password=known is not None and known["passwordHash"] is not None,
        )

    async def sign_out(self, call: Call) -> None:
        """`DELETE /tokens/current`."""
        await self._people.sign_out(_caller(call))

    async def change_password(self, call: Call) -> None:
        """`PUT /users/me/password`."""
        body: bodies.ChangePassword = call.body
        words = (body.old, body.new, call.address, key_in(call))
        await self._people.change_password(_caller(call), *words)

    # --- friends ------------------------------------------------------------------------------------------------

    async def list_friends(self, call: Call) -> bodies.FriendPage:
        """`GET /users/me/friends`."""
        query: PageQuery = call.query
        return await self._friends.page(_caller(call).user_id, query.cursor, query.limit)

    async def add_friend(self, call: Call) -> bodies.FriendAnswer:
        """`PUT /users/me/friends/{name}`."""
        return bodies.FriendAnswer(friend=await self._friends.add(_caller(call), call.path["name"]))

    async def remove_friend(self, call: Call) -> None:
        """`DELETE /users/me/friends/{name}`."""
        await self._friends.remove(_caller(call), call.path["name"])

    # --- sessions -----------------------------------------------------------------------------------------------

    async def create(self, call: Call) -> bodies.SessionAnswer:
        """`POST /sessions`."""
        return bodies.SessionAnswer(session=await self._handler.create(_caller(call), call.body, key_in(call)))

    async def list_sessions(self, call: Call) -> bodies.SessionPage:
        """`GET /sessions`."""
        query: SessionsQuery = call.query
        return await self._lists.sessions(_caller(call), query.state, query.cursor, query.limit)

    async def read(self, call: Call) -> bodies.SessionAnswer:
        """`GET /sessions/{id}`."""
        return bodies.SessionAnswer(session=await self._handler.read(_caller(call), call.path["id"]))

    def _acting(self, action: Action) -> Handler:
        async def act(call: Call) -> bodies.SessionAnswer:
            session = await self._handler.act(_caller(call), call.path["id"], action, key_in(call))
            return bodies.SessionAnswer(session=session)

        return act

    async def end(self, call: Call) -> bodies.SessionAnswer:
        """`POST /sessions/{id}/end`."""
        body: bodies.EndSession = call.body
        session = await self._handler.end(_caller(call), call.path["id"], body.position, body.length, key_in(call))
        return bodies.SessionAnswer(session=session)

    async def redeem(self, call: Call) -> bodies.Redeemed:
        """`POST /invitations/{code}/redeem`."""
        body: bodies.Redeem = call.body
        caller: Any = call.caller
        return await self._handler.redeem(caller, call.path["code"], body.name, key_in(call), call.address)

    async def history(self, call: Call) -> bodies.HistoryPage:
        """`GET /history`."""
        query: PageQuery = call.query
        return await self._lists.history(_caller(call).user_id, query.cursor, query.limit)


def _caller(call: Call) -> Caller:
    caller = call.caller
    assert isinstance(caller, Caller)
    return caller
