"""Personal data in a baseline: what may be a value of a row is looked at, a sum of losses is not."""

from flyball.core.codec import canonical
from flyball.core.release import Baseline, LossSums, Outcomes, Reference, View
from flyball.pipeline.run.testing import _values_of_rows
from flyball.pipeline.suites.personal import in_file

CARD = 4111111111111111.0


def baseline(*, edge: float, total: float) -> bytes:
    reference = Reference(kind="numeric", edges=(edge,), counts=(1, 1, 0))
    losses = {"squared_error": LossSums(rows=(1, 1, 0), total=(total, 0.0, 0.0), squares=(0.0, 0.0, 0.0))}
    view = View(rows=(1, 1, 0), losses=losses)
    outcomes = Outcomes(rows=2, features={"x": view})
    return canonical(Baseline(rows=2, features={"x": reference}, prediction={}, outcomes=outcomes))


def kinds(data: bytes) -> list[str]:
    return [found.kind for found in in_file("baseline.json", _values_of_rows(data))]


def test_a_sum_of_losses_with_the_check_digit_of_a_card_is_no_card() -> None:
    data = baseline(edge=0.5, total=CARD)
    assert in_file("baseline.json", data)  # it does look like one
    assert kinds(data) == []


def test_an_edge_that_is_a_card_is_found() -> None:
    assert kinds(baseline(edge=CARD, total=0.0)) == ["payment card"]
