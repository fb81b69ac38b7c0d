"""Flagger's payloads, of several of its versions, and what each of its two questions is answered."""

from typing import Any

import msgspec
import pytest

from flyball.app.api.bodies import read
from flyball.app.api.flagger import Asked, CanaryHook, answered
from flyball.app.api.judgement import Judgement, Kind
from flyball.core.errors import BadInput, Refused

# as its documentation shows it, and with the keys that its source sends
DOCUMENTED: dict[str, Any] = {
    "name": "podinfo",
    "namespace": "test",
    "phase": "Progressing",
    "checksum": "85d557f47b",
    "metadata": {"test": "all", "token": "16688eb5e9f289f1991c"},
}
OLD: dict[str, Any] = {"name": "podinfo", "namespace": "test"}
SENT: dict[str, Any] = DOCUMENTED | {
    "buildId": "b7",
    "type": "confirm-promotion",
    "failedChecks": 0,
    "canaryWeight": 50,
    "iterations": 0,
    "remainingTime": 1_000_000_000,
    "metadata": {"service": "fraud", "release": "0123abcd", "phase": "Progressing", "canaryWeight": "50"},
}


@pytest.mark.parametrize(
    ("payload", "service", "release", "token"),
    [
        (DOCUMENTED, "podinfo", None, "16688eb5e9f289f1991c"),
        (OLD, "podinfo", None, None),
        (SENT, "fraud", "0123abcd", None),
    ],
)
def test_every_version_of_the_payload_is_read(
    payload: dict[str, Any], service: str, release: str | None, token: str | None
) -> None:
    hook = read(msgspec.json.encode(payload), CanaryHook)
    assert (hook.name, hook.namespace) == ("podinfo", "test")
    assert (hook.service, hook.release, hook.token) == (service, release, token)


def test_what_is_no_payload_is_refused_with_all_that_is_missing() -> None:
    with pytest.raises(BadInput) as refused:
        read(b'{"phase": 3, "metadata": {"a": 1}}', CanaryHook)
    assert [fault.path for fault in refused.value.faults] == ["metadata.a", "name", "namespace", "phase"]


@pytest.mark.parametrize("kind", ["PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID"])
def test_each_question_is_answered_200_on_one_verdict_only(kind: Kind) -> None:
    found = Judgement(ok=kind == "PROMOTE", verdict=kind, cause="none", reasons=("so it is",))
    moves: dict[str, Asked] = {"PROMOTE": "go", "ROLL_BACK": "rollback"}
    both: tuple[Asked, ...] = ("go", "rollback")
    for asked in both:
        if moves.get(kind) == asked:
            assert answered(asked, found) == found
        else:
            with pytest.raises(Refused, match=f"{kind}: so it is"):
                answered(asked, found)
