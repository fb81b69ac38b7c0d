"""Service levels from the facts of a ledger and the gateway's log: what is known is judged, the rest says why not."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.asking.levels import standing
from flyball.app.wiring.ledger import open_ledger
from flyball.contracts.tables.levels import LevelResult
from flyball.core.contract import DataContract, ServiceLevel
from flyball.core.errors import BadInput
from flyball.core.events import AnyFact, IncidentClosed, IncidentOpened, ProcessStarted, SignalCleared, SignalRaised
from flyball.core.ids import ServiceName
from flyball.core.log_tables import LogTables
from flyball.core.prediction import Outcome, PredictionRecord
from flyball.core.watching import Signal

FRAUD = ServiceName("fraud")
LIMITS = {"timeToDetect": 60.0, "timeToRepair": 600.0, "timeToNotify": 60.0, "availability": 0.9, "errorRate": 0.05}
CONTRACT = DataContract(
    id="c",
    version="1",
    table="t",
    columns=(),
    levels=tuple(ServiceLevel(id=name, name=name, limit=limit) for name, limit in LIMITS.items()),
)
WATCHED = ProcessStarted(service=FRAUD, process="controller")


class Hands:
    """A clock that stands where it is set, seconds since 1970."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at


def written(home: Home, *facts: tuple[float, AnyFact]) -> None:
    clock = Hands()
    with closing(open_ledger(home, clock=clock, told=False)) as ledger:
        for at, fact in facts:
            clock.at = at
            ledger.append([fact])


def answered(home: Home, outcomes: list[Outcome], *, received: int | None = None) -> None:
    """A sealed pane; its row n (from 1) came at 1000 + n seconds."""
    log = SegmentLog(home.telemetry(FRAUD), FRAUD, LogTables(features={}, answer=pl.Float64()))
    records = [
        PredictionRecord(id=str(n), at=1000.0 + n, unit="u", arm="champion", release="r", epoch=1, outcome=outcome)
        for n, outcome in enumerate(outcomes, start=1)
    ]
    index = log.next_index()
    log.append(index, records, [])
    log.seal(index, start=1000.0, end=2000.0, received=received, labels=[])


def judged(home: Home, now: float, service: str | None = FRAUD) -> dict[str, LevelResult]:
    clock = Hands()
    clock.at = now
    told = standing(pl.DataFrame({"a": [1]}), CONTRACT, clock, home=home, service=service)
    return {level.name: level for level in told}


def opened(row: int) -> IncidentOpened:
    return IncidentOpened(service=FRAUD, incident="in-1", kind="data_quality", reason="gaps", row=row)


CLOSED = IncidentClosed(service=FRAUD, incident="in-1", how="person", reason="mended")


def raised(row: int, level: Any = "act") -> SignalRaised:
    return SignalRaised(
        service=FRAUD,
        signal=Signal(
            signal="quality",
            level=level,
            value=1,
            limit=0,
            release="r",
            window=0,
            first_row=row,
            last_row=row,
            feature="amount",
        ),
    )


def test_incidents_count_from_the_row_that_broke(tmp_path: Path) -> None:
    home = Home(tmp_path)
    answered(home, ["answered"] * 50)
    written(home, (900, WATCHED), (1060, opened(10)), (1300, CLOSED))
    found = judged(home, 5000)
    assert (found["timeToDetect"].standing, found["timeToDetect"].value) == ("OK", 50.0)
    assert (found["timeToRepair"].standing, found["timeToRepair"].value) == ("OK", 290.0)
    assert (found["timeToNotify"].standing, found["timeToNotify"].reason) == (
        "UNKNOWN",
        "no fact says when somebody was told",
    )
    written(home, (1200, opened(20)))
    found = judged(home, 5000)
    assert [found[name].standing for name in ("timeToDetect", "timeToRepair")] == ["VIOLATED", "VIOLATED"]
    assert found["timeToRepair"].value == 5000 - 1020


