"""Does drift stand beside a collapse of the volume? Then it may only be that part of the supply is gone. Pure.

Who still asks when most have stopped is no sample of those who ask else, so their inputs are elsewhere though nothing
has changed for any of them. Few rows alone are no fault: they are told, and nothing is held back.
"""

from flyball.core.causes import Asked
from flyball.core.watching import Diagnosis, Signal, WindowReport

QUESTION = "do as many rows come as usual?"
DRIFT = ("psi", "shift")


def volume_asked(now: WindowReport, factor: float) -> Asked | None:
    """None: nothing has moved, or as many rows come as usual.

    Args: factor: `monitor.quality.max_volume_factor`; fewer rows than the usual ones over it are a collapse.
    """
    if not any(signal.signal in DRIFT for signal in now.signals):
        return None
    return next((told for told in (_of_window(now), _of_hour(now, factor)) if told is not None), None)


def few_rows(diagnosis: Diagnosis) -> str | None:
    """The collapse in words, where the diagnosis has found one beside drift."""
    return next((step.detail for step in diagnosis.steps if step.question == QUESTION and step.answer == "no"), None)


def _of_window(now: WindowReport) -> Asked | None:
    """Where time closes the windows, each is held against those before it."""
    for signal in now.signals:
        if _is_volume(signal) and signal.value < signal.limit:
            return Asked(question=QUESTION, answer="no", number=signal.value, limit=signal.limit, detail=signal.detail)
    return None


def _is_volume(signal: Signal) -> bool:
    return signal.signal == "quality" and signal.feature == "rows" and signal.detail.startswith("volume: ")


def _of_hour(now: WindowReport, factor: float) -> Asked | None:
    """Rows close the windows: the newest whole hour is held against the service's own past."""
    for one in now.own_past:
        if one.figure != "volume" or one.verdict != "LOW" or one.found is None or one.expected is None:
            continue
        if one.found * factor < one.expected:
            detail = f"volume: {one.found:.6g} rows in an hour where {one.expected:.6g} were expected, {one.against}"
            return Asked(question=QUESTION, answer="no", number=one.found, limit=one.expected / factor, detail=detail)
    return None
