"""A real Prometheus scrapes a real gateway, its alerts fire, a real Alertmanager groups, silences and tells them.

The rules are those that `flyball slo rules` writes, with every window a three-hundredth of its length (`--scale`): an
hour is twelve seconds. Their shape, thresholds and names are the same.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.app.receiver import Receiver, receiving
from tests.app.slo.servers import needed, running, until
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.serve.http.test_exposition import ALONE
from tests.serving.stage import SERVICE, Stage, stage

from flyball.app.cli.main import run

DECLARED = SERVICE.replace("fallback: [previous, {constant: {prediction: 0, score: 0.0}}]", "fallback: []")
# bounds that no answer misses, however busy the machine: what burns here is what the test sends
DECLARED = DECLARED.replace("deadline_ms: 20000", "deadline_ms: 60000").replace(
    "latency_p99_ms: 100", "latency_p99_ms: 60000"
)
DECLARED += "slo: {min_events: 20}\nalerts: {runbooks_url: 'https://wiki.example/runbooks'}\n"
SCALE = 1 / 300


@contextmanager
def asked_all_the_time(served: Stage, *rows: dict[str, Any]) -> Iterator[None]:
    """Clients that send these rows until the block ends, whatever they get."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            served.ask("POST", "/v1/services/shop/predict", {"rows": list(rows)})
            over.wait(0.02)

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield
    finally:
        over.set()
        client.join()


def burns_told(receiver: Receiver) -> list[dict[str, Any]]:
    """Notifications of a burn. Before its first scrape Prometheus may well say that nothing is measured."""
    documents = [got.document for got in receiver.got]
    return [
        each for each in documents if any(one["labels"]["alertname"] == "ErrorBudgetBurn" for one in each["alerts"])
    ]


def test_a_burn_is_scraped_fired_grouped_held_back_by_a_silence_and_told_to_a_webhook(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needed()
    receiver = Receiver()
    with stage(tmp_path / "gateway", declared=DECLARED) as served, receiving(receiver):
        for root in (CHAMPION, PREVIOUS):
            served.release(root, sick=True)
        served.start()
        served.control.apply("first", routing(**ALONE))
        written = tmp_path / "written.yaml"
        assert run(["slo", "rules", str(served.services[0]), "--scale", str(SCALE), "--out", str(written)]) == 0
        folder = tmp_path / "servers"
        folder.mkdir()
        with running(folder, rules=written.read_text(), gateway=served.port, webhook=receiver.url) as servers:
            with asked_all_the_time(served, *[row(card=f"c{number}") for number in range(5)]):
                until(lambda: (servers.value('slo:sli_events:increase1h{slo="availability"}') or 0) > 20 or None)
                # a second, in which a busy machine may have scraped less than twice
                assert until(lambda: servers.value('slo:sli_error:ratio_rate5m{slo="availability"}')) == 0
                assert not [each for each in servers.firing() if each["alertname"] == "ErrorBudgetBurn"]
            silence = servers.amtool(
                *("silence", "add", "service=shop", "--comment=a test", "--author=test", "--duration=5m")
            ).strip()
            with asked_all_the_time(served, row(items=13), row(card="good")):
                burning = until(lambda: _burning(servers.firing()))
                assert {each["severity"] for each in burning} >= {"page"}
                assert all(each["service"] == "shop" for each in burning)
                held = until(lambda: _suppressed(servers.held(), silence))
                assert len(held) >= 2
                assert burns_told(receiver) == [], "a silence holds it back"
                servers.amtool("silence", "expire", silence)
                until(lambda: burns_told(receiver) or None)
            (told, *_) = burns_told(receiver)
            urgent = {(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in told["alerts"]}
            assert ("ErrorBudgetBurn", "page") in urgent
            assert len(told["alerts"]) >= 2, "what is of one service is one notification"
            (alert, *_) = told["alerts"]
            assert alert["annotations"]["runbook_url"].startswith("https://wiki.example/runbooks/")
            assert json.dumps(told["groupLabels"]) == '{"service": "shop"}'


def _burning(firing: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Two pairs at least."""
    found = [each for each in firing if each["alertname"] == "ErrorBudgetBurn" and each["slo"] == "availability"]
    return found if len(found) >= 2 else None


def _suppressed(held: list[dict[str, Any]], silence: str) -> list[dict[str, Any]] | None:
    found = [each for each in held if silence in each["status"]["silencedBy"]]
    return found if len(found) >= 2 and len(found) == len(held) else None