def test_signals_of_quality_count_once_from_their_first_row(tmp_path: Path) -> None:
    home = Home(tmp_path)
    answered(home, ["answered"] * 50)
    cleared = SignalCleared(service=FRAUD, signal="quality", feature="amount")
    written(home, (900, WATCHED), (1020, raised(1, "warn")), (1040, raised(5)), (1050, raised(9)), (1205, cleared))
    found = judged(home, 5000)
    assert (found["timeToDetect"].value, found["timeToRepair"].value) == (35.0, 200.0)


def test_what_nobody_knows_is_unknown_with_the_reason(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert {level.standing for level in judged(home, 5000).values()} == {"UNKNOWN"}
    assert not home.ledger.exists()
    written(home, (900, ProcessStarted(service=FRAUD, process="gateway")))
    found = judged(home, 5000)
    assert found["timeToDetect"].reason == "no controller has watched the service in this home"
    assert found["availability"].reason == "the gateway has written down no request in this home"
    written(home, (950, WATCHED), (1060, opened(10)))
    assert judged(home, 5000)["timeToRepair"].reason == "when row 10 came, in which in-1 broke, is not known"
    assert judged(home, 5000, "other")["availability"].reason == "the home has no service other"


def test_an_incident_of_how_the_service_answers_is_none_of_the_data(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ill = IncidentOpened(service=FRAUD, incident="in-2", kind="health", reason="errors", cause="errors")
    written(home, (900, WATCHED), (1100, ill))
    found = judged(home, 5000)
    assert {found[name].standing for name in ("timeToDetect", "timeToNotify", "timeToRepair")} == {"OK"}


def test_silence_of_a_controller_that_watches_is_no_incident(tmp_path: Path) -> None:
    home = Home(tmp_path)
    written(home, (900, WATCHED))
    found = judged(home, 5000)
    assert {found[name].standing for name in ("timeToDetect", "timeToNotify", "timeToRepair")} == {"OK"}


def test_rows_without_an_answer_among_those_received(tmp_path: Path) -> None:
    home = Home(tmp_path)
    written(home, (900, WATCHED))
    outcomes: list[Outcome] = ["answered"] * 12
    outcomes += ["fallback", "rejected", "quarantined", "failed", "shed"]
    answered(home, outcomes, received=20)
    answered(home, ["answered"] * 20)
    found = judged(home, 5000)
    assert (found["availability"].standing, found["availability"].value) == ("OK", 38 / 40)
    assert (found["errorRate"].standing, found["errorRate"].value) == ("OK", 2 / 40)
    answered(home, ["failed"] * 10)
    assert {judged(home, 5000)[name].standing for name in ("availability", "errorRate")} == {"VIOLATED"}


def test_which_service_of_several_has_to_be_said(tmp_path: Path) -> None:
    home = Home(tmp_path)
    written(home, (900, WATCHED))
    assert judged(home, 5000, None)["timeToDetect"].standing == "OK"
    written(home, (901, ProcessStarted(service=ServiceName("loans"), process="controller")))
    with pytest.raises(BadInput, match="one of fraud, loans"):
        judged(home, 5000, None)


def test_the_command_line_reads_the_home(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / "home")
    answered(home, ["answered", "failed"])
    written(home, (900, WATCHED))
    levels = "slaProperties: [{property: availability, value: 99, unit: percent}]\n"
    schema = "schema: [{name: t, properties: [{name: a, logicalType: integer}]}]\n"
    (tmp_path / "c.yaml").write_text(
        f"apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\n{levels}{schema}"
    )
    (tmp_path / "t.csv").write_text("a\n1\n")
    words = ["contract", "check", str(tmp_path / "c.yaml"), str(tmp_path / "t.csv"), "--json"]
    for more, code, standing_ in (
        ([], 0, "UNKNOWN"),
        (["--home", str(home.root), "--service", "fraud"], 1, "VIOLATED"),
    ):
        assert run([*words, *more]) == code
        (level,) = json.loads(capfd.readouterr().out)["levels"]
        assert level["standing"] == standing_
