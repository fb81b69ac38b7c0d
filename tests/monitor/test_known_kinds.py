"""Real data sets whose changes are known: the right kind within three windows, and none of that kind before.

Where the kind needs labels the three windows count from the first label of a changed row. The monitor never sees the
answer sheet: `known_sets.KNOWN` is written by hand, here in the tests.
"""

from functools import cache
from pathlib import Path

import pytest
from tests.monitor.known import Known
from tests.monitor.known_sets import KNOWN

from flyball.core.watching import Diagnosis, WindowReport
from flyball.decide.diagnosis import diagnose
from flyball.decide.incident import supply

pytest.importorskip("sklearn.tree")
ORDER = ["data_quality", "label_shift", "covariate_shift", "concept_drift", "harmless", "unknown"]
BY_NAME = {one.name: one for one in KNOWN}
QUIET = [pytest.param(one, id=one.name) for one in KNOWN if not one.change]
CHANGES = [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.slow else []) for one in KNOWN if one.change]


@cache
def said(name: str, data: Path) -> list[tuple[WindowReport, Diagnosis]]:
    """What the diagnosis was after each window."""
    stream = BY_NAME[name].stream(data)
    reports = stream.watched()
    monitor = stream.service.monitor
    found = []
    for at in range(1, len(reports) + 1):
        settled = supply(reports[:at], monitor).settled
        found.append((reports[at - 1], diagnose(reports[:at], monitor.psi, settled=settled)))
    return found


@pytest.mark.parametrize("known", CHANGES)
def test_the_kind_is_said_within_three_windows_and_not_before(known: Known, data_folder: Path) -> None:
    assert known.change is not None
    after = said(known.name, data_folder)
    delay = 0 if known.kinds == {"data_quality"} else known.delay
    last = (known.until or known.change) + delay + 3 * known.window
    quiet = [made for report, made in after if report.last_row < known.change]
    judged = [made for report, made in after if report.last_row >= known.change and report.last_row <= last + 100]
    assert quiet or known.change == after[0][0].first_row
    assert not known.unheard & {kind for made in quiet for kind in made.kinds}
    assert any(known.kinds == set(made.kinds) for made in judged), [made.kinds for made in judged]
    told = next(made for made in judged if known.kinds == set(made.kinds))
    if known.features:
        assert set(told.features) == known.features


@pytest.mark.parametrize("known", CHANGES)
def test_a_diagnosis_tells_each_question_in_order_with_its_number(known: Known, data_folder: Path) -> None:
    for _, made in said(known.name, data_folder):
        assert made.steps[0].question == "is the supply broken?"
        assert (made.steps[-1].answer == "yes") == (made.kind == "data_quality") if len(made.steps) == 1 else True
        assert all(step.number is not None or step.answer != "yes" for step in made.steps)


def test_car_price_is_better_by_the_absolute_error_and_worse_by_the_relative_one(data_folder: Path) -> None:
    _, made = said("car_price", data_folder)[-1]
    whole = {effect.metric: effect for effect in made.effects if effect.cause == "all"}
    assert made.features
    assert whole["mae"].high is not None
    assert whole["mae"].high < 0
    assert whole["mape"].low is not None
    assert whole["mape"].low > 0


def test_credit_card_says_that_an_estimate_without_labels_is_too_rosy(data_folder: Path) -> None:
    found = said("credit_card", data_folder)
    waiting = next(made for report, made in found if report.first_row >= 30_000)
    assert waiting.kind == "unknown"
    estimate = {effect.cause: effect for effect in waiting.effects if effect.metric == "error"}
    assert estimate["covariate"].value is not None
    assert estimate["covariate"].value > 0.05
    assert (estimate["concept"].value, estimate["concept"].reason[:13]) == (None, "not estimable")
    _, made = found[-1]
    told = {effect.cause: effect for effect in made.effects if effect.metric == "error"}
    assert told["concept"].low is not None
    assert told["concept"].low > 0.05
    assert "too rosy" in made.reason


def test_car_loan_loses_what_its_rows_let_expect(data_folder: Path) -> None:
    _, made = said("car_loan", data_folder)[-1]
    told = {effect.cause: effect for effect in made.effects if effect.metric == "error"}
    assert told["covariate"].low is not None
    assert told["covariate"].low > 0
    assert told["concept"].low is not None
    assert told["concept"].high is not None
    assert told["concept"].low < 0 < told["concept"].high
    largest = made.changes[0]
    assert largest.feature == "car_value"
    assert abs(sum(change.share for change in made.changes) - 1) < 1e-9
    assert 0 < sum(abs(part.part) for part in largest.bins) <= largest.psi + 1e-9


