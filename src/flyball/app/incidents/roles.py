"""What people are called where nobody is named: by their part in it, from the declaration and the facts of a service.

Whoever is on call, or has a role, is called by that; everybody else whom a fact names as a person is `a person`. An
alert's addressee is replaced in the fact, since the owner of a service may have a name that is a word too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from flyball.control.state.taken import MACHINES
from flyball.core import events as e
from flyball.core.ledger import Entry

SOMEBODY, OWNER = "a person", "the owner"
NOBODY = frozenset({"", "time", *MACHINES})  # what a fact is by that no person has done
PROVEN = ("os_user", "token", "simulated")


def roles_of(entries: Iterable[Entry]) -> dict[str, str]:
    """By the name of everybody whom the facts of a service name as a person, what to call them."""
    roles: dict[str, list[str]] = {}
    for one in entries:
        for name, role in _named(one.fact):
            there = roles.setdefault(name, [])
            if role and role not in there:
                there.append(role)
    called = {name: f"{SOMEBODY} ({', '.join(sorted(held))})" if held else SOMEBODY for name, held in roles.items()}
    return {name: words for name, words in called.items() if name not in NOBODY}


def nameless(text: str, roles: Mapping[str, str]) -> str:
    """
    >>> nameless("ada-2 froze it: ada asked", {"ada": "a person (approver)"})
    'ada-2 froze it: a person (approver) asked'
    """
    names = "|".join(re.escape(name) for name in sorted(filter(None, roles), key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{names})(?![\w-])", lambda found: roles[found[0]], text) if names else text


def to_roles(one: Entry, roles: Mapping[str, str], owners: Mapping[str, str]) -> Entry:
    """The entry of an alert as it went to roles; any other as it is. Args: owners: by alert, whose it is."""
    match one.fact:
        case e.AlertRaised(to=to, alert=alert) | e.AlertEscalated(to=to, alert=alert):
            called = (roles.get(name, OWNER if name == owners.get(alert) else SOMEBODY) for name in to)
            return replace(one, fact=replace(one.fact, to=tuple(dict.fromkeys(called))))
        case _:
            return one


def _named(fact: e.AnyFact) -> Iterator[tuple[str, str]]:
    """Names of people, each with a role or an empty text."""
    match fact:
        case e.ServiceDeclared(declaration=declaration):
            yield from _declared(declaration)
        case e.AlertHeld():
            return  # `by` is what holds it
        case e.TicketOpened(asked_by=name):
            yield name, ""
        case e.AlertRaised(to=to, owner=owner):
            yield from ((name, "") for name in to if name != owner)
        case _:
            names = {field.name for field in msgspec.structs.fields(type(fact))}
            if "by" in names and getattr(fact, "proof", PROVEN[0]) in PROVEN:
                yield str(getattr(fact, "by", "")), ""


def _declared(declaration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, held in (declaration.get("metadata", {}).get("people") or {}).items():
        yield name, ""
        yield from ((name, str(role)) for role in held)
    for level in (declaration.get("alerts") or {}).get("on_call") or ():
        yield from ((name, "on call") for name in ([level] if isinstance(level, str) else level))
