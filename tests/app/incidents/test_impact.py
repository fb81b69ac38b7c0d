"""What an incident meant for those who asked: rows of the log that waited are told apart from rows that were slow."""

from datetime import UTC, datetime
from pathlib import Path

from tests.app.monitor.watched_home import START, champion, made
from tests.pipeline.fraud import transactions

from flyball.adapters.prediction_log.query import tables
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.home import Home
from flyball.app.incidents.postmortem import postmortem
from flyball.app.wiring.asking.incidents import impact_of
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.contracts.odcs.document import parse_contract
from flyball.control.incidents.timeline import timeline
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import ServiceName
from flyball.core.log_tables import log_tables
from flyball.core.prediction import PredictionRecord
from flyball.core.release import Baseline
from flyball.core.service import Objectives
from flyball.monitor.objectives import signals
from flyball.monitor.panes import count
from flyball.monitor.windows import Span

ROWS, WAITED, SLOW = 200, 22, 3
LIMIT_MS = Objectives().latency_p99_ms


def at(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(START + seconds, UTC))


def record(number: int, root: str, row: dict[str, object]) -> PredictionRecord:
    """The first wait for a deadline and are answered by the chain; then some are slow of their own."""
    waited, slow = number < WAITED, WAITED <= number < WAITED + SLOW
    return PredictionRecord(
        id=f"fraud.{number:012x}{number:026x}",
        at=START + number,
        unit=str(row["card_id"]),
        arm="champion",
        release=root,
        epoch=1,
        outcome="fallback" if waited else "answered",
        fallback="constant" if waited else None,
        error=waited,
        slow=slow,
        prediction=0,
        score=0.0,
        latency_ms=1007.0 if waited else 150.0 if slow else 2.0,
        service_ms=0.0 if waited else 149.0 if slow else 1.0,
        queue_ms=1006.0 if waited else 0.0,
        features={name: value for name, value in row.items() if value is not None},
    )


def asked(home: Home) -> str:
    root = champion(home)
    text = (ReleaseStore(home).folder(root) / "contract.yaml").read_text()
    contract = parse_contract(text, file="contract.yaml", table="transactions").contract
    log = SegmentLog(
        home.telemetry("fraud"),
        "fraud",
        log_tables(contract, label="is_fraud", task="binary", hidden=frozenset()),
        fsync="os",
    )
    rows = transactions(ROWS, seed=3).drop("is_fraud").to_dicts()
    log.append(0, [record(number, root, row) for number, row in enumerate(rows)], [])
    log.seal(0, start=START, end=START + ROWS, received=ROWS, labels=[])
    log.close()
    return root


def test_what_an_alert_of_latency_counts_is_in_the_postmortem_beside_the_slow_events(tmp_path: Path) -> None:
    """An upstream that stalls: 22 rows waited a second for it, "beyond the objective" said the alert, and "slow 0" the
    postmortem: nobody knows the own time of an answer that never came."""
    home = made(tmp_path)
    root = asked(home)
    opened = e.IncidentOpened(
        service=ServiceName("fraud"), incident="in-1", kind="health", reason="r", cause="errors", began=at(0)
    )
    with ledger_of(home) as ledger:
        ledger.append([opened])
        entries = list(ledger.read(subject="fraud"))
    impact = impact_of(home, timeline("in-1", entries, before_s=60.0), entries)
    assert (impact.slow, impact.late, impact.limit_ms) == (SLOW, WAITED + SLOW, LIMIT_MS)
    text = postmortem("in-1", entries, impact, before_s=60.0)
    assert f"| took over {LIMIT_MS:g} ms, waiting included | {WAITED + SLOW} |" in text
    assert f"| slow by the release's own time, waiting left out | {SLOW} |" in text

    frame = tables(home.telemetry("fraud"), ("predictions",))["predictions"].collect()
    group = count(frame, Baseline(rows=0, features={}, prediction={}), arm="champion", release=root)
    found = signals(
        group, Objectives(), Span(index=0, first_row=0, last_row=ROWS - 1, start=START, end=START + ROWS, release=root)
    )
    (told,) = [each.detail for each in found if each.signal == "latency"]
    assert f"{impact.late} of {ROWS} rows beyond the objective" in told
