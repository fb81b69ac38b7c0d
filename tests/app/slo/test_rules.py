"""Rules for Prometheus: promtool takes them, and in its own simulation they fire and keep silent as they should."""

import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from ruamel.yaml import YAML
from tests.control.world import service

from flyball.app.slo.prometheus import Links, rules, rules_text, runbooks_of
from flyball.app.slo.runbook_links import checked, known_runbooks
from flyball.core.declared.objectives import Events, Method, Objective, Slo
from flyball.core.errors import BadInput
from flyball.core.promised import objectives_of
from flyball.core.service import Service
from flyball.decide.objectives.budgets import Budgets

LINKS = Links(runbooks="https://wiki.example/runbooks", dashboard="https://grafana.example/d/fraud")
GOOD, BAD = (
    'flyball_rows_total{service="fraud",arm="champion",outcome="answered"}',
    ('flyball_rows_total{service="fraud",arm="champion",outcome="failed"}'),
)
MANY = Slo(
    objectives=(
        Objective(name="inputs", sli="inputs", target=0.9, urgency="ticket"),
        Objective(name="quality", sli="quality", target=0.95),
        Objective(name="theirs", sli="query", target=0.99, good='ok_total{a=~"b|c"}', total="sum(all_total)"),
        Objective(name="bad", sli="query", target=0.6, bad="bad_total", total="all_total", window_s=86_400.0),
        Objective(name="slices", sli="availability", target=0.99, method="Timeslices", slice_s=300.0, slice_target=0.9),
        Objective(name="ratios", sli="inputs", target=0.99, method="RatioTimeslices", slice_s=600.0),
    )
)


@pytest.fixture(autouse=True)
def _promtool() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not there")


def promtool(folder: Path, *words: str) -> str:
    done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def steady(service_: Service, folder: Path, story: list[dict[str, Any]], *, burn: str, step: int = 1) -> None:
    """Ask promtool. Story: of each course the series, and (minute, alert, severity or None) that is expected. Only the
    rules of availability: each of them costs at each minute. Args: burn: the pair that is asked; the others would fire
    with it while the past is short. step: minutes between two samples."""
    groups = [each for each in rules(service_, LINKS)["groups"] if each["name"].endswith("fraud-availability")]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if rule["labels"].get("burn", burn) == burn]
    of_one = {"groups": groups}
    with (folder / "rules.yaml").open("w") as file:
        YAML().dump(of_one, file)
    tests = []
    for each in story:
        asked = [
            {
                "eval_time": f"{minute}m",
                "alertname": alert,
                "exp_alerts": [expected] if expected is not None else [],
            }
            for minute, alert, expected in each["expected"]
        ]
        series = [{"series": name, "values": values} for name, values in each["series"].items()]
        tests.append({"interval": f"{step}m", "name": each["name"], "input_series": series, "alert_rule_test": asked})
    yaml, written = YAML(typ="safe"), StringIO()
    told = {  # the order: groups come in any otherwise, and what was recorded ten minutes ago is stale
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{step}m",
        "group_eval_order": [group["name"] for group in groups],
        "tests": tests,
    }
    yaml.dump(told, written)
    (folder / "tests.yaml").write_text(written.getvalue())
    promtool(folder, "test", "rules", "tests.yaml")


def burning(service_: Service, factor: str, *, value: str, alert: str = "ErrorBudgetBurn") -> dict[str, Any]:
    """The alert of a pair as promtool compares it: every label, every annotation with its value in it."""
    for group in rules(service_, LINKS)["groups"]:
        for rule in group["rules"]:
            labels = rule["labels"]
            if rule.get("alert") == alert and labels["slo"] == "availability" and labels.get("burn", "") == factor:
                told = dict(rule["annotations"])
                for shape in ("{{ $value | humanizePercentage }}", "{{ $value | humanize }}"):
                    told["description"] = told["description"].replace(shape, value)
                return {"exp_labels": labels, "exp_annotations": told}
    raise AssertionError(f"no {alert} {factor}")


def test_promtool_takes_the_rules_of_every_kind_of_objective(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules_text(replace(service(), slo=MANY), LINKS))
    out = promtool(tmp_path, "check", "rules", "rules.yaml")
    assert "SUCCESS" in out
    (tmp_path / "scaled.yaml").write_text(rules_text(replace(service(), slo=MANY), LINKS, scale=1 / 300))
    promtool(tmp_path, "check", "rules", "scaled.yaml")


