"""service.yaml becomes a record, or every fault of it at once."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.declaration.sense import notes
from flyball.contracts.declaration.service_file import parse
from flyball.core.errors import BadInput, Fault
from flyball.core.service import FallbackLink

WHOLE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: risk-ml, people: {risk-lead: [approver], ml-oncall: [operator]}}
data: {contract: contract.yaml, source: $FLYBALL_DATA/fraud/train.parquet, label: is_fraud, timestamp: at, key: card_id, label_window_s: 7d}
experiment: {task: binary, threshold: 0.5, module: model.py, seed: "7", config: {max_depth: 6}, split: {kind: temporal, holdout: 0.2}, metric: roc_auc}
gates:
  - {metric: roc_auc, min: 0.80}
  - {metric: roc_auc, versus: champion, not_worse_by: 0.02}  # or better_by: 2%
  - {metric: latency_p99_ms, max: 20}
serving:
  objectives: {availability: 0.999, latency_p99_ms: 50, throughput_rps: 300}
  fallback: [previous, {constant: {prediction: 0, score: 0.0}}]
rollout:
  guardrails: {alpha: 0.05, beta: 0.10, errors: {ratio: 2, ceiling: 0.02}, slow: {ratio: 3, ceiling: 0.05}, max_errors: 100}
  steps:
    - shadow: {share: 0.05, min_pairs: 200}
    - approval: {role: approver}
    - canary: {weight: 0.01, min_requests: 300, min_s: 5m, timeout_s: 1h, on_timeout: hold}
    - canary: {weight: 0.10, min_requests: 300, min_s: 5m}
    - canary: {weight: 0.50, min_requests: 300, min_s: 5m}
    - promote: {}
monitor: {window_rows: 1000, psi: {warn: 0.10, act: 0.25, consecutive: 3}, live_metric: {name: roc_auc, max_loss: 0.05}}
retrain: {triggers: [drift, risk], from: captured, window_rows: 20000, min_new_rows: 2000, cooldown_s: 24h}
autonomy: {rollback: auto, retrain: suggest, promote: approval, first: auto}
replay: {train_rows: 5000, label_delay_rows: 500, approve_after_rows: 0}
"""  # noqa: E501

SMALL = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: s, owner: o}
data: {contract: c.yaml, source: t.parquet, label: y}
experiment: {task: TASK, metric: METRIC}
"""


def small(task: str = "binary", metric: str = "roc_auc") -> str:
    return SMALL.replace("TASK", task).replace("METRIC", metric)


def faults(text: str) -> list[str]:
    """Every fault but the file's name, as `line: path: ...`."""
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert caught.value.exit_code == 2
    return [str(fault).removeprefix("service.yaml:") for fault in caught.value.faults]


def test_the_published_shape_parses_with_its_durations_in_seconds() -> None:
    service = parse(WHOLE)
    assert service.data.label_window_s == 7 * 86_400
    assert [step.kind for step in service.rollout.steps] == ["shadow", "approval", *["canary"] * 3, "promote"]
    canary = service.rollout.steps[2].canary
    assert canary is not None
    assert (canary.min_s, canary.timeout_s) == (300, 3600)
    assert service.retrain.cooldown_s == 86_400
    assert isinstance(service.serving.fallback[1], FallbackLink)


def test_what_is_left_out_has_a_default() -> None:
    service = parse(small())
    assert service.rollout.steps[-1].kind == "promote"
    assert service.autonomy.retrain == "suggest"
    assert service.experiment.threshold == 0.5


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    broken = WHOLE
    for right, wrong in {
        "owner: risk-ml, ": "",
        'seed: "7"': "seed: 7",
        "{metric: roc_auc, min: 0.80}": "{metric: roc_auk, min: 0.80}",
        "prediction: 0, score: 0.0": "prediction: 0, score: 1.5",
        "min_pairs: 200": "min_pairs: soon",
        "{role: approver}": "{role: boss}",
        "weight: 0.10": "wieght: 0.10",
        "promote: {}": "promote:",
        "act: 0.25": "act: 0.05",
        "cooldown_s: 24h": "cooldown_s: one day",
    }.items():
        assert right in broken
        broken = broken.replace(right, wrong, 1)
    metrics = "accuracy, balanced_accuracy, brier, f1, log_loss, mae, mape, pr_auc, precision, recall, rmse, roc_auc"
    assert faults(broken) == [
        "3: metadata.owner: expected text, found nothing (add it)",
        '5: experiment.seed: expected text, found 7 (quote it: "7")',
        f"7: gates[0].metric: expected one of {metrics} or a measure such as slice.worst.accuracy or latency_p99_ms, "
        "found text 'roc_auk' (did you mean roc_auc?)",
        "12: serving.fallback[1].constant.score: expected a probability, found 1.5",
        "16: rollout.steps[0].shadow.min_pairs: expected a whole number, at least 0, found text 'soon'",
        "17: rollout.steps[1].approval.role: expected one of approver, exception, operator, found text 'boss'",
        "19: rollout.steps[3].canary.weight: expected a number, at least 0.0001, at most 1, found nothing (add it)",
        "19: rollout.steps[3].canary.wieght: expected one of weight, min_requests, min_s, timeout_s, on_timeout, "
        "found an unknown key (did you mean weight?)",
        "21: rollout.steps[5].promote: expected a mapping with no keys, found nothing",
        "22: monitor.psi.warn: expected at most act (0.05), found 0.1",
        "23: retrain.cooldown_s: expected seconds, at least 0, or a duration such as 10m, 24h, 7d, "
        "found text 'one day'",
    ]


