"""A real Prometheus and a real Alertmanager on loopback, with ports and folders of their own, for one test."""

import contextlib
import http.client
import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

PROGRAMS = ("prometheus", "prometheus-alertmanager", "promtool", "amtool")  # Debian: both packages
PATIENCE_S = 120.0  # for things that happen; a test that waits in vain fails
Found = TypeVar("Found")

SCRAPING = """\
global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}
rule_files: [rules.yaml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]
scrape_configs:
  - job_name: flyball
    static_configs: [{{targets: ["127.0.0.1:{gateway}"]}}]
"""
ROUTING = """\
route: {{receiver: person, group_by: [service], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: person
    webhook_configs: [{{url: "{webhook}", send_resolved: false}}]
"""


def needed() -> None:
    """With CI=true what is missing is a failure (tests/conftest.py)."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not there")


class Servers:
    """The two of them, while they run."""

    def __init__(self, folder: Path, prometheus: int, alertmanager: int) -> None:
        self._folder, self.prometheus, self.alertmanager = folder, prometheus, alertmanager

    def firing(self) -> list[dict[str, Any]]:
        """Alerts that Prometheus holds to be true, by their labels."""
        alerts = _json(self.prometheus, "/api/v1/alerts")["data"]["alerts"]
        return [each["labels"] for each in alerts if each["state"] == "firing"]

    def value(self, query: str) -> float | None:
        """One number of Prometheus; None: there is no series, or it is a share of nothing."""
        from urllib.parse import quote

        found = _json(self.prometheus, f"/api/v1/query?query={quote(query)}")["data"]["result"]
        number = float(found[0]["value"][1]) if found else math.nan
        return None if math.isnan(number) else number

    def held(self) -> list[dict[str, Any]]:
        """What Alertmanager knows: labels and state of each alert."""
        found: list[dict[str, Any]] = _json(self.alertmanager, "/api/v2/alerts")
        return found

    def amtool(self, *words: str) -> str:
        place = f"--alertmanager.url=http://127.0.0.1:{self.alertmanager}"
        done = subprocess.run(["amtool", place, *words], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def running(folder: Path, *, rules: str, gateway: int, webhook: str) -> Iterator[Servers]:
    """Both, scraping a gateway at this port; ended with the block."""
    (folder / "rules.yaml").write_text(rules)
    (folder / "alertmanager.yaml").write_text(ROUTING.format(webhook=webhook))
    alerting = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    scraping = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        "--web.listen-address=127.0.0.1:0",
        "--rules.alert.resend-delay=1s",
    ]
    with _process(alerting, folder) as alertmanager:
        (folder / "prometheus.yaml").write_text(SCRAPING.format(alertmanager=alertmanager, gateway=gateway))
        with _process(scraping, folder) as prometheus:
            yield Servers(folder, prometheus, alertmanager)


def until(found: Callable[[], Found | None], *, alive: Sequence[subprocess.Popen[bytes]] = ()) -> Found:
    """What is found at last; asked again and again, within patience."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if (answer := found()) is not None:
            return answer
        for process in alive:
            assert process.poll() is None, f"{process.args!r} has ended"
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_S:g} s")


def listens_at(log: Path) -> int | None:
    """The port that one of them says it has got: it was told to take any, so that nobody else can take it before."""
    found = re.search(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', log.read_text())
    return int(found[1]) if found else None


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[int]:
    """The port at which it is ready."""
    file = folder / f"{command[0]}.log"
    with file.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            port = until(lambda: listens_at(file), alive=[process])
            until(lambda: _ready(port) or None, alive=[process])
            yield port
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False


def _json(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
