"""A real Alertmanager on loopback takes our alerts, tells a webhook of them, and ends them when we say so."""

import asyncio
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.app.receiver import Receiver, receiving
from tests.app.slo.servers import listens_at
from tests.app.test_alert_relay import NAME, declare, flushed, over, page

from flyball.adapters.clock import SystemClock
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import open_ledger
from flyball.app.wiring.reminders import Reminders
from flyball.core import events as e
from flyball.core.declared.alerts import AlertDestination

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
WAIT_S = 60.0  # at most, for what takes a second or two
CONFIG = """
route: {{receiver: hook, group_by: [alertname, cause], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""

pytestmark = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="no Alertmanager: apt install prometheus-alertmanager"
)


def until(found: Callable[[], Any]) -> Any:
    """What is found in the end."""
    ends = time.monotonic() + WAIT_S
    while time.monotonic() < ends:
        if value := found():
            return value
        time.sleep(0.1)
    raise AssertionError("it never came")


def get(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.loads(answer.read() or b"true") if "/api/" in url else answer.status == 200
    except OSError:  # not yet there, or slower than that
        return None


@contextmanager
def alertmanager(folder: Path, hook: str) -> Iterator[str]:
    """Its address, once it is ready."""
    assert PROGRAM is not None, "CI has to have Alertmanager"
    (folder / "alertmanager.yml").write_text(CONFIG.format(url=hook))
    command = [
        *(PROGRAM, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}"),
        *("--web.listen-address=127.0.0.1:0", "--cluster.listen-address="),
    ]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{until(lambda: listens_at(folder / 'log'))}"
            until(lambda: get(f"{url}/-/ready"))
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def test_alertmanager_shows_an_alert_groups_it_notifies_and_ends_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").made()
    with receiving(Receiver()) as hook, alertmanager(tmp_path, hook.url) as url:
        ledger = open_ledger(home, clock=SystemClock())
        try:
            declare(ledger, AlertDestination(format="alertmanager", to=url))
            ledger.append([page()])
            flushed(home, ledger)
            (shown,) = until(lambda: get(f"{url}/api/v2/alerts"))
            assert shown["labels"]["alertname"] == "ErrorsHigh"
            assert shown["status"]["state"] == "active"
            assert shown["annotations"]["runbook_url"] == "https://runbooks.example/bad-rollout.md"
            firing = until(lambda: hook.got and hook.got[0].document)
            assert (firing["status"], firing["groupLabels"]["cause"]) == ("firing", "errors")
            assert ledger.redeliver(destination="fraud/alertmanager") == 1
            flushed(home, ledger)
            assert len(get(f"{url}/api/v2/alerts")) == 1  # what comes twice is one alert
            ledger.append([over()])
            flushed(home, ledger)
            over_ = until(
                lambda: next((got.document for got in hook.got if got.document["status"] == "resolved"), None)
            )
            assert over_["alerts"][0]["labels"] == firing["alerts"][0]["labels"]
            assert until(lambda: get(f"{url}/api/v2/alerts") == [])
        finally:
            ledger.close()


def test_one_that_was_started_anew_is_told_again_what_is_open_and_of_nothing_that_is_over(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").made()
    with receiving(Receiver()) as hook, alertmanager(tmp_path, hook.url) as url:
        ledger = open_ledger(home, clock=SystemClock())
        try:
            declare(ledger, AlertDestination(format="alertmanager", to=url, urgency="page"))
            ledger.append([page(), page("al-2", "latency"), page("al-3", "drift", urgency="ticket"), over("al-2")])
            reminders = Reminders(ledger, {}, SystemClock())  # as if all messages had gone to the one before
            assert asyncio.run(reminders.round()) == 1
            (shown,) = until(lambda: get(f"{url}/api/v2/alerts"))
            assert shown["labels"]["cause"] == "errors"
            assert shown["annotations"]["to"] == "ada"
            ledger.append([e.AlertEscalated(service=NAME, alert="al-1", level=1, to=("bob",), why="nobody took it")])
            assert asyncio.run(reminders.round()) == 1
            assert until(lambda: get(f"{url}/api/v2/alerts")[0]["annotations"]["to"] == "ada, bob")
            ledger.append([over()])
            assert asyncio.run(reminders.round()) == 0
        finally:
            ledger.close()
