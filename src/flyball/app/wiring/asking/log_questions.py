"""Questions to the prediction log of a home: rows by a query, one by its id with its shadow pair and its labels."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.answers import Answers
from flyball.adapters.prediction_log.files import TABLES, sealed
from flyball.adapters.prediction_log.labels import labels_of
from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.wiring.label_delays import first_labels, quantiles
from flyball.contracts.durations import seconds
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAIR_S = 3600.0  # a shadow answers within its deadline; its pane is sealed within this, or the disk is in trouble


class Question(Record):
    """What `flyball predictions query` is asked."""

    sql: str | None = None
    where: str | None = None
    since: float | None = None  # seconds since the epoch
    until: float | None = None
    arm: str | None = None
    release: str | None = None  # the beginning of its root
    columns: tuple[str, ...] = ()


class Told(Record):
    """One prediction and all that is known of it."""

    service: str
    record: dict[str, Any]
    shadows: tuple[dict[str, Any], ...]  # what the shadow said about the same row
    labels: tuple[dict[str, Any], ...]  # in the order in which they came; the last one counts
    label_delay_s: float | None  # from the row's arrival to its first label


class Summary(Record):
    """What the log of a service holds, counted."""

    service: str
    rows: int  # received and written
    outcomes: dict[str, int]
    fallbacks: int
    errors: int  # error events
    slow: int
    first_at: float | None  # arrival, seconds since the epoch
    last_at: float | None
    labelled: int  # predictions with a label
    corrected: int  # of them, those whose label was corrected
    late: int | None  # of them, those whose first label came after the window; None: no window was named
    label_delay_s: dict[str, float | None]  # p50, p90, p99 from a row's arrival to its first label


def service_named(home: Home, service: str | None) -> str:
    """Raises: NotFound: the home has no log of it. BadInput: it has several logs and none was named."""
    known = Answers(home.telemetry("any").parent).services()
    if service is None and len(known) == 1:
        return known[0]
    shown = ", ".join(known) or "none"
    if service is None and known:
        fault = Fault(where="command line", path="SERVICE", expected=f"one of {shown}", found="none", fix="name it")
        raise BadInput(f"The home has the logs of {len(known)} services.", (fault,))
    if service not in known:
        raise NotFound(f"no prediction log of {service or 'any service'} in {home.root}", hint=f"services: {shown}")
    return service


def folders(home: Home, service: str) -> int:
    """How many folders a query may have to look at."""
    return len(sealed(home.telemetry(service)))


def ask(home: Home, service: str, question: Question, *, advance: Callable[[int], None]) -> pl.LazyFrame:
    """The answer, not read yet. Raises: BadInput: the SQL, the condition or a column is faulty."""
    text = (question.sql or "").lower()
    names = tuple(name for name in TABLES if name == "predictions" or name in text)
    found = dict(tables(home.telemetry(service), names, since=question.since, until=question.until, advance=advance))
    rows = found["predictions"]
    if question.arm is not None:
        rows = rows.filter(pl.col("arm") == question.arm)
    if question.release is not None:
        root = question.release.removeprefix("sha256:")
        rows = rows.filter(pl.col("release").str.strip_prefix("sha256:").str.starts_with(root))
    columns = rows.collect_schema().names()
    if question.where is not None:
        rows = _sound("--where", columns, lambda: _filtered(rows, question.where or ""))
    found["predictions"] = rows
    sql = question.sql
    if sql is not None:
        rows = _sound("--sql", columns, lambda: _executed(found, sql))
    if question.columns:
        there = rows.collect_schema().names()
        faults = [
            Fault(where="command line", path="--columns", expected=f"columns of {', '.join(there)}", found=name)
            for name in question.columns
            if name not in there
        ]
        if faults:
            raise BadInput("The query is faulty.", tuple(faults))
        rows = rows.select(question.columns)
    return rows


def show(home: Home, prediction: str) -> Told:
    """All that is known of one prediction. Raises: NotFound; BadInput: several ids begin so."""
    answers = Answers(home.telemetry("any").parent)
    service = prediction.partition(".")[0]
    found = answers.find(service, prediction, limit=2) if service in answers.services() else ()
    if not found:
        hint = "an id is as the client got it: SERVICE.xxxx; rows beyond the retention are gone"
        raise NotFound(f"no prediction {prediction!r} in {home.root}", hint=hint)
    if len(found) > 1 and found[0].id != prediction:
        fault = Fault(where="command line", path="ID", expected="the beginning of one id", found=prediction)
        raise BadInput("Several predictions begin so.", (fault,))
    one = found[0]
    # the shadow's pane is near the row's own; labels may come at any time
    folder, names = home.telemetry(service), ("predictions", "shadows")
    near = tables(folder, names, since=one.at, until=one.at + _PAIR_S)
    (record,) = near["predictions"].filter(pl.col("id") == one.id).head(1).collect().to_dicts()
    labels = labels_of(folder, one.id)
    return Told(
        service=service,
        record=record,
        shadows=tuple(near["shadows"].filter(pl.col("id") == one.id).collect().to_dicts()),
        labels=tuple({"label": each.label, "at": each.at} for each in labels),
        label_delay_s=labels[0].at - one.at if labels else None,
    )


def span(
    since: str | None, until: str | None, names: tuple[str, str] = ("--since", "--until")
) -> tuple[float | None, float | None]:
    """Both as seconds since the epoch, seen from now. `names`: of the options. Raises: BadInput."""
    now = SystemClock().now()
    return moment_of(names[0], since, now), moment_of(names[1], until, now)


def summary(
    home: Home, service: str, *, since: float | None, until: float | None, window_s: float | None,
    advance: Callable[[int], None],
) -> Summary:  # fmt: skip
    """What the log holds, counted. `window_s`: a label that came later after its row is late; None: unknown."""
    names = ("predictions", "labels")
    found = tables(home.telemetry(service), names, since=since, until=until, advance=advance)
    rows = found["predictions"].group_by("outcome").agg(
        rows=pl.len(), first=pl.col("at").min(), last=pl.col("at").max(),
        fallback=pl.col("fallback").is_not_null().sum(), error=pl.col("error").sum(), slow=pl.col("slow").sum(),
    ).collect(engine="streaming").sort("outcome")  # fmt: skip
    labels = first_labels(
        found["labels"],
        lambda arrived: (
            (pl.lit(True) if since is None else arrived >= since) & (pl.lit(True) if until is None else arrived < until)
        ),
    )
    delays = labels["delay"]
    return Summary(
        service=service,
        rows=int(rows["rows"].sum()),
        outcomes={row["outcome"]: row["rows"] for row in rows.iter_rows(named=True)},
        fallbacks=int(rows["fallback"].sum()),
        errors=int(rows["error"].sum()),
        slow=int(rows["slow"].sum()),
        first_at=rows["first"].min(),  # type: ignore[arg-type]
        last_at=rows["last"].max(),  # type: ignore[arg-type]
        labelled=labels.height,
        corrected=int((labels["lines"] > 1).sum()),
        late=None if window_s is None else int((delays > window_s).sum()),
        label_delay_s=quantiles(delays),
    )


def moment_of(option: str, text: str | None, now: datetime) -> float | None:
    """A time as people write it, in seconds since the epoch: `24h` ago, a date or time (UTC unless it says else).

    Raises: BadInput: none of these.

    >>> from datetime import UTC
    >>> now = datetime(1970, 1, 3, tzinfo=UTC)
    >>> moment_of("--since", "24h", now), moment_of("--since", "1970-01-02", now), moment_of("--since", "86400", now)
    (86400.0, 86400.0, 86400.0)
    """
    if text is None:
        return None
    ago = seconds(text)
    if ago is not None:
        return now.timestamp() - ago
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return float(text)
        except ValueError as error:
            expected = "24h, 7d, 2026-11-26, 2026-11-26T10:00:00Z or seconds since 1970"
            fault = Fault(where="command line", path=option, expected=expected, found=text)
            raise BadInput("The query is faulty.", (fault,)) from error
    return (at if at.tzinfo else at.replace(tzinfo=now.tzinfo)).timestamp()


def length_of(option: str, text: str | None) -> float | None:
    """A duration as people write it, in seconds. Raises: BadInput."""
    found = None if text is None else seconds(text)
    if text is not None and found is None:
        fault = Fault(where="command line", path=option, expected="a duration such as 10m, 24h, 7d", found=text)
        raise BadInput("The query is faulty.", (fault,))
    return found


def _filtered(rows: pl.LazyFrame, where: str) -> pl.LazyFrame:
    found = rows.filter(pl.sql_expr(where))
    found.collect_schema()
    return found


def _executed(found: "Mapping[str, pl.LazyFrame]", sql: str) -> pl.LazyFrame:
    rows = pl.SQLContext(frames=found, eager=False).execute(sql)
    rows.collect_schema()
    return rows


def _sound(option: str, columns: Sequence[str], made: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    """Raises: BadInput: polars does not understand it."""
    try:
        return made()
    except pl.exceptions.PolarsError as error:
        said = str(error).strip().splitlines()[0]
        fix = f"columns: {', '.join(columns)}; a name with a dot in double quotes"
        fault = Fault(where="command line", path=option, expected="SQL that polars can run", found=said, fix=fix)
        raise BadInput("The query is faulty.", (fault,)) from error
