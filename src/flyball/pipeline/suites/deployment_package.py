"""The package as a thing: how large, how much memory, does a clean process load it and answer alike."""

from collections.abc import Sequence

import msgspec

from flyball.core.model import Fresh
from flyball.core.prediction import Answer, Failure
from flyball.core.release import Estimate, TestResult

MB = 1e6  # bytes


def exactly(value: float) -> Estimate:
    """A measured value without sampling error.

    >>> exactly(3.0).high
    3.0
    """
    return Estimate(value=value, low=value, high=value, n=1)


def clean_process(found: Fresh) -> TestResult:
    """A fresh interpreter loads the package, with its probe, and answers every row.

    >>> clean_process(Fresh(import_s=0.2, load_s=0.1, memory_mb=60.0, error=None)).verdict
    'PASS'
    """
    numbers = f"imports {found.import_s:.2f} s, load {found.load_s:.2f} s, then {found.memory_mb:.0f} MB resident"
    if found.imported:
        numbers += f"; it imported {', '.join(found.imported)}"
    return TestResult(
        suite="deployment",
        name="loads in a clean process",
        dimension="quality",
        verdict="PASS" if found.error is None else "FAIL",
        reason=numbers if found.error is None else f"a fresh interpreter cannot load it and answer: {found.error}",
        value=found.load_s,
    )


def same_answers(here: Sequence[Answer | Failure], there: Sequence[Answer | Failure], *, where: str) -> TestResult:
    """Answers to the same rows, compared as they are written: each digit, and the sign of a zero.

    >>> same_answers([Answer(prediction=1.0)], [Answer(prediction=1.5)], where="in a clean process").reason
    'asked in a clean process, 1 of 1 rows get other answers; row 0: {"prediction":1.5} instead of {"prediction":1.0}'
    """
    ours, theirs = ([msgspec.json.encode(answer).decode() for answer in side] for side in (here, there))
    other = [row for row, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    reason = f"asked {where}, it answers {len(ours)} rows as here, bit for bit"
    if other:
        first = f"row {other[0]}: {theirs[other[0]]} instead of {ours[other[0]]}"
        reason = f"asked {where}, {len(other)} of {len(ours)} rows get other answers; {first}"
    return TestResult(
        suite="deployment",
        name=f"same answers {where}",
        dimension="quality",
        verdict="FAIL" if other else "PASS",
        reason=reason,
        value=float(len(other)),
        n=len(ours),
    )
