"""The whole tree with probes declared, behind TLS and keys: nobody but the home asks, and health is all that knows."""

import json
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import polars as pl
import pytest
from ruamel.yaml import YAML
from tests.app.command import run, tree
from tests.drafted import untimed
from tests.serving.certificates import Authority

from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.ledger import open_ledger

SEEN_S = 90.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probed")
    rng = np.random.default_rng(7)
    x = rng.normal(size=2000)
    bought = (rng.random(2000) < 1 / (1 + np.exp(-2 * x))).astype(int)
    pl.DataFrame({"x": x, "bought": bought}).write_parquet(folder / "table.parquet")
    run("init", folder / "shop", "--data", folder / "table.parquet", "--label", "bought", "--name", "shop")
    file = folder / "shop" / "service.yaml"
    untimed(file)
    yaml = YAML()
    declared = yaml.load(file)
    declared.setdefault("serving", {})["probes"] = {"every_s": 0.5, "timeout_s": 2.0}
    yaml.dump(declared, file)
    return file


def seen(what: Callable[[], bool]) -> None:
    """Within the time that a machine under load may take."""
    end, pause = time.monotonic() + SEEN_S, Event()
    while not what():
        assert time.monotonic() < end, "it was not seen in time"
        pause.wait(0.2)


@pytest.mark.slow  # a whole tree; its parts: test_own_probes, test_around
def test_probes_pass_tls_and_keys_and_leave_no_trace_but_health(service: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    cert, key = authority.leaf("gateway")
    keys = tmp_path / "keys.json"
    made = run("keys", "new", "--scope", "predict,metrics", "--keys", keys)
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text(
        "apiVersion: flyball/v1\nkind: Gateway\nauth: {keys: 'file:keys.json'}\n"
        f"tls: {{cert: 'file:{cert}', key: 'file:{key}'}}\nlimits: {{rate_rps: 0.001, burst: 4}}\n"
    )
    trusted = ssl.create_default_context(cafile=str(authority.file))

    def asked(url: str, *, with_key: bool = True) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {made['key']}"} if with_key else {}
        try:
            with urlopen(Request(url, headers=headers), context=trusted, timeout=30) as answer:
                text = answer.read().decode()
                return answer.status, text if url.endswith("/metrics") else json.loads(text)
        except HTTPError as error:
            return error.code, json.load(error)

    home = Home(tmp_path / "home")
    with tree(service, "--home", home.root, "--gateway", gateway, ends_s=60.0) as told:
        seen(lambda: health_seen(home, "shop").standing.state == "HEALTHY")
        ends = {"predict", "infer", "ready"}
        seen(lambda: {each.endpoint for each in probes(home)} == ends and len(probes(home)) == 30)
        assert [each.said for each in probes(home) if not each.ok] == []
        assert asked(told["url"] + "/v1/health", with_key=False) == (200, {"state": "HEALTHY"})
        status, body = asked(told["url"] + "/v1/health/shop")
        assert (status, body["state"], body["ready"]) == (200, "HEALTHY", True)
        assert asked(told["url"] + "/v1/health/shop", with_key=False)[0] == 401
        _, metrics = asked(told["url"] + "/metrics")
        assert 'flyball_probe_success{endpoint="infer",service="shop"} 1.0' in metrics
        rows = [line for line in metrics.splitlines() if line.startswith("flyball_rows_total{")]
        assert all(line.endswith(" 0.0") for line in rows)  # thirty probes and more, and not one row
        assert 'flyball_log_records_total{service="shop",what="received"} 0.0' in metrics
        assert run("status", "--home", home.root)["services"][0]["health"]["state"] == "HEALTHY"
        assert run("predictions", "query", "shop", "--home", home.root)["rows"] == []
        subprocess.run(["kill", "-STOP", str(told["gateway_pid"])], check=True)
        try:
            seen(lambda: "availability" in [sign.key for sign in health_seen(home, "shop").standing.signs])
        finally:
            subprocess.run(["kill", "-CONT", str(told["gateway_pid"])], check=True)
        seen(lambda: all(each.ok for each in probes(home)[-6:]))
        assert states_of(open_ledger(home))["shop"].health.health.state == "UNHEALTHY"  # for an hour


def probes(home: Home) -> Any:
    report = health_seen(home, "shop").report
    return report.around.probes if report is not None else ()
