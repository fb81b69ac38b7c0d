"""`flyball api` with credentials, as a process over HTTP: who may ask, who may order, and whose name the ledger has."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from tests.app.api.asked import answering, ask, declared, put
from tests.app.api.test_flagger import DOCUMENTED, SENT
from tests.app.api.test_templates import resource
from tests.app.test_alert_relay import page
from tests.app.test_people import ROLLOUT, asking
from tests.control.world import NAME, SECOND

from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.serving.key_file import add
from flyball.core import events as e

KEY = ECKey.generate_key("P-256", {"kid": "one"})
GATEWAY = """
apiVersion: flyball/v1
kind: Gateway
auth:
  keys: file:keys.json
  jwt: {jwks: "file:jwks.json", issuer: "https://id.example", audience: flyball}
"""
STANDING, VERDICT = f"/v1/services/{NAME}/rollout", f"/v1/services/{NAME}/rollout/verdict"


def token(sub: str, scope: str) -> str:
    claims = {"iss": "https://id.example", "aud": "flyball", "sub": sub, "exp": int(time.time()) + 600, "scope": scope}
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, KEY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("guarded")
    (made / "gateway.yaml").write_text(GATEWAY)
    (made / "jwks.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    return made


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    scopes = {"argo": f"{NAME}:verdict", "clerk": f"{NAME}:admin", "client": f"{NAME}:predict", "other": "shop:verdict"}
    return {
        name: add(folder / "keys.json", (scope,), days=None, rate_rps=None, note="")[0]
        for name, scope in scopes.items()
    }


@pytest.fixture(scope="module")
def url(folder: Path, keys: dict[str, str]) -> Iterator[str]:
    home = Home(folder / "home")
    clerk = keys["clerk"].split("_")[1]
    people = {"ann@example.com": ["approver"], "bob@example.com": ["operator"], f"key-{clerk}": ["operator"]}
    put(home, *declared(people))
    put(home, *asking())
    with answering(home.root, "--gateway", str(folder / "gateway.yaml")) as found:
        yield found


def newest(folder: Path) -> Any:
    return list(open_ledger(Home(folder / "home")).read())[-1].fact


def test_questions_need_the_scope_for_them(url: str, keys: dict[str, str]) -> None:
    for place in (STANDING, VERDICT):
        found = {name: ask(url + place, key=key)[0] for name, key in keys.items()}
        assert found == {"argo": 200, "clerk": 403, "client": 403, "other": 403}
        assert ask(url + place)[0] == 401
        assert ask(url + place, key="fbk_000000000000_guess")[0] == 401
    counts = {"epochs": [{"candidate": {"requests": 9, "errors": 0}, "champion": {"requests": 9, "errors": 0}}]}
    answers = [ask(url + "/v1/decide", counts, key=keys[name])[0] for name in ("argo", "other", "client")]
    assert answers == [200, 200, 403]
    assert ask(url + "/livez")[0] == ask(url + "/openapi.json")[0] == 200
    assert ask(url + "/v1/made/up", key=keys["argo"])[0] == 403


def test_flaggers_key_travels_in_its_metadata(url: str, keys: dict[str, str]) -> None:
    """Its webhooks send no headers of one's own."""
    for name, status in (("argo", 409), ("client", 403), ("other", 403)):
        hook = SENT | {"metadata": {"service": NAME, "token": keys[name]}}
        assert ask(url + "/v1/flagger/go", hook)[0] == status
    assert ask(url + "/v1/flagger/go", SENT | {"metadata": {"service": NAME}})[0] == 401
    assert ask(url + "/v1/flagger/rollback", DOCUMENTED)[0] == 401
    assert ask(url + "/v1/flagger/go", SENT | {"metadata": {"service": NAME}}, key=keys["argo"])[0] == 409


