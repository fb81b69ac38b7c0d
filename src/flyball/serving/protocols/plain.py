"""The plain JSON routes: bodies to rows and labels, records to answers."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec

from flyball.core.clock import CLOCK_SKEW_S, moment
from flyball.core.errors import Fault
from flyball.core.prediction import LabelRecord, PredictionRecord
from flyball.serving.admit import complaint
from flyball.serving.batch import Batch
from flyball.serving.protocols.bodies import fault, kind_of, read, refusal

SHED_STATUS = {"priority": 429, "deadline": 504}  # HTTP status of a shed request, by the reason; else 503
_WORDS = {
    "priority": "turned away so that more important requests are answered: try again later",
    "deadline": "the deadline of the request had passed when it arrived",
}


class _Prediction(msgspec.Struct, kw_only=True):
    """One row's answer. Field order is the order in the JSON."""

    id: str
    prediction: str | float | int | bool | None
    score: float | msgspec.UnsetType = msgspec.UNSET
    scores: dict[str, float] | msgspec.UnsetType = msgspec.UNSET
    release: str
    arm: str | None
    fallback: str | None
    latency_ms: float


class _Error(msgspec.Struct):
    error: str
    id: str


class _Predictions(msgspec.Struct, omit_defaults=True):
    service: str
    predictions: list[_Prediction | _Error]
    error: str = ""


_ENCODER = msgspec.json.Encoder()


def rows_of(body: bytes, where: str, *, max_rows: int) -> list[dict[str, Any]]:
    """`{"rows": [{...}, ...]}` or one bare row.

    Raises: BadInput: not that.

    >>> rows_of(b'{"amount": 3}', "predict", max_rows=10), rows_of(b'{"rows": [{"amount": 3}]}', "predict", max_rows=10)
    ([{'amount': 3}], [{'amount': 3}])
    """
    value = read(body, object, where)
    if not isinstance(value, dict):
        expected = '{"rows": [{...}]} or one row as an object'
        raise refusal(where, [fault(where, "$", expected, kind_of(value))])
    rows = value.get("rows")
    if not isinstance(rows, list):
        return [value]
    faults: list[Fault] = []
    if not rows:
        faults.append(fault(where, "rows", "at least one row", "none"))
    if len(rows) > max_rows:
        faults.append(fault(where, "rows", f"at most {max_rows} rows", f"{len(rows)}", "send several requests"))
    faults += [
        fault(where, f"rows[{place}]", "an object", kind_of(row))
        for place, row in enumerate(rows)
        if not isinstance(row, dict)
    ]
    if unknown := sorted(value.keys() - {"rows"}):
        faults.append(fault(where, unknown[0], "only `rows` beside `rows`", "a further key"))
    if faults:
        raise refusal(where, faults)
    return rows


def predictions_body(batch: Batch, records: Sequence[PredictionRecord]) -> tuple[int, bytes]:
    """Status and body: 200, or an error status if no row at all was answered."""
    entries = [_entry(batch, place, record) for place, record in enumerate(records)]
    service = batch.routing.service
    status = status_of(records)
    if status == 200:
        return 200, _ENCODER.encode(_Predictions(service, entries))
    errors = [entry.error for entry in entries if isinstance(entry, _Error)]
    summary = errors[0] if len(errors) == 1 else "; ".join(f"rows[{i}]: {e}" for i, e in enumerate(errors[:10]))
    return status, _ENCODER.encode(_Predictions(service, entries, summary))


def prediction_body(batch: Batch, place: int, record: PredictionRecord) -> tuple[int, bytes]:
    """`predictions_body` of a request of one row, which stands at this place of a batch of many requests."""
    entry = _entry(batch, place, record)
    if isinstance(entry, _Prediction):
        return 200, _ENCODER.encode(_Predictions(batch.routing.service, [entry]))
    return status_of((record,)), _ENCODER.encode(_Predictions(batch.routing.service, [entry], entry.error))


def status_of(records: Sequence[PredictionRecord]) -> int:
    """The HTTP status of a request: 200 as soon as one row was answered."""
    outcomes = {record.outcome for record in records}
    if outcomes & {"answered", "fallback", "quarantined"}:
        return 200
    if "shed" in outcomes:
        return SHED_STATUS.get(next(record.reason or "" for record in records if record.outcome == "shed"), 503)
    if outcomes == {"rejected"}:
        return 400
    if all((record.reason or "").startswith("filter: ") for record in records if record.outcome == "failed"):
        return 422
    if all(record.reason in ("open", "overload") for record in records if record.outcome == "failed"):
        return 503
    late = all(record.reason == "deadline" for record in records if record.outcome == "failed")
    return 504 if late else 500


def error_of(batch: Batch, place: int, record: PredictionRecord) -> str | None:
    """What the client is told about a row without an answer; None: it has one."""
    verdict = batch.verdicts[place]
    match record.outcome:
        case "rejected" if verdict is not None:
            return complaint(verdict)
        case "shed":
            return words_of(record.reason)
        case "failed" | "rejected":
            return f"no answer: {record.reason or 'unknown'}"
        case _:
            return None


def words_of(reason: str | None) -> str:
    """What the client of a shed row is told.

    >>> words_of("overload")
    'overloaded: try again later'
    """
    return _WORDS.get(reason or "", "overloaded: try again later")


class _Label(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    label: str | float | int | bool
    at: float | str | None = None


class _Labels(msgspec.Struct, forbid_unknown_fields=True):
    labels: list[_Label]


def labels_of(body: bytes, where: str, *, now: float) -> list[LabelRecord]:
    """`{"labels": [{"id", "label", "at"?}]}`; `at`: seconds since the epoch or RFC 3339, else `now`.

    A moment that has not come is refused: seconds that are milliseconds, most likely.

    Raises: BadInput: not that.

    >>> labels_of(b'{"labels": [{"id": "x", "label": 1}]}', "labels", now=5.0)
    [LabelRecord(id='x', label=1, at=5.0)]
    """
    found = read(body, _Labels, where)
    labels, faults = [], []
    for place, given in enumerate(found.labels):
        at = _seconds(given.at, now)
        if at is None:
            faults.append(fault(where, f"labels[{place}].at", "seconds or an RFC 3339 time", repr(given.at)))
            continue
        if not 0 <= at <= now + CLOCK_SKEW_S:
            faults.append(
                fault(where, f"labels[{place}].at", "a time since 1970 that has come, in seconds", repr(given.at))
            )
            continue
        labels.append(LabelRecord(id=given.id, label=given.label, at=at))
    if faults:
        raise refusal(where, faults)
    return labels


def labels_body(accepted: int, duplicate: int, corrected: int, unmatched: int) -> bytes:
    counts = {"accepted": accepted, "duplicate": duplicate, "corrected": corrected, "unmatched": unmatched}
    return _ENCODER.encode(counts)


def _entry(batch: Batch, place: int, record: PredictionRecord) -> _Prediction | _Error:
    error = error_of(batch, place, record)
    if error is not None:
        return _Error(error, record.id)
    return _Prediction(
        id=record.id,
        prediction=record.prediction,
        release=record.release,
        arm=record.arm,
        fallback=record.fallback,
        latency_ms=round(record.latency_ms, 3),
        score=msgspec.UNSET if record.score is None else record.score,
        scores=msgspec.UNSET if record.scores is None else record.scores,
    )


def _seconds(given: float | str | None, now: float) -> float | None:
    if given is None:
        return now
    if not isinstance(given, str):
        return given
    try:
        at = moment(given)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
