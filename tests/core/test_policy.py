"""The digest of a policy: another word in it is another digest, another version of the program is not."""

import pytest
from msgspec.structs import replace
from tests.control.world import service

from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.policy import policy_digest
from flyball.core.service import Autonomy, Gate, Monitor, Policy, Retrain, Rollout, Rule, Service

PINNED = "sha256:de81cb51ff055dffd7c47571e420b1dc6f6e4bd356f0f655493ddda575dbbde8"


def test_a_key_more_in_the_program_voids_no_approval() -> None:
    """If this fails, a field was added without a default, or a default was changed: then count the digest's name up."""
    assert policy_digest(service()) == PINNED


@pytest.mark.parametrize(
    "changed",
    [
        replace(service(), gates=(Gate(metric="accuracy", min=0.5),)),
        replace(service(), rollout=Rollout(guardrails=Guardrails(metrics=(MetricGuardrail(name="accuracy"),)))),
        replace(service(), monitor=Monitor(window_rows=101)),
        replace(service(), retrain=Retrain(min_new_rows=51)),
        replace(service(), autonomy=Autonomy(retrain="suggest")),
        replace(service(), policy=Policy(rules=(Rule(action="promote", when="incident", effect="never", reason="r"),))),
    ],
)
def test_another_word_in_any_section_is_another_policy(changed: Service) -> None:
    assert policy_digest(changed) != policy_digest(service())


def test_what_is_no_policy_is_not_in_it() -> None:
    made = service()
    assert policy_digest(replace(made, metadata=replace(made.metadata, owner="others"))) == policy_digest(made)