def test_an_order_stands_on_the_ledger_under_the_name_that_was_proven(
    url: str, keys: dict[str, str], folder: Path
) -> None:
    bob = token("bob@example.com", f"{NAME}:admin")
    status, told, _ = ask(f"{url}{STANDING}/pause", {"why": "lunch"}, key=bob)
    assert (status, told["recorded"], told["by"]) == (200, ["rollout.paused"], "bob@example.com")
    fact = newest(folder)
    assert isinstance(fact, e.RolloutPaused)
    assert (fact.by, fact.proof, fact.why) == ("bob@example.com", "token", "lunch")
    assert ask(url + STANDING, key=keys["argo"])[1]["paused_by"] == "bob@example.com"
    assert ask(f"{url}{STANDING}/pause", {}, key=bob)[1]["recorded"] == [], "it was so already"
    status, told, _ = ask(f"{url}{STANDING}/resume", b"", key=keys["clerk"])
    assert (status, told["recorded"]) == (200, ["rollout.resumed"])
    assert newest(folder).by == f"key-{keys['clerk'].split('_')[1]}"


def test_an_alert_is_taken_and_silenced_under_the_name_that_was_proven(
    url: str, keys: dict[str, str], folder: Path
) -> None:
    put(Home(folder / "home"), page())
    place, bob = f"{url}/v1/services/{NAME}/alerts", token("bob@example.com", f"{NAME}:admin")
    status, told, _ = ask(f"{place}/ack", {"about": "al-1", "why": "on it"}, key=bob)
    assert (status, told["recorded"], newest(folder).by) == (200, ["alert.acked"], "bob@example.com")
    assert ask(f"{place}/ack", {"about": "al-9"}, key=bob)[0] == 404
    status, told, _ = ask(f"{place}/silence", {"for_s": -1}, key=bob)
    assert (status, [fault["path"] for fault in told["faults"]]) == (422, ["why", "match", "for_s"])
    body = {"match": "drift/*", "for_s": 3600, "why": "the campaign began"}
    assert ask(f"{place}/silence", body, key=bob)[1]["recorded"] == ["alerts.silenced"]
    found = ask(place, key=keys["argo"])[1]
    assert (found["alerts"][0]["acked_by"], found["silences"][0]["by"]) == ("bob@example.com", "bob@example.com")
    assert ask(f"{place}/unsilence", {"about": found["silences"][0]["silence"]}, key=bob)[0] == 200
    assert ask(f"{place}/ack", {"about": "al-1"}, key=token("eve@example.com", f"{NAME}:admin"))[0] == 403


def test_an_approver_accepts_a_step_by_name_and_a_stranger_is_told_the_names(
    url: str, keys: dict[str, str], folder: Path
) -> None:
    ann = token("ann@example.com", f"{NAME}:admin")
    place, body = f"{url}{STANDING}/waive", {"steps": ["shadow"], "why": "few ask at night"}
    status, told, _ = ask(place, body, key=ann)
    assert (status, told["recorded"], ask(place, body, key=ann)[1]["recorded"]) == (200, ["step.waived"], [])
    fact = newest(folder)
    assert isinstance(fact, e.StepWaived)
    assert (fact.step, fact.by, fact.proof, fact.why) == ("shadow", "ann@example.com", "token", "few ask at night")
    status, told, _ = ask(place, body | {"steps": ["approval", "canary-3%"]}, key=ann)
    assert (status, [fault["found"] for fault in told["faults"]]) == (422, ["approval", "canary-3%"])


def test_what_somebody_may_not_say_is_not_written(url: str, keys: dict[str, str], folder: Path) -> None:
    before = newest(folder)
    bob = token("bob@example.com", f"{NAME}:admin")
    stranger = token("eve@example.com", f"{NAME}:admin")
    without = token("ann@example.com", f"{NAME}:verdict")
    for key, verb, body, status in (
        (stranger, "rollout/pause", {}, 403),  # who has no role
        (bob, "approve", {"about": ROLLOUT}, 403),  # nor the role for it
        (bob, "approve", {"why": "whatever waits"}, 422),  # what is meant is missing
        (bob, "approve", {"about": NAME}, 422),
        (bob, "approve", {"about": "ro-ended"}, 404),  # it waits no longer
        (bob, "rollout/pause", {"about": ROLLOUT}, 422),
        (without, "rollout/pause", {}, 403),  # nor the scope
        (keys["argo"], "rollout/abort", {}, 403),
        (bob, "rollout/promote", {}, 422),  # a reason is missing
        (bob, "rollout/pause", {"release": "0123abcd", "reason": "x"}, 422),
        (bob, "rollout/undo", {"why": "x"}, 409),  # a rollout runs
        (bob, "rollout/waive", {"steps": ["shadow"], "why": "x"}, 403),  # an approver's word
        (bob, "rollout/waive", {"why": "x"}, 422),  # which steps?
        (bob, "rollout/waive", {"steps": ["shadow"]}, 422),
        (bob, "rollout/pause", {"steps": ["shadow"], "why": "x"}, 422),
        (bob, "rollout/delete", {}, 404),
        (None, "rollout/pause", {}, 401),
    ):
        assert ask(f"{url}/v1/services/{NAME}/{verb}", body, key=key)[0] == status, verb
    assert ask(f"{url}/v1/services/shop/rollout/pause", {}, key=token("bob@example.com", "*:admin"))[0] == 404
    assert newest(folder) == before


