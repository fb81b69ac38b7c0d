"""Which kind of change it is, and what helps."""

from msgspec.structs import replace
from tests.decide.windows import MONITOR, report, signal

from flyball.core.watching import QualityFinding
from flyball.decide.diagnosis import diagnose

BAD, FINE = (0.08, 0.05), (0.001, -0.02)
SWITCHED = QualityFinding(kind="was_constant", feature="a", value=1.0, limit=0.05, detail="a was constant")


def test_before_the_first_window_nothing_is_known() -> None:
    assert diagnose([], MONITOR.psi).kind == "unknown"


def test_a_quiet_window_is_harmless() -> None:
    assert diagnose([report(0, loss=FINE)], MONITOR.psi).kind == "harmless"


def test_a_broken_supply_comes_before_everything_else() -> None:
    found = diagnose([report(0, psi={"a": 9.0}, loss=BAD, quality=[SWITCHED])], MONITOR.psi)
    assert (found.kind, found.remedy, found.features) == ("data_quality", "repair", ("a",))


def test_what_has_become_the_new_normal_is_drift_like_any_other() -> None:
    found = diagnose([report(0, psi={"a": 9.0}, loss=BAD, quality=[SWITCHED])], MONITOR.psi, settled={"a"})
    assert (found.kind, found.remedy) == ("covariate_shift", "retrain")


def test_a_standing_shift_within_the_limit_is_told_and_changes_no_remedy() -> None:
    for loss, psi in ((FINE, {"a": 0.04}), (BAD, {"a": 0.04}), (BAD, {"a": 0.04, "b": 0.6})):
        quiet = report(7, psi=psi, loss=loss)
        shifted = replace(quiet, signals=(*quiet.signals, signal("shift", 7, 9.0, feature="a", consecutive=31)))
        without, found = (diagnose([one], MONITOR.psi) for one in (quiet, shifted))
        assert (found.kinds, found.remedy, found.features) == (without.kinds, without.remedy, without.features)
        asked = next(step for step in found.steps if "within the limit" in step.question)
        assert (asked.answer, asked.number, asked.limit) == ("yes", 0.04, 0.10)
        assert "a for 31 windows (PSI 0.04)" in asked.detail
        assert "standing shift of a" in found.reason
        assert len(found.steps) == len(without.steps) + 1


def test_a_shift_of_what_is_beyond_its_limit_is_told_once() -> None:
    one = report(0, psi={"a": 0.6}, loss=FINE)
    one = replace(one, signals=(*one.signals, signal("shift", 0, 9.0, feature="a")))
    assert not any("within the limit" in step.question for step in diagnose([one], MONITOR.psi).steps)


def test_silent_inputs_and_a_falling_metric_are_concept_drift() -> None:
    found = diagnose([report(0, loss=BAD)], MONITOR.psi)
    assert (found.kind, found.remedy) == ("concept_drift", "retrain")


def test_moved_inputs_and_a_falling_metric_are_covariate_shift_with_shares() -> None:
    found = diagnose([report(0, psi={"a": 0.6, "b": 0.2}, loss=BAD)], MONITOR.psi)
    assert (found.kind, found.remedy) == ("covariate_shift", "retrain")
    assert found.features == ("a", "b")
    assert round(found.numbers["share/a"], 9) == 0.75


def test_moved_inputs_without_a_loss_are_harmless() -> None:
    found = diagnose([report(0, psi={"a": 0.6}, loss=FINE)], MONITOR.psi)
    assert (found.kind, found.remedy) == ("harmless", "none")


def test_a_metric_that_improves_is_no_reason_to_act() -> None:
    assert diagnose([report(0, psi={"a": 0.6}, loss=(-0.2, -0.3))], MONITOR.psi).remedy == "none"


def test_moved_answers_over_silent_inputs_are_label_shift() -> None:
    assert diagnose([report(0, psi={"prediction": 0.6}, loss=BAD)], MONITOR.psi).kind == "label_shift"


def test_labels_of_rows_before_the_change_say_nothing_about_it() -> None:
    found = diagnose([report(2, loss=FINE), report(3, psi={"a": 0.6})], MONITOR.psi)
    assert (found.kind, found.remedy) == ("unknown", "wait_for_labels")


def test_without_a_live_metric_a_shift_is_named_and_nobody_waits_for_labels_or_knows_a_remedy() -> None:
    found = diagnose([report(0, psi={"a": 0.6})], MONITOR.psi, labels_expected=False)
    assert (found.kind, found.remedy) == ("covariate_shift", "none")
    assert "no live metric is watched" in found.reason
    answers = {step.question: step.answer for step in found.steps}
    assert answers["is the model worse, by the labels of these rows?"] == "unknown"


def test_a_shift_long_borne_does_not_hide_a_loss_of_today() -> None:
    borne = [report(index, psi={"a": 0.6}, streak=index + 1, loss=FINE) for index in range(20)]
    broken = [report(20 + index, psi={"a": 0.6}, streak=21 + index, loss=BAD) for index in range(3)]
    assert diagnose(borne, MONITOR.psi).kind == "harmless"
    assert diagnose(borne + broken, MONITOR.psi).kind == "covariate_shift"
