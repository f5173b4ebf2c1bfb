"""What each client said, was told and was promised, and whether that fits with what is in the database.

Every text is said once by one client, so a text that is found twice was doubled, whatever its name or number.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

WRONGS_MAX = 20  # in words; all are counted
SHOWN = 40  # characters of a text


@dataclass(frozen=True, slots=True)
class Told:
    """One message, as it stands in the database or was shown by a client."""

    seq: int
    message_id: str
    author: str | None
    client_id: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Promise:
    """An acknowledgement; a client that shows it by a tick only does not know number and id."""

    seq: int | None = None
    message_id: str | None = None


@dataclass(slots=True)
class Account:
    """One client's: what it said by its own names for it, in that order, and what it showed in the order of showing.

    `is_one_by_one`: each thing is said after the last was kept, so it is stored in that order. What was given up
    is not said again: it may have been kept or not. `faults` are words on what the service must not do.
    """

    name: str
    session_id: str
    user_id: str
    is_one_by_one: bool
    said: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, Promise] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    shown: list[Told] = field(default_factory=list)
    resends: int = 0
    openings: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Findings:
    """Counts over all clients and sessions, and the first of what is wrong in words."""

    said: int = 0
    acknowledged: int = 0
    unacknowledged_kept: int = 0
    unacknowledged_absent: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    altered: int = 0
    lists_that_differ: int = 0
    faults: int = 0
    resends: int = 0
    reconnects: int = 0
    wrongs: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.lost, self.doubled, self.out_of_order, self.altered, self.lists_that_differ, self.faults)
        return not any(wrong)

    def note(self, what: str) -> None:
        """Keep it in words, if it is among the first."""
        if len(self.wrongs) < WRONGS_MAX:
            self.wrongs.append(what)


def check(accounts: Sequence[Account], stored: Mapping[str, Sequence[Told]]) -> Findings:
    """Hold what the clients know to what is `stored`: the messages of each session, in the order of the database."""
    findings = Findings()
    for session_id in {account.session_id for account in accounts} | set(stored):
        own = [account for account in accounts if account.session_id == session_id]
        messages = stored.get(session_id, ())
        _check_list(findings, f"the database of {session_id}", messages)
        for earlier, later in itertools.pairwise([0, *sorted(one.seq for one in messages)]):
            if later > earlier + 1:
                findings.out_of_order += 1
                findings.note(f"the database of {session_id} has no message between {earlier} and {later}")
        _check_sources(findings, own, messages)
        for account in own:
            _check_account(findings, account, own, messages)
    return findings


def _check_account(
    findings: Findings, account: Account, all_in_session: Sequence[Account], messages: Sequence[Told]
) -> None:
    findings.said += len(account.said)
    findings.acknowledged += len(account.acknowledged)
    findings.resends += account.resends
    findings.reconnects += max(account.openings - 1, 0)
    findings.faults += len(account.faults)
    for fault in account.faults:
        findings.note(f"{account.name}: {fault}")
    _check_list(findings, f"the list of {account.name}", account.shown)
    if list(account.shown) != list(messages):
        findings.lists_that_differ += 1
        findings.note(f"{account.name} has {len(account.shown)} messages, the database {len(messages)}, not the same")
    kept = {one.client_id: one for one in messages if one.author == account.user_id}
    lists = [({one.message_id for one in other.shown}, other.name) for other in all_in_session]
    for client_id, promise in account.acknowledged.items():
        if (why := _broken(promise, kept.get(client_id), lists)) is not None:
            findings.lost += 1
            findings.note(f"{account.said.get(client_id, client_id)[:SHOWN]!r} was acknowledged, and {why}")
    for client_id in account.said.keys() - account.acknowledged.keys():
        if client_id in kept:
            findings.unacknowledged_kept += 1
        else:
            findings.unacknowledged_absent += 1
    if account.is_one_by_one:
        numbers = {client_id: number for number, client_id in enumerate(account.said)}
        order = [numbers[client_id] for client_id in kept if client_id in numbers]
        for before, after in itertools.pairwise(order):
            if after < before:
                findings.out_of_order += 1
                findings.note(f"{account.name} said its message {after} before {before}, and it is stored behind it")


def _broken(promise: Promise, message: Told | None, lists: Sequence[tuple[set[str], str]]) -> str | None:
    """Why an acknowledgement was not kept; None when it was."""
    if message is None:
        return "is not in the database"
    if promise.seq not in (None, message.seq) or promise.message_id not in (None, message.message_id):
        return f"stands elsewhere: promised {promise}, stored {message}"
    missing = [name for ids, name in lists if message.message_id not in ids]
    return f"is missing in the lists of {', '.join(missing)}" if missing else None


def _check_list(findings: Findings, where: str, messages: Sequence[Told]) -> None:
    """No message twice, and each behind those with a lower number."""
    for kind, values in (
        ("id", [one.message_id for one in messages]),
        ("text", [one.content for one in messages if one.author is not None]),
    ):
        repeated = {value: count for value, count in Counter(values).items() if count > 1}
        for value, count in repeated.items():
            if kind == "text" and len({one.message_id for one in messages if one.content == value}) < count:
                continue  # the same message: counted by its id
            findings.doubled += count - 1
            findings.note(f"{where} has the {kind} {value[:SHOWN]!r} {count} times")
    for before, after in itertools.pairwise(messages):
        if after.seq <= before.seq and after.message_id != before.message_id:
            findings.out_of_order += 1
            findings.note(f"{where} has {after.seq} behind {before.seq}")


def _check_sources(findings: Findings, accounts: Sequence[Account], messages: Sequence[Told]) -> None:
    """Everything that is stored was said, by this person, in these words; what has no author is the service's."""
    said = dict(_said(accounts))
    for one in messages:
        if one.author is not None and said.get((one.author, one.client_id)) != one.content:
            findings.altered += 1
            findings.note(f"{one} is stored, and nobody said it like that")


def _said(accounts: Sequence[Account]) -> Iterator[tuple[tuple[str | None, str | None], str]]:
    for account in accounts:
        for client_id, content in account.said.items():
            yield (account.user_id, client_id), content
