"""One item of the production checklist: passed, failed or unknown, with what shows it and what to do."""

from dataclasses import dataclass
from typing import Literal

from flyball.control.review.seen import Seen, Shown
from flyball.control.state.service_state import ServiceState
from flyball.core.record import Record
from flyball.core.service import Service

State = Literal["PASS", "FAIL", "UNKNOWN"]


class Item(Record):
    name: str
    state: State
    why: str  # what was found, in words
    todo: str = ""  # what makes it pass; empty: it has passed
    evidence: tuple[int, ...] = ()  # sequence numbers on the ledger
    age_s: float | None = None  # of the newest of them; None: a declaration or a look shows it


class Readiness(Record):
    service: str
    at: str  # RFC 3339, UTC
    ready: bool  # no item failed and none is unknown
    items: tuple[Item, ...]


class Checked(Record):
    """What was looked at outside the ledger. `ok` is None where nobody could say."""

    ok: bool | None
    why: str


UNSEEN = Checked(ok=None, why="nobody has looked")


class Looked(Record):
    """What the checklist needs and the ledger does not hold."""

    champion: Checked = UNSEEN  # its signature and every byte of it verify
    previous: Checked = UNSEEN  # likewise, of the release that a rollback goes to
    levels: Checked = UNSEEN  # the packaged data contract promises service levels
    labels: Checked = UNSEEN  # labels arrive
    runbooks: Checked = UNSEEN  # each is there, fresh, and its dry run goes through
    controller: Checked = UNSEEN  # one keeps the service
    backup: Checked = UNSEEN  # the newest one on record that is still whole is young enough


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All that an item may look at."""

    seen: Seen
    state: ServiceState
    service: Service
    looked: Looked


def passed(name: str, why: str, *shown: Shown) -> Item:
    return _item(name, "PASS", why, "", shown)


def failed(name: str, why: str, todo: str, *shown: Shown) -> Item:
    return _item(name, "FAIL", why, todo, shown)


def unknown(name: str, why: str, todo: str, *shown: Shown) -> Item:
    return _item(name, "UNKNOWN", why, todo, shown)


def looked_at(name: str, checked: Checked, todo: str, *shown: Shown) -> Item:
    """What a look came to."""
    if checked.ok is None:
        return unknown(name, checked.why, todo, *shown)
    return passed(name, checked.why, *shown) if checked.ok else failed(name, checked.why, todo, *shown)


def fresh(name: str, why: str, todo: str, shown: Shown, *, within_s: float) -> Item:
    """What was done, as long as it is not too long ago."""
    days = f"{shown.age_s / 86_400:.1f} days ago"
    if shown.age_s <= within_s:
        return passed(name, f"{why}, {days}", shown)
    return failed(name, f"{why}, but {days}: {within_s / 86_400:g} at most", todo, shown)


def _item(name: str, state: State, why: str, todo: str, shown: tuple[Shown, ...]) -> Item:
    return Item(
        name=name,
        state=state,
        why=why,
        todo=todo,
        evidence=tuple(each.seq for each in shown),
        age_s=min((each.age_s for each in shown), default=None),
    )
