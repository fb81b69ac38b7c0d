"""What the drill of a disaster comes to: what would have been lost, how soon it answered again, what differs. Pure."""

from flyball.core.record import Record
from flyball.core.routing import Routing

SAME = ("IDENTICAL", "EQUIVALENT")


class DisasterReport(Record):
    """What `flyball drill disaster --json` prints."""

    fault: str  # `disaster`
    drill: str  # id on the ledger
    service: str
    ok: bool  # nothing differs
    rpo_s: float | None  # the newest whole backup on record ends so long before the newest fact of the home; None: none
    newest_backup: str  # its folder; empty: there is none
    newest_facts_lost: int | None  # facts that came after it
    drill_rpo_s: float  # the same of the backup that the drill made a moment before: near 0
    rto_s: float  # from then until a gateway on the restored home had answered
    facts_lost: int  # entries of the ledger behind the drill's own backup
    backup_age_s: float  # the backup was so old when the home was lost: more could not have been lost
    backup_s: float  # how long it took to make
    size: int  # of the backup, bytes
    entries: int  # of the restored ledger
    verified: bool  # chain, signed heads and roots
    routing: str  # the champion that the restored gateway holds, and its epoch
    answered_by: str  # release that answered there; empty: none did
    reproduced: str  # verdict on one release
    differences: tuple[str, ...]
    backups_gone: tuple[str, ...] = ()  # newer ones on record that are not there as they were laid aside
    report: str = ""


def routing_differences(folded: Routing | None, held: Routing | None, champion: str | None) -> tuple[str, ...]:
    """Where the routing that the ledger names and the one that a gateway holds part, in words.

    Before a controller has ordered the first one the ledger names none, and a gateway begins by itself at epoch 0.

    >>> routing_differences(None, None, None)
    ('the ledger names no routing', 'the gateway holds no routing')
    """
    found = []
    if folded is None and held is not None and held.epoch == 0:
        return () if held.champion == champion else (f"champion: the facts make it {champion}, there {held.champion}",)
    if folded is None:
        found.append("the ledger names no routing")
    if held is None:
        found.append("the gateway holds no routing")
    if folded is None or held is None:
        return tuple(found)
    for name in ("epoch", "champion", "previous", "candidate", "weight"):
        said, there = getattr(folded, name), getattr(held, name)
        if said != there:
            found.append(f"{name}: the ledger names {said}, the gateway holds {there}")
    if folded.champion != champion:
        found.append(f"champion: the facts make it {champion}, the routing names {folded.champion}")
    return tuple(found)


def markdown(report: DisasterReport) -> str:
    """The report that is kept in the home's `drills/`."""
    lines = [
        f"# Disaster drill of {report.service} ({report.drill})",
        "",
        "| what | came to |",
        "|---|---|",
        f"| backup | {report.size / 1e6:.1f} MB in {report.backup_s:.1f} s |",
        f"| lost with the home (RPO) | {_lost(report)} |",
        f"| of the drill's own backup | {report.drill_rpo_s:.1f} s, {report.facts_lost} facts |",
        f"| answers again (RTO) | {report.rto_s:.1f} s |",
        f"| ledger | {report.entries} entries, {'verified' if report.verified else 'NOT verified'} |",
        f"| routing | {report.routing} |",
        f"| answered by | {report.answered_by or 'nobody'} |",
        f"| one release made again | {report.reproduced} |",
        "",
    ]
    lines += [f"- GONE: {each}" for each in report.backups_gone]
    lines += [f"- DIFFERS: {each}" for each in report.differences] or ["Nothing differs."]
    return "\n".join(lines) + "\n"


def _lost(report: DisasterReport) -> str:
    if report.rpo_s is None:
        return "everything: no whole backup is on record (flyball backup --out FOLDER)"
    return f"{report.rpo_s:.1f} s, {report.newest_facts_lost} facts, behind {report.newest_backup}"