def test_what_is_worse_comes_later_in_the_limits_of_health() -> None:
    rules = "{failed_errors: 0.001, failed_s: 60, trend_retrain: 0.01, disk_full: 0.5}"
    text = small() + f"monitor: {{health: {rules}}}\nserving: {{idempotent: false, probes: {{every_s: 5}}}}\n"
    assert [fault.partition(": ")[2] for fault in faults(text) if "health" in fault or "probes" in fault] == [
        "monitor.health.failed_errors: expected at least errors (0.01), found 0.001",
        "monitor.health.failed_s: expected at least span_s (300), found 60",
        "monitor.health.trend_retrain: expected at least trend_warn (0.03), found 0.01",
        "monitor.health.disk_full: expected at most disk_free (0.1), found 0.5",
        "serving.probes.endpoints: expected [ready], found ['predict', 'infer', 'ready'] "
        "(serving.idempotent is false: a row may be asked once, of one release: a probe asks)",
    ]


def test_a_key_given_twice_is_a_fault_even_with_the_same_value() -> None:
    text = small() + "gates: []\nretrain: {min_new_rows: 1, min_new_rows: 1}\ngates: []\n"
    assert faults(text) == [
        "7: retrain.min_new_rows: expected one key of this name, found a second one (first: line 7) "
        "(remove one of them)",
        "8: gates: expected one key of this name, found a second one (first: line 6) (remove one of them)",
    ]


def test_norway_is_a_country_and_not_a_truth_value() -> None:
    service = parse(small().replace("owner: o", "owner: no, people: {on: [approver]}, description: 12:30"))
    assert (service.metadata.owner, list(service.metadata.people), service.metadata.description) == (
        "no",
        ["on"],
        "12:30",
    )


