"""Do new shares of the classes explain what moved? Label shift is believed only where its own checks hold."""

from collections.abc import Collection

from flyball.core.causes import Asked, ClassShift

QUESTION = "do new shares of the classes explain it?"
LEAST = 0.05  # change of a share that counts
TOLD = 0.01  # from which on the two ways of solving are told apart
Z = 3.0  # standard errors that an estimated share may be off what the labels tell


def label_shift(found: ClassShift | None, moved: Collection[str], limit: float) -> Asked:
    """Three checks: a share surely moved, weighting the classes explains each moved feature, and the labels agree.

    Args: moved: features and answers beyond their limit. limit: PSI that may be left, nats.
    """
    if found is None:
        return Asked(question=QUESTION, answer="unknown", limit=limit, detail="no holdout by class, or no classes")
    told = ", ".join(
        f"{name} {before:.0%} to {now:.0%}"
        for name, before, now in zip(found.classes, found.before, found.now, strict=True)
    ) + _otherwise(found)
    surely = any(
        (low > 1 or high < 1) and abs(now - before) >= LEAST
        for low, high, now, before in zip(found.low, found.high, found.now, found.before, strict=True)
    )
    worst = max((name for name in moved if name in found.left), key=lambda name: found.left[name], default=None)
    number = found.left[worst] if worst is not None else None

    def answer(yes: bool, why: str) -> Asked:
        return Asked(question=QUESTION, answer="yes" if yes else "no", number=number, limit=limit, detail=why)

    if not surely:
        return answer(False, f"no share moved by {LEAST:.0%} for sure ({told})")
    if worst is None or number is None:
        return answer(False, f"nothing that moved is known by class ({told})")
    if number > limit:
        return answer(
            False, f"with {told} there is PSI {number:.2f} left in {worst} (of {found.unweighted[worst]:.2f})"
        )
    if found.told and (other := _disagrees(found)) is not None:
        return answer(False, f"the answers say {told}, but by the labels {other}")
    return answer(True, f"{told}; weighted so, PSI {number:.2f} is left in {worst} (of {found.unweighted[worst]:.2f})")


def _otherwise(found: ClassShift) -> str:
    """What maximum likelihood makes of the same counts, where that is another share."""
    other = [
        f"{name} {likely:.0%}"
        for name, now, likely in zip(found.classes, found.now, found.likeliest, strict=False)
        if abs(likely - now) >= TOLD
    ]
    return f"; by maximum likelihood {', '.join(other)}" if other else ""


def _disagrees(found: ClassShift) -> str | None:
    """A class whose share by labels is another than that by answers."""
    for at, name in enumerate(found.classes):
        error = (found.high[at] - found.low[at]) / 2 / 1.96 * found.before[at]
        if abs(found.told[at] - found.now[at]) > LEAST + Z * error:
            return f"{name} has {found.told[at]:.0%}"
    return None
