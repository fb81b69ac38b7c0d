"""The drawing: an SVG that says what it shows, with each deed on it once."""

from xml.etree import ElementTree

from flyball.app.replay.chart import chart
from flyball.app.replay.report import (
    CurvePoint,
    IncidentLine,
    LedgerLine,
    Report,
    RolloutLine,
    TrainingLine,
)


def report(curve: tuple[CurvePoint, ...]) -> Report:
    def rollout(row: int, outcome: str) -> RolloutLine:
        return RolloutLine(row=row, release="sha256:0", outcome=outcome, reason="why", opened_row=row - 50)

    return Report(
        service="gauge",
        rows=300,
        train_rows=100,
        metric="accuracy",
        better="higher",
        frozen=0.5,
        scheduled=0.6,
        scheduled_instant=0.6,
        governed=0.7,
        curve=curve,
        trainings=(
            TrainingLine(row=100, reason="first", diagnosis=None),
            TrainingLine(row=150, reason="drift", diagnosis="covariate_shift"),
        ),
        rollouts=(rollout(180, "promoted"), rollout(250, "rolled_back"), rollout(290, "open")),
        signals=(),
        incidents=(IncidentLine(row=220, closed_row=None, reason="broken"),),
        unanswered=0,
        seconds=1.0,
        rows_per_s=100.0,
        home="/nowhere",
        ledger=LedgerLine(events=3, verified=True),
    )


CURVE = (
    CurvePoint(row=199, frozen=0.5, scheduled=0.6, governed=0.6),
    CurvePoint(row=299, frozen=None, scheduled=0.7, governed=0.8),
)


def words(svg: str) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


def test_it_names_the_service_the_metric_and_all_three_regimes() -> None:
    told = words(chart(report(CURVE)))
    for word in ("gauge", "accuracy", "higher is better", "governed", "scheduled", "frozen", "row of the stream"):
        assert word in told, word


def test_every_deed_of_the_governor_has_its_rule_and_nothing_else_has() -> None:
    tree = ElementTree.fromstring(chart(report(CURVE)))
    rules = [found.get("aria-label", "") for found in tree.iter() if found.get("aria-roledescription") == "rule mark"]
    found = sorted(rule.split("event: ")[1] for rule in rules)
    assert found == ["promoted", "quality incident", "rolled back", "training"]


def test_a_curve_without_a_point_is_an_empty_drawing_and_no_failure() -> None:
    assert "gauge" in words(chart(report(())))
