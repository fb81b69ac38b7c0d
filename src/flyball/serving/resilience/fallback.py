"""Who answers when the assigned arm does not: the chain of `serving.fallback`, as pure decisions."""

from collections.abc import Callable

from flyball.core.contract import Checked
from flyball.core.ids import ReleaseRoot
from flyball.core.prediction import ArmName, Failure
from flyball.core.routing import Relief, Routing
from flyball.core.service import Serving
from flyball.serving.batch import Batch

PREVIOUS = "previous"
_NOT_ASKED = frozenset({"open", "overload"})


def stand_ins(serving: Serving, routing: Routing, arm: ArmName) -> tuple[ReleaseRoot, ...]:
    """Releases that may be asked in place of an arm, in order.

    The link `previous` means the release that the arm is to replace: for a candidate, or an arm of an A/B test, the
    champion, then the champion's own predecessor; for the champion its predecessor, where one is kept warm.
    """
    if PREVIOUS not in serving.fallback:
        return ()
    if arm == "champion":
        return (routing.previous,) if routing.previous not in (None, routing.champion) else ()
    arms = {each.name: each.release for each in routing.arms}
    own = arms.get(arm, routing.candidate)
    return tuple(root for root in (routing.champion, routing.previous) if root is not None and root != own)


def in_relief(serving: Serving, routing: Routing, relief: Relief, arm: ArmName) -> tuple[ReleaseRoot, ...]:
    """The same while the champion is spared: nobody asks it in place of others, and in its own place only where the
    chain has no link behind the releases, since a champion that may fail is better than surely no answer."""
    roots = stand_ins(serving, routing, arm) if relief.releases else ()
    roots = tuple(root for root in roots if root != routing.champion)
    last = (routing.champion,) if arm == "champion" and all(link == PREVIOUS for link in serving.fallback) else ()
    return (*roots, *last)


def next_stand_ins(serving: Serving, batch: Batch, room: Callable[[ReleaseRoot], bool]) -> dict[int, ReleaseRoot]:
    """For each row that may still be answered by another release: the next one that it has not been asked of.

    `room`: whether a release may be asked about a row that its own arm had no room for.
    """
    asks = batch.caught == "chain"  # about rows that were turned away
    if (batch.shed and not asks) or batch.pinned is not None or None not in batch.final:
        return {}
    found: dict[int, ReleaseRoot] = {}
    for place, (arm, final) in enumerate(zip(batch.arms, batch.final, strict=True)):
        shed = batch.is_shed(place)
        if arm is None or final is not None or (shed and not asks):
            continue
        if not serving.idempotent and not _untouched(batch, place):
            continue
        for root in _roots(serving, batch, arm):
            if (place, root) not in batch.asked and not (shed and not room(root)):
                found[place] = root
                break
    return found


def _roots(serving: Serving, batch: Batch, arm: ArmName) -> tuple[ReleaseRoot, ...]:
    if batch.relief is not None and batch.relief.fall_back:
        return in_relief(serving, batch.routing, batch.relief, arm)
    return stand_ins(serving, batch.routing, arm)


def _untouched(batch: Batch, place: int) -> bool:
    """Whether surely nobody has been asked about the row: the contract withheld it, or its arm was not let in. One that
    died may have done before what it was asked to."""
    if any(asked == place for asked, _ in batch.asked):
        return False
    own = batch.own[place]
    if batch.is_shed(place):
        return True
    return batch.verdicts[place] is not None or (isinstance(own, Failure) and own.reason in _NOT_ASKED)


def may_answer(verdict: Checked, serving: Serving, routing: Routing, arm: ArmName | None, pinned: str | None) -> bool:
    """Whether anybody may answer a row that the contract did not accept.

    A rejected row nobody; a quarantined one the fallback chain alone, so without a chain it is the client's fault and
    not a failure of ours. A pinned version has no chain.
    """
    if verdict.verdict == "reject" or pinned is not None or arm is None:
        return False
    return any(link != PREVIOUS for link in serving.fallback) or bool(stand_ins(serving, routing, arm))
