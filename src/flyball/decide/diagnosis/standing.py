"""Shifts that the e-detector is sure of and whose PSI is within its limit: they are told, and ask for nothing.

Evidence grows with every window, so a small shift becomes sure long before it matters. It opens the question; whether
it does harm is for the labels to say.
"""

from collections.abc import Collection, Mapping

from flyball.core.causes import Asked
from flyball.core.watching import Signal, WindowReport


def standing_shifts(now: WindowReport, moved: Collection[str]) -> dict[str, Signal]:
    """Features and answers with a standing alarm of the e-detector, strongest first. Args: moved: beyond their PSI."""
    found = [each for each in now.signals if each.signal == "shift" and each.level == "act"]
    ranked = sorted(found, key=lambda each: -each.value)
    return {each.feature: each for each in ranked if each.feature is not None and each.feature not in moved}


def within_limit(now: WindowReport, shifts: Mapping[str, Signal], limit: float) -> Asked:
    """The question that a standing shift opens. Args: limit: PSI, nats."""
    psi = now.psi | now.prediction_psi
    told = ", ".join(
        f"{name} for {each.consecutive} windows (PSI {psi.get(name, 0.0):.2f})"
        for name, each in list(shifts.items())[:5]
    )
    return Asked(
        question="has anything surely moved within the limit of PSI?",
        answer="yes",
        number=max((psi[name] for name in shifts if name in psi), default=None),
        limit=limit,
        detail=f"a standing shift of {told}",
    )
