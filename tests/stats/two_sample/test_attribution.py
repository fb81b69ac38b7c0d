"""PSI is a sum: its parts belong to bins and features, exactly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.two_sample.attribution import psi_parts, weighted_shares
from flyball.stats.two_sample.divergences import psi

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=20).filter(
    lambda pairs: all(sum(side) > 0 for side in zip(*pairs, strict=True))
)


@given(COUNTS)
def test_the_parts_add_up_to_the_psi_and_carry_the_sign_of_the_gain(pairs: list[tuple[int, int]]) -> None:
    reference, current = (np.array(side) for side in zip(*pairs, strict=True))
    parts = psi_parts(reference, current, smoothing=0.5)
    np.testing.assert_allclose(np.abs(parts).sum(), psi(reference, current, smoothing=0.5), atol=1e-12)
    smoothed = [(side + 0.5) / (side + 0.5).sum() for side in (reference, current)]
    gained = smoothed[1] - smoothed[0]
    assert (np.sign(parts)[np.abs(gained) > 1e-9] == np.sign(gained)[np.abs(gained) > 1e-9]).all()


def test_shares_add_up_to_one_and_a_feature_nobody_cares_for_has_none() -> None:
    assert sum(weighted_shares({"a": 0.3, "b": 0.1, "c": 0.05}).values()) == 1.0
    assert weighted_shares({"a": 3.0, "noise": 30.0}, {"a": 0.5, "noise": 0.0}) == {"a": 1.0, "noise": 0.0}
    assert weighted_shares({"a": 0.3}, {}) == {"a": 0.0}