def test_fourteen_times_the_budget_pages_and_the_short_window_ends_it(tmp_path: Path) -> None:
    declared = replace(service(), slo=Slo())
    page = burning(declared, "14.4", value="2%")
    steady(declared, tmp_path, [{
        "name": "two hours of peace, an hour of 2 % bad rows, peace again",
        "series": {GOOD: "0+1000x120 120980+980x60 179780+1000x15", BAD: "0+0x120 20+20x60 1220+0x15"},
        "expected": [
            (119, "ErrorBudgetBurn", None),
            (179, "ErrorBudgetBurn", page),
            (192, "ErrorBudgetBurn", None),  # the long window still remembers
        ],
    }], burn="14.4")  # fmt: skip


@pytest.mark.parametrize(
    ("burn", "severity", "long", "short", "step", "limit"),
    [("6", "page", "6h", "30m", 10, 600), ("3", "ticket", "1d", "2h", 40, 300)],
)
def test_six_and_three_times_the_budget_fire_over_their_own_windows_and_no_less_does(
    tmp_path: Path, burn: str, severity: str, long: str, short: str, step: int, limit: int
) -> None:
    """In steps of which the long window has 36: as many of peace, 40 just over the limit or just under it, peace."""
    declared = replace(service(), slo=Slo())
    alert = burning(declared, burn, value=f"{(limit + 10) / 1000:g}%")
    assert alert["exp_labels"]["severity"] == severity
    assert f"of the last {short} were bad, and too many over {long};" in alert["exp_annotations"]["description"]

    def course(bad: int) -> dict[str, str]:  # of 100,000 rows a step; counters that are old, so none is a new series
        many, good = 100_000, 100_000 - bad
        return {
            GOOD: f"{many}+{many}x36 {37 * many + good}+{good}x39 {38 * many + 40 * good}+{many}x9",
            BAD: f"{many}+0x36 {many + bad}+{bad}x39 {many + 40 * bad}+0x9",
        }

    after = {"6": 40, "3": 160}[burn]  # minutes of peace: the short window has forgotten, the long one has not
    steady(declared, tmp_path, [{
        "name": "just over",
        "series": course(limit + 10),
        "expected": [
            (36 * step, "ErrorBudgetBurn", None),
            (66 * step, "ErrorBudgetBurn", None),  # 30 of 36 steps are not enough
            (76 * step, "ErrorBudgetBurn", alert),
            (76 * step + after, "ErrorBudgetBurn", None),
        ],
    }, {
        "name": "just under",
        "series": course(limit - 10),
        "expected": [(76 * step, "ErrorBudgetBurn", None)],
    }], burn=burn, step=step)  # fmt: skip


def test_one_error_at_little_traffic_pages_nobody_and_the_fifth_does(tmp_path: Path) -> None:
    declared = replace(service(), slo=Slo())
    few = burning(declared, "", value="5", alert="ErrorBudgetBurnLowTraffic")
    steady(declared, tmp_path, [{
        "name": "one row a minute, and one error after an hour",
        "series": {GOOD: "0+1x60 60+1x60", BAD: "0+0x60 1+0x60"},
        "expected": [(minute, name, None) for minute in (61, 65, 110) for name in
                     ("ErrorBudgetBurn", "ErrorBudgetBurnLowTraffic")],
    }, {
        "name": "an error each ten minutes",
        "series": {GOOD: "0+1x140", BAD: "0+0x60 1+0x9 2+0x9 3+0x9 4+0x9 5+0x40"},
        "expected": [
            (95, "ErrorBudgetBurnLowTraffic", None),
            (105, "ErrorBudgetBurnLowTraffic", few),
            (105, "ErrorBudgetBurn", None),
            (135, "ErrorBudgetBurnLowTraffic", None),
        ],
    }], burn="14.4")  # fmt: skip


def test_a_long_steady_burn_is_a_ticket_and_no_page(tmp_path: Path) -> None:
    declared = replace(service(), slo=Slo())
    ticket = burning(declared, "1", value="0.2%")
    steady(declared, tmp_path, [{
        "name": "three days at twice the budget",
        "series": {GOOD: "0+9980x450", BAD: "0+20x450"},
        "expected": [(4400, "ErrorBudgetBurn", ticket), (4400, "ErrorBudgetBurnLowTraffic", None)],
    }], burn="1", step=10)  # fmt: skip


def test_nothing_measured_is_told_and_a_spent_budget_is_a_ticket(tmp_path: Path) -> None:
    declared = replace(service(), slo=Slo(window_s=86_400.0))
    silent = burning(declared, "", value="", alert="ObjectiveNotMeasured")
    spent = burning(declared, "", value="-100%", alert="ErrorBudgetSpent")
    steady(declared, tmp_path, [{
        "name": "a day at twice the budget",
        "series": {GOOD: "0+9980x160", BAD: "0+20x160"},
        "expected": [(1500, "ErrorBudgetSpent", spent)],
    }, {
        "name": "no series",
        "series": {'flyball_latency_seconds_count{service="fraud"}': "0+1x60",
                   'flyball_latency_seconds_bucket{service="fraud",le="0.1"}': "0+1x60"},
        "expected": [(0, "ObjectiveNotMeasured", None), (30, "ObjectiveNotMeasured", silent)],
    }], burn="", step=10)  # fmt: skip