def test_a_date_is_the_text_that_was_written() -> None:
    assert parse(small().replace("owner: o", "owner: o, description: 2026-11-21")).metadata.description == "2026-11-21"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "(whole file)"),
        ("[1", "(text)"),
        ("- a\n- b", "(whole file)"),
        ("just words", "(whole file)"),
        ("a: !!python/object:os.system x", "(text)"),
        ("a: 1\n---\nb: 2", "(text)"),
        ("a:\tb", "(text)"),
        ("a: \x00", "(whole file)"),
        (small() + "monitor: {psi: {warn: .nan}}", "monitor.psi.warn"),
        (small() + "7: seven", "7"),
        ("a: &a [*a]", "(whole file)"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ), "(whole file)"),
    ],
)  # fmt: skip
def test_text_that_is_no_declaration_is_bad_input_and_never_a_crash(text: str, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert path in [fault.path for fault in caught.value.faults]


@given(st.text(max_size=200))
def test_any_text_at_all_is_a_service_or_bad_input(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert caught.value.faults


@given(
    st.sampled_from(sorted({*re.findall(r"[\w.]+", WHOLE)})), st.sampled_from(["", "x", "-1", "[]", "{}", "1e9", "~"])
)
def test_any_word_replaced_gives_a_service_or_faults_with_a_path(word: str, other: str) -> None:
    found: tuple[Fault, ...] = ()
    try:
        parse(re.sub(rf"\b{re.escape(word)}\b", other, WHOLE))
    except BadInput as error:
        found = error.faults
    assert all(fault.path and fault.expected and fault.found for fault in found)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("rollout: {steps: []}", "rollout.steps: expected at least the step promote"),
        ("rollout: {steps: [{promote: {}, shadow: {}}]}", "rollout.steps[0]: expected exactly one of shadow, approval"),
        ("rollout: {steps: [{}]}", "rollout.steps[0]: expected exactly one of shadow, approval"),
        (
            "rollout: {steps: [{canary: {weight: 0.1}}]}",
            "rollout.steps: expected promote as the last step, found canary",
        ),
        (
            "rollout: {steps: [{promote: {}}, {canary: {weight: 0.1}}]}",
            "rollout.steps[0]: expected promote as the last",
        ),
        (
            "rollout: {steps: [{approval: {}}, {approval: {}}, {promote: {}}]}",
            "rollout.steps[1]: expected one approval, found a second one",
        ),
        (
            "rollout: {steps: [{canary: {weight: 0.2}}, {canary: {weight: 0.2}}, {promote: {}}]}",
            "rollout.steps[1].canary.weight: expected more than the canary before (0.2), found 0.2",
        ),
        (
            "rollout: {steps: [{canary: {weight: 0.2}}, {shadow: {}}, {promote: {}}]}",
            "rollout.steps[1]: expected shadow before the first canary",
        ),
        ("gates: [{metric: roc_auc}]", "gates[0]: expected exactly one of min, max, versus, found none of them"),
        (
            "gates: [{metric: roc_auc, min: 0, max: 1}]",
            "gates[0]: expected exactly one of min, max, versus, found min and",
        ),
        ("gates: [{metric: roc_auc, versus: champion}]", "gates[0]: expected not_worse_by or better_by beside versus"),
        ("gates: [{metric: roc_auc, min: 0.5, better_by: 1%}]", "gates[0]: expected no better_by beside min"),
        ("gates: [{metric: roc_auc, versus: champion, better_by: a bit}]", "gates[0].better_by: expected a number"),
        ("gates: [{metric: roc_auc, versus: champion, better_by: -0.1}]", "gates[0].better_by: expected a number, at"),
        ("gates: [{metric: rmse, max: 1}]", "gates[0].metric: expected a metric for binary"),
        (
            "gates: [{expression: 'metrics.roc_acu.low > 0.5'}]",
            "gates[0].expression: expected a metric or a measure, found roc_acu (did you mean roc_auc?)",
        ),
        ("gates: [{expression: 'latency.p98_ms < 9.0'}]", "found latency_p98_ms"),
        ("gates: [{expression: 'suites.privcy == \"PASS\"'}]", "found privcy (did you mean privacy?)"),
        (
            'gates: [{expression: \'tests["determinstic"] == "PASS"\'}]',
            "expected the name of a test, found determinstic (did you mean deterministic?)",
        ),
        ("gates: [{expression: 'true'}]", "gates[0].expression: expected a CEL condition, found it reads no evidence"),
        (
            "gates: [{metric: roc_auc, min: 0.5, inconclusive: shadow}]\nrollout: {steps: [{promote: {}}]}",
            "gates[0].inconclusive: expected a shadow step in rollout.steps",
        ),
        ("monitor: {live_metric: {name: mae, max_loss: 5%}}", "monitor.live_metric.name: expected a metric for binary"),
        ("retrain: {min_new_rows: 5, window_rows: 4}", "retrain.min_new_rows: expected at most window_rows (4)"),
        ("retrain: {pressure: {exit: 2}}", "retrain.pressure.exit: expected at most enter (1)"),
        ("retrain: {pressure: {ki: 0}}", "retrain.pressure.ki: expected above 0"),
        ("retrain: {triggers: [trend], pressure: {}}", "retrain.pressure: expected the trigger drift or risk"),
        ("retrain: {budget: {epsilon_total: 5}}", "retrain.budget.epsilon_per_run: expected what one training spends"),
        ("retrain: {new_data_rows: 5}", "retrain.new_data_rows: expected with the trigger new_data"),
        (
            "retrain: {triggers: [new_data], new_data_rows: 20001}",
            "retrain.new_data_rows: expected at most window_rows",
        ),
        ("retrain: {schedule: '* * * * * *'}", "retrain.schedule: expected five fields of cron"),
        ("retrain: {schedule: every monday}", "retrain.schedule: expected five fields of cron"),
        ("retrain: {schedule: 0 0 31 2 *}", "retrain.schedule: expected five fields of cron that ever come"),
        (
            "serving: {fallback: [{constant: {prediction: 0}}, previous]}",
            "serving.fallback[0]: expected a constant as the",
        ),
        ("serving: {fallback: [previous, previous]}", "serving.fallback[1]: expected each fallback once"),
        ("serving: {fallback: [next]}", "serving.fallback[0]: expected one of cached, previous or a mapping"),
        ("serving: {fallback: [cached]}", "serving.fallback[0]: expected answers that are kept"),
        (
            "serving: {cache: {max_rows: 9}, fallback: [cached, previous]}",
            "serving.fallback[1]: expected previous as the",
        ),
        ("serving: {fallback: [{}]}", "serving.fallback[0]: expected constant or rule"),
        (
            "serving: {fallback: [{rule: [{when: 'row.a >', prediction: 1}]}]}",
            "serving.fallback[0].rule[0].when: expected a CEL condition",
        ),
        (
            "serving: {shadow: {compare: {kind: ranking}}}",
            "serving.shadow.compare.kind: expected one of exact, absolute",
        ),
        ("serving: {shadow: {compare: {kind: exact, top: 2}}}", "serving.shadow.compare.top: expected no top"),
        (
            "serving: {filters: [{name: a, on: row, verdict: reject}]}",
            "serving.filters[0]: expected one of min or max, allow, deny, when, rate",
        ),
        (
            "serving: {filters: [{name: a, on: row, verdict: clamp, column: amount, deny: [1]}]}",
            "serving.filters[0].verdict: expected clamp with",
        ),
        (
            "serving: {filters: [{name: a, on: row, verdict: reject, max: 3}]}",
            "serving.filters[0].column: expected a column",
        ),
        (
            "serving: {filters: [{name: a, on: row, verdict: reject, when: 'score > 0.5'}]}",
            "serving.filters[0].when: expected a CEL condition over row",
        ),
        (
            "serving: {filters: [{name: a, on: row, verdict: clamp, function: f}]}",
            "serving.filters[0].column: expected a column",
        ),
        (
            "serving: {filters: [{name: a, on: row, verdict: review, function: f, column: amount}]}",
            "serving.filters[0].column: expected no column",
        ),
        (
            "serving: {filters: [{name: a, on: answer, verdict: review, function: f, when: 'score > 0.5'}]}",
            "allow, deny, when, rate, function, found when and function",
        ),
        ("serving: {deadline_ms: 50}", "serving.deadline_ms: expected at least latency_p99_ms (100), found 50"),
        ("serving: {objectives: {latency_p50_ms: 200}}", "serving.objectives.latency_p50_ms: expected at most"),
        ("autonomy: {rollback: suggest}", "autonomy.rollback: expected auto, found text 'suggest'"),
    ],
)
def test_what_makes_no_sense_together_is_a_fault(more: str, told: str) -> None:
    found = faults(small() + more)
    assert len(found) == 1, found
    assert told in found[0]


