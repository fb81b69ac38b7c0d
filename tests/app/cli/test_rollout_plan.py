"""`flyball rollout plan`: from files, from the log, with waivers, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.traffic import traffic_of
from flyball.contracts.declaration.service_file import declaration
from flyball.core import events as e
from flyball.core.ids import Digest, ServiceName
from flyball.core.log_tables import LogTables
from flyball.core.policy import policy_digest
from flyball.core.prediction import PredictionRecord
from flyball.core.service import Service

ROOT = Path(__file__).resolve().parents[3]
SERVICE = ROOT / "examples" / "electricity"
START = 1_790_000_000.0
FIRST = Digest("sha256:" + "1" * 64)
DECLARED: dict[str, Any] = {
    "apiVersion": "flyball/v1",
    "kind": "Service",
    "metadata": {"name": "shop", "owner": "somebody"},
    "data": {"contract": "contract.yaml", "source": "data.csv", "label": "label"},
    "experiment": {"task": "binary", "metric": "roc_auc"},
}


def asked(capfd: pytest.CaptureFixture[str], home: Path, *words: str, code: int) -> Any:
    assert run(["rollout", "plan", str(SERVICE), "--home", str(home), "--json", *words]) == code
    return json.loads(capfd.readouterr().out)


def test_a_plan_at_a_rate_says_what_each_step_needs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = asked(capfd, tmp_path, "--rate", "30", code=0)
    assert (found["verdict"], found["traffic"]["requests_s"]) == ("POWERED", 30.0)
    steps = {step["step"]: step for step in found["steps"]}
    assert list(steps) == ["shadow", "approval", "canary-90%", "promote"]
    need = steps["canary-90%"]["need"]
    assert need["seconds"] == pytest.approx(need["requests"] / 30)
    assert all(each["detectable"] > 1 for each in steps["canary-90%"]["guardrails"])


def test_without_traffic_nobody_can_tell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = asked(capfd, tmp_path, code=3)
    assert (found["verdict"], found["seconds"], found["traffic"]["requests_s"]) == ("UNKNOWN", None, None)


def test_an_underpowered_plan_is_refused_unless_it_is_waived_by_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = asked(capfd, tmp_path, "--rate", "0.5", code=1)
    (step,) = [each for each in found["steps"] if each["verdict"] == "UNDERPOWERED"]
    assert step["reasons"]
    assert step["mends"]
    words = ("--rate", "0.5", "--waive", step["step"], "--why", "a replay has the night")
    waived = asked(capfd, tmp_path, *words, code=0)
    (told,) = [each for each in waived["steps"] if each["waived"]]
    assert (waived["verdict"], told["waived"], told["verdict"]) == ("POWERED", "a replay has the night", "UNDERPOWERED")


def test_what_is_accepted_on_the_ledger_counts_in_the_plan_of_the_folder_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    declared = load(SERVICE).service
    declared = replace(declared, metadata=replace(declared.metadata, people={}))
    name = ServiceName(declared.metadata.name)
    policy = policy_digest(declared)
    with ledger_of(Home(tmp_path)) as ledger:
        ledger.append([e.ServiceDeclared(service=name, policy=policy, declaration=declaration(declared), folder="x")])
    asked(capfd, tmp_path, "--rate", "0.5", code=1)
    words = ["rollout", "waive", name, "canary-90%", "--why", "a quiet service", "--home", str(tmp_path)]
    assert run([*words, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["recorded"] == ["step.waived"]
    (told,) = [each for each in asked(capfd, tmp_path, "--rate", "0.5", code=0)["steps"] if each["waived"]]
    assert told["waived"].endswith(": a quiet service")
    with ledger_of(Home(tmp_path)) as ledger:  # another policy: the word is void
        other = e.ServiceDeclared(service=name, policy=FIRST, declaration=declaration(declared), folder="x")
        ledger.append([other])
    asked(capfd, tmp_path, "--rate", "0.5", code=1)
    assert run([*words[:3], "canary-9%", "promote", *words[4:]]) == 2
    assert "canary-90%" in capfd.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--waive", "canary-90%"],
        ["--why", "so"],
        ["--waive", "canary-1%", "--why", "so"],
        ["--waive", "shadow", "--why", "so"],
        ["--rate", "0"],
        ["--errors", "1"],
    ],
)
def test_faulty_words_are_bad_input(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    rate = [] if "--rate" in words else ["--rate", "0.5"]
    assert asked(capfd, tmp_path, *rate, *words, code=2)["error"]["faults"]


def test_the_text_names_steps_reasons_and_mends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rollout", "plan", str(SERVICE), "--home", str(tmp_path), "--rate", "0.5"]) == 1
    said = capfd.readouterr().out
    for part in ("canary-90% is underpowered:", "mended by any of: timeout_s:", "--waive canary-90% --why TEXT", "5 %"):
        assert part in said
    assert run(["rollout", "plan", str(SERVICE), "--home", str(tmp_path)]) == 3
    assert "give --rate" in capfd.readouterr().out


def test_an_unknown_service_is_not_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rollout", "plan", "nobody", "--home", str(tmp_path)]) == 2
    assert "no ledger" in capfd.readouterr().err


def log(home: Path, *, sealed: bool = True) -> None:
    """Two days: on the second 400 rows of 200 units in 1,000 s, a quarter at the candidate; two units err."""
    tables = LogTables(features={"amount": pl.Float64()}, answer=pl.Int64())
    folder = home / "telemetry" / "shop"
    writer = SegmentLog(folder, "shop", tables)
    for pane, (begin, count) in enumerate(((START, 50), (START + 2 * 86_400, 400))):
        rows = []
        for n in range(count):
            at = begin + n * 1000 / (count - 1)
            rows.append(
                PredictionRecord(
                    id=f"shop.{int(at * 1000):012x}{n:026x}",
                    at=at,
                    unit=f"c{n % 200}",
                    arm="candidate" if n % 4 == 0 else "champion",
                    release="sha256:aa01",
                    epoch=1,
                    outcome="answered",
                    error=n % 200 in (1, 2),
                    prediction=1,
                    features={"amount": float(n)},
                )
            )
        writer.append(pane, rows, [])
        if not sealed:
            continue
        writer.seal(pane, start=rows[0].at, end=rows[-1].at, received=count, labels=[])


@pytest.mark.parametrize("sealed", [True, False])
def test_todays_traffic_is_that_of_the_last_day_of_the_log(tmp_path: Path, sealed: bool) -> None:
    log(tmp_path, sealed=sealed)
    found = traffic_of(Home(tmp_path), msgspec.convert(DECLARED, Service))
    assert found.requests_s == pytest.approx(399 / 1000)
    assert found.requests_a_unit == pytest.approx(300 / 150)
    assert found.errors == pytest.approx(2 / 151)  # units, not rows
    assert found.slow == pytest.approx(0.5 / 151)  # none was seen
    assert "400 rows" in found.source


def test_a_service_that_nobody_has_asked_yet_has_no_traffic(tmp_path: Path) -> None:
    (tmp_path / "telemetry" / "shop").mkdir(parents=True)
    assert traffic_of(Home(tmp_path), msgspec.convert(DECLARED, Service)).requests_s is None


def test_what_somebody_says_wins_and_what_nobody_knows_is_the_promise(tmp_path: Path) -> None:
    service = msgspec.convert(DECLARED, Service)
    empty = traffic_of(Home(tmp_path), service)
    assert (empty.requests_s, empty.slow, empty.source) == (None, 0.01, "")
    assert empty.errors == pytest.approx(0.001)
    log(tmp_path)
    said = traffic_of(Home(tmp_path), service, requests_s=7.0, errors=0.2, slow=0.3)
    assert (said.requests_s, said.errors, said.slow) == (7.0, 0.2, 0.3)