@pytest.mark.parametrize(("method", "left"), [("Timeslices", 0.7), ("RatioTimeslices", 0.85)])
def test_of_slices_prometheus_says_what_our_own_budget_says(tmp_path: Path, method: Method, left: float) -> None:
    """Two hours of slices of five minutes, of which three answered every other row only."""
    sliced = Objective(
        name="availability",
        sli="availability",
        target=0.9,
        window_s=6 * 3600.0,
        method=method,
        slice_s=300.0,
        slice_target=0.9 if method == "Timeslices" else None,
    )
    declared = replace(service(), slo=Slo(objectives=(sliced,)))
    budgets = Budgets((sliced,), declared.slo)
    for minute in range(121):
        bad = 5.0 if 60 <= minute < 75 else 0.0
        budgets.take(minute * 60.0, {"availability": Events(good=10.0 - bad, total=10.0)})
    (ours,) = budgets.standing(120 * 60.0)
    assert ours.left == left
    recorded = "flyball-slo-recordings-fraud-availability"
    group = [each for each in rules(declared, LINKS)["groups"] if each["name"] == recorded]
    with (tmp_path / "rules.yaml").open("w") as file:
        YAML().dump({"groups": group}, file)
    asked = {
        "interval": "1m",
        "input_series": [
            {"series": GOOD, "values": "0+10x60 605+5x14 685+10x50"},
            {"series": BAD, "values": "0+0x60 5+5x14 75+0x50"},
        ],
        "promql_expr_test": [
            {
                "expr": "round(slo:error_budget_left:ratio, 0.0001)",
                "eval_time": "120m",
                "exp_samples": [{"labels": '{service="fraud", slo="availability"}', "value": left}],
            }
        ],
    }
    with (tmp_path / "tests.yaml").open("w") as file:
        YAML().dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [asked]}, file)
    promtool(tmp_path, "test", "rules", "tests.yaml")


def test_alerts_of_slices_ask_for_no_least_number_of_events() -> None:
    found = rules(replace(service(), slo=MANY), LINKS)["groups"]
    burns = {
        rule["labels"]["slo"]: f"> {MANY.min_events}" in rule["expr"]
        for group in found
        for rule in group["rules"]
        if rule.get("alert") == "ErrorBudgetBurn"
    }
    assert (burns["slices"], burns["ratios"], burns["quality"]) == (False, False, True)


@pytest.mark.parametrize("target", [0.999, 0.95, 0.93, 0.9, 0.5, 0.05])
def test_every_threshold_can_be_reached_and_a_capped_one_says_so(target: float) -> None:
    slo = Slo(objectives=(Objective(name="availability", sli="availability", target=target),))
    for group in rules(replace(service(), slo=slo), LINKS)["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") != "ErrorBudgetBurn" or rule["labels"]["slo"] != "availability":
                continue
            limit = float(rule["expr"].split(" > ")[1].split(" and ")[0])
            unreachable = float(rule["labels"]["burn"]) * (1 - target) > limit + 1e-9
            assert limit < 1
            assert unreachable == ("capped at" in rule["annotations"]["description"])


def test_every_alert_has_its_owner_its_urgency_and_its_runbook() -> None:
    for group in rules(replace(service(), slo=MANY), LINKS)["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["service"] == "fraud"
            if "alert" in rule:
                assert rule["labels"]["severity"] in ("page", "ticket")
                assert rule["annotations"].keys() == {"summary", "description", "runbook_url", "dashboard_url"}
                assert rule["annotations"]["runbook_url"].startswith("https://wiki.example/runbooks/")
            else:
                assert rule["record"].count(":") == 2


def test_no_rules_leave_without_runbooks_that_exist() -> None:
    known = ("data-drift", "latency-spike")
    assert checked("https://wiki.example", ("data-drift",), known) == "https://wiki.example"
    with pytest.raises(BadInput) as caught:
        checked(None, ("data-drift", "bad-luck"), known)
    assert [fault.path for fault in caught.value.faults] == ["runbooks_url", "bad-luck"]
    with pytest.raises(BadInput):
        checked("wiki.example", (), known)


def test_every_runbook_that_an_alert_links_to_is_in_the_package() -> None:
    assert runbooks_of(objectives_of(replace(service(), slo=MANY))) <= known_runbooks()
