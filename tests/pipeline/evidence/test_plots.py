"""Every plot is drawn by the real renderer, and what cannot be drawn is told."""

from xml.etree import ElementTree

import numpy as np
import pytest
from tests.pipeline.evidence.release import ATTRIBUTIONS, TESTS

from flyball.adapters.training.vega_svg import render
from flyball.core.service import Task
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.evidence.plots import plots

DICE = np.random.default_rng(3)
SCORES = DICE.random(400)
SHARES = DICE.dirichlet((1, 1, 1), size=400)
SCORED: dict[Task, tuple[Scored, tuple[str, ...]]] = {
    "binary": (
        Scored(
            truth=np.where(DICE.random(400) < SCORES, "yes", "no"),
            predictions=np.where(SCORES > 0.5, "yes", "no"),
            scores=SCORES,
        ),
        ("no", "yes"),
    ),
    "multiclass": (
        Scored(truth=DICE.choice(list("abc"), 400), predictions=np.array(list("abc"))[SHARES.argmax(1)], scores=SHARES),
        ("a", "b", "c"),
    ),
    "regression": (Scored(truth=SCORES * 3 + DICE.normal(size=400), predictions=SCORES * 3, scores=None), ()),
}


@pytest.mark.parametrize("task", SCORED)
def test_every_plot_of_a_task_becomes_an_svg_with_its_title(task: Task) -> None:
    scored, classes = SCORED[task]
    found = plots(task, scored, classes, attributions=ATTRIBUTIONS, tests=TESTS)
    assert found.missing == {}
    for spec in found.specs.values():
        root = ElementTree.fromstring(render(spec))
        assert root.tag.endswith("svg")
        assert spec["title"].split(";")[0][:20] in "".join(root.itertext())


def test_what_cannot_be_drawn_is_told() -> None:
    one_class = Scored(truth=np.array(["no"] * 5), predictions=np.array(["no"] * 5), scores=np.linspace(0, 1, 5))
    found = plots("binary", one_class, ("no", "yes"))
    assert set(found.missing) == {"roc", "precision_recall", "scores", "attributions", "slices"}
    assert "both classes" in found.missing["roc"]
