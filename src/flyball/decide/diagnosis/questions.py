"""The questions of the elimination that each diagnosis asks, with number, limit and answer in words."""

from flyball.core.causes import Asked
from flyball.core.service import Psi
from flyball.core.watching import WindowReport
from flyball.decide.diagnosis.loss import Gap, Loss


def moved_asked(now: WindowReport, moved: dict[str, float], limits: Psi) -> Asked:
    """Have inputs or answers moved?"""
    most = max((now.psi | now.prediction_psi | moved).values(), default=None)
    told = ", ".join(f"{name} {moved[name]:.2f}" for name in sorted(moved, key=lambda each: -moved[each])[:5])
    return Asked(
        question="have inputs or answers moved?",
        answer="yes" if moved else "no",
        number=most,
        limit=limits.warn,
        detail=(f"PSI of {told}" if moved else "no PSI is surely above its limit") + _season(now, moved, limits),
    )


def _season(now: WindowReport, moved: dict[str, float], limits: Psi) -> str:
    """Features that the reference itself has moved as far: told, and no drift."""
    as_usual = [
        name for name, value in now.psi.items() if value > limits.warn and name in now.usual and name not in moved
    ]
    if not as_usual:
        return ""
    told = ", ".join(f"{name} {now.psi[name]:.2f} of {now.usual[name]:.2f}" for name in as_usual[:5])
    return f"; within what the reference does by itself, season or trend: {told}"


def worse_asked(loss: Loss | None) -> Asked:
    question = "is the model worse, by the labels of these rows?"
    if loss is None:
        return Asked(question=question, answer="unknown", limit=0.0, detail="no labels of these rows yet")
    return Asked(
        question=question,
        answer="yes" if loss.harmful else "no",
        number=loss.value,
        limit=loss.limit,
        detail=f"worse than its holdout by {loss.value:+.4g}, at least {loss.low:+.4g}, over {loss.n} labels",
    )


def beyond_asked(gap: Gap | None) -> Asked:
    question = "is it worse than such rows let expect?"
    if gap is None:
        return Asked(question=question, answer="unknown", detail="no labels yet, or a holdout without outcomes")
    return Asked(
        question=question,
        answer="yes" if gap.sure else "no",
        number=gap.value,
        limit=gap.limit,
        detail=f"{gap.value:+.4g} a row beyond what was expected, surely at least {gap.low:+.4g}, over {gap.n} labels",
    )
