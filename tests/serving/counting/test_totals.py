"""The metrics of several workers as one: counts are added, and the exemplar of a bucket is the newest of them all."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from flyball.serving.counting.totals import OPENMETRICS, added, encoded

WORKERS = st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10_000)), min_size=1, max_size=5)


def text_of(count: int, at: int) -> str:
    exemplar = f' # {{prediction_id="p{at}"}} 0.0005 {at}.0'
    return "\n".join(
        [
            "# HELP took x",
            "# TYPE took histogram",
            f'took_bucket{{service="shop",le="0.001"}} {count}.0{exemplar}',
            f'took_bucket{{service="shop",le="+Inf"}} {count}.0',
            f'took_count{{service="shop"}} {count}.0',
            f'took_sum{{service="shop"}} {count}.0',
            "# HELP flyball_routing_epoch x",
            "# TYPE flyball_routing_epoch gauge",
            f'flyball_routing_epoch{{service="shop"}} {at}.0',
            "# EOF",
            "",
        ]
    )


def samples(text: str) -> dict[tuple[str, str], Any]:
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {(one.name, one.labels.get("le", "")): one for family in families for one in family.samples}


@given(WORKERS)
def test_counts_are_added_once_is_taken_once_and_the_newest_exemplar_stays(workers: list[tuple[int, int]]) -> None:
    found = samples(added([text_of(count, at) for count, at in workers]))
    newest = max(at for _, at in workers)
    assert found["took_bucket", "+Inf"].value == sum(count for count, _ in workers)
    assert found["flyball_routing_epoch", ""].value == newest
    assert found["took_bucket", "0.001"].exemplar.labels == {"prediction_id": f"p{newest}"}
    assert found["took_bucket", "+Inf"].exemplar is None


@given(WORKERS)
def test_both_formats_say_the_same(workers: list[tuple[int, int]]) -> None:
    text = added([text_of(count, at) for count, at in workers])
    kind, rich = encoded(text, OPENMETRICS)
    plain_kind, plain = encoded(text, "")
    assert (kind.partition(";")[0], plain_kind.partition(";")[0]) == (OPENMETRICS, "text/plain")
    told = {
        (one.name, one.labels.get("le", "")): one.value
        for family in plain_families(plain.decode())
        for one in family.samples
    }
    assert told == {name: one.value for name, one in samples(rich.decode()).items()}
    assert b"prediction_id" not in plain
