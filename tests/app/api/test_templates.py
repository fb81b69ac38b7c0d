"""The resources for Argo Rollouts and Flagger that the documentation shows, on real answers of the API.

What is known of both is read off their documentation and source: how a measurement becomes a phase, how phases become
the result of a metric, and what a webhook's status means. The conditions are in the part of the language that expr,
which Argo evaluates, and CEL, which is at hand here, have in common: members, `==`, texts and booleans.
"""

import json
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import cel
import msgspec
import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from flyball.app.api.judgement import Judged, Judgement, Kind
from flyball.app.wiring.api.needs import needed
from flyball.decide.borrowed import Question, verdict_on

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "how-to" / "borrow-the-verdict.md"
REFERENCE = DOCS / "reference" / "control-api.md"
KINDS: tuple[Kind, ...] = ("PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID")
PLAIN = re.compile(r"result(\.[a-z_]+)+ == (true|false|\"[A-Z_]+\")")


def shown(page: Path, language: str) -> list[Any]:
    texts = [token.content for token in MarkdownIt().parse(page.read_text()) if token.type == "fence"]
    infos = [token.info for token in MarkdownIt().parse(page.read_text()) if token.type == "fence"]
    load = json.loads if language == "json" else lambda text: YAML(typ="safe").load(StringIO(text))
    return [load(text) for text, info in zip(texts, infos, strict=True) if info == language]


def resource(kind: str) -> dict[str, Any]:
    (found,) = [each for each in shown(PAGE, "yaml") if each["kind"] == kind]
    return dict(found)


@pytest.fixture
def metric() -> dict[str, Any]:
    (found,) = resource("AnalysisTemplate")["spec"]["metrics"]
    return dict(found)


def body(kind: Kind) -> dict[str, Any]:
    """What the API answers, as a client decodes it."""
    found = Judgement(ok=kind == "PROMOTE", verdict=kind, cause="none", reasons=("so it is",), service="fraud")
    return dict(msgspec.json.decode(msgspec.json.encode(Judged(data=found))))


def phase(metric: dict[str, Any], status: int, answer: dict[str, Any]) -> str:
    """Of one measurement: not 2xx is an error; a failed condition goes first; neither of the two is inconclusive."""
    if not 200 <= status < 300:
        return "Error"
    assert metric["provider"]["web"]["jsonPath"] == "{$.data}"
    result, met = answer["data"], {}
    for name in ("successCondition", "failureCondition"):
        assert PLAIN.fullmatch(metric[name]), "only what expr and CEL have in common"
        met[name] = cel.evaluate(metric[name], {"result": result})
        assert isinstance(met[name], bool)
    if met["failureCondition"]:
        return "Failed"
    return "Successful" if met["successCondition"] else "Inconclusive"


def result(metric: dict[str, Any], phases: Sequence[str], *, newer: bool) -> str:
    """Of a metric: limits first, then the count, whose reaching is success. Newer: consecutive successes end it."""
    counted = 0
    for end, one in enumerate(phases, 1):
        seen = phases[:end]
        counted += one != "Error"
        if seen.count("Failed") > metric.get("failureLimit", 0):
            return "Failed"
        if seen.count("Inconclusive") > metric.get("inconclusiveLimit", 0):
            return "Inconclusive"
        if len(seen) > 4 and set(seen[-5:]) == {"Error"}:
            return "Error"
        if newer and one == "Successful" and metric["consecutiveSuccessLimit"] == 1:
            return "Successful"
        if counted >= metric["count"]:
            return "Successful"
    return "Running"


def test_each_verdict_has_its_phase(metric: dict[str, Any]) -> None:
    phases = {kind: phase(metric, 200, body(kind)) for kind in KINDS}
    assert phases == {
        "PROMOTE": "Successful",
        "ROLL_BACK": "Failed",
        "HOLD": "Inconclusive",
        "INCONCLUSIVE": "Inconclusive",
        "INVALID": "Inconclusive",
    }
    assert {phase(metric, status, {"error": "x"}) for status in (401, 404, 422, 503)} == {"Error"}


@pytest.mark.parametrize("newer", [False, True])
def test_an_hour_without_a_verdict_does_not_pass(metric: dict[str, Any], newer: bool) -> None:
    """With a limit as large as the count it would: reaching the count within the limits is success."""
    waits = ["Inconclusive"] * metric["count"]
    assert result(metric, waits, newer=newer) == "Inconclusive"
    assert result(metric | {"inconclusiveLimit": metric["count"]}, waits, newer=newer) == "Successful"
    assert result(metric, [*waits[1:], "Successful"], newer=newer) == "Successful"
    assert result(metric, [*waits[:5], "Failed"], newer=newer) == "Failed"
    assert result(metric, ["Inconclusive", *["Error"] * 5], newer=newer) == "Error"


def test_the_template_asks_an_address_of_the_api_and_names_a_release(metric: dict[str, Any]) -> None:
    web, arguments = metric["provider"]["web"], {each["name"] for each in resource("AnalysisTemplate")["spec"]["args"]}
    used = set(re.findall(r"{{args\.([a-z]+)}}", json.dumps(web)))
    assert used == arguments
    path, _, query = web["url"].removeprefix("http://flyball-api:8070").partition("?")
    need = needed(path.replace("{{args.service}}", "fraud"))
    assert need is not None
    assert (need.scope, need.service, query) == ("verdict", "fraud", "release={{args.release}}")
    assert web["headers"] == [{"key": "Authorization", "value": "Bearer {{args.key}}"}]


def test_the_canary_asks_each_question_at_its_own_address() -> None:
    hooks = {hook["type"]: hook for hook in resource("Canary")["spec"]["analysis"]["webhooks"]}
    assert {kind: hook["url"].rpartition("/")[2] for kind, hook in hooks.items()} == {
        "confirm-promotion": "go",
        "rollback": "rollback",
    }
    for hook in hooks.values():
        assert all(isinstance(value, str) for value in hook["metadata"].values()), "Flagger's metadata are texts"


def test_the_examples_of_the_reference_are_what_the_api_reads_and_writes() -> None:
    verdict, question = shown(REFERENCE, "json")
    assert msgspec.convert(verdict, Judged).data.verdict == "HOLD"
    assert verdict_on(msgspec.convert(question, Question)).kind == "PROMOTE"
