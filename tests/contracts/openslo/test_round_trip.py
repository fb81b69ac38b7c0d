"""What is exported is imported again as the same objectives; a stranger's queries stay a stranger's."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.contracts.openslo.own_queries import Queries, queries_of, recognised
from flyball.contracts.openslo.reading import parse
from flyball.contracts.openslo.writing import text_of
from flyball.core.declared.objectives import Method, Objective, Sli

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,40}", fullmatch=True)
minutes = st.integers(60, 60 * 24 * 90).map(lambda count: 60.0 * count)
queries = st.sampled_from(['a_total{x="y"}', "sum(b_total)", "c:d_total", 'e_total{f=~"g|h", i!="j"}'])


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    sli: Sli = draw(st.sampled_from(["availability", "latency", "inputs", "freshness", "quality", "query"]))
    method: Method = draw(st.sampled_from(["Occurrences", "Timeslices", "RatioTimeslices"]))
    bad = draw(st.booleans())
    return Objective(
        name=draw(names),
        sli=sli,
        target=draw(st.floats(0.01, 0.99999)),
        window_s=draw(minutes),
        limit_ms=draw(st.floats(0.1, 1e5)) if sli == "latency" else None,
        max_age_s=draw(st.floats(1, 1e6)) if sli == "freshness" else None,
        good=draw(queries) if sli == "query" and not bad else "",
        bad=draw(queries) if sli == "query" and bad else "",
        total=draw(queries) if sli == "query" else "",
        method=method,
        slice_s=draw(st.integers(1, 60)) * 60.0 if method != "Occurrences" else None,
        slice_target=draw(st.floats(0.01, 1)) if method == "Timeslices" else None,
        urgency=draw(st.sampled_from(["page", "ticket"])),
        freeze=draw(st.sampled_from([None, True, False])),
        description=draw(st.sampled_from(["", "Answers that clients can use.", "a: b # no comment\n\nsecond line"])),
    )


@settings(max_examples=30)
@given(names, st.lists(objectives(), min_size=1, max_size=5, unique_by=lambda each: each.name))
def test_export_then_import_gives_the_same_objectives(service: str, told: list[Objective]) -> None:
    read = parse(text_of(service, told), file="slo.yaml", service=service)
    assert list(read.objectives) == told


@given(names, objectives())
def test_ours_are_known_by_their_queries_alone_where_these_say_enough(service: str, objective: Objective) -> None:
    found = recognised(service, objective.name, queries_of(service, objective))
    if objective.sli in ("availability", "inputs"):
        assert found == (objective.sli, None)
    elif objective.sli != "latency":
        assert found is None


def test_a_query_that_reads_our_metrics_in_another_way_is_none_of_ours() -> None:
    ours = queries_of("fraud", Objective(name="up", sli="availability", target=0.9))
    assert recognised("fraud", "up", ours) == ("availability", None)
    spaced = replace(ours, bad=' flyball_rows_total{ service="fraud", outcome=~"failed|shed" } ')
    assert recognised("fraud", "up", spaced) == ("availability", None)
    for other in (
        replace(ours, bad='flyball_rows_total{service="fraud",outcome="failed"}'),
        replace(ours, total='flyball_rows_total{service="fraud"}'),
        Queries(total="flyball_latency_seconds_count", good='flyball_latency_seconds_bucket{le="+Inf"}'),
        queries_of("other", Objective(name="up", sli="availability", target=0.9)),
    ):
        assert recognised("fraud", "up", other) is None


def test_a_latency_is_known_with_its_limit() -> None:
    quick = Objective(name="quick", sli="latency", target=0.99, limit_ms=250.0)
    assert recognised("fraud", "x", queries_of("fraud", quick)) == ("latency", 250.0)