def told(known: Known, found: list[tuple[WindowReport, Diagnosis]]) -> str:
    """The line of the page's table: where it was said first, and with which features."""
    wanted = " + ".join(sorted(known.kinds, key=ORDER.index)) or "nothing"
    if known.change is None:
        heard = sorted({kind for _, made in found for kind in made.kinds}, key=ORDER.index)
        named = sorted({name for _, made in found for name in made.features})
        return f"| {known.name} | - | {wanted} | {' or '.join(heard)} | - | {', '.join(named) or '-'} |"
    right = next(
        (report, made) for report, made in found if known.kinds == set(made.kinds) and report.last_row >= known.change
    )
    report, made = right
    features = ", ".join(made.features[:4]) or "-"
    kinds = " + ".join(made.kinds)
    return f"| {known.name} | {known.change:,} | {wanted} | {kinds} | {report.last_row + 1:,} | {features} |"


@pytest.mark.parametrize("known", [pytest.param(one, id=one.name) for one in KNOWN if not one.slow])
def test_the_page_tells_what_comes_out(known: Known, data_folder: Path, request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "explanation" / "diagnosis.md").read_text()
    assert told(known, said(known.name, data_folder)) in page.splitlines()


@pytest.mark.parametrize("known", QUIET)
def test_where_nothing_harms_nothing_is_to_be_trained(known: Known, data_folder: Path) -> None:
    found = said(known.name, data_folder)
    assert {kind for _, made in found for kind in made.kinds} <= {"harmless", "unknown"}
    assert not any(made.remedy == "retrain" for _, made in found)


def test_the_i_i_d_control_has_no_signal_at_all(data_folder: Path) -> None:
    assert {made.kinds for _, made in said("adult", data_folder)} == {("harmless",)}
    assert not any(report.usual for report, _ in said("adult", data_folder))


def test_the_seasons_of_a_year_are_no_drift_and_its_growth_is(data_folder: Path) -> None:
    found = said("bike_sharing", data_folder)
    for report, made in found:
        assert report.psi["month"] > 1
        assert report.psi["temperature"] > 0.5
        assert not made.features
        assert "season" in made.steps[1].detail
    assert found[-1][1].kinds == ("concept_drift",)


def test_the_weather_station_moved_its_instruments_and_that_is_named(data_folder: Path) -> None:
    named = {name for _, made in said("noaa_weather", data_folder) for name in made.features}
    assert {"visibility", "max_sustained_wind_speed"} <= named
    assert not named & {"temperature", "maximum_temperature", "minimum_temperature", "sea_level_pressure"}


def test_an_irrelevant_feature_is_known_to_be_one(data_folder: Path) -> None:
    cares = BY_NAME["sea"].stream(data_folder).sensitivity
    assert cares["x3"] < 0.1 < min(cares["x1"], cares["x2"])


def test_the_planted_shift_of_classes_is_found_with_its_shares(data_folder: Path) -> None:
    report, made = said("credit_default_label_shift", data_folder)[-1]
    assert report.classes is not None
    assert report.classes.now[1] == pytest.approx(0.6, abs=0.08)
    assert report.classes.told[1] == pytest.approx(0.6, abs=0.05)
    told = {effect.cause: effect for effect in made.effects if effect.metric == "error"}
    assert told["label"].low is not None
    assert told["label"].low > 0.1


def test_the_planted_shift_of_inputs_names_first_what_the_model_cares_for(data_folder: Path) -> None:
    _, made = said("credit_default_covariate_shift", data_folder)[-1]
    assert made.features[0] == "pay_0"
    first = made.changes[0]
    assert first.weighted is not None
    assert first.weighted > first.share


def test_segments_name_where_the_concept_changed(data_folder: Path) -> None:
    _, made = said("credit_default_concept_drift", data_folder)[-1]
    first = made.segments[0]
    assert {condition.split()[0] for condition in first.where} <= {"age", "pay_0"}
    assert first.loss > 0.3
    assert not any(
        condition.startswith("x3")
        for _, sea in said("sea", data_folder)
        for one in sea.segments
        for condition in one.where
    )


def test_a_concept_that_changed_everywhere_has_no_segment_of_its_own(data_folder: Path) -> None:
    assert said("mixed_abrupt", data_folder)[-1][1].kinds == ("concept_drift",)
    assert all(one.share < 0.9 for one in said("mixed_abrupt", data_folder)[-1][1].segments)
