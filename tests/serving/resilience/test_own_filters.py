"""Safety filters that are functions of a release's own code: what follows from their word; they fail closed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, Told, routing, row
from tests.serving.resilience.test_filters import filtered, on_answer
from tests.serving.stage import SERVICE, Stage, stage, until

from flyball.core.declared.serving import Filter
from flyball.core.errors import Untrusted
from flyball.core.ids import Epoch
from flyball.core.model import Input, Packaged
from flyball.core.prediction import Answer, ArmReply
from flyball.serving.compare import agree


class Fired(Told):
    """A release whose own filter `f` fired on every row."""

    withheld = False

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        reply = super().predict(rows)
        marked = tuple(
            replace(each, fired=("f",), withheld=self.withheld) if isinstance(each, Answer) else each
            for each in reply.answers
        )
        return ArmReply(answers=marked, service_ms=reply.service_ms)


class Kept(Fired):
    """... which kept the row from the model."""

    withheld = True


def own(on: str, verdict: str, **more: Any) -> Filter:
    return Filter(name="f", on=on, verdict=verdict, function="f", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("on", ["row", "answer"])
@pytest.mark.parametrize(
    ("verdict", "outcome", "fallback", "score"),
    [
        ("reject", "failed", None, None),
        ("fall_back", "fallback", "constant", 0.0),
        ("review", "answered", None, 0.01),
        ("clamp", "answered", None, 0.01),  # moved where the release runs
    ],
)
def test_what_a_function_of_the_release_says_is_obeyed_and_charged_to_nobody(
    on: str, verdict: str, outcome: str, fallback: str | None, score: float | None
) -> None:
    core = filtered(own(on, verdict, **({"column": "amount"} if (on, verdict) == ("row", "clamp") else {})))
    kept = on == "row" and verdict in ("reject", "fall_back")
    (found,), _ = core.answer([row()], {CHAMPION: (Kept if kept else Fired)(CHAMPION)}, [1.0], "r")
    assert (found.outcome, found.fallback, found.score) == (outcome, fallback, score)
    assert (found.reason, found.error, found.prediction is None) == ("filter: f", False, verdict == "reject")
    assert core.filters is not None
    assert core.filters.fired["f"] == 1


def test_without_anybody_behind_it_a_row_that_was_kept_back_has_no_answer() -> None:
    core = filtered(own("row", "fall_back"), fallback=("previous",))
    (found,), _ = core.answer([row()], {CHAMPION: Kept(CHAMPION)}, [1.0], "r")
    assert (found.outcome, found.prediction, found.error) == ("failed", None, False)


def test_other_filters_do_not_look_at_an_answer_that_there_is_not() -> None:
    core = filtered(on_answer("reject", when="score < 1.0"), own("row", "fall_back"))
    (found,), _ = core.answer([row()], {CHAMPION: Kept(CHAMPION)}, [1.0], "r")
    assert (found.outcome, found.fallback) == ("fallback", "constant")


def test_what_was_kept_back_agrees_with_nothing_but_its_like() -> None:
    kept, given = Answer(prediction=False, withheld=True), Answer(prediction=False)
    assert agree(None, kept, kept)
    assert not agree(None, kept, given)
    assert not agree(None, given, kept)


OWN = """
import threading

def train(features, label, *, config, seed): ...

def odd(rows):
    if (rows["items"] == 13).any():
        raise ZeroDivisionError("of the author")
    if (rows["items"] == 14).any():
        threading.Event().wait()
    return rows["amount"] > 500

def sure(rows, answers):
    return answers["score"] > 0.85
