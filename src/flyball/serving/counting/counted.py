"""Which rows of a batch count for its arms, and how: those that the weight decided about are compared, no others."""

from collections.abc import Sequence

from flyball.core.prediction import PredictionRecord
from flyball.serving import outcome
from flyball.serving.batch import Batch
from flyball.serving.counting.accounting import Accounting
from flyball.serving.records import ASKED
from flyball.serving.routing.assign import mirrored


def assigned(accounting: Accounting, batch: Batch) -> None:
    """The units of a batch that has just been assigned."""
    if batch.pinned is not None or batch.excluded:
        return
    of_test = bool(batch.routing.arms)
    for place, (hashed, arm, verdict) in enumerate(zip(batch.hashes, batch.arms, batch.verdicts, strict=True)):
        if arm is None or verdict is not None or not batch.split(place):
            continue
        if of_test:
            accounting.arms.assigned(arm, hashed)
        else:
            accounting.assigned(arm == "candidate", hashed)


def finished(accounting: Accounting, batch: Batch, records: Sequence[PredictionRecord]) -> None:
    """Its rows when they are answered; those whose step has ended meanwhile move nothing, nor do those that say
    nothing of their arm: a row that cannot err would dilute the arm's rate."""
    if batch.pinned is not None or batch.excluded or batch.step_key != accounting.step_key:
        return
    count, of_test = accounting.row, bool(batch.routing.arms)
    for place, (record, hashed) in enumerate(zip(records, batch.hashes, strict=True)):
        if record.outcome not in ASKED or not batch.judges(place):
            continue
        if batch.split(place):
            failed = outcome.failed_answer(record.outcome)
            if of_test and record.arm is not None:
                accounting.row_of_arm(record.arm, hashed, record.error, record.slow, failed, record.at)
                continue
            count(record.arm == "candidate", hashed, record.error, record.slow, failed, record.at)
        elif record.arm == "candidate":
            accounting.given(hashed, record.error, record.slow)


def for_shadow(batch: Batch, share: float) -> list[int]:
    """Places of the rows to mirror: a share of those that could have been the candidate's and were the champion's and
    say something of it (a shadow has no pair in an answer of the cache)."""
    if batch.shed or batch.pinned is not None or batch.excluded:
        return []
    return [
        place
        for place, (arm, verdict) in enumerate(zip(batch.arms, batch.verdicts, strict=True))
        if arm == "champion" and verdict is None and batch.split(place) and batch.judges(place)
        if mirrored(batch.routing.salt, batch.ids[place], share)
    ]
