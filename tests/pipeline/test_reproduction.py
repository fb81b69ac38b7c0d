import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from flyball.adapters.content.keys import signing_key
from flyball.core.release import Estimate
from flyball.pipeline.attestation import envelope, opened, reproduction_statement, to_sign
from flyball.pipeline.manifest import of_bytes
from flyball.pipeline.reproduction import Artefacts, blocked, compare_answers, first_byte, judge


def artefacts(model: bytes = b"1", *, scores: tuple[float, ...] = (0.2, 0.8), auc: float = 0.8) -> Artefacts:
    return Artefacts(
        manifest=of_bytes({"model.pkl": model, "baseline.json": b"", "metrics.json": str(auc).encode()}),
        answers={"predictions": [int(s >= 0.5) for s in scores], "scores": list(scores)},
        metrics={"roc_auc": Estimate(value=auc, low=0.7, high=0.9, n=100)},
    )


def test_equal_bytes_are_identical_and_in_another_environment_at_most_equivalent() -> None:
    assert judge(artefacts(), artefacts()).verdict == "IDENTICAL"
    drifted = judge(artefacts(), artefacts(), drift=("polars 1 -> 2",), exact=False)
    assert (drifted.verdict, drifted.first_difference) == ("EQUIVALENT", "polars 1 -> 2")


def test_other_bytes_diverge_where_only_bytes_count_though_answers_agree() -> None:
    found = judge(artefacts(), artefacts(b"2"))
    assert (found.verdict, found.first_difference) == ("DIVERGED", "model.pkl is changed")
    assert found.answers is not None
    assert found.answers.within


def test_within_a_tolerance_other_bytes_are_equivalent() -> None:
    near = artefacts(b"2", scores=(0.2 + 1e-12, 0.8), auc=0.8)
    assert judge(artefacts(), near, exact=False).verdict == "EQUIVALENT"
    assert judge(artefacts(), artefacts(b"2", auc=0.8005), exact=False, tolerance=1e-3).verdict == "EQUIVALENT"


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (artefacts(b"2", scores=(0.3, 0.8)), "differ by up to 0.1, 0.0%"),
        (artefacts(b"2", scores=(0.2, 0.4)), "50.0% of the predictions are others"),
        (artefacts(b"2", auc=0.7), "roc_auc 0.8 -> 0.7"),
        (artefacts(b"2", scores=(0.2,)), "another shape"),
    ],
)
def test_beyond_the_tolerance_they_diverge_with_the_reason(after: Artefacts, words: str) -> None:
    found = judge(artefacts(), after, exact=False)
    assert found.verdict == "DIVERGED"
    assert words in found.reason
    assert found.first_difference == "model.pkl is changed"  # the cause, not what follows from it


def test_another_label_is_never_within_a_tolerance() -> None:
    assert not compare_answers(
        {"predictions": ["a"], "scores": [0.5]}, {"predictions": ["b"], "scores": [0.5]}, 1.0
    ).within


def test_a_metric_that_is_gone_is_a_difference() -> None:
    gone = Artefacts(manifest=artefacts(b"2").manifest, answers=artefacts().answers, metrics={})
    assert judge(artefacts(), gone, exact=False).verdict == "DIVERGED"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2))
def test_the_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = compare_answers(
        {"predictions": one.tolist(), "scores": None}, {"predictions": other.tolist(), "scores": None}, 1e-9
    ).rank_correlation
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_the_first_byte_is_where_the_common_beginning_ends(one: bytes, other: bytes) -> None:
    at = first_byte(one, other)
    assert one[:at] == other[:at]
    assert one == other or one[at : at + 1] != other[at : at + 1]


def test_what_is_missing_blocks_and_the_first_is_named() -> None:
    found = blocked(["the snapshot is not here", "numpy 1 is not installed"])
    assert (found.verdict, found.first_difference) == ("BLOCKED", "the snapshot is not here")
    assert "and 1 more" in found.reason


def test_the_signature_is_over_the_statement_and_nothing_else_verifies(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    key = signing_key(tmp_path_factory.mktemp("keys"))
    statement = reproduction_statement(
        service="fraud",
        release="sha256:" + "1" * 64,
        experiment="fx1:sha256:" + "2" * 64,
        verdict="IDENTICAL",
        first_difference=None,
    )
    sealed = envelope(statement, key.sign(to_sign(statement)), key.key_id)
    signed, signature = opened(sealed)
    assert key.public.verify(signature, signed)
    other = envelope(statement | {"predicateType": "another"}, signature, key.key_id)
    assert not key.public.verify(signature, opened(other)[0])