def test_a_message_that_is_sent_again_is_one_message(url: str, keys: dict[str, str], folder: Path) -> None:
    place, message = f"{url}/v1/services/{NAME}/triggers", {"reference": "4f1c2aa"}
    found = [
        ask(place, body, key=keys["clerk"], headers=headers)
        for body, headers in (
            (message | {"why": "a new edition"}, {}),
            (message, {}),
            (message, {"Idempotency-Key": "delivery-7"}),
            (message | {"key": "delivery-7"}, {"Idempotency-Key": "delivery-7"}),
        )
    ]
    assert [status for status, *_ in found] == [200] * 4
    assert [bool(told["recorded"]) for _, told, _ in found] == [True, False, True, False]
    received = [each.fact for each in open_ledger(Home(folder / "home")).read() if each.type == "trigger.received"]
    assert [
        (fact.source, fact.key, fact.by, fact.proof) for fact in received if isinstance(fact, e.TriggerReceived)
    ] == [("webhook", name, f"key-{keys['clerk'].split('_')[1]}", "token") for name in ("4f1c2aa", "delivery-7")]


def test_a_message_that_nobody_listens_to_or_nobody_may_send_is_not_written(
    url: str, keys: dict[str, str], folder: Path
) -> None:
    before, place = newest(folder), f"{url}/v1/services/{NAME}/triggers"
    for key, body, headers, status in (
        (keys["clerk"], {"source": "commit", "reference": "x"}, {}, 409),  # not among its triggers
        (keys["clerk"], {}, {}, 422),  # names nothing
        (keys["clerk"], {"source": "smell", "reference": "x" * 201}, {}, 422),
        (keys["clerk"], {"key": "a"}, {"Idempotency-Key": "b"}, 422),
        (keys["clerk"], {"reference": "a"}, {"Idempotency-Key": "b" * 201}, 422),
        (keys["argo"], {"reference": "x"}, {}, 403),
        (token("eve@example.com", f"{NAME}:admin"), {"reference": "x"}, {}, 403),
        (None, {"reference": "x"}, {}, 401),
    ):
        assert ask(place, body, key=key, headers=headers)[0] == status, body
    assert newest(folder) == before


def test_what_argo_asks_by_the_template_is_answered(url: str, keys: dict[str, str]) -> None:
    web = resource("AnalysisTemplate")["spec"]["metrics"][0]["provider"]["web"]
    place = web["url"].replace("http://flyball-api:8070", url).replace("{{args.service}}", NAME)
    sent = {each["key"]: each["value"].replace("{{args.key}}", keys["argo"]) for each in web["headers"]}
    status, told, headers = ask(place.replace("{{args.release}}", SECOND[:20]), headers=sent)
    assert (status, told["data"]["release"], headers["content-type"]) == (200, SECOND, "application/json")


def test_a_rollout_is_approved_and_taken_back_over_http(url: str, folder: Path) -> None:
    """The last one of this file."""
    ann = token("ann@example.com", f"{NAME}:admin")
    status, told, _ = ask(f"{url}/v1/services/{NAME}/approve", {"about": ROLLOUT, "why": "read the report"}, key=ann)
    assert (status, told["recorded"]) == (200, ["approval.given"])
    bob = token("bob@example.com", f"{NAME}:admin")
    assert ask(f"{url}{STANDING}/abort", {"why": "smells"}, key=bob)[1]["recorded"] == ["rollback.ordered"]
    hook = SENT | {"metadata": {"service": NAME, "token": token("argo", f"{NAME}:verdict")}}
    assert ask(url + "/v1/flagger/rollback", hook)[0] == 200
    assert ask(url + "/v1/flagger/go", hook)[0] == 409