@pytest.mark.parametrize(
    ("task", "metric", "constant", "path"),
    [
        ("regression", "mae", "{prediction: 1, score: 0.5}", "score"),
        ("regression", "mae", "{prediction: many}", "prediction"),
        ("binary", "roc_auc", "{prediction: 1, scores: {a: 1.0}}", "scores"),
        ("multiclass", "accuracy", "{prediction: a, score: 0.5}", "score"),
        ("multiclass", "accuracy", "{prediction: a, scores: {a: 0.5, b: 0.4}}", "scores"),
        ("multiclass", "accuracy", "{prediction: c, scores: {a: 0.5, b: 0.5}}", "scores"),
    ],
)
def test_a_constant_answer_has_the_form_of_the_task(task: str, metric: str, constant: str, path: str) -> None:
    found = faults(small(task, metric) + f"serving: {{fallback: [{{constant: {constant}}}]}}")
    assert [line.split(": ")[1] for line in found] == [f"serving.fallback[0].constant.{path}"]


def test_an_expression_over_all_names_is_none_of_a_wrong_name() -> None:
    text = "gates: [{expression: 'metrics.all(n, metrics[n].n > 9) && tests.exists(t, tests[t] == \"PASS\")'}]"
    assert len(parse(small() + text).gates) == 1


def test_a_threshold_belongs_to_binary_only() -> None:
    text = small("regression", "mae").replace("metric: mae", "metric: mae, threshold: 0.5")
    assert faults(text) == [
        "5: experiment.threshold: expected no threshold, found a threshold with task regression (remove it)"
    ]


def test_an_approval_that_nobody_may_give_is_a_fault_and_without_people_a_note() -> None:
    nobody = WHOLE.replace("risk-lead: [approver], ", "")
    assert "rollout.steps[1].approval.role: expected a role that somebody" in faults(nobody)[0]
    alone = parse(small())
    assert "whoever reaches the home can approve" in notes(alone)[0]


