"""Protocols without a place for one row's error: a request is answered as a whole, or refused as a whole."""

from collections.abc import Sequence

from flyball.core.prediction import PredictionRecord
from flyball.serving.batch import Batch
from flyball.serving.protocols.plain import error_of, status_of

SHOWN = 20  # rows that an error names


def refusal_of(batch: Batch, records: Sequence[PredictionRecord]) -> tuple[int, str] | None:
    """Status and words where any row has no answer; None: all have one."""
    guilty = [
        place
        for place, (record, verdict) in enumerate(zip(records, batch.verdicts, strict=True))
        if record.prediction is None and (record.outcome != "rejected" or verdict is not None)
    ]
    if not guilty:
        return None
    wrong = [f"row {place}: {error_of(batch, place, records[place])}" for place in guilty[:SHOWN]]
    text = "; ".join(wrong) + ("; ..." if len(guilty) > SHOWN else "")
    return status_of([records[place] for place in guilty]), text
