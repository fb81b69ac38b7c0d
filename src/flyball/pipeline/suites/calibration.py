"""Do the scores mean what they say? Calibration error, slope and intercept on the holdout."""

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.core.release import Estimate
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.found import Found, estimate, result, words
from flyball.stats.scoring.calibration import cox, ece

LIMIT = 0.05  # calibration error from which it is a finding; a gate on `ece` sets another


def calibration(scored: Scored, classes: tuple[Label, ...], rng: np.random.Generator) -> Found:
    """`ece`, `calibration_slope` and `calibration_intercept`; of many classes, of the top one.

    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> honest = Scored(truth=(rng.random(2000) < p).astype(int), predictions=(p > 0.5).astype(int), scores=p)
    >>> calibration(honest, (0, 1), rng).tests[0].verdict
    'PASS'
    """
    if scored.scores is None:
        return Found(
            missing=dict.fromkeys(("ece", "calibration_slope", "calibration_intercept"), "a number has no score")
        )
    if scored.scores.ndim == 1:
        happened, said = scored.truth == classes[1], scored.scores
    else:
        top = scored.scores.argmax(axis=1)
        happened, said = scored.truth == np.array(classes)[top], scored.scores.max(axis=1)
    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    try:
        metrics["ece"] = estimate(ece(happened, said, rng=rng))
    except NotEnoughData as error:
        missing["ece"] = words(error)
    try:
        slope, offset = cox(happened, said)
        metrics |= {"calibration_slope": estimate(slope), "calibration_intercept": estimate(offset)}
    except NotEnoughData as error:
        missing |= dict.fromkeys(("calibration_slope", "calibration_intercept"), words(error))
    found = metrics.get("ece")
    if found is None:
        told = result("model", "calibration", "quality", "INCONCLUSIVE", missing["ece"], hard=False, n=len(said))
    else:
        verdict = "PASS" if found.high <= LIMIT else "FAIL" if found.low > LIMIT else "INCONCLUSIVE"
        reason = f"calibration error {found.value:.4f} ({found.low:.4f} to {found.high:.4f})"
        if "calibration_slope" in metrics:
            at = metrics["calibration_slope"]
            reason += f", slope {at.value:.2f} ({at.low:.2f} to {at.high:.2f}; 1 is honest, less is too sure)"
        told = result("model", "calibration", "quality", verdict, reason, hard=False, found=found, limit=LIMIT)  # type: ignore[arg-type]
    return Found(tests=(told,), metrics=metrics, missing=missing)