def test_a_rule_that_asks_nobody_is_a_note() -> None:
    rule = "policy: {rules: [{action: promote, when: 'failed_rollouts == 0', effect: alone, reason: routine}]}\n"
    told = "policy.rules[0]: releases are promoted WITHOUT A PERSON while failed_rollouts == 0"
    assert told in notes(parse(small() + rule))


def test_label_timestamp_and_key_are_three_columns() -> None:
    assert (
        "data.timestamp: expected another column than label"
        in faults(small().replace("label: y", "label: y, timestamp: y"))[0]
    )


def test_code_lies_in_the_folder_of_the_service() -> None:
    text = small().replace("metric: roc_auc", "metric: roc_auc, module: ../model.txt, include: [/etc/passwd]")
    assert [line.split(": ")[1] for line in faults(text)] == [
        "experiment.module",
        "experiment.include[0]",
        "experiment.module",
    ]


def test_the_users_config_stays_as_it_is_written() -> None:
    text = small().replace("metric: roc_auc", "metric: roc_auc, config: {halflife_s: 10m}")
    assert parse(text).experiment.config == {"halflife_s": "10m"}


def test_null_stands_for_the_default_where_that_is_nothing() -> None:
    service = parse(small() + "rollout: {steps: [{shadow: {max_disagreement: null}}, {promote: {}}]}")
    assert service.rollout.steps[0].shadow is not None
    assert service.rollout.steps[0].shadow.max_disagreement is None


def test_a_service_that_may_be_asked_once_declares_nothing_that_asks_again() -> None:
    once = small().replace("metric: METRIC", "metric: roc_auc") + "serving: {idempotent: false"
    gates = "gates: [{metric: roc_auc, versus: champion, not_worse_by: 0.1, inconclusive: shadow}]"
    found = faults(f"{once}, cache: {{max_rows: 10}}}}\n{gates}\n")
    assert len(found) == 3
    for place in ("serving.cache.max_rows", "rollout", "gates[0].inconclusive"):
        assert any(place in fault for fault in found), place
    parse(once + "}\nrollout: {steps: [{approval: {}}, {canary: {weight: 0.1}}, {promote: {}}]}\n")


def test_a_quorum_that_nobody_can_make_is_a_fault() -> None:
    text = small().replace("owner: o", "owner: o, people: {ada: [approver], bob: [operator]}")
    text += "\nrollout: {steps: [{approval: {quorum: 2}}, {promote: {}}]}"
    (fault,) = faults(text)
    assert "rollout.steps[0].approval.quorum: expected at most the 1 who hold the role, found 2" in fault
    assert parse(text.replace("bob: [operator]", "bob: [approver]")).rollout.steps[0].kind == "approval"


def test_a_soak_is_the_last_trial() -> None:
    made = parse(
        WHOLE.replace("    - promote: {}", "    - soak: {holdback: 0.02, min_s: 7d, timeout_s: 21d}\n    - promote: {}")
    )
    soak = made.rollout.steps[-2].soak
    assert soak is not None
    assert soak.canary.weight == 0.98
    early = WHOLE.replace("    - canary: {weight: 0.50", "    - soak: {}\n    - canary: {weight: 0.50")
    with pytest.raises(BadInput) as raised:
        parse(early)
    assert [(fault.path, fault.expected) for fault in raised.value.faults] == [
        ("rollout.steps[4]", "soak directly before promote"),
        ("rollout.steps[5].canary.weight", "more than the canary before (0.95)"),
    ]
    with pytest.raises(BadInput) as raised:
        parse(WHOLE.replace("    - promote: {}", "    - soak: {holdback: 0.5}\n    - promote: {}"))
    assert [fault.path for fault in raised.value.faults] == ["rollout.steps[5].soak.holdback"]


def test_only_a_step_that_collects_evidence_can_be_waived() -> None:
    text = (
        WHOLE.split("rollout:")[0]
        + """\
rollout:
  steps:
    - approval: {}
    - canary: {weight: 0.125}
    - promote: {}
  waive: {canary-12%: close, approval: people, canary-12.5%: a smoke test}
"""
    )
    with pytest.raises(BadInput) as refused:
        parse(text, file="service.yaml")
    assert [(fault.path, fault.found, fault.fix) for fault in refused.value.faults] == [
        ("rollout.waive.canary-12%", "canary-12%", "did you mean canary-12.5%?"),
        ("rollout.waive.approval", "approval", ""),
    ]
