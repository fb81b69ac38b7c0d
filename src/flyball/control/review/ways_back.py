"""Whether a release was ever taken back: for real, by hand, or in a drill of it that passed.

The checklist and the score ask the same, so both ask here.
"""

from flyball.control.review.seen import Seen, Shown
from flyball.core import events as e
from flyball.core.record import Record

BACK = ("bad_candidate", "bad_rollout", "rollback")  # drills that take a release back


class WayBack(Record):
    """One that was taken."""

    why: str
    shown: Shown
    drilled: bool = False
    automatic: bool = False  # of a drill: no hand was needed


def ways_back(seen: Seen) -> tuple[WayBack, ...]:
    """The newest of each kind, newest first."""
    rolled = seen.newest(e.RolledBack)
    appointed = seen.newest(e.ChampionAppointed, lambda fact: fact.rollout is None and fact.previous is not None)
    found = [WayBack(why="a release was taken back", shown=each[1]) for each in (rolled, appointed) if each is not None]
    drill = seen.newest(e.DrillEnded, lambda fact: fact.fault.replace("-", "_") in BACK and fact.outcome == "passed")
    if drill is not None:
        fact, shown = drill
        why = f"a drill of it passed ({fact.fault}), {'with no hand' if fact.automatic else 'by hand'}"
        found.append(WayBack(why=why, shown=shown, drilled=True, automatic=fact.automatic))
    return tuple(sorted(found, key=lambda one: -one.shown.seq))
