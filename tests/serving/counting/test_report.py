"""Reports add, in any order and grouping; and the sum never falls when a process ends."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from flyball.serving.counting.report import Past, Report, summed
from flyball.serving.released import Released

COUNTS = st.integers(0, 10**6)


def metrics(rows: int, records: int, weight: int) -> str:
    families = (
        ("flyball_rows", "counter", "flyball_rows_total", rows),
        ("flyball_log_records", "counter", "flyball_log_records_total", records),
        ("flyball_candidate_weight", "gauge", "flyball_candidate_weight", weight),
    )
    lines = [f"# HELP {name} x\n# TYPE {name} {kind}\n{sample} {value}.0" for name, kind, sample, value in families]
    return "\n".join([*lines, "# EOF", ""])


@st.composite
def reports(draw: st.DrawFn) -> Report:
    sums = st.builds(Released, rows=COUNTS, succeeded=COUNTS, failed=COUNTS, last_at=COUNTS.map(float))
    return Report(
        metrics=metrics(draw(COUNTS), draw(COUNTS), draw(COUNTS)),
        statistics=draw(st.dictionaries(st.sampled_from("ab"), st.dictionaries(st.sampled_from("xy"), sums))),
    )


def samples(report: Report) -> dict[str, float]:
    families = text_string_to_metric_families(report.metrics)  # type: ignore[no-untyped-call]
    return {one.name: one.value for family in families for one in family.samples}


@given(st.lists(reports(), min_size=2, max_size=4), st.randoms())
def test_the_sum_does_not_depend_on_order_or_grouping(parts: list[Report], dice: object) -> None:
    whole = summed(parts)
    turned = summed([parts[-1], summed(list(reversed(parts[:-1])))])
    assert samples(whole) == samples(turned)
    assert whole.statistics == turned.statistics


@given(st.lists(reports(), min_size=1, max_size=4), reports())
def test_what_ended_processes_counted_stays_and_how_they_stood_does_not(ended: list[Report], lives: Report) -> None:
    past = Past()
    for one in ended:
        past.ended(one)
    found, everyone = summed([past.report, lives]), summed([*ended, lives])
    assert samples(found)["flyball_rows_total"] == samples(everyone)["flyball_rows_total"]
    assert found.statistics == everyone.statistics
    for name in ("flyball_candidate_weight", "flyball_log_records_total"):  # its own to tell, or the file's
        assert samples(found)[name] == samples(lives)[name]


@given(reports(), COUNTS)
def test_what_the_supervisor_owns_is_told_as_it_says(report: Report, records: int) -> None:
    family = "# HELP flyball_log_records x\n# TYPE flyball_log_records counter\n"
    owned = f"{family}flyball_log_records_total {records}.0\n# EOF\n"
    assert samples(summed([report, report], owned))["flyball_log_records_total"] == records
