"""`flyball explain`: why something did or did not happen, from the ledger alone."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.cli.health_text import health_lines
from flyball.app.home import find_home
from flyball.core.errors import NotFound

SHORTEST = 8  # hex digits that name a digest

if TYPE_CHECKING:
    from flyball.control.explain import Explanation
    from flyball.core.ledger import Ledger
    from flyball.core.release import Release


def explain(
    subject: Annotated[
        str, Parameter(help="Service, rollout, release, ticket, incident, remedy, experiment or snapshot.")
    ],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Where the subject stands, the reasons of the last decisions, what they wait for, and the facts.

    Of a service also how well it is, its signs, and what would change that.
    Of a release also its lights, what is not passed, and where its evidence lies.
    """
    import msgspec

    from flyball.app.cli.release_text import evidence_folder, release_lines
    from flyball.app.cli.release_text import judged as judgement
    from flyball.app.people import states_of
    from flyball.app.wiring.health_seen import health_seen
    from flyball.app.wiring.ledger import open_ledger
    from flyball.control.explain import explain as explain_it

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(place)) as ledger:
        told = explain_it(subject, ledger.read(), states_of(ledger))
        release = _release(subject, told, ledger)
    evidence = evidence_folder(place, release) if release is not None else None
    judged = release_lines(release, evidence) if release is not None else []
    more = None if release is None else judgement(release) | {"release": release.root, "evidence": evidence}
    seen = health_seen(place, told.service)
    if told.subject == told.service and seen.report is not None:
        told = msgspec.structs.replace(told, health=seen.standing)
    emit(msgspec.to_builtins(told) | {"judged": more}, as_json=json, text=lambda: _text(told, judged))


def _release(subject: str, told: "Explanation", ledger: "Ledger") -> "Release | None":
    """The release that is the subject, by its root or 8 or more of its first hex digits."""
    from flyball.registry.releases import registry

    digits = subject.removeprefix("sha256:")
    known = registry(ledger.read(subject=told.service)).releases
    found = [one.release for root, one in known.items() if root.removeprefix("sha256:").startswith(digits)]
    return found[0] if len(found) == 1 and len(digits) >= SHORTEST else None


def _text(told: "Explanation", judged: list[str]) -> str:
    lines = [f"{told.subject} ({told.service}): {told.standing}"]
    lines += [f"  because  {reason}" for reason in told.because]
    lines += [f"  waits for  {wait}" for wait in told.waiting_for]
    if told.subject == told.service:
        lines += health_lines(told.health, told.health_since)
    lines += [f"  {line}" for line in judged]
    lines += [f"  {line.seq:>6}  {line.at}  {line.text}" for line in told.events]
    return "\n".join(lines)