"""


def packaged(made: Stage, root: str) -> None:
    """The release has code of its own."""
    folder = made.home.releases / root.removeprefix("sha256:")
    (folder / "code").mkdir()
    (folder / "code" / "model.py").write_text(OWN)
    kinds = (("card", "string"), ("amount", "number"), ("items", "integer"))
    facts = Packaged(
        service="shop",
        task="binary",
        threshold=0.5,
        label="fraud",
        classes=(0, 1),
        inputs=tuple(Input(name=name, kind=kind) for name, kind in kinds),  # type: ignore[arg-type]
        plain=("amount",),
        module="model.py",
        code=root,
    )
    (folder / "release.json").write_bytes(msgspec.json.encode(facts))


def test_a_function_that_raises_or_hangs_ends_in_the_fallback_and_is_an_error_of_its_release(tmp_path: Path) -> None:
    declared = SERVICE.replace(
        "  fallback:",
        "  filters:\n"
        "    - {name: odd, on: row, verdict: fall_back, function: odd}\n"
        "    - {name: sure, on: answer, verdict: review, function: sure}\n"
        "  fallback:",
    )
    soon = declared.replace("deadline_ms: 20000", "deadline_ms: 8000")  # missed by who hangs, not by a loaded machine
    with stage(tmp_path, declared=soon) as made:
        (made.services[0] / "model.py").write_text(OWN)
        for root, score in ((CHAMPION, 0.9), (CANDIDATE, 0.8)):
            made.release(root, score=score)
            packaged(made, root)
        made.start()
        alone = routing(previous=None, weight=0, guardrails=None)
        made.control.apply("first", alone)
        made.control.apply("all", routing(previous=None, weight=10_000, guardrails=None, epoch=Epoch(2)))
        (candidate,) = made.predict(row())  # in a process of its own
        made.control.apply("none", routing(previous=None, weight=0, guardrails=None, epoch=Epoch(3)))
        (champion,) = made.predict(row())
        assert (champion["score"], champion["fallback"]) == (0.9, None)
        assert (candidate["score"], candidate["fallback"]) == (0.8, None)
        fallen = [
            made.predict(row(**more))[0] for more in ({"amount": 900.0}, {"items": 13}, {"items": 14, "card": "c2"})
        ]
        assert [(each["score"], each["fallback"]) for each in fallen] == [(0.0, "constant")] * 3
        until(lambda: made.log_counts()["written"] == 5, "the log has all rows")
        counts = made.control.observe("shop").counts
        assert counts is not None
        assert (counts.champion.requests, counts.champion.errors) == (4, 2)  # the one that fell is no error
        _, text = made.ask("GET", "/metrics")
        assert 'flyball_filtered_rows_total{filter="odd",service="shop"} 1.0' in text
        assert 'flyball_filtered_rows_total{filter="sure",service="shop"} 1.0' in text  # not 0.8


def test_a_release_without_the_function_gets_no_weight(tmp_path: Path) -> None:
    declared = SERVICE.replace(
        "  fallback:", "  filters: [{name: odd, on: row, verdict: reject, function: odd}]\n  fallback:"
    )
    with stage(tmp_path, declared=declared) as made:
        (made.services[0] / "model.py").write_text(OWN)
        made.release(CHAMPION)
        packaged(made, CHAMPION)
        (made.home.releases / CHAMPION.removeprefix("sha256:") / "code" / "model.py").write_text("def train(): ...\n")
        made.start()
        with pytest.raises(Untrusted, match="no function odd"):
            made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None))


def test_a_previous_release_from_before_the_filter_does_not_keep_the_gateway_down(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        (made.services[0] / "model.py").write_text(OWN)
        for root, code in ((CHAMPION, OWN), (PREVIOUS, "def train(): ...\n")):
            made.release(root)
            packaged(made, root)
            (made.home.releases / root.removeprefix("sha256:") / "code" / "model.py").write_text(code)
        made.start()
        made.control.apply("first", routing(candidate=None, rollout=None, guardrails=None))
        made.end()
        file, declared = (
            made.services[0] / "service.yaml",
            "filters: [{name: odd, on: row, verdict: reject, function: odd}]",
        )
        file.write_text(file.read_text().replace("  fallback:", f"  {declared}\n  fallback:"))
        with (tmp_path / "errors").open("wb") as errors:
            made.errors = errors.fileno()
            made.start()
        said = (tmp_path / "errors").read_text()
        assert made.ask("GET", "/readyz")[0] == 200
        assert made.predict(row())[0]["fallback"] is None
        assert "has no function odd" in said
        assert "it is tried again" in said
        assert "is not ready after" not in said  # the start has not waited for it
        assert "Traceback" not in said
