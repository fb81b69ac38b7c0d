"""What a well-formed section `alerts` may still get wrong: addresses that reach nobody, secrets in the open."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.yaml_text import Path
from flyball.core.declared.alerts import AlertDestination, Alerts, Rotation
from flyball.core.declared.destination import Destination

WEB = re.compile(r"https?://[^@/?#]+([/?#].*)?")
VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


class Needs(NamedTuple):
    """What a destination of one format has to have."""

    to: re.Pattern[str]
    words: str  # the same, for people
    keys: tuple[str, ...] = ()  # it cannot do without
    may: tuple[str, ...] = ()  # it may have


_SECRET = Needs(VARIABLE, "`env:NAME`: the address itself is a secret")
NEEDS: dict[str, Needs] = {
    "alertmanager": Needs(WEB, "an http(s) address without a password", may=("token",)),
    "pagerduty": Needs(WEB, "an http(s) address, https://events.pagerduty.com", ("token",)),
    "slack": _SECRET,
    "teams": _SECRET,
    "apprise": _SECRET,
    "webhook": Needs(WEB, "an http(s) address without a password", may=("token", "secret")),
    "email": Needs(
        re.compile(r"on_call|[^@\s,]+@[^@\s,]+"), "an address, or `on_call`", ("server", "sender"), ("user", "token")
    ),
    "ticket_file": Needs(re.compile(r"file:.*[^/].*"), "`file:` and a folder"),
    "github": Needs(
        re.compile(r"[\w.-]+/[\w.-]+|https?://[^@/?#]+/.*repos/[\w.-]+/[\w.-]+"),
        "OWNER/REPOSITORY, or the API's address of it (https://HOST/api/v3/repos/OWNER/REPOSITORY)",
        ("token",),
    ),
    "jira": Needs(WEB, "an http(s) address without a password", ("project", "token"), ("user",)),
}
OPTIONAL = ("secret", "token", "user", "sender", "server", "project")


def of_alerts(alerts: Alerts, events: tuple[Destination, ...]) -> Iterator[Finding]:
    """Each destination has a name of its own, can be reached, and holds no secret."""
    taken = {each.called for each in events}
    for index, each in enumerate(alerts.to):
        at: Path = ("alerts", "to", index)
        if each.called in taken:
            found = f"a second {each.called!r} (`events` counts too)"
            yield (*at, "name"), "a name of its own", found, "add `name:`"
        taken.add(each.called)
        yield from _of_destination(each, at)
    if alerts.runbooks_url is not None and not WEB.fullmatch(alerts.runbooks_url):
        expected = "an http(s) address without a password"
        yield ("alerts", "runbooks_url"), expected, f"text {alerts.runbooks_url!r}", ""
    if alerts.rotation is not None:
        yield from _of_rotation(alerts.rotation, len(alerts.on_call))
    if any(each.to == "on_call" for each in alerts.to) and not any(
        "@" in who for level in alerts.levels for who in level
    ):
        yield ("alerts", "on_call"), "an address, since mails go to `on_call`", "none with an @", ""


def _of_rotation(rotation: Rotation, levels: int) -> Iterator[Finding]:
    at: Path = ("alerts", "rotation")
    try:
        known = datetime.fromisoformat(rotation.start).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        yield (*at, "start"), "a time with its offset, as 2026-11-30T09:00:00Z", f"text {rotation.start!r}", ""
    if levels < 2:
        yield ("alerts", "on_call"), "two levels at least, which take turns", f"{levels}", "name them, or no rotation"
    elif rotation.levels is not None and rotation.levels > levels:
        yield (*at, "levels"), f"at most {levels}, the length of on_call", f"{rotation.levels}", ""


def _of_destination(each: AlertDestination, at: Path) -> Iterator[Finding]:
    needs = NEEDS[each.format]
    if not needs.to.fullmatch(each.to) and not VARIABLE.fullmatch(each.to):
        found = "an address in the open" if needs is _SECRET else f"text {each.to!r}"
        yield (*at, "to"), needs.words, found, "put it into an environment variable" if needs is _SECRET else ""
    for key in OPTIONAL:
        given = getattr(each, key) is not None
        if key in needs.keys and not given:
            yield (*at, key), f"with {each.format} a value", "nothing", f"add `{key}:`"
        if given and key not in (*needs.keys, *needs.may):
            yield (*at, key), f"no {key} with {each.format}", key, "nothing would use it"
    if (each.user is None) != (each.token is None) and each.format == "email":
        yield (*at, "token"), "user and token together, or neither", "one of them", ""
