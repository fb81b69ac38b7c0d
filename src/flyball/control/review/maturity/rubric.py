"""The 28 tests of the ML Test Score by the paper's own numbers and titles. Ours are worded for what we can show.

Source: tables I to IV of Breck, Cai, Nielsen, Salib, Sculley, "The ML Test Score: A Rubric for ML Production Readiness
and Technical Debt Reduction", IEEE Big Data 2017.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from flyball.control.review.maturity.tested import Section, Tested

RUBRIC: Final[dict[Section, tuple[str, ...]]] = {  # in the paper's order
    "data": (
        "Feature expectations are captured in a schema",
        "All features are beneficial",
        "No feature's cost is too much",
        "Features adhere to meta-level requirements",
        "The data pipeline has appropriate privacy controls",
        "New features can be added quickly",
        "All input feature code is tested",
    ),
    "model": (
        "Model specs are reviewed and submitted",
        "Offline and online metrics correlate",
        "All hyperparameters have been tuned",
        "The impact of model staleness is known",
        "A simpler model is not better",
        "Model quality is sufficient on important data slices",
        "The model is tested for considerations of inclusion",
    ),
    "infrastructure": (
        "Training is reproducible",
        "Model specs are unit tested",
        "The ML pipeline is integration tested",
        "Model quality is validated before serving",
        "The model is debuggable",
        "Models are canaried before serving",
        "Serving models can be rolled back",
    ),
    "monitoring": (
        "Dependency changes result in notification",
        "Data invariants hold for inputs",
        "Training and serving are not skewed",
        "Models are not too stale",
        "Models are numerically stable",
        "Computing performance has not regressed",
        "Prediction quality has not regressed",
    ),
}
_SHORT: Final[dict[Section, str]] = {
    "data": "Data",
    "model": "Model",
    "infrastructure": "Infra",
    "monitoring": "Monitor",
}


def numbered(section: Section, tests: Iterable[Tested]) -> tuple[Tested, ...]:
    """The tests of a section, in the paper's order, each with its number and title there."""
    found = zip(tests, RUBRIC[section], strict=True)
    return tuple(replace(each, rubric=f"{_SHORT[section]} {n}: {title}") for n, (each, title) in enumerate(found, 1))
